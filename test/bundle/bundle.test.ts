import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle, bundleAccount, ROOT, runNode } from '../world/project.js';

/** Texts that stand in the code of packages, minified or not, that the device must not load: it costs memory and time on every start. */
const MARKERS = {
  '@noble/curves': 'bad point: ZERO',
  '@peculiar/x509': 'Unsupported GeneralName type',
  'node-forge': 'PKCS#1 v1.5',
  'mdns-server': 'mdns-server',
  '@achingbrain/nat-port-mapper': 'AddAnyPortMapping',
};

describe.each(['mash-device', 'mash-controller', 'mash-conformance'] as const)('%s', (name) => {
  let folder = '';
  beforeAll(async () => {
    const file = await bundle(name);
    folder = mkdtempSync(path.join(tmpdir(), 'mash-bundle-'));
    copyFileSync(file, path.join(folder, 'program.cjs'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is one file that runs alone with plain node', () => {
    const { status, stdout, stderr } = runNode(folder, 'program.cjs', '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`Usage: ${name} `);
    expect(readdirSync(folder)).toEqual(['program.cjs']);
  });

  it('can be executed as it stands', async () => {
    const file = await bundle(name);
    expect(statSync(file).mode & 0o111).toBe(0o111);
    expect(readFileSync(file, 'utf8').split('\n', 1)).toEqual(['#!/usr/bin/env node']);
  });

  it('ends without a complaint when nobody reads what it says', async () => {
    const child = spawn(process.execPath, [path.join(folder, 'program.cjs'), '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let complaint = '';
    child.stderr.on('data', (chunk) => {
      complaint += String(chunk);
    });
    expect([await new Promise((resolve) => child.once('close', resolve)), complaint]).toEqual([0, '']);
  });

  it('carries the licence of each package in it', () => {
    const code = readFileSync(path.join(folder, 'program.cjs'), 'utf8');
    for (const id of bundleAccount(name).packages) expect(code).toContain(`\n/*!\n${id} (`);
  });

  it('says how large it is', () => {
    const { bytes, modules } = bundleAccount(name);
    expect(bytes).toBe(statSync(path.join(folder, 'program.cjs')).size);
    console.log(`${name}: ${Math.ceil(bytes / 1024)} KiB in ${Object.keys(modules).length} modules`);
  });
});

describe('what the controller loads late', () => {
  it('is in its bundle too, and ready: the zone authority makes a zone', async ({ onTestFinished }) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mash-bundle-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { stderr } = runNode(folder, await bundle('mash-controller'), '--zone', 'zone', 'commission', '70914386', '--address', '[::1]:1');
    expect(stderr).toMatch(/^zone '.*' \(home\) created in /);
    expect(readdirSync(path.join(folder, 'zone'))).toContain('zone.json');
  });
});

describe('a production bundle', () => {
  const TEST_MODE = ['enable-key', 'triggerTestEvent', 'invalid enable key', 'TEST MODE', 'unknown event trigger', 'closed connections'];

  it('has nothing of TestControl in it, neither modules nor texts, and runs', async ({ onTestFinished }) => {
    await bundle('mash-device');
    const folder = mkdtempSync(path.join(tmpdir(), 'mash-bundle-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const rollup = path.join(ROOT, 'node_modules/rollup/dist/bin/rollup');
    const env = { ...process.env, MASH_PRODUCTION: '1', MASH_PROGRAMS: 'mash-device', MASH_BUNDLES: folder };
    const built = spawnSync(process.execPath, [rollup, '-c', '--silent'], { cwd: ROOT, encoding: 'utf8', env });
    expect([built.status, built.stderr]).toEqual([0, '']);
    const code = readFileSync(path.join(folder, 'mash-device.cjs'), 'utf8');
    expect(TEST_MODE.filter((text) => code.includes(text))).toEqual([]);
    const { modules } = JSON.parse(readFileSync(path.join(folder, 'mash-device.json'), 'utf8')) as { modules: Record<string, number> };
    expect(Object.keys(modules).filter((id) => id.includes('test-control/'))).toEqual([]);
    const { stderr, status } = runNode(folder, 'mash-device.cjs', '--enable-key', '1'.repeat(32));
    expect([status, stderr]).toEqual([2, expect.stringContaining("unknown option '--enable-key'")]);
  });

  it('would be seen: a test bundle has all of it', async () => {
    const code = readFileSync(await bundle('mash-device'), 'utf8');
    expect(TEST_MODE.filter((text) => !code.includes(text))).toEqual([]);
  });
});

describe('what the device loads', () => {
  const names = (packages: readonly string[]): readonly string[] => packages.map((id) => id.slice(0, id.lastIndexOf('@')));

  it('is its own code, the command line and the QR code, and no cryptography but that of Node', () => {
    const { packages, modules } = bundleAccount('mash-device');
    expect(names(packages)).toEqual(['commander', 'qr']);
    expect(Object.keys(modules).filter((id) => id.includes('portable') || id.startsWith('build/src/controller/'))).toEqual([]);
  });

  it('is not in the text of the bundle either', async () => {
    const code = readFileSync(await bundle('mash-device'), 'utf8');
    expect(Object.entries(MARKERS).filter(([, marker]) => code.includes(marker))).toEqual([]);
  });

  it('may be one package more, from beside the bundle, where remote.portMapping asks for it', async () => {
    const code = readFileSync(await bundle('mash-device'), 'utf8');
    const asked = /\brequire\.outside\s*\?\?\s*\(*\w+\)*\s*=>\s*import\(\w+\)\)\)\(["']([^"']+)["']\)/g;
    expect([...code.matchAll(asked)].map(([, name]) => name)).toEqual(['@achingbrain/nat-port-mapper']);
    expect(code.match(/\bimport\(/g)).toHaveLength(1);
  });

  it('would be seen: the controller contains @peculiar/x509', async () => {
    expect(names(bundleAccount('mash-controller').packages)).toContain('@peculiar/x509');
    expect(readFileSync(await bundle('mash-controller'), 'utf8')).toContain(MARKERS['@peculiar/x509']);
  });
});
