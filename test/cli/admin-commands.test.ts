import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CODE_LIFE } from '../../src/controller/admin/owner.js';
import { DISCRIMINATOR, SETUP_CODE } from '../world/device-world.js';
import { Lines, type Ran, run } from './line.js';

let lines: Lines;
beforeEach(async () => {
  lines = await Lines.start();
});
afterEach(() => lines.close());

const LABEL = `MASH:1:${DISCRIMINATOR}:${SETUP_CODE}`;

/** `admin open` of the folder `owner`, under way. */
async function open(...argv: readonly string[]) {
  let err = '';
  let interrupt = (): void => {};
  const ended = run([...lines.zone('owner'), '--json', 'admin', 'open', ...argv], lines.machine, {
    err: (text) => {
      err += text;
    },
    onInterrupt: (stop) => {
      interrupt = stop;
      return () => {};
    },
  });
  const qr = (): string | undefined => /MASH:1:\d+:\d{8}/.exec(err)?.[0];
  await lines.world.device.until(() => qr() !== undefined, 'the QR code');
  return {
    qr: qr() as string,
    said: () => err,
    /** Ends it as Ctrl-C does. */
    interrupt: (): Promise<Ran> => {
      interrupt();
      return lines.world.drive(ended);
    },
    ended,
  };
}
const value = (ran: Ran) => JSON.parse(ran.out);

describe('mash-controller admin', () => {
  it('open, join, commission through the owner, list, revoke', async () => {
    const owner = await open('--days', '7');
    const joined = await lines.as('app', 'admin', 'join', owner.qr, '--name', 'Phone', '--json');
    expect([joined.code, value(joined)]).toMatchObject([0, { name: 'Home Energy', type: 'home' }]);
    await lines.world.device.until(() => owner.said().includes('used up'), 'the code to be used up');
    // The app's folder holds no key of the zone: what it commissions goes through the owner, found where it announces itself.
    const added = await lines.as(
      'app',
      'commission',
      LABEL,
      '--operational-port',
      String(lines.world.device.port),
      '--address',
      `[::1]:${lines.world.device.port}`,
    );
    expect([added.code, added.err]).toEqual([0, expect.stringContaining("left to the zone's owner")]);
    const ran = await owner.interrupt();
    expect([ran.code, value(ran)]).toMatchObject([
      0,
      { joined: [{ name: 'Phone', permissions: ['commission'] }], signed: [expect.any(String)] },
    ]);
    const [device] = value(await lines.as('owner', 'devices', '--json'));
    expect(device).toMatchObject({ id: value(ran).signed[0], state: 'pending' });
    // The owner has never seen the device: it is found by multicast, with the certificate that the owner signed.
    const read = await lines.as('owner', 'read', '0/DeviceInfo/zoneCount', '--json');
    expect([read.code, value(read).values]).toEqual([0, { zoneCount: 1 }]);
    const [{ id }] = value(await lines.as('owner', 'admin', 'list', '--json'));
    expect((await lines.as('owner', 'admin', 'revoke', id.slice(0, 8))).code).toBe(0);
    expect((await lines.as('owner', 'admin', 'list')).out).toMatch(/Phone +revoked/);
  });

  it("an app's folder is no zone's: that is said, and none is made in it", async () => {
    const owner = await open();
    await lines.as('app', 'admin', 'join', owner.qr);
    await owner.interrupt();
    for (const words of [['read'], ['limit', '3'], ['admin', 'list']]) {
      const ran = await lines.as('app', ...words);
      expect([ran.code, ran.err]).toEqual([
        3,
        expect.stringContaining("is an admin's of zone 'Home Energy', whose owner operates its devices"),
      ]);
    }
    expect((await lines.as('app', 'zones')).err).toContain("is an admin's of zone 'Home Energy'");
    const opened = await lines.as('app', 'admin', 'open');
    expect([opened.code, opened.err]).toEqual([2, expect.stringContaining('a zone of its own needs another folder')]);
  });

  it('a token that cannot be written is none of the list', async () => {
    const owner = await open();
    await owner.interrupt();
    expect((await lines.as('owner', 'token', '--out', '/nonexistent/token')).code).toBe(1);
    expect(value(await lines.as('owner', 'admin', 'list', '--json'))).toEqual([]);
  });

  it('open ends after five minutes, and says that the code has expired', async () => {
    const owner = await open();
    await lines.world.device.clock.advance(CODE_LIFE);
    const ran = await lines.world.drive(owner.ended);
    expect([ran.code, value(ran)]).toMatchObject([0, { joined: [], signed: [] }]);
    expect(owner.said()).toContain('the code has expired');
  });

  it('open --stay goes on without a code, and no code is announced then', async () => {
    const owner = await open('--stay');
    await lines.world.device.clock.advance(CODE_LIFE);
    const late = await lines.as('app', 'admin', 'join', owner.qr);
    expect([late.code, late.err]).toEqual([3, expect.stringContaining('shows no such code')]);
    expect((await owner.interrupt()).code).toBe(0);
  });

  it('a wrong code is not trusted', async () => {
    const owner = await open();
    const wrong = owner.qr.replace(/\d{8}$/, owner.qr.endsWith(SETUP_CODE) ? '20220212' : SETUP_CODE);
    const ran = await lines.as('app', 'admin', 'join', wrong);
    expect([ran.code, ran.err]).toEqual([4, expect.stringContaining('does not know this code')]);
    await owner.interrupt();
  });

  it('what contradicts itself changes nothing', async () => {
    const owner = await open();
    expect((await lines.as('owner', 'admin', 'join', owner.qr)).err).toContain('holds a zone of its own');
    expect((await lines.as('app', '--dialect', 'reference', 'admin', 'join', owner.qr)).code).toBe(2);
    expect((await lines.as('other', '--dialect', 'reference', 'admin', 'open')).code).toBe(2);
    expect((await lines.as('app', 'admin', 'join', owner.qr)).code).toBe(0);
    for (const argv of [
      ['--zone-name', 'Mine'],
      ['--zone-type', 'grid'],
      ['--priority', '1'],
      ['--dialect', 'reference'],
    ])
      expect((await lines.as('app', ...argv, 'commission', LABEL)).code).toBe(2);
    expect((await lines.as('app', 'admin', 'revoke', 'zz')).code).toBe(3);
    expect((await lines.as('owner', 'admin', 'revoke', 'zz')).code).toBe(2);
    await owner.interrupt();
  });
});
