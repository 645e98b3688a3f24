// One file a program, from what tsc emitted into build/. `npm run build` runs both steps. CommonJS: the loader of ES modules costs 1.9 MiB of memory.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';

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

export default ['mash-device', 'mash-controller', 'mash-conformance'].map((name) => ({
  input: `build/src/cli/${name}.js`,
  external: (id) => isBuiltin(id) || OPTIONAL.includes(id),
  // What a bundle needs and does not find would end the program at a customer's: nothing is a mere warning.
  onwarn: (warning) => {
    throw new Error(`${name}: ${warning.message}`);
  },
  plugins: [
    built(),
    ...production,
    nodeResolve({ exportConditions: ['node'], preferBuiltins: true }),
    commonjs(),
    json(),
    ...minified,
    account(name),
  ],
  output: { dir: process.env.MASH_BUNDLES ?? 'bundles', entryFileNames: `${name}.cjs`, format: 'cjs', inlineDynamicImports: true },
}));

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
