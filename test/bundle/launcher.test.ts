import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { program, ROOT, runNode } from '../world/project.js';

const LAUNCHER = path.join(ROOT, 'src/cli/launcher.cjs');
const { compile, load } = createRequire(import.meta.url)(LAUNCHER) as {
  compile(text: string, name: string): Buffer<ArrayBuffer>;
  load(file: string): { cachedDataRejected?: boolean };
};
const TEXT =
  "#!/usr/bin/env node\n'use strict';\nfunction said() { return 'as it was'; }\nconsole.log(said(), process.argv.slice(2).join());\n";

let folder = '';
let file = '';
let code = Buffer.alloc(0);
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mash-launcher-'));
  file = path.join(folder, 'p.cjs');
  code = compile(TEXT, 'p.cjs');
  writeFileSync(file, TEXT);
  writeFileSync(path.join(folder, 'p.code'), code);
  copyFileSync(LAUNCHER, path.join(folder, 'p.start.cjs'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const start = (...args: readonly string[]): { status: number | null; stdout: string; stderr: string } => {
  const { status, stdout, stderr } = runNode(folder, ...args, 'p.start.cjs', 'an argument');
  return { status, stdout, stderr };
};
const said = (text: string) => ({ status: 0, stdout: `${text} an argument\n`, stderr: '' });

describe('a program and what V8 made of it', () => {
  it('fit: it starts from the code', () => {
    expect(load(file).cachedDataRejected).toBe(false);
    expect(start()).toEqual(said('as it was'));
  });

  it('do not fit where the text has changed, be it as long as before: it starts from the text', () => {
    writeFileSync(file, TEXT.replace('as it was', 'as it is.'));
    expect(load(file).cachedDataRejected).toBeUndefined();
    expect(start()).toEqual(said('as it is.'));
  });

  it('do not fit with any bit of the code turned, which V8 itself would not see', () => {
    for (let at = 0; at < code.length; at += 23) {
      const turned = Buffer.from(code);
      turned[at] = (turned[at] as number) ^ (1 << (at % 8));
      writeFileSync(path.join(folder, 'p.code'), turned);
      expect(load(file).cachedDataRejected, `byte ${at}`).toBeUndefined();
    }
    expect(start()).toEqual(said('as it was'));
  });

  it.each([0, 31, 32, 100])('do not fit where %i bytes of the code are left', (length) => {
    writeFileSync(path.join(folder, 'p.code'), code.subarray(0, length));
    expect(load(file).cachedDataRejected).toBeUndefined();
  });

  it('need no code: it starts from the text', () => {
    rmSync(path.join(folder, 'p.code'));
    expect(start()).toEqual(said('as it was'));
  });

  it('are left to V8 where its flags have changed: it starts from the text', () => {
    expect(start('--no-opt')).toEqual(said('as it was'));
  });
});

it('has its own lines in a stack trace, and imports from where it stands', () => {
  const text = "#!/usr/bin/env node\nrequire.outside('beside').then(({ value }) => {\n  throw new Error(value);\n});\n";
  writeFileSync(file, text);
  writeFileSync(path.join(folder, 'p.code'), compile(text, 'p.cjs'));
  mkdirSync(path.join(folder, 'node_modules/beside'), { recursive: true });
  writeFileSync(path.join(folder, 'node_modules/beside/index.js'), "exports.value = 'from beside';");
  const { stderr } = spawnSync(process.execPath, [path.join(folder, 'p.start.cjs')], { cwd: '/', encoding: 'utf8' });
  expect(stderr).toContain('Error: from beside');
  expect(stderr).toMatch(/p\.cjs:3:9/);
});

it.each(['mash-device', 'mash-controller', 'mash-conformance'] as const)('%s starts from its code', async (name) => {
  const launcher = await program(name);
  expect(readFileSync(launcher)).toEqual(readFileSync(LAUNCHER));
  expect(load(launcher.replace('.start.cjs', '.cjs')).cachedDataRejected).toBe(false);
  const { status, stdout } = runNode(folder, launcher, '--help');
  expect([status, stdout]).toEqual([0, expect.stringContaining(`Usage: ${name} `)]);
});

it('the code of the device has what a start calls: it was started once when it was built', async () => {
  const launcher = await program('mash-device');
  const text = readFileSync(launcher.replace('.start.cjs', '.cjs'), 'utf8');
  const code = readFileSync(launcher.replace('.start.cjs', '.code'));
  expect(code.length).toBeGreaterThan(1.5 * compile(text, 'mash-device.cjs').length);
});
