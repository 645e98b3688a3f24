import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openOrCreateZone, openZone } from '../../src/controller/open-zone.js';
import { selectDevice } from '../../src/controller/select-device.js';
import type { DeviceRecord } from '../../src/controller/zone.js';
import { createZone } from '../../src/controller/zone-authority.js';
import { defaultZoneFolder, ZoneStore } from '../../src/controller/zone-store.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { DAY, WORLD_NOW, YEAR } from '../world/certificates.js';
import { VirtualClock } from '../world/clock.js';

const crypto = nodeCrypto();
const wish = { kind: undefined, name: undefined, priority: undefined, dialect: 'draft' } as const;
let folder: string;
let store: ZoneStore;
let clock: VirtualClock;

beforeEach(async () => {
  folder = join(await fs.mkdtemp(join(tmpdir(), 'zone-store-')), 'inner', 'zone');
  store = new ZoneStore(folder, crypto);
  clock = new VirtualClock(WORLD_NOW * 1000);
});
afterEach(() => fs.rm(join(folder, '..', '..'), { recursive: true, force: true }));

function record(id: string, more: Partial<DeviceRecord> = {}): DeviceRecord {
  return {
    id,
    zoneId: 'A1B2C3D4E5F6A7B8',
    dialect: 'draft',
    state: 'confirmed',
    certificate: Uint8Array.of(1, 2, 3),
    addresses: [{ host: 'fe80::1%eth0', port: 8443 }],
    discriminator: 1234,
    name: undefined,
    serial: undefined,
    deviceId: undefined,
    addedAt: WORLD_NOW,
    ...more,
  };
}

async function modeOf(path: string): Promise<string> {
  return ((await fs.stat(path)).mode & 0o777).toString(8);
}

describe('the zone', () => {
  it('is made at its first use and read back with working keys', async () => {
    expect(await store.load()).toBeUndefined();
    const { zone, created } = await openOrCreateZone({ crypto, clock, store }, wish);
    expect([created, zone.kind, zone.name, zone.priority]).toEqual([true, 'home', 'Home Energy', 3]);
    const again = await openOrCreateZone({ crypto, clock, store: new ZoneStore(folder, crypto) }, wish);
    expect(again.created).toBe(false);
    expect(again.zone).toMatchObject({ id: zone.id, createdAt: WORLD_NOW, caCertificate: zone.caCertificate });
    const message = Uint8Array.of(1);
    for (const key of ['caKey', 'controllerKey'] as const)
      expect(crypto.verify(zone[key].publicKey, message, crypto.sign(again.zone[key], message))).toBe(true);
  });

  it('lies in files that nobody else may read', async () => {
    const former = process.umask(0);
    try {
      await openOrCreateZone({ crypto, clock, store }, wish);
      await store.put(record('00000000000000AA'));
    } finally {
      process.umask(former);
    }
    expect(await modeOf(join(folder, 'zone.json'))).toBe('600');
    expect(await modeOf(join(folder, 'devices', '00000000000000AA.json'))).toBe('600');
    expect(await modeOf(folder)).toBe('700');
  });

  it('of the process that was faster counts', async () => {
    const zone = (name: string) => createZone(crypto, { kind: 'home', name, priority: 3, dialect: 'draft', now: WORLD_NOW });
    const [first, second] = await Promise.all([store.create(await zone('A')), new ZoneStore(folder, crypto).create(await zone('B'))]);
    expect(first.id).toBe(second.id);
    expect((await store.load())?.id).toBe(first.id);
    expect(await fs.readdir(folder)).toEqual(['zone.json']);
  });

  it.each([
    [{ kind: 'grid' as const }, /zone type: .* has 'home'/],
    [{ name: 'Other' }, /zone name: .* has 'Home Energy'/],
    [{ priority: 1 }, /priority: .* has '3'/],
  ])('keeps what it was made with: %j', async (change, message) => {
    await openOrCreateZone({ crypto, clock, store }, wish);
    await expect(openOrCreateZone({ crypto, clock, store }, { ...wish, ...change })).rejects.toThrow(message);
  });

  it('of type test is of the reference dialect', async () => {
    await expect(openOrCreateZone({ crypto, clock, store }, { ...wish, kind: 'test' })).rejects.toThrow(/--dialect reference/);
    expect(await store.load()).toBeUndefined();
    const { zone } = await openOrCreateZone({ crypto, clock, store }, { ...wish, kind: 'test', dialect: 'reference' });
    expect(zone.kind).toBe('test');
    await expect(openOrCreateZone({ crypto, clock, store }, wish)).rejects.toThrow(/draft dialect does not have/);
  });

  it('gets a new controller certificate 30 days before the old one ends', async () => {
    const { zone } = await openOrCreateZone({ crypto, clock, store }, wish);
    clock.setWall((WORLD_NOW + YEAR - 31 * DAY) * 1000);
    expect((await openZone({ crypto, clock, store }))?.controllerCertificate).toEqual(zone.controllerCertificate);
    clock.setWall((WORLD_NOW + YEAR - 29 * DAY) * 1000);
    const renewed = await openZone({ crypto, clock, store });
    expect(renewed?.controllerCertificate).not.toEqual(zone.controllerCertificate);
    expect((await store.load())?.controllerCertificate).toEqual(renewed?.controllerCertificate);
  });

  it('that cannot be read is never "no zone"', async () => {
    await openOrCreateZone({ crypto, clock, store }, wish);
    await fs.writeFile(join(folder, 'zone.json'), '{"version":1,"type":"home"');
    await expect(store.load()).rejects.toThrow(/zone\.json/);
    await fs.writeFile(join(folder, 'zone.json'), '{"version":1,"type":"palace"}');
    await expect(store.load()).rejects.toThrow(/'type': a zone type is due/);
  });

  it('lies where the XDG folders say', () => {
    expect(defaultZoneFolder({ XDG_STATE_HOME: '/somewhere' })).toBe('/somewhere/mash-controller');
    expect(defaultZoneFolder({})).toMatch(/\.local\/state\/mash-controller$/);
  });
});

describe('devices', () => {
  it('are read back in the order in which they joined', async () => {
    const early = record('BB00000000000000', { addedAt: 1, dialect: 'reference', name: 'EVSE', serial: 'S1', deviceId: 'PEN1.S1' });
    const late = record('AA00000000000000', { addedAt: 2, state: 'pending', discriminator: undefined });
    await store.put(late);
    await store.put(early);
    expect(await store.devices()).toEqual([early, late]);
  });

  it('are replaced as a whole: pending becomes confirmed', async () => {
    await store.put(record('AA00000000000000', { state: 'pending' }));
    await store.put(record('AA00000000000000', { state: 'confirmed' }));
    expect((await store.devices()).map(({ state }) => state)).toEqual(['confirmed']);
  });

  it('are the same in any case, and removed without a trace', async () => {
    await store.put(record('aa00000000000000'));
    await store.remove('AA00000000000000');
    await store.remove('AA00000000000000');
    expect(await store.devices()).toEqual([]);
    expect(await fs.readdir(join(folder, 'devices'))).toEqual([]);
  });

  it('survive a write that a power cut ended half-way', async () => {
    await store.put(record('AA00000000000000', { name: 'before' }));
    await fs.writeFile(join(folder, 'devices', 'AA00000000000000.json.0123456789ab.draft'), '{"version":1,"id":"AA');
    expect((await store.devices()).map(({ name }) => name)).toEqual(['before']);
  });

  it('that cannot be read are named', async () => {
    await store.put(record('AA00000000000000'));
    await fs.writeFile(join(folder, 'devices', 'BB00000000000000.json'), '{}');
    await expect(store.devices()).rejects.toThrow(/BB00000000000000\.json: 'version': 1 is due/);
  });

  it('of a folder that is none are an error', async () => {
    await fs.mkdir(join(folder, '..'), { recursive: true });
    await fs.writeFile(folder, 'a file');
    await expect(store.put(record('AA00000000000000'))).rejects.toMatchObject({ name: 'StoreError' });
    await expect(store.devices()).rejects.toMatchObject({ name: 'StoreError' });
  });
});

describe('selectDevice', () => {
  const one = record('E5216D87C08D941E', { name: 'EVSE', serial: 'S1', deviceId: 'PEN1.S1' });
  const two = record('E5216D87FFFFFFFF', { name: 'EVSE', serial: 'S2' });
  const pending = record('AAAA6D87FFFFFFFF', { state: 'pending' });

  it.each(['E5216D87C08D941E', 'e5216d87c', 's1', 'pen1.s1'])('finds by %s', (word) => {
    expect(selectDevice([two, one], word)).toBe(one);
  });

  it('takes the only device; a pending one only where there is no other', () => {
    expect(selectDevice([pending, one], undefined)).toBe(one);
    expect(selectDevice([pending], undefined)).toBe(pending);
  });

  it.each([
    [[one, two], undefined],
    [[one, two], 'evse'],
    [[one, two], 'E5216D87'],
  ])('does not guess', (devices, word) => {
    expect(() => selectDevice(devices, word)).toThrow(expect.objectContaining({ code: 'AMBIGUOUS_DEVICE' }));
  });

  it.each([
    [[], undefined],
    [[one], 'E52'],
    [[one], 'nobody'],
  ])('finds nothing', (devices, word) => {
    expect(() => selectDevice(devices, word)).toThrow(expect.objectContaining({ code: 'UNKNOWN_DEVICE' }));
  });
});
