import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Machine } from '../../src/cli/controller-context.js';
import { main } from '../../src/cli/controller-main.js';
import { toHex } from '../../src/codec/hex.js';
import { closest } from '../../src/errors.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { nodeListener } from '../../src/node/listener.js';
import { decodeAdminToken } from '../../src/pki/admin-token.js';
import { decodeZone } from '../../src/zones/zone.js';
import { ControllerWorld } from '../controller/world.js';
import { makeMaker, provision, reopen } from '../world/attestation.js';
import { VirtualClock } from '../world/clock.js';
import { DISCRIMINATOR, SETUP_CODE } from '../world/device-world.js';
import { VirtualMulticast } from '../world/network.js';
import { pem } from '../world/peer.js';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'mash-controller-'));
});
afterEach(() => fs.rm(folder, { recursive: true, force: true }));

/** A machine that must not be used: usage errors come before anything is touched. */
const noMachine = (): Machine => {
  throw new Error('the machine was used');
};

/** A machine without network and devices. */
const lonely = (): Machine => ({
  clock: new VirtualClock(),
  crypto: nodeCrypto(),
  transport: { connect: () => Promise.reject(new Error('no transport')) },
  multicast: () => new VirtualMulticast([]),
  listener: () => {
    throw new Error('no listener');
  },
});

async function run(argv: readonly string[], machine = noMachine, env: Record<string, string> = {}): Promise<Ran> {
  let out = '';
  let err = '';
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    env,
    machine,
    onInterrupt: () => () => {},
  };
  return { code: await main(argv, io), out, err };
}

const alone = (...argv: string[]): Promise<Ran> => run(['--zone', join(folder, 'zone'), ...argv], lonely);

describe('help', () => {
  it('has every command, every option, the exit codes and examples, on stdout', async () => {
    const { code, out, err } = await run(['--help']);
    expect([code, err]).toEqual([0, '']);
    for (const word of ['discover', 'commission', 'token', 'zones', 'devices', 'read', 'ping', 'renew', 'Examples:', 'Exit codes:'])
      expect(out).toContain(word);
    for (const option of ['--zone', '--zone-type', '--dialect', '--interface', '--json']) expect(out).toContain(`${option} `);
  });

  it('of a command shows its options and the global ones', async () => {
    const { code, out } = await run(['commission', '--help']);
    expect(code).toBe(0);
    for (const option of ['--address', '--discriminator', '--dialect', '--zone ']) expect(out).toContain(option);
  });

  it('does not name the folders of whoever prints it', async () => {
    expect((await run(['--help'], noMachine, { XDG_STATE_HOME: '/home/somebody' })).out).not.toContain('somebody');
  });

  it('without a command is a usage error', async () => {
    expect(await run([])).toMatchObject({ code: 2, out: '', err: expect.stringContaining('Usage:') });
  });

  it('--version', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe('usage errors: exit code 2, and the closest right word', () => {
  it.each([
    [['raed'], /unknown command 'raed'[\s\S]*read/],
    [['--jsn', 'read'], /unknown option '--jsn'[\s\S]*--json/],
    [['commission', '--adress', 'x', '1'], /unknown option '--adress'[\s\S]*--address/],
    [['--zone-type', 'hom', 'zones'], /--zone-type: 'hom' is none of .*; the closest is 'home'/],
    [['--dialect', 'ref', 'zones'], /--dialect: 'ref' .*closest is '(draft|reference)'/],
    [['--priority', '5', 'zones'], /--priority: '5' is not a number of 1…4/],
    [['discover', '--discriminator', '4096'], /--discriminator: '4096' is not a number of 0…4095/],
    [['commission', '1', '--address', 'fd00::1:8444'], /--address: .* is not HOST:PORT/],
    [['commission', '1', '--operational-port', '0'], /--operational-port: '0'/],
    [['--interface', 'eth0,', 'discover'], /--interface: an empty name/],
    [['--interface', 'e*h0', 'discover'], /--interface: 'e\*h0' is no interface name/],
    [['--deny-interface', 'eth0,kind:radio', 'discover'], /--deny-interface: 'radio' is none of the kinds ethernet/],
    [['commission', '1', '--attestation', 'requir'], /--attestation: 'requir' is none of .*; the closest is 'require'/],
    [['token'], /required option '--out <file>'/],
    [['token', '--out', 'x', '--days', '0'], /--days: '0' is not a number of 1…3650/],
    [['token', '--out', 'x', '--permissions', 'commission,veiw'], /--permissions: 'veiw' is none of .*; the closest is 'view'/],
    [['read', 'a', 'b', 'c'], /too many arguments/],
    [['commission'], /missing required argument 'qr-or-code'/],
  ])('%j', async (argv, message) => {
    expect(await run(argv)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(message) });
  });

  it.each([
    [['commission', '1234567'], /setup code: expected 8 decimal digits/],
    [['commission', '12345678'], /setup code: too easy to guess/],
    [['commission', 'MASH:2:1:20220211'], /qr\.version: expected 1/],
    [['commission', 'MASH:1:1234:20220211:0x1234'], /qr: expected 4 or 6 fields/],
    [['commission', 'MASH:1:1234:20220211', '--discriminator', '7'], /--discriminator: 7 contradicts the QR code, which says 1234/],
    [['commission', '20220211', '--operational-port', '1'], /--operational-port: goes with --address/],
    [['commission', '20220211', '--address', '[fe80::1]:8444'], /a link-local address needs its interface: \[fe80::1%eth0\]:8444/],
    [
      ['--interface', 'eth*', 'commission', '20220211', '--address', '[fe80::1]:8444'],
      /a link-local address needs its interface: .*, or one --interface by name/,
    ],
    [['--dialect', 'reference', '--priority', '1', 'commission', '20220211'], /--priority: contradicts --dialect reference/],
    [['commission', '20220211', '--attestation', 'require'], /--attestation: 'require' needs .* --attestation-ca FILE/],
    [['--dialect', 'reference', 'commission', '20220211', '--attestation', 'warn'], /--attestation: contradicts --dialect reference/],
    [['--dialect', 'reference', 'commission', '20220211', '--admin-token', 'x'], /--admin-token: contradicts --dialect reference/],
    [['commission', '20220211', '--admin-token', '/dev/null'], /--admin-token: \/dev\/null: /],
    [['commission', '20220211', '--attestation-ca', 'no such file'], /--attestation-ca: no such file: ENOENT/],
    [['--zone-type', 'test', 'commission', '20220211'], /'test' exists in the reference dialect alone; add --dialect reference/],
    [['--zone-name', 'GRID', 'commission', '20220211'], /zone name: 'GRID' is the name of a zone type/],
    [['read', '0/DevicInfo'], /feature: 'DevicInfo' .*closest name is 'DeviceInfo'/],
    [['read', '0/DeviceInfo/serialNumbr'], /attribute: 'serialNumbr' .*closest name is 'serialNumber'/],
    [['read', '256/1'], /endpoint: '256' is not a number of 0…255/],
    [['read', '0/'], /path: '0\/' is not ENDPOINT\/FEATURE/],
    [['read', '0/1', 'device'], /the device comes before the path/],
  ])('%j', async (argv, message) => {
    const ran = await alone(...argv);
    expect(ran).toMatchObject({ code: 2, out: '', err: expect.stringMatching(message) });
    expect(ran.err).not.toContain('20220211');
  });

  it.each([[['raed', '--json']], [['--zone-type', 'hom', 'zones', '--json']], [['read', '0/DevicInfo', '--json']]])(
    '%j prints one JSON value',
    async (argv) => {
      const { code, out } = await alone(...argv);
      expect(code).toBe(2);
      expect(out.trim().split('\n')).toHaveLength(1);
      expect(JSON.parse(out)).toMatchObject({ error: { code: 'USAGE', message: expect.any(String) } });
    },
  );
});

describe('without a zone', () => {
  it('zones and devices are empty lists', async () => {
    expect(await alone('zones', '--json')).toMatchObject({ code: 0, out: '[]\n' });
    expect(await alone('devices', '--json')).toMatchObject({ code: 0, out: '[]\n' });
    expect(await alone('zones')).toMatchObject({ code: 0, out: '', err: expect.stringContaining('no zone in') });
  });

  it('read and ping find nothing: exit code 3', async () => {
    for (const command of ['read', 'ping']) {
      const { code, out, err } = await alone(command, '--json');
      expect(code).toBe(3);
      expect(JSON.parse(out)).toMatchObject({ error: { code: 'NO_ZONE', suggestions: expect.any(Array) } });
      expect(err).toContain("'mash-controller commission' creates it");
    }
  });
});

describe('without an interface', () => {
  it('discover says so: exit code 1', async () => {
    const { code, out, err } = await alone('discover', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'NO_INTERFACE' } });
    expect(err).toContain('No network interface can be used for multicast');
  });
});

describe('with a device', () => {
  let world: ControllerWorld;
  beforeEach(async () => {
    world = await ControllerWorld.start();
  });
  afterEach(() => world.close());

  const machine = (): Machine => ({
    clock: world.device.clock,
    crypto: world.device.crypto,
    transport: world.transport,
    multicast: () => world.multicast(),
    listener: ({ ipv4, log }) => nodeListener({ clock: world.device.clock, log, ipv4 }),
  });
  const go = (...argv: string[]): Promise<Ran> => world.drive(run(['--zone', join(folder, 'zone'), ...argv], machine));
  const label = `MASH:1:${DISCRIMINATOR}:${SETUP_CODE}`;

  it('discover, commission, zones, devices, read, ping', async () => {
    const found = await go('discover', '--json');
    expect(found.code).toBe(0);
    expect(JSON.parse(found.out)).toMatchObject({
      commissionable: [{ discriminator: DISCRIMINATOR, addresses: [expect.any(String), expect.any(String)] }],
    });

    const commissioned = await go('commission', label);
    expect(commissioned.code).toBe(0);
    expect(commissioned.out).toMatch(/^deviceId +\S+$/m);
    const steps = commissioned.err.split('\n').filter((line) => /^ ?\d+ {2}/.test(line));
    expect(steps.map((line) => Number(line.slice(0, 2)))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    for (const line of steps) expect(line).toMatch(/ \d+ ms {2}\S/);
    expect(commissioned.err).not.toContain(SETUP_CODE);

    const [zone] = JSON.parse((await go('zones', '--json')).out);
    expect(zone).toMatchObject({ name: 'Home Energy', type: 'home', priority: 3, devices: 1 });
    const [device] = JSON.parse((await go('devices', '--json')).out);
    expect(device).toMatchObject({ state: 'confirmed', dialect: 'draft', zoneId: zone.id });
    expect(JSON.stringify([zone, device])).not.toContain('PRIVATE');

    const serial = await go('read', '0/DeviceInfo/serialNumber', '--json');
    expect(JSON.parse(serial.out)).toEqual({
      device: device.id,
      endpoint: 0,
      feature: 'DeviceInfo',
      values: { serialNumber: device.serial },
    });
    expect(serial.out.trim().split('\n')).toHaveLength(1);
    expect((await go('read', device.id.slice(0, 8).toLowerCase(), '0/1/4')).out).toBe(`serialNumber  ${device.serial}\n`);
    expect((await go('read')).out).toMatch(/^vendorName +MASH Reference$/m);
    expect(JSON.parse((await go('ping', device.serial, '--json')).out)).toEqual({ device: device.id, milliseconds: expect.any(Number) });

    const renewed = await go('renew', '--json');
    expect(JSON.parse(renewed.out)).toEqual({ device: device.id, validUntil: expect.stringMatching(/^\d{4}-/) });
    expect(renewed.err).toContain('acknowledged, stored');
    const ping = await go('ping');
    expect([ping.code, ping.err]).toEqual([0, expect.not.stringContaining('certificate')]);
    // 29 days before its end; the controller has renewed its own at 30.
    const { clock } = world.device;
    clock.setWall(Date.parse(JSON.parse(renewed.out).validUntil) - 29 * 86_400_000);
    const late = await go('ping');
    expect([late.code, late.err]).toEqual([0, expect.stringContaining("'mash-controller renew' gives it another")]);

    expect(await go('read', '0/Tariff', '--json')).toMatchObject({ code: 1, out: expect.stringContaining('"status":"UNKNOWN_FEATURE"') });
    expect(await go('ping', 'nobody')).toMatchObject({ code: 3, err: expect.stringContaining(`Its devices: ${device.id}`) });
    expect(await go('--zone-type', 'grid', 'commission', label)).toMatchObject({ code: 2, err: expect.stringContaining("has 'home'") });
  });

  it('commission --json prints one value with the steps and DeviceInfo', async () => {
    const { code, out } = await go('commission', label, '--json');
    expect(code).toBe(0);
    expect(out.trim().split('\n')).toHaveLength(1);
    const value = JSON.parse(out);
    expect(value).toMatchObject({
      settled: false,
      device: { discriminator: DISCRIMINATOR },
      deviceInfo: { zoneCount: 1, specVersion: '1.0' },
    });
    expect(value.steps.map(({ number }: { number: number }) => number)).toHaveLength(13);
  });

  it('token issues what commission --admin-token takes and the device verifies', async () => {
    const file = join(folder, 'phone.token');
    expect(await go('token', '--out', file)).toMatchObject({ code: 3, err: expect.stringContaining('There is no zone') });
    await go('commission', label);
    const issued = await go('token', '--out', file, '--days', '7', '--permissions', 'commission, view', '--json');
    const token = new Uint8Array(await fs.readFile(file));
    const fields = decodeAdminToken(token);
    expect(JSON.parse(issued.out)).toEqual({
      token: toHex(fields.id),
      zone: expect.stringMatching(/^[0-9A-F]{16}$/),
      permissions: ['commission', 'view'],
      expiresAt: new Date(fields.expiresAt * 1000).toISOString(),
      file,
    });
    expect([fields.permissions, fields.expiresAt - fields.issuedAt]).toEqual([5, 7 * 86_400]);
    expect((await fs.stat(file)).mode & 0o777).toBe(0o600);

    const [zone] = world.device.device.status.zones;
    await reopen(world.device, (journal) => journal.commit([{ key: 'zone/0', value: null }]));
    await go('token', '--out', join(folder, 'viewer.token'), '--permissions', 'view');
    const refused = await go('commission', label, '--admin-token', join(folder, 'viewer.token'), '--json');
    expect(JSON.parse(refused.out)).toMatchObject({ error: { code: 'REFUSED', message: expect.stringContaining('Invalid admin token') } });
    expect(await go('commission', label, '--admin-token', file)).toMatchObject({ code: 0 });
    expect(world.device.device.status.zones).toMatchObject([{ id: zone?.id }]);
    await reopen(world.device, async (journal) => {
      expect(decodeZone(world.device.crypto, 0, journal.get('zone/0') ?? new Uint8Array(0)).adminToken).toEqual(token);
    });
  });

  it('commission --attestation require --attestation-ca: the chain in the result, or exit code 4', async () => {
    const maker = makeMaker();
    const file = join(folder, 'maker.pem');
    await fs.writeFile(file, pem(maker.root.der));
    const required = ['--attestation', 'require', '--attestation-ca', file, '--json'];
    expect(await go('commission', label, ...required)).toMatchObject({
      code: 4,
      err: expect.stringContaining('An attestation is required'),
    });
    await provision(world.device, maker.attestation);
    const { code, out } = await go('commission', label, ...required);
    expect(code).toBe(0);
    expect(JSON.parse(out).attestation).toMatchObject({ status: 'verified', maker: 'Maker, SIM-1' });
  });

  it('a wrong code: exit code 4', async () => {
    const { code, out, err } = await go('commission', `MASH:1:${DISCRIMINATOR}:20220212`, '--json');
    expect(code).toBe(4);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'WRONG_CODE' } });
    expect(err).toContain(' 6  PASE');
  });

  it('another discriminator: exit code 3', async () => {
    const { code, out } = await go('commission', `MASH:1:7:${SETUP_CODE}`, '--json');
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'DISCRIMINATOR_MISMATCH' } });
  });

  it('a device that is gone: exit code 3', async () => {
    await go('commission', label);
    await world.device.close();
    const { code, out } = await go('ping', '--json');
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'NO_DEVICES_FOUND' } });
  });
});

describe('closest', () => {
  it('is the one with the fewest changes, in any case', () => {
    expect(closest('SERIALNUMBR', ['vendorName', 'serialNumber', 'label'])).toBe('serialNumber');
    expect(closest('x', [])).toBeUndefined();
  });
});
