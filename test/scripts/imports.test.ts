import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { ROOT, runNode } from '../world/project.js';

const FOLDERS = ['src', 'hal', 'boards'];

// Inside the project, so that its packages are found; build/ is nobody's source.
mkdirSync(path.join(ROOT, 'build'), { recursive: true });
const folder = mkdtempSync(path.join(ROOT, 'build/imports-'));

function plant(file: string, ...lines: readonly string[]): void {
  writeFileSync(path.join(folder, file), `${lines.join('\n')}\n`);
}

function check(): { readonly code: number | null; readonly text: string } {
  const { status, stdout, stderr } = runNode(ROOT, 'scripts/check-imports.mjs', folder);
  return { code: status, text: stdout + stderr };
}

describe('the import checker', () => {
  beforeEach(() => {
    for (const name of FOLDERS) {
      rmSync(path.join(folder, name), { recursive: true, force: true });
      cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('finds nothing wrong with the tree', () => {
    const { code, text } = check();
    expect(text).toMatch(/^imports: \d{2,} modules cruised, \d{3,} imports, 0 violations\n$/);
    expect(code).toBe(0);
  });

  it('finds every arrow that runs the other way, Node and packages where they do not belong, and a circle, of types too', () => {
    plant('src/codec/planted.ts', "import { MashDevice } from '../device.js';", 'export const planted = MashDevice;');
    plant('src/pki/planted.ts', "import type { Zone } from '../zones/zone.js';", 'export type Planted = Zone;');
    plant('src/store/planted.ts', "export { model } from '../model/model.js';");
    plant('hal/planted.ts', "export type { Clock } from '../src/platform.js';");
    plant('hal/mock/planted.ts', "export type { Clock } from '../../src/platform.js';");
    plant('src/platform-planted.ts', "export type { Clock } from './platform.js';");
    plant('boards/planted.ts', "export { model } from '../src/model/model.js';");
    plant('src/session/planted.ts', "import { connect } from 'node:net';", 'export const planted = connect;');
    plant('src/node/planted.ts', "export { p256 } from '@noble/curves/nist.js';");
    plant('src/cli/planted.ts', "export * from '@peculiar/x509';");
    plant('src/discovery/planted.ts', "export * from 'dns-packet';");
    plant('src/controller/planted.ts', "export * from 'node-forge';");
    plant('src/codec/planted-a.ts', "import type { B } from './planted-b.js';", 'export type A = B;');
    plant('src/codec/planted-b.ts', "import type { A } from './planted-a.js';", 'export type B = A;');
    const { code, text } = check();
    expect(code).toBe(1);
    for (const arrow of [
      'src/codec/planted.ts → src/device.ts (room',
      'src/pki/planted.ts → src/zones/zone.ts (room',
      'src/store/planted.ts → src/model/model.ts (room',
      'hal/planted.ts → src/platform.ts (room',
      'hal/mock/planted.ts → src/platform.ts (room',
      'src/platform-planted.ts → src/platform.ts (every module has a room)',
      'boards/planted.ts → src/model/model.ts (boards are data)',
    ])
      expect(text).toContain(arrow);
    expect(text).toMatch(/src\/controller\/planted\.ts → .*node-forge.*\(no other package\)/);
    expect(text).toMatch(/src\/session\/planted\.ts → .*\(no Node in the core\)/);
    expect(text).toMatch(/src\/node\/planted\.ts → .*\(package @noble/);
    expect(text).toMatch(/src\/cli\/planted\.ts → .*\(package @peculiar\/x509\)/);
    expect(text).toMatch(/src\/discovery\/planted\.ts → .*\(no other package\)/);
    expect(text).toMatch(/src\/codec\/planted-a\.ts → src\/codec\/planted-b\.ts → src\/codec\/planted-a\.ts \(no circle\)/);
  });

  it('fails when it has read nothing', () => {
    for (const name of FOLDERS) {
      rmSync(path.join(folder, name), { recursive: true });
      mkdirSync(path.join(folder, name));
    }
    const { code, text } = check();
    expect(code).toBe(1);
    expect(text).toContain('only 0 modules with 0 imports were read');
  });
});
