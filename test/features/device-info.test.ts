import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CborKey, type CborValue, decodeCbor } from '../../src/codec/cbor.js';
import { fromHex } from '../../src/codec/hex.js';
import { DEVICE_INFO, deviceInfoFeature } from '../../src/features/device-info.js';
import { readAttribute } from '../../src/model/model.js';

let zones = 1;
const feature = deviceInfoFeature({
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
  zoneCount: () => zones,
});
const endpoint = { id: 0, type: 0, featureMap: 1, features: [feature] };

describe('DeviceInfo', () => {
  it('has the values it was given under their ids', () => {
    const values = Object.fromEntries(feature.attributes.map(({ id }) => [id, readAttribute(endpoint, feature, id)]));
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
      32: 1,
    });
  });

  it('counts zones at the moment of the Read', () => {
    zones = 3;
    expect(readAttribute(endpoint, feature, 32)).toBe(3);
  });

  it('writes nothing and allows null where there may be none', () => {
    expect(feature.id).toBe(DEVICE_INFO);
    expect(feature.attributes.filter(({ access }) => access !== 'readOnly')).toEqual([]);
    expect(feature.attributes.filter(({ nullable }) => nullable).map(({ id }) => id)).toEqual([5, 6, 11]);
  });

  it('has only ids that the recorded session has too, with values of the same kind', () => {
    const trace = JSON.parse(readFileSync(new URL('../vectors/reference-trace.json', import.meta.url), 'utf8')) as {
      frames: { hex: string }[];
    };
    const response = decodeCbor(fromHex(trace.frames[12]?.hex ?? '')) as ReadonlyMap<CborKey, CborValue>;
    const recorded = response.get(3) as ReadonlyMap<CborKey, CborValue>;
    for (const { id } of feature.attributes) {
      const ours = readAttribute(endpoint, feature, id);
      const theirs = recorded.get(id);
      expect(theirs).toBeDefined();
      if (ours !== null && theirs !== null)
        expect([id, Array.isArray(ours), typeof ours]).toEqual([id, Array.isArray(theirs), typeof theirs]);
    }
  });
});
