import { afterEach, describe, expect, it } from 'vitest';
import { openZone } from '../../src/controller/open-zone.js';
import { connectDevice } from '../../src/controller/operational.js';
import { createZone } from '../../src/controller/zone-authority.js';
import { parseSetupCode } from '../../src/crypto/setup-code.js';
import type { DialectName } from '../../src/dialect/messages.js';
import { NetworkError } from '../../src/errors.js';
import type { SecureStream } from '../../src/platform.js';
import { WORLD_NOW } from '../world/certificates.js';
import { DISCRIMINATOR } from '../world/device-world.js';
import { ControllerWorld, cutting } from './world.js';

let world: ControllerWorld;
afterEach(() => world.close());

const ALL = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13'];
const wrongCode = parseSetupCode('20220212');

/** Key 1 is message 33 of the reference dialect. */
const MESSAGE_33 = Buffer.from('011821', 'hex').toString('latin1');

function includes(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes).includes(text, 0, 'latin1');
}

/** Ends the commissioning connection at that message. */
function cutAt(direction: 'sent' | 'received', text: string): (stream: SecureStream) => SecureStream {
  return (stream) => (stream.kind === 'commissioning' ? cutting(stream, (at, bytes) => at === direction && includes(bytes, text)) : stream);
}

/** A read over a new connection, as another process would make it. */
async function readSerial(): Promise<unknown> {
  const zone = await openZone(world.parts);
  const [record] = await world.parts.store.devices();
  if (zone === undefined || record === undefined) throw new Error('nothing is stored');
  const session = await world.drive(connectDevice(world.parts, zone, record));
  const values = await session.read(0, 1, [4]);
  await session.close();
  return values.get(4);
}

describe.each<DialectName>(['draft', 'reference'])('commissioning in the %s dialect', (dialect) => {
  it('goes through the steps of connection-establishment §7.1 and ends with DeviceInfo', async () => {
    world = await ControllerWorld.start();
    const result = await world.commission({ dialect });
    expect(world.told).toEqual(dialect === 'draft' ? ALL : ALL.map((step) => (step === '7' ? '7 skipped' : step)));
    expect(result.settled).toBe(false);
    expect(result.deviceInfo.get(32)).toBe(1);
    const [zone] = world.device.device.status.zones;
    expect(result.device).toMatchObject({ state: 'confirmed', dialect, discriminator: DISCRIMINATOR, serial: result.deviceInfo.get(4) });
    expect(zone).toMatchObject({ id: result.device.zoneId });
    expect(result.device.id).toMatch(dialect === 'draft' ? /^[0-9A-F]{16}$/ : /^[0-9a-f]{16}$/);
    expect(await world.parts.store.devices()).toEqual([result.device]);
  });

  it('lets a later process read without PASE, also after the power of the device went', async () => {
    world = await ControllerWorld.start();
    const { deviceInfo } = await world.commission({ dialect });
    expect(await readSerial()).toBe(deviceInfo.get(4));
    await world.powerCycle();
    world.connections.length = 0;
    expect(await readSerial()).toBe(deviceInfo.get(4));
    expect(new Set(world.connections.map(({ kind }) => kind))).toEqual(new Set(['operational']));
  });

  it('stops at a wrong code, and stores nothing', async () => {
    world = await ControllerWorld.start();
    await expect(world.commission({ dialect, code: wrongCode })).rejects.toMatchObject({ code: 'WRONG_CODE' });
    expect(world.told.at(-1)).toBe('6 failed');
    expect(await world.parts.store.devices()).toEqual([]);
    expect(world.device.device.status.zones).toEqual([]);
  });

  it('of a device that holds this zone already is settled by an operational connection', async () => {
    world = await ControllerWorld.start();
    const first = await world.commission({ dialect });
    await world.device.clock.advance(11_000);
    await world.device.press();
    const again = await world.commission({ dialect });
    expect(again).toMatchObject({ settled: true, device: { id: first.device.id, state: 'confirmed' } });
    expect((await world.parts.store.devices()).map(({ id }) => id)).toEqual([first.device.id]);
  });
});

describe('the device proves the code first', () => {
  it('and one that does not is told nothing more', async () => {
    world = await ControllerWorld.start();
    const sent: Uint8Array[] = [];
    world.wrap = (stream) => cutting(stream, (direction, bytes) => direction === 'sent' && sent.push(bytes) < 0);
    await expect(world.commission({ code: wrongCode })).rejects.toMatchObject({ code: 'WRONG_CODE' });
    expect(sent).toHaveLength(1);
    expect(includes(sent[0] as Uint8Array, 'pase_x')).toBe(true);
  });

  it('a relay between two TLS connections is noticed by the device and told as such', async () => {
    world = await ControllerWorld.start();
    world.wrap = (stream) => ({ ...cutting(stream, () => false), exporter: (_label, length) => new Uint8Array(length) });
    await expect(world.commission()).rejects.toMatchObject({ code: 'NOT_TRUSTED', message: expect.stringContaining('relays') });
  });
});

describe('who is meant', () => {
  it('a bare code commissions the only device', async () => {
    world = await ControllerWorld.start();
    expect((await world.commission({ discriminator: undefined })).device.discriminator).toBe(DISCRIMINATOR);
  });

  it('a discriminator that nobody has ends after the search', async () => {
    world = await ControllerWorld.start();
    await expect(world.commission({ discriminator: 7 })).rejects.toMatchObject({ code: 'DISCRIMINATOR_MISMATCH' });
    expect(world.told).toEqual(['1', '2 failed']);
    expect(world.connections).toEqual([]);
  });

  it('at a given address a certificate of another discriminator is a warning (TC-TLS-COMM-2)', async () => {
    world = await ControllerWorld.start();
    const found = await world.drive(world.parts.resolver().then((resolver) => resolver.findCommissionable(DISCRIMINATOR)));
    const [address] = found.addresses;
    const result = await world.commission({ discriminator: 7, address, operationalPort: world.device.port });
    expect(result.device.discriminator).toBe(DISCRIMINATOR);
    expect(world.device.log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: { expected: 'MASH-7', name: 'MASH-1234' } }),
    );
    expect(world.told.slice(0, 3)).toEqual(['1', '2 skipped', '3 skipped']);
  });

  it('found by multicast, a certificate of another discriminator ends it (§3.4)', async () => {
    world = await ControllerWorld.start();
    const parts = world.parts;
    const real = await world.parts.resolver();
    const found = await world.drive(real.findCommissionable(DISCRIMINATOR));
    const lying = {
      findCommissionable: async () => ({ ...found, discriminator: 7 }),
      forgetCommissionable: () => undefined,
      locateCommissionable: async () => undefined,
    };
    Object.defineProperty(world, 'parts', { value: { ...parts, resolver: async () => lying } });
    await expect(world.commission({ discriminator: 7 })).rejects.toMatchObject({ code: 'NOT_TRUSTED' });
    expect(world.told.at(-1)).toBe('5 failed');
  });

  it('a closed window is named', async () => {
    world = await ControllerWorld.start({ windowAtStart: 'closed' });
    const address = { host: '::1', port: world.device.port };
    await expect(world.commission({ address })).rejects.toMatchObject({ code: 'WINDOW_CLOSED' });
  });

  it('a refused connection is CONNECTION_FAILED (TC-NOTFOUND-4)', async () => {
    world = await ControllerWorld.start();
    await expect(world.commission({ address: { host: '::1', port: 1 } })).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(world.told.at(-1)).toBe('4 failed');
  });

  it('refused at every address, what is known is forgotten and the device looked for once more (§7.4)', async () => {
    world = await ControllerWorld.start();
    const { transport, device } = world;
    const tried: string[] = [];
    const refusing = (times: number): typeof transport => ({
      connect: (address, purpose, signal) => {
        tried.push(address.host);
        if (tried.length > times) return transport.connect(address, purpose, signal);
        return Promise.reject(new NetworkError('connection refused'));
      },
    });
    const questions = () => device.link.packets.filter(({ from, packet }) => from === 'fe80::c' && (packet[2] as number) < 0x80).length;
    Object.defineProperty(world, 'transport', { value: refusing(2), configurable: true });
    await world.commission();
    expect(tried.slice(0, 3)).toEqual(['fd77::1', 'fe80::1%eth0', 'fd77::1']);
    expect(world.told.filter((step) => step.endsWith('failed'))).toEqual([]);
    expect(device.log.lines).toContainEqual(expect.objectContaining({ message: 'not at the addresses that were found; looked for again' }));
    expect(questions()).toBeGreaterThan(1);
  });

  it('refused the second time too, it is CONNECTION_FAILED: no third look', async () => {
    world = await ControllerWorld.start();
    const tried: string[] = [];
    const connect = (address: { readonly host: string }): Promise<never> => {
      tried.push(address.host);
      return Promise.reject(new NetworkError('connection refused'));
    };
    Object.defineProperty(world, 'transport', { value: { connect } });
    await expect(world.commission()).rejects.toMatchObject({ code: 'CONNECTION_FAILED', details: { retryAction: 'connect' } });
    expect([tried.length, world.told.at(-1)]).toEqual([4, '4 failed']);
  });

  it('a full device is told by its status, and the pending record is taken back', async () => {
    world = await ControllerWorld.start({ set: { 'zones.slots': '1' } });
    const other = await ControllerWorld.start({ windowAtStart: 'closed' });
    await world.commission();
    await world.device.clock.advance(11_000);
    await world.device.press();
    Object.defineProperty(world, 'parts', { value: { ...world.parts, store: other.parts.store } });
    await expect(world.commission()).rejects.toMatchObject({ code: 'REFUSED', details: { status: 'ZONE_FULL' } });
    expect(await other.parts.store.devices()).toEqual([]);
    await other.close();
  });
});

describe('an operational connection', () => {
  it('to another device than the one that is meant ends before any message', async () => {
    world = await ControllerWorld.start();
    const { device } = await world.commission();
    const zone = await openZone(world.parts);
    if (zone === undefined) throw new Error('no zone');
    let sent = 0;
    world.wrap = (stream) => cutting(stream, (direction) => direction === 'sent' && ++sent < 0);
    const other = { ...device, id: '0123456789ABCDEF' };
    await expect(world.drive(connectDevice(world.parts, zone, other))).rejects.toMatchObject({
      code: 'NOT_TRUSTED',
      message: expect.stringContaining('common name is not 0123456789ABCDEF'),
    });
    expect(sent).toBe(0);
  });

  it('of another zone is closed by the device without an answer', async () => {
    world = await ControllerWorld.start();
    const { device } = await world.commission();
    const own = await openZone(world.parts);
    if (own === undefined) throw new Error('no zone');
    const foreign = await createZone(world.parts.crypto, { kind: 'home', name: 'Foreign', priority: 3, dialect: 'draft', now: WORLD_NOW });
    const disguised = { ...foreign, caCertificate: own.caCertificate };
    const session = await world.drive(connectDevice(world.parts, disguised, device));
    await expect(session.read(0, 1)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  it('to a device that moved is found by multicast, and the new address remembered', async () => {
    world = await ControllerWorld.start();
    const { device } = await world.commission();
    const zone = await openZone(world.parts);
    if (zone === undefined) throw new Error('no zone');
    await world.parts.store.put({ ...device, addresses: [{ host: 'fd77::99', port: 1 }] });
    const [moved] = await world.parts.store.devices();
    const session = await world.drive(connectDevice(world.parts, zone, moved ?? device));
    await session.close();
    expect((await world.parts.store.devices())[0]?.addresses).toEqual([
      { host: 'fd77::1', port: world.device.port },
      { host: 'fd77::99', port: 1 },
    ]);
  });
});

describe('a connection that is lost', () => {
  it.each([
    ['sent', 'pase_x', '6'],
    ['received', 'pase_y', '6'],
    ['sent', 'pase_verify', '6'],
    ['received', 'pase_confirm', '6'],
    ['sent', 'attestation_req', '7'],
    ['received', 'attestation_rsp', '7'],
    ['sent', 'csr_req', '8'],
    ['received', 'csr_rsp', '8'],
  ] as const)('when %s %s leaves nothing behind, and the next attempt succeeds', async (direction, text, step) => {
    world = await ControllerWorld.start();
    world.wrap = cutAt(direction, text);
    await expect(world.commission()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(world.told.at(-1)).toBe(`${step} failed`);
    expect(await world.parts.store.devices()).toEqual([]);
    world.wrap = (stream) => stream;
    expect((await world.commission()).settled).toBe(false);
  });

  it('before CERT_INSTALL arrives leaves a pending record, which the next commissioning replaces', async () => {
    world = await ControllerWorld.start();
    world.wrap = cutAt('sent', 'cert_install');
    await expect(world.commission()).rejects.toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('not known yet') });
    const [pending] = await world.parts.store.devices();
    expect(pending).toMatchObject({ state: 'pending', discriminator: DISCRIMINATOR });
    world.wrap = (stream) => stream;
    const { device, settled } = await world.commission();
    expect(settled).toBe(false);
    expect((await world.parts.store.devices()).map(({ id, state }) => [id, state])).toEqual([[device.id, 'confirmed']]);
    expect(device.id).not.toBe(pending?.id);
  });

  it.each([
    ['draft', 'cert_ack'],
    ['reference', MESSAGE_33],
  ] as const)('with the acknowledgement is settled at once (%s): the device has the certificate', async (dialect, text) => {
    world = await ControllerWorld.start();
    world.wrap = cutAt('received', text);
    const result = await world.commission({ dialect });
    expect(result).toMatchObject({ settled: true, device: { state: 'confirmed' } });
    expect(world.device.device.status.zones).toHaveLength(1);
  });

  it('with CERT_ACK and the device unreachable is settled by the next read', async () => {
    world = await ControllerWorld.start();
    const cut = cutAt('received', 'cert_ack');
    world.wrap = (stream, { kind }) => {
      if (kind === 'commissioning') return cut(stream);
      stream.destroy();
      throw new NetworkError('unreachable');
    };
    await expect(world.commission()).rejects.toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('not known yet') });
    expect((await world.parts.store.devices()).map(({ state }) => state)).toEqual(['pending']);
    world.wrap = (stream) => stream;
    expect(await readSerial()).toMatch(/^SIM-EVSE/);
    expect((await world.parts.store.devices()).map(({ state }) => state)).toEqual(['confirmed']);
  });

  it('after CERT_ACK changes nothing', async () => {
    world = await ControllerWorld.start();
    world.wrap = cutAt('sent', 'commissioning_complete');
    expect((await world.commission()).settled).toBe(false);
  });
});
