import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { JOURNAL_FILE } from '../../src/node/file-flash.js';
import { Pics, type PicsValue, parsePics } from '../../src/pics/format.js';
import type { ProfileName } from '../../src/profile.js';
import { ENABLE_KEY } from '../world/reference-world.js';
import { Lab, type Probe } from './lab.js';
import { PROBES } from './probes.js';
import { probeTestControl } from './probes-behaviour.js';
import { printedPics } from './read.js';

/** A second, a byte or a day beside what either profile says. */
const DIFFERENT = {
  'message.maximum': '4096',
  'session.close': '6000',
  'connections.stale': '91000',
  'commissioning.window': '901000',
  'commissioning.firstMessage': '6000',
  'commissioning.verifier': '29000',
  'commissioning.csrRequest': '9000',
  'commissioning.certificate': '31000',
  'failsafe.duration': '7201000',
  'certificates.renewalWindow': String(29 * 86_400_000),
  'certificates.grace': String(6 * 86_400_000),
};
const FOUND = [
  'TRANS.MAX_MSG_SIZE',
  'CONN.CLOSE_TIMEOUT',
  'CONN.STALE_TIMEOUT',
  'COMM.WINDOW_DURATION',
  'COMM.PASE_WAIT_X',
  'COMM.PASE_TIMEOUT',
  'COMM.CSR_TIMEOUT',
  'COMM.CERT_TIMEOUT',
  'FAILSAFE.DURATION_DEFAULT',
  'CERT.RENEWAL_WINDOW',
  'CERT.GRACE_PERIOD',
];

/** Codes whose line and what a probe saw differ. */
function lies(pics: Pics, seen: ReadonlyMap<string, PicsValue>): readonly string[] {
  return pics.codes.filter((code) => pics.get(code) !== seen.get(code));
}

/** Another value of the same kind. */
function falsified(value: PicsValue): PicsValue {
  if (typeof value === 'string') return `${value}?`;
  return value === 0 || value === 1 ? 1 - value : value + 1;
}

describe.each<readonly [ProfileName, string]>([
  ['draft', 'sim-evse'],
  ['reference', 'sim-evse'],
  ['draft', 'sim-heat-pump'],
  ['reference', 'sim-heat-pump'],
])('PICS lines against the running device, profile %s, board %s', (profile, board) => {
  const own = ['--profile', profile, '--board', board];
  const seen = new Map<string, PicsValue>();
  let lab: Lab | undefined;
  afterAll(() => lab?.close());

  it.each(Object.entries(PROBES))('%s', async (_name, probe) => {
    lab ??= await Lab.open(profile, board);
    const found = Object.entries(await probe(lab)).filter(([code]) => !seen.has(code));
    for (const [code, value] of found) seen.set(code, value);
    await lab.close();
    const pics = parsePics(await printedPics(...own, '--port', String(lab.port)));
    const lie = found.filter(([code, value]) => pics.get(code) !== value);
    expect(lie.map(([code, value]) => ({ code, told: pics.get(code), seen: value }))).toEqual([]);
  });

  it('a test build: TestControl on endpoint 0', async () => {
    const build = await Lab.open(profile, board);
    const pics = parsePics(await printedPics(...own, '--enable-key', ENABLE_KEY));
    const found = await probeTestControl(build).finally(() => build.close());
    expect(Object.fromEntries(pics.codes.filter((code) => code.includes('.TEST')).map((code) => [code, pics.get(code)]))).toEqual(found);
  });

  it('every code has a probe', async () => {
    const pics = parsePics(await printedPics(...own));
    expect(pics.codes.filter((code) => !seen.has(code))).toEqual([]);
  });

  it('a deliberately false line is found, each line in turn', async () => {
    const pics = parsePics(await printedPics(...own, '--port', String(lab?.port)));
    expect(lies(pics, seen)).toEqual([]);
    for (const code of pics.codes) {
      const lying = new Pics();
      for (const other of pics.codes) {
        const value = pics.get(other) as PicsValue;
        lying.set(other, other === code ? falsified(value) : value);
      }
      expect(lies(lying, seen)).toEqual([code]);
    }
  });
});

describe('PICS of a state folder', () => {
  it('has its zones, and is no other for them: a boot with zones is a failsafe, its limit no default', async () => {
    const lab = await Lab.open('draft');
    const zone = await lab.zone();
    await zone.world.close();
    const folder = await mkdtemp(path.join(tmpdir(), 'mash-pics-'));
    await writeFile(path.join(folder, JOURNAL_FILE), zone.world.flash.image());
    await lab.close();
    const [fresh, used] = [parsePics(await printedPics()), parsePics(await printedPics('--state', folder))];
    await rm(folder, { recursive: true });
    const different = used.codes.filter((code) => used.get(code) !== fresh.get(code));
    expect(different.map((code) => [code, used.get(code)])).toEqual([['MASH.S.ZONE.CURRENT_COUNT', 1]]);
  });
});

describe.each<ProfileName>(['draft', 'reference'])('PICS lines against another device, profile %s', (profile) => {
  it('a device that is another than its PICS says is found, by what it does', async () => {
    const other = await Lab.open(profile, 'sim-evse', DIFFERENT);
    const pics = parsePics(await printedPics('--profile', profile, '--port', String(other.port)));
    const found: string[] = [];
    for (const name of ['framing', 'connections', 'window', 'waits', 'failsafe', 'certificates'])
      for (const [code, value] of Object.entries(await (PROBES[name] as Probe)(other))) if (pics.get(code) !== value) found.push(code);
    await other.close();
    expect(found.map((code) => code.slice('MASH.S.'.length))).toEqual(expect.arrayContaining([...FOUND]));
  });
});
