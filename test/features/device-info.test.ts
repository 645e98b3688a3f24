import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CborKey, type CborValue, decodeCbor } from '../../src/codec/cbor.js';
import { fromHex } from '../../src/codec/hex.js';
import { PeerError } from '../../src/errors.js';
import { DeviceInfo, type ZoneEntry } from '../../src/features/device-info.js';
import type { Caller } from '../../src/model/feature.js';

const caller: Caller = { id: 'A', type: 3, priority: 3 };
const zones: ZoneEntry[] = [{ id: 'A', type: 3, priority: 3, connected: true }];
const stored = new Map<number, string | null>();
const removed: string[] = [];
const feature = new DeviceInfo({
  deviceId: 'PEN4660.S1',
  vendorName: 'vendor',
  productName: 'product',
  serialNumber: 'S1',
  vendorId: 0x1234,
  productId: null,
  softwareVersion: '0.1.0',
  hardwareVersion: null,
  endpoints: () => [new Map([[1, 0]])],
  useCases: () => [],
  zones: {
    get count() {
      return zones.length;
    },
    list: () => zones,
    remove: async (zoneId) => {
      if (zoneId !== 'A') throw new PeerError(4, 'no such zone');
      return () => removed.push(zoneId);
    },
  },
  texts: {
    read: (id) => stored.get(id) ?? null,
    store: async (values) => {
      for (const [id, text] of values) stored.set(id, text);
    },
  },
  notifies: true,
});

describe('DeviceInfo', () => {
  it('has the values it was given under their ids', () => {
    const values = Object.fromEntries(feature.attributes.map((id) => [id, feature.read(id)]));
    expect(values).toEqual({
      1: 'PEN4660.S1',
      2: 'vendor',
      3: 'product',
      4: 'S1',
      5: 0x1234,
      6: null,
      10: '0.1.0',
      11: null,
      12: '1.0',
      20: [new Map([[1, 0]])],
      21: [],
      30: null,
      31: null,
      32: 1,
    });
  });

  it('counts zones at the moment of the Read', () => {
    zones.push({ id: 'B', type: 1, priority: 1, connected: false });
    expect(feature.read(32)).toBe(2);
  });

  it('stores what is written, then tells it', async () => {
    const told: (readonly number[])[] = [];
    feature.attach((ids) => told.push(ids));
    const writing = feature.write(
      new Map([
        [30, 'garage'],
        [31, null],
      ]),
    );
    expect(told).toEqual([]);
    await writing;
    expect([feature.read(30), feature.read(31), told]).toEqual(['garage', null, [[30, 31]]]);
  });

  it('lists zones and removes one; the connection is closed after the response', async () => {
    const listed = await feature.invoke(17, new Map(), caller);
    expect(listed.values?.get('zones')).toEqual([
      new Map<string, unknown>([
        ['zoneId', 'A'],
        ['zoneType', 3],
        ['priority', 3],
        ['connected', true],
      ]),
      new Map<string, unknown>([
        ['zoneId', 'B'],
        ['zoneType', 1],
        ['priority', 1],
        ['connected', false],
      ]),
    ]);
    const outcome = await feature.invoke(16, new Map([['zoneId', 'A']]), caller);
    expect([outcome.values, removed]).toEqual([new Map([['removed', true]]), []]);
    outcome.afterResponse?.();
    expect(removed).toEqual(['A']);
    await expect(feature.invoke(16, new Map([['zoneId', 'C']]), caller)).rejects.toMatchObject({ status: 4 });
  });

  it('has only ids that the recorded session has too, with values of the same kind', () => {
    const trace = JSON.parse(readFileSync(new URL('../vectors/reference-trace.json', import.meta.url), 'utf8')) as {
      frames: { hex: string }[];
    };
    const response = decodeCbor(fromHex(trace.frames[12]?.hex ?? '')) as ReadonlyMap<CborKey, CborValue>;
    const recorded = response.get(3) as ReadonlyMap<CborKey, CborValue>;
    for (const id of feature.attributes) {
      const ours = feature.read(id);
      const theirs = recorded.get(id);
      expect(theirs).toBeDefined();
      if (ours !== null && theirs !== null)
        expect([id, Array.isArray(ours), typeof ours]).toEqual([id, Array.isArray(theirs), typeof theirs]);
    }
  });
});
