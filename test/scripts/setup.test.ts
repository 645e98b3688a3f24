import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ROOT, runNode } from '../world/project.js';

const script = (name: string): string => pathToFileURL(path.join(ROOT, 'scripts/setup', name)).href;
const { packagesFit, linkPrograms } = await import(script('packages.mjs'));
const { bundlesFresh, sourcesDigest } = await import(script('bundles.mjs'));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mash-setup-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(file: string, content: unknown): void {
  mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
  writeFileSync(path.join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
}

describe('whether the installed packages fit', () => {
  const a = { version: '1.0.0', integrity: 'sha512-a' };
  const native = { version: '1.0.0', integrity: 'sha512-n', optional: true, os: [process.platform], cpu: [process.arch] };
  const foreign = { version: '1.0.0', integrity: 'sha512-f', optional: true, os: ['none'] };

  function fits(installed: Record<string, unknown>): boolean {
    write('package-lock.json', {
      packages: { '': {}, 'node_modules/a': a, 'node_modules/native': native, 'node_modules/foreign': foreign },
    });
    write('node_modules/.package-lock.json', { packages: installed });
    return packagesFit(folder);
  }
  beforeEach(() => {
    for (const name of ['a', 'native', 'foreign', 'other']) write(`node_modules/${name}/package.json`, '{}');
  });

  it('they do: all that this machine needs, and no more', () => {
    expect(fits({ 'node_modules/a': a, 'node_modules/native': native })).toBe(true);
  });

  it.each([
    ['one is missing', { 'node_modules/native': native }],
    ['one has another version', { 'node_modules/a': { ...a, version: '1.0.1' } }],
    ['one has other content', { 'node_modules/a': { ...a, integrity: 'sha512-b' } }],
    ['one is too many', { 'node_modules/a': a, 'node_modules/other': a }],
    ['one is for another machine', { 'node_modules/a': a, 'node_modules/foreign': foreign }],
  ])('they do not: %s', (_why, installed) => {
    expect(fits(installed)).toBe(false);
  });

  it('they do not: a folder has gone', () => {
    rmSync(path.join(folder, 'node_modules/a'), { recursive: true });
    expect(fits({ 'node_modules/a': a })).toBe(false);
  });

  it('they do not: nothing was ever installed, or not to the end', () => {
    fits({});
    rmSync(path.join(folder, 'node_modules/.package-lock.json'));
    expect(packagesFit(folder)).toBe(false);
    write('node_modules/.package-lock.json', '{"packages":');
    expect(packagesFit(folder)).toBe(false);
  });
});

it("links this package's programs where npx looks, over a link that leads elsewhere", () => {
  write('package.json', { bin: { program: 'bundles/program.mjs' } });
  const link = path.join(folder, 'node_modules/.bin/program');
  linkPrograms(folder);
  expect(readlinkSync(link)).toBe('../../bundles/program.mjs');
  rmSync(link);
  symlinkSync('../elsewhere', link);
  linkPrograms(folder);
  expect(readlinkSync(link)).toBe('../../bundles/program.mjs');
});

it('bundles are fresh while the content of the sources stays, whatever its dates', () => {
  for (const name of ['src', 'hal', 'boards']) write(`${name}/a.ts`, '1');
  for (const name of ['mash-device', 'mash-controller', 'mash-conformance'])
    for (const part of ['.cjs', '.code', '.start.cjs']) write(`bundles/${name}${part}`, 'x');
  expect(bundlesFresh(folder)).toBe(false);
  write('bundles/sources.sha256', sourcesDigest(folder));
  expect(bundlesFresh(folder)).toBe(true);
  write('src/a.ts', '2');
  expect(bundlesFresh(folder)).toBe(false);
  write('src/a.ts', '1');
  expect(bundlesFresh(folder)).toBe(true);
  write('rollup.config.mjs', '');
  expect(bundlesFresh(folder)).toBe(false);
  rmSync(path.join(folder, 'rollup.config.mjs'));
  rmSync(path.join(folder, 'hal/a.ts'));
  expect(bundlesFresh(folder)).toBe(false);
  write('hal/a.ts', '1');
  rmSync(path.join(folder, 'bundles/mash-controller.code'));
  expect(bundlesFresh(folder)).toBe(false);
});

it('bundles of a test build are none of a product: MASH_PRODUCTION builds anew', () => {
  for (const name of ['src/a.ts', 'hal/a.ts', 'boards/a.ts']) write(name, '1');
  const ordinary = sourcesDigest(folder);
  vi.stubEnv('MASH_PRODUCTION', '1');
  const product = sourcesDigest(folder);
  vi.unstubAllEnvs();
  expect(product).not.toBe(ordinary);
  expect(sourcesDigest(folder)).toBe(ordinary);
});

describe('the lock', () => {
  const counting = (file: string, count: number): string => `
    import { readFileSync, writeFileSync } from 'node:fs';
    import { setTimeout } from 'node:timers/promises';
    import { withLock } from ${JSON.stringify(script('lock.mjs'))};
    for (let i = 0; i < ${count}; i++)
      await withLock(${JSON.stringify(path.join(folder, 'locks/lock'))}, async () => {
        const value = Number(readFileSync(${JSON.stringify(file)}, 'utf8'));
        await setTimeout(5);
        writeFileSync(${JSON.stringify(file)}, String(value + 1));
      });`;

  it('lets one process in at a time', async () => {
    write('count', '0');
    const code = counting(path.join(folder, 'count'), 4);
    const processes = [1, 2, 3].map(() => spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' }));
    const codes = await Promise.all(processes.map(async (child) => (await once(child, 'exit'))[0]));
    expect(codes).toEqual([0, 0, 0]);
    expect(readFileSync(path.join(folder, 'count'), 'utf8')).toBe('12');
    expect(existsSync(path.join(folder, 'locks/lock'))).toBe(false);
  });

  it('of a process that has died is taken over', () => {
    write('count', '0');
    write('locks/lock', String(spawnSync(process.execPath, ['-e', '0']).pid));
    const { status } = runNode(folder, '--input-type=module', '-e', counting(path.join(folder, 'count'), 1));
    expect(status).toBe(0);
    expect(readFileSync(path.join(folder, 'count'), 'utf8')).toBe('1');
  });
});

it('the program that is started gets every signal, and its exit code becomes ours', async () => {
  const program = `
    for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGINT']) process.on(signal, () => console.log(signal));
    process.on('SIGTERM', () => process.exit(7));
    setInterval(() => {}, 1000);
    console.log('ready');`;
  const wrapper = `
    import { runThrough } from ${JSON.stringify(script('run.mjs'))};
    process.exitCode = await runThrough(['-e', ${JSON.stringify(program)}]);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', wrapper], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  const signals: NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2', 'SIGINT', 'SIGTERM'];
  const heard: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    heard.push(line);
    child.kill(signals[heard.length - 1]);
  }
  expect(heard).toEqual(['ready', 'SIGUSR1', 'SIGUSR2', 'SIGINT']);
  expect(await exit).toEqual([7, null]);
});

it('an older Node is told what is needed', () => {
  for (const name of ['setup.mjs', 'setup'])
    cpSync(path.join(ROOT, 'scripts', name), path.join(folder, 'scripts', name), { recursive: true });
  write('package.json', { engines: { node: '>=99.19.0' } });
  const { status, stderr } = runNode(folder, 'scripts/setup.mjs', 'start');
  expect({ status, stderr }).toEqual({ status: 1, stderr: `setup: Node 99.19.0 or newer is needed, this is ${process.versions.node}\n` });
});

it('an unknown verb is told which there are', () => {
  const { status, stderr } = runNode(folder, path.join(ROOT, 'scripts/setup.mjs'), 'toString');
  expect({ status, stderr }).toEqual({ status: 1, stderr: "setup: start, test, conformance, build or bench is due, not 'toString'\n" });
});
