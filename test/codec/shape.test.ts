import { describe, expect, it } from 'vitest';
import { type CborKey, type CborValue, Float, WideInteger } from '../../src/codec/cbor.js';
import { bytesAt, integerAt, kindOf, mapOf, optionalAt, ShapeError, smallIntegers, textAt } from '../../src/codec/shape.js';

const WIDE = new WideInteger(false, 0xffff_ffff, 0xffff_ffff);

/** One value of every kind, by the name that an error gives it. */
const KINDS: readonly (readonly [string, CborValue | undefined])[] = [
  ['nothing', undefined],
  ['null', null],
  ['an integer', 1],
  ['a 64-bit integer', WIDE],
  ['a floating-point number', new Float(1)],
  ['a text', '1'],
  ['a byte string', Uint8Array.of(1)],
  ['a boolean', true],
  ['an array', [1]],
  ['a map', new Map([[1, 1]])],
];

function at(value: CborValue | undefined): Map<CborKey, CborValue> {
  return value === undefined ? new Map() : new Map<CborKey, CborValue>([[7, value]]);
}

function refused(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof ShapeError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe.each(KINDS)('%s', (kind, value) => {
  it('has its name', () => {
    expect(kindOf(value)).toBe(kind);
  });

  it.each([
    ['an integer', (map: Map<CborKey, CborValue>) => integerAt(map, 7, 'field'), ['an integer']],
    ['a text', (map: Map<CborKey, CborValue>) => textAt(map, 7, 'field'), ['a text']],
    ['a byte string', (map: Map<CborKey, CborValue>) => bytesAt(map, 7, 'field'), ['a byte string']],
    ['a map', (map: Map<CborKey, CborValue>) => mapOf(map.get(7), 'field'), ['a map']],
    ['an array of integers', (map: Map<CborKey, CborValue>) => smallIntegers(map.get(7), 'field', 255), ['an array', 'a byte string']],
  ] as const)('where %s is due', (due, read, fitting) => {
    const expected = (fitting as readonly string[]).includes(kind) ? 'accepted' : `field: ${due} is due, not ${kind}`;
    expect(refused(() => read(at(value)))).toBe(expected);
  });
});

describe('ranges', () => {
  it.each([
    [0, 'accepted'],
    [255, 'accepted'],
    [256, 'field: 256 is outside 0…255'],
    [-1, 'field: -1 is outside 0…255'],
  ])('an integer of 0…255: %i', (value, expected) => {
    expect(refused(() => integerAt(at(value), 7, 'field', 0, 255))).toBe(expected);
  });

  it('an integer without a stated range is not negative', () => {
    expect(refused(() => integerAt(at(-1), 7, 'field'))).toContain('outside');
    expect(integerAt(at(Number.MAX_SAFE_INTEGER), 7, 'field')).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('byte strings have exactly the length due', () => {
    expect(refused(() => bytesAt(at(new Uint8Array(31)), 7, 'field', 32))).toBe('field: 31 bytes, 32 are due');
    expect(refused(() => bytesAt(at(new Uint8Array(33)), 7, 'field', 32))).toBe('field: 33 bytes, 32 are due');
    expect(bytesAt(at(new Uint8Array(32)), 7, 'field', 32)).toHaveLength(32);
  });

  it('small integers come as an array or as the byte string that mash-go sends', () => {
    expect(smallIntegers([0, 1, 0xffff], 'ids', 0xffff)).toEqual([0, 1, 0xffff]);
    expect(smallIntegers(Uint8Array.of(0, 16, 255), 'ids', 0xffff)).toEqual([0, 16, 255]);
    for (const item of [-1, 0x10000, '1', null, WIDE, new Float(1), [1]])
      expect(refused(() => smallIntegers([1, item], 'ids', 0xffff))).toContain('ids: integers of 0…65535 is due');
  });
});

describe('optional fields', () => {
  it('are read only when present and not null', () => {
    expect(optionalAt(at(undefined), 7, () => expect.fail('read'))).toBeUndefined();
    expect(optionalAt(at(null), 7, () => expect.fail('read'))).toBeUndefined();
    expect(optionalAt(at(0), 7, () => 'read')).toBe('read');
    expect(optionalAt(at(false), 7, () => 'read')).toBe('read');
  });
});
