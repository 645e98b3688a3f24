// One file a program, from what tsc emitted into build/. `npm run build` runs both steps. CommonJS: the loader of ES modules costs 1.9 MiB of memory.
// Beside it what starts it faster: NAME.start.cjs with NAME.code, see src/cli/launcher.cjs.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { compile } from './src/cli/launcher.cjs';

const ROOT = import.meta.dirname;
/** `MASH_PRODUCTION=1 npm run build`: TestControl and its option are not in the bundle. */
const production = process.env.MASH_PRODUCTION === '1' ? [withoutTestMode()] : [];
/**
 * Saves 2.2 MiB of the device's memory, most of it names. `MASH_PLAIN=1 npm run build` keeps stack traces readable. ASCII alone: one character beyond
 * Latin-1 would make the engine keep the whole source with two bytes a character.
 */
const minified = process.env.MASH_PLAIN === '1' ? [] : [terser({ toplevel: true, format: { ascii_only: true } })];

/** Loaded only where `remote.portMapping` asks for it, and never part of a bundle. */
const OPTIONAL = ['@achingbrain/nat-port-mapper'];

/** `MASH_PROGRAMS=mash-device`: one of them alone. */
const PROGRAMS = (process.env.MASH_PROGRAMS ?? 'mash-device,mash-controller,mash-conformance').split(',');

export default PROGRAMS.map((name) => ({
  input: `build/src/cli/${name}.js`,
  external: (id) => isBuiltin(id) || OPTIONAL.includes(id),
  // What a bundle needs and does not find would end the program at a customer's: nothing is a mere warning.
  onwarn: (warning) => {
    throw new Error(`${name}: ${warning.message}`);
  },
  plugins: [
    built(),
    outside(),
    ...production,
    nodeResolve({ exportConditions: ['node'], preferBuiltins: true }),
    commonjs(),
    json(),
    ...minified,
    ...(name === 'mash-device' ? [late()] : []),
    account(name),
    compiled(name),
  ],
  output: {
    dir: process.env.MASH_BUNDLES ?? 'bundles',
    entryFileNames: `${name}.cjs`,
    format: 'cjs',
    inlineDynamicImports: name !== 'mash-device',
  },
}));

/**
 * Rollup evaluates what it inlines for `import()` when the program starts: of the device's QR code that is a table of 65,536 entries. Here it becomes
 * a function of the one file, called once it is asked for.
 */
function late() {
  return {
    name: 'late',
    generateBundle(_options, bundle) {
      const [program, ...others] = Object.values(bundle).sort((a, b) => Number(b.isEntry) - Number(a.isEntry));
      for (const [i, { fileName, code, imports, modules }] of others.entries()) {
        const parts = program.code.split(new RegExp(`require\\(["']\\./${fileName.replaceAll('.', '\\.')}["']\\)`));
        if (parts.length < 2 || !imports.every((id) => isBuiltin(id))) this.error(`${fileName} cannot wait for its first use`);
        const once = `var late${i};function load${i}(){if(!late${i}){late${i}={};(function(exports){${code}\n})(late${i})}return late${i}}`;
        program.code = `${parts.join(`load${i}()`)}\n${once}\n`;
        Object.assign(program.modules, modules);
        delete bundle[fileName];
      }
    },
  };
}

/** What a bundle imports from beside it is asked of the launcher, if that has started it. */
function outside() {
  return {
    name: 'outside',
    renderDynamicImport: ({ targetModuleId }) =>
      targetModuleId === null || OPTIONAL.includes(targetModuleId) ? { left: '(require.outside??((id)=>import(id)))(', right: ')' } : null,
  };
}

/** Puts `test-mode-absent` in the place of `test-mode`. */
function withoutTestMode() {
  return {
    name: 'without test mode',
    resolveId(source, importer) {
      if (source !== './test-mode.js' || importer === undefined) return null;
      return path.join(path.dirname(importer), 'test-mode-absent.js');
    },
  };
}

/** Says what to do where tsc has not run. */
function built() {
  return {
    name: 'built',
    buildStart({ input }) {
      for (const file of input) if (!existsSync(file)) this.error(`${file} is missing: 'tsc -b tsconfig.node.json' makes it`);
    },
  };
}

/** Writes down what a bundle is made of, beside it, and into it the licences of the packages it contains. */
function account(name) {
  return {
    name: 'account',
    renderChunk(code, chunk) {
      return { code: `${code}${notices(packagesOf(Object.keys(chunk.modules)))}`, map: null };
    },
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle);
      if (chunks.length !== 1) this.error(`${name}: ${chunks.length} files instead of one`);
      const [chunk] = chunks;
      const modules = Object.fromEntries(
        Object.entries(chunk.modules)
          .filter(([, { renderedLength }]) => renderedLength > 0)
          .map(([id, { renderedLength }]) => [path.relative(ROOT, id.replace('\0', '')), renderedLength]),
      );
      const account = {
        bytes: Buffer.byteLength(chunk.code),
        packages: packagesOf(Object.keys(chunk.modules)).map(({ id }) => id),
        modules,
      };
      this.emitFile({ type: 'asset', fileName: `${name}.json`, source: `${JSON.stringify(account, undefined, 2)}\n` });
    },
  };
}

/** The packages that modules belong to: folder, name@version and licence of each. */
function packagesOf(modules) {
  const folders = new Set();
  for (const id of modules) {
    const match = /^\0?(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(id);
    if (match !== null) folders.add(match[1]);
  }
  return [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    return { folder, id: `${name}@${version}`, license };
  });
}

/** The launcher, and what V8 makes of the text: of this Node, with its default flags. Of the device's, with what a start calls. */
function compiled(name) {
  return {
    name: 'compiled',
    generateBundle(_options, bundle) {
      const { code: text } = bundle[`${name}.cjs`];
      const code = (name === 'mash-device' ? started(text, name) : undefined) ?? compile(text, `${name}.cjs`);
      this.emitFile({ type: 'asset', fileName: `${name}.code`, source: code });
      this.emitFile({ type: 'asset', fileName: `${name}.start.cjs`, source: readFileSync(path.join(ROOT, 'src/cli/launcher.cjs')) });
    },
  };
}

/** A factory-new device on no network, for as long as its start takes; undefined where it cannot start. */
function started(text, name) {
  const folder = mkdtempSync(path.join(tmpdir(), 'mash-first-start-'));
  try {
    const [program, out] = [`${name}.cjs`, `${name}.code`].map((file) => path.join(folder, file));
    writeFileSync(program, text);
    const ports = ['--port', '0', '--commissioning-port', '0', '--interface', 'none0', '--open-window'];
    const args = [program, out, '--state', path.join(folder, 'state'), '--log-format', 'json', ...ports];
    const { status } = spawnSync(process.execPath, [path.join(ROOT, 'src/cli/first-start.cjs'), ...args], { timeout: 60_000 });
    return status === 0 ? readFileSync(out) : undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function notices(packages) {
  return packages
    .map(({ folder, id, license }) => {
      const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
      const text = file === undefined ? '' : readFileSync(path.join(folder, file), 'utf8').trim();
      return `\n/*!\n${id} (${license})\n\n${ascii(text.replaceAll('*/', '* /'))}\n*/\n`;
    })
    .join('');
}

function ascii(text) {
  return text.replaceAll('\u00a9', '(c)').replace(/[^\x20-\x7e\n]/g, (letter) => `\\u{${letter.codePointAt(0).toString(16)}}`);
}
