#!/usr/bin/env node
// Starts the program beside it from the code that V8 made of it when it was built: parsing its text is a tenth of a start. Where that code does
// not fit (another Node, flags that change V8, any other byte), the program starts from its text, and does the same.
'use strict';

const { isAscii } = require('node:buffer');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const DIGEST_BYTES = 32;

/** What `load` takes beside the program `name` of this text: a digest and V8's code of it. */
function compile(text, name) {
  const body = bodyOf(Buffer.from(text));
  return codeWith(body, scriptOf(body, name));
}

/** Starts the program and gives its code with every function in it that was called until then. */
function compileStarted(file) {
  const body = bodyOf(fs.readFileSync(file));
  const script = scriptOf(body, path.basename(file));
  run(script, file);
  return () => codeWith(body, script);
}

function codeWith(body, script) {
  const data = script.createCachedData();
  return Buffer.concat([digestOf(body, data), data]);
}

/** The program as a script that gives a function of Node's module parameters; its `cachedDataRejected` is false where the code served. */
function load(file) {
  const body = bodyOf(fs.readFileSync(file));
  return scriptOf(body, path.basename(file), codeOf(body, `${file.slice(0, -'.cjs'.length)}.code`));
}

function codeOf(body, file) {
  let code;
  try {
    code = fs.readFileSync(file);
  } catch {
    return undefined;
  }
  const data = code.subarray(DIGEST_BYTES);
  return digestOf(body, data).equals(code.subarray(0, DIGEST_BYTES)) ? data : undefined;
}

/** V8 itself checks its version and flags, of the text the length alone, and nothing of its code. */
function digestOf(body, data) {
  return createHash('sha256').update(`${process.version} ${process.arch} ${body.length}\n`).update(body).update(data).digest();
}

/** A hashbang stands at the top of a file alone; a comment in its place moves no line and no column. */
function bodyOf(text) {
  if (text.toString('latin1', 0, 2) === '#!') text.write('//');
  return text;
}

/** The name is part of the code, so that it names no folder. */
function scriptOf(body, filename, cachedData) {
  const text = body.toString(isAscii(body) ? 'latin1' : 'utf8');
  return new vm.Script(`(function (exports, require, module, __filename, __dirname) { ${text}\n})`, { filename, cachedData });
}

/** `import()` of a script from V8's code finds nothing: the bundle asks `require.outside` in its place (rollup.config.mjs). */
function run(script, file) {
  require.outside = (id) => import(id);
  script.runInThisContext()(exports, require, module, file, path.dirname(file));
}

if (require.main === module) {
  const file = __filename.replace(/\.start\.cjs$/, '.cjs');
  run(load(file), file);
} else module.exports = { compile, compileStarted, load };
