import { describe, expect, it } from 'vitest';
import { type CborError, type CborKey, type CborValue, decodeCbor, encodeCbor } from '../../src/codec/cbor.js';
import { ShapeError } from '../../src/codec/shape.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { decodeZone, encodeZone, type Zone, ZoneType, zoneTypeName } from '../../src/zones/zone.js';

const crypto = nodeCrypto();
const zone: Zone = {
  slot: 3,
  id: 'A66A8E4255CC3C8E',
  type: ZoneType.HOME_MANAGER,
  priority: 4,
  dialect: 'draft',
  deviceId: 'a66a8e4255cc3c8e',
  name: 'Küche 水',
  addedAt: 1_795_305_600,
  order: 7,
  caCertificate: new Uint8Array(545).fill(1),
  certificate: new Uint8Array(585).fill(2),
  key: crypto.generateKey(),
};

describe('a zone record', () => {
  it.each<Partial<Zone>>([
    {},
    { adminToken: new Uint8Array(161).fill(3) },
    { sequence: 0xffff_ffff },
    { dialect: 'reference', type: ZoneType.TEST, priority: 1, addedAt: 0 },
  ])('comes back with its key: %o', (change) => {
    const original = { ...zone, ...change };
    const { key, ...rest } = decodeZone(crypto, 3, encodeZone(crypto, original));
    const { key: before, ...expected } = original;
    expect(rest).toEqual(expected);
    expect(crypto.verify(before.publicKey, new Uint8Array(3), crypto.sign(key, new Uint8Array(3)))).toBe(true);
  });

  it('takes its slot from where it was found', () => {
    expect(decodeZone(crypto, 9, encodeZone(crypto, zone)).slot).toBe(9);
  });

  it.each<readonly [CborKey, CborValue | undefined, string]>([
    [0, 2, 'version'],
    [0, undefined, 'version'],
    [1, 7, 'zone id'],
    [2, 5, 'zone type'],
    [3, 0, 'zone priority'],
    [3, 5, 'zone priority'],
    [4, 2, 'zone dialect'],
    [5, undefined, 'device id'],
    [6, null, 'zone name'],
    [7, -1, 'added at'],
    [8, 'x', 'Zone CA'],
    [9, undefined, 'operational certificate'],
    [10, new Uint8Array(31), 'operational key'],
    [12, 'x', 'admin token'],
    [13, -1, 'sequence'],
  ])('with key %s = %s is refused', (key, value, where) => {
    const map = new Map(decodeCbor(encodeZone(crypto, zone)) as ReadonlyMap<CborKey, CborValue>);
    if (value === undefined) map.delete(key);
    else map.set(key, value);
    expect(() => decodeZone(crypto, 0, encodeCbor(map))).toThrow(ShapeError);
    expect(() => decodeZone(crypto, 0, encodeCbor(map))).toThrow(where);
  });

  it('cut short is refused', () => {
    const whole = encodeZone(crypto, zone);
    expect(() => decodeZone(crypto, 0, whole.subarray(0, whole.length - 1))).toThrow(
      expect.objectContaining({ name: 'CborError' } satisfies Partial<CborError>),
    );
  });
});

it('zone types have the names of protocol.md §2.14', () => {
  expect([0, 1, 2, 3, 4, 5].map(zoneTypeName)).toEqual([
    'TEST',
    'GRID_OPERATOR',
    'BUILDING_MANAGER',
    'HOME_MANAGER',
    'USER_APP',
    'zone type 5',
  ]);
});
