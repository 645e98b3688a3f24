// node first-start.cjs PROGRAM OUT [ARGUMENT...]: starts a program that logs JSON, and once it has started writes the code that V8 made of it.
const { writeFileSync } = require('node:fs');
const { compileStarted } = require('./launcher.cjs');

const [program, out] = process.argv.splice(2, 2);
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = (text, ...more) => {
  if (String(text).includes('"message":"started"'))
    setImmediate(() => {
      writeFileSync(out, code());
      process.exit(0);
    });
  return write(text, ...more);
};
const code = compileStarted(program);
