import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDeviceArguments } from '../../src/cli/device-arguments.js';
import { parsePics } from '../../src/pics/format.js';
import { printedPics } from '../pics/read.js';
import { parseYaml } from '../world/simple-yaml.js';

describe('mash-device pics', () => {
  it('prints the values of the configuration that every other option makes', async () => {
    const plain = parsePics(await printedPics());
    const changed = parsePics(
      await printedPics('--set', 'commissioning.window=60000', 'zones.slots=3', '--port', '9443', '--board', 'sim-heat-pump'),
    );
    const codes = ['COMM.WINDOW_DURATION', 'PASE.WINDOW_DURATION', 'ZONE.MAX_ZONES', 'TRANS.PORT', 'E01'];
    expect(codes.map((code) => plain.get(`MASH.S.${code}`))).toEqual([120, 120, 5, 8443, 'EV_CHARGER']);
    expect(codes.map((code) => changed.get(`MASH.S.${code}`))).toEqual([60, 60, 3, 9443, 'HEAT_PUMP']);
  });

  it('has TestControl where there is an enable key', async () => {
    expect(parsePics(await printedPics()).get('MASH.S.E00.TEST')).toBeUndefined();
    const pics = parsePics(await printedPics('--enable-key', '0123456789abcdef0123456789abcdef'));
    expect(pics.get('MASH.S.E00.TEST.C01.Rsp')).toBe(1);
  });

  it('--format yaml: the same codes and values', async () => {
    const pics = parsePics(await printedPics());
    const yaml = parseYaml(await printedPics('--format', 'yaml')) as Record<string, unknown>;
    expect(Object.keys(yaml)).toEqual(pics.codes);
    expect(pics.codes.filter((code) => yaml[code] !== pics.get(code))).toEqual([]);
  });

  it('makes no state folder', async ({ onTestFinished }) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mash-pics-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    await printedPics('--state', path.join(folder, 'state'));
    expect(existsSync(path.join(folder, 'state'))).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('a wrong option is an error of the command line', () => {
    let failed = '';
    const parsed = parseDeviceArguments(
      ['pics', '--set', 'zones.slot=3'],
      false,
      () => undefined,
      (text) => {
        failed += text;
      },
    );
    expect(parsed).toEqual({ kind: 'exit', code: 2 });
    expect(failed).toContain("'zones.slots'");
  });
});
