import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../world/project.js';

const CORE = ['src/codec', 'src/crypto/portable', 'hal', 'hal/mock', 'boards'];
const ELSEWHERE = ['src/node', 'src/controller', 'src/simulator', 'src/cli', 'test'];

/** Expressions, and what the linter calls the rule that keeps them out of the core. */
const REFUSED = [
  ['Date.now()', 'noRestrictedGlobals'],
  ['new Date(0)', 'noRestrictedGlobals'],
  ['Math.random()', 'noJsRestrictedProperties'],
  ["Math['random']()", 'noJsRestrictedProperties'],
  ['setTimeout(() => {}, 1)', 'noRestrictedGlobals'],
  ['queueMicrotask(() => {})', 'noRestrictedGlobals'],
  ['performance.now()', 'noRestrictedGlobals'],
  ['process.pid', 'noRestrictedGlobals'],
  ["Buffer.from('')", 'noRestrictedGlobals'],
  ['console', 'noRestrictedGlobals'],
  ['crypto', 'noRestrictedGlobals'],
  ['new TextEncoder()', 'noRestrictedGlobals'],
  ['AbortSignal.timeout(1)', 'noRestrictedGlobals'],
  ['structuredClone([])', 'noRestrictedGlobals'],
  ["fetch('')", 'noRestrictedGlobals'],
  ['globalThis.Date', 'noRestrictedGlobals'],
  ["/a/.exec('a')", 'plugin'],
  ["new RegExp('a')", 'noRestrictedGlobals'],
] as const;

const folder = mkdtempSync(path.join(tmpdir(), 'mash-lint-'));
let report: readonly string[] = [];

function plant(file: string, ...lines: readonly string[]): void {
  mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
  writeFileSync(path.join(folder, file), `${lines.join('\n')}\n`);
}

/** The planted files about which the linter says this. */
function filesWith(rule: string): readonly string[] {
  return report
    .filter((line) => /title=([^,]*\/)?([^,]*),/.exec(line)?.[2] === rule)
    .map((line) => /file=[^,]*?mash-lint-[^/]*\/([^,]*)/.exec(line)?.[1] ?? '');
}

describe('the linter', () => {
  beforeAll(() => {
    for (const name of ['biome.json', 'scripts/lint']) cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
    for (const place of [...CORE, ...ELSEWHERE])
      REFUSED.forEach(([expression], index) => {
        plant(`${place}/planted-${index}.ts`, `export const planted: unknown = ${expression};`);
      });
    plant('src/codec/work.ts', 'export async function work(): Promise<void> {}');
    for (const [name, call] of Object.entries({ floating: 'work();', waited: 'await work();', dropped: 'void work();' }))
      for (const place of ['src/pki', 'src/node'])
        plant(
          `${place}/${name}.ts`,
          "import { work } from '../codec/work.js';",
          '',
          `export async function run(): Promise<void> {\n  ${call}\n}`,
        );
    const biome = path.join(ROOT, 'node_modules/.bin/biome');
    const { stdout } = spawnSync(biome, ['lint', '--reporter=github', '--max-diagnostics=none', '.'], { cwd: folder, encoding: 'utf8' });
    report = stdout.split('\n').filter((line) => line.startsWith('::error'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(REFUSED.map(([expression, rule], index) => ({ expression, rule, index })))(
    'keeps $expression out of the core',
    ({ rule, index }) => {
      const files = filesWith(rule);
      for (const place of CORE) expect(files).toContain(`${place}/planted-${index}.ts`);
      for (const place of ELSEWHERE) expect(files).not.toContain(`${place}/planted-${index}.ts`);
    },
  );

  it('refuses a promise that nobody waits for, the promise of another file too', () => {
    expect([...filesWith('noFloatingPromises')].sort()).toEqual(['src/node/floating.ts', 'src/pki/floating.ts']);
  });
});
