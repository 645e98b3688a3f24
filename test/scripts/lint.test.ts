import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../world/project.js';

const folder = mkdtempSync(path.join(tmpdir(), 'mash-lint-'));

/** What the project's linter says about a file of one line at this place: names of rules and messages. */
function lint(file: string, code: string): string {
  const planted = path.join(folder, file);
  mkdirSync(path.dirname(planted), { recursive: true });
  writeFileSync(planted, `${code}\n`);
  const { stdout, stderr } = spawnSync(path.join(ROOT, 'node_modules/.bin/biome'), ['check', '--error-on-warnings', file], {
    cwd: folder,
    encoding: 'utf8',
  });
  rmSync(planted);
  return stdout + stderr;
}

describe('the linter', () => {
  beforeAll(() => {
    for (const name of ['biome.json', 'scripts/lint']) cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
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
    ["/a/.exec('a')", 'no regular expressions'],
    ["new RegExp('a')", 'noRestrictedGlobals'],
  ])('refuses %s in the core and nowhere else', (expression, rule) => {
    const code = `export const planted: unknown = ${expression};`;
    for (const place of ['src/codec/planted.ts', 'src/device-planted.ts', 'hal/planted.ts', 'hal/mock/planted.ts', 'boards/planted.ts'])
      expect(lint(place, code)).toContain(rule);
    for (const place of ['src/node/planted.ts', 'src/cli/planted.ts', 'test/planted.ts']) expect(lint(place, code)).not.toContain(rule);
  });

  it('refuses a promise that nobody waits for, the promise of another file too', () => {
    mkdirSync(path.join(folder, 'src/codec'), { recursive: true });
    writeFileSync(path.join(folder, 'src/codec/work.ts'), 'export async function work(): Promise<void> {}\n');
    const importing = "import { work } from '../codec/work.js';\n\nexport function planted(): void {\n  ";
    expect(lint('src/node/planted.ts', `${importing}work();\n}`)).toContain('noFloatingPromises');
    expect(lint('src/node/planted.ts', `${importing}void work();\n}`)).not.toContain('noFloatingPromises');
  });
});
