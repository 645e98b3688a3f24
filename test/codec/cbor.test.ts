import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/codec/bytes.js';
import { CborError, type CborValue, decodeCbor, encodeCbor, Float, MAX_DEPTH, WideInteger } from '../../src/codec/cbor.js';
import { decodeHex, fromHex, meant, toHex, type Written, wide } from './values.js';

interface Vectors {
  readonly same: readonly { readonly hex: string; readonly value: Written }[];
  readonly decoded: readonly { readonly hex: string; readonly value: Written }[];
  readonly refused: readonly { readonly hex: string; readonly reason: string }[];
}
const vectors = JSON.parse(readFileSync(new URL('../vectors/cbor-rfc8949.json', import.meta.url), 'utf8')) as Vectors;

function refusal(hex: string): string {
  try {
    decodeHex(hex);
  } catch (error) {
    if (error instanceof CborError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('RFC 8949 appendix A', () => {
  it.each(vectors.same)('$hex is decoded and encoded alike', ({ hex, value }) => {
    expect(decodeHex(hex)).toStrictEqual(meant(value));
    expect(toHex(encodeCbor(meant(value)))).toBe(hex);
  });

  it.each(vectors.decoded)('$hex is understood', ({ hex, value }) => {
    expect(decodeHex(hex)).toStrictEqual(meant(value));
  });

  it.each(vectors.refused)('$hex is refused: $reason', ({ hex, reason }) => {
    expect(refusal(hex)).toContain(reason);
  });
});

describe('what is sent', () => {
  it.each<readonly [CborValue, string]>([
    [2 ** 32 - 1, '1affffffff'],
    [2 ** 32, '1b0000000100000000'],
    [Number.MAX_SAFE_INTEGER, '1b001fffffffffffff'],
    [Number.MIN_SAFE_INTEGER, '3b001ffffffffffffe'],
    [-(2 ** 32), '3affffffff'],
    [-(2 ** 32) - 1, '3b0000000100000000'],
    [-0, '00'],
    [255, '18ff'],
    [256, '190100'],
    [65_535, '19ffff'],
    [65_536, '1a00010000'],
  ])('%s is written in its shortest form', (value, hex) => {
    expect(toHex(encodeCbor(value))).toBe(hex);
  });

  it('map keys are in the order of their encoded bytes (§4.2.1), whatever the order of insertion', () => {
    // The example of RFC 8949 §4.2.1 without the key types that are not used here.
    const keys = [10, 100, -1, 'z', 'aa'];
    const hex = 'a50af61864f620f6617af6626161f6';
    for (const order of [keys, [...keys].reverse(), ['aa', -1, 10, 'z', 100]])
      expect(toHex(encodeCbor(new Map(order.map((key) => [key, null]))))).toBe(hex);
  });

  it('keys with a longer head come after all keys with a shorter one', () => {
    const map = new Map<number | string, CborValue>([
      ['é', 1],
      ['z', 2],
      ['', 3],
      [-25, 4],
      [-24, 5],
      [256, 6],
      [255, 7],
      [23, 8],
      [24, 9],
    ]);
    expect(toHex(encodeCbor(map))).toBe(
      'a9' + '1708' + '181809' + '18ff07' + '19010006' + '3705' + '381804' + '6003' + '617a02' + '62c3a901',
    );
  });

  it('leaves room in front of the item, however much', () => {
    expect(toHex(encodeCbor(7, 4))).toBe('0000000007');
    const far = encodeCbor('abc', 1000);
    expect(far).toHaveLength(1004);
    expect(toHex(far.subarray(1000))).toBe('63616263');
  });

  it('is a buffer of its own, also after an encoding that failed', () => {
    const first = encodeCbor(['a'.repeat(50)], 4);
    expect(() => encodeCbor([new Uint8Array(10_000).fill(0xee), 0.5])).toThrow(TypeError);
    const second = encodeCbor([], 4);
    expect(toHex(second)).toBe('0000000080');
    expect(decodeCbor(first.subarray(4))).toEqual(['a'.repeat(50)]);
    expect(second.buffer.byteLength).toBe(second.length);
  });

  it('grows over items larger than its first buffer', () => {
    const bytes = new Uint8Array(100_000).fill(7);
    expect(decodeCbor(encodeCbor([bytes, 'x'.repeat(70_000), bytes]))).toStrictEqual([bytes, 'x'.repeat(70_000), bytes]);
  });

  it.each([1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53), new Float(1)])('%s is a bug of ours', (value) => {
    expect(() => encodeCbor(value)).toThrow(TypeError);
  });
});

describe('integers at the borders of what a number holds', () => {
  it.each([
    ['1b001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['1b0020000000000000', wide(2n ** 53n)],
    ['3b001ffffffffffffe', Number.MIN_SAFE_INTEGER],
    ['3b001fffffffffffff', wide(-(2n ** 53n))],
    ['3b0020000000000000', wide(-(2n ** 53n) - 1n)],
    ['1b7fffffffffffffff', new WideInteger(false, 0x7fff_ffff, 0xffff_ffff)],
    ['3b7fffffffffffffff', new WideInteger(true, 0x7fff_ffff, 0xffff_ffff)],
    ['1bffffffffffffffff', new WideInteger(false, 0xffff_ffff, 0xffff_ffff)],
    ['3bffffffffffffffff', new WideInteger(true, 0xffff_ffff, 0xffff_ffff)],
  ] as const)('%s', (hex, value) => {
    expect(decodeHex(hex)).toStrictEqual(value);
    expect(toHex(encodeCbor(value))).toBe(hex);
  });

  it.each([
    ['1800', 0],
    ['190000', 0],
    ['1a00000017', 23],
    ['1b0000000000000001', 1],
    ['3b0000000000000000', -1],
  ])('%s, not the shortest form, is accepted', (hex, value) => {
    expect(decodeHex(hex)).toBe(value);
  });
});

describe('what is refused', () => {
  it.each([
    ['', 'truncated'],
    ['18', 'truncated'],
    ['1900', 'truncated'],
    ['1b00000000000000', 'truncated'],
    ['fb00000000000000', 'truncated'],
    ['4201', 'truncated'],
    ['6261', 'truncated'],
    ['8201', 'truncated'],
    ['a101', 'truncated'],
    ['a1', 'truncated'],
    ['9f01', 'truncated'],
    ['bf01', 'truncated'],
    ['5f4101', 'truncated'],
    ['0000', '1 trailing bytes'],
    ['a0f6f6', '2 trailing bytes'],
    ['1c', 'reserved'],
    ['3d', 'reserved'],
    ['5e', 'reserved'],
    ['9c', 'reserved'],
    ['bd00', 'reserved'],
    ['1f', 'indefinite length on an integer'],
    ['3f', 'indefinite length on an integer'],
    ['ff', 'break'],
    ['81ff', 'break'],
    ['bf01ff', 'break'],
    ['a1ff01', 'break'],
    ['5f6161ff', 'wrong chunk'],
    ['7f4161ff', 'wrong chunk'],
    ['5f5f4101ffff', 'wrong chunk'],
    ['5f01ff', 'wrong chunk'],
    ['5fc0ff', 'wrong chunk'],
    ['fc', 'simple value'],
    ['e0', 'simple value'],
    ['f814', 'simple value'],
    ['61ff', 'UTF-8'],
    ['62c080', 'UTF-8'],
    ['63eda080', 'UTF-8'],
    ['7f61c361bcff', 'UTF-8'],
    ['c000', 'tags'],
    ['81d90100f6', 'tags'],
    ['a1f600', 'map key'],
    ['a1410100', 'map key'],
    ['a1f500', 'map key'],
    ['a1f93c0000', 'map key'],
    ['a18000', 'map key'],
    ['a11bffffffffffffffff00', 'map key'],
  ])('%s: %s', (hex, reason) => {
    expect(refusal(hex)).toContain(reason);
  });

  it.each([
    ['a201000100', '1'],
    ['a20100180100', '1'],
    ['a2200020f6', '-1'],
    ['a2616100616100', 'a'],
    ['a26161007f6161ff00', 'a'],
    ['bf01000100ff', '1'],
    ['81a203000300', '3'],
  ])('%s: a duplicate key', (hex, key) => {
    expect(refusal(hex)).toBe(`duplicate map key ${key}`);
  });

  it('the number 1 and the text "1" are two keys', () => {
    expect(decodeHex('a2010061310a')).toStrictEqual(
      new Map<number | string, CborValue>([
        [1, 0],
        ['1', 10],
      ]),
    );
  });

  it.each([
    ['arrays', '81', ''],
    ['maps', 'a100', ''],
    ['indefinite arrays', '9f', 'ff'],
    ['indefinite maps', 'bf00', 'ff'],
  ])('%s nest 16 deep and not 17', (_what, open, close) => {
    const nested = (depth: number): string => `${open.repeat(depth)}00${close.repeat(depth)}`;
    expect(refusal(nested(MAX_DEPTH))).toBe('accepted');
    expect(refusal(nested(MAX_DEPTH + 1))).toBe('nesting deeper than 16');
    // Far deeper: the stack is not what refuses it.
    expect(refusal(nested(60_000))).toBe('nesting deeper than 16');
  });

  it.each(['5b', '7b', '9b', 'bb', '5a', '7a', '9a', 'ba'])('a huge length behind %s allocates nothing', (head) => {
    const length = head.endsWith('b')
      ? ['ffffffffffffffff', '001fffffffffffff', '0000000100000000', '0000000000010000']
      : ['ffffffff', '00010000'];
    const before = process.memoryUsage().arrayBuffers;
    for (const text of length) expect(refusal(`${head}${text}0000`)).not.toBe('accepted');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });
});

describe('byte strings', () => {
  it('are copies: the receive buffer may be used again', () => {
    const source = fromHex('43010203');
    const value = decodeCbor(source) as Uint8Array;
    source.fill(0);
    expect([...value]).toEqual([1, 2, 3]);
  });

  it('in an item that is a view into a larger buffer are read from the right place', () => {
    const view = concat(fromHex('ffff'), fromHex('8243010203fb3ff199999999999a'), fromHex('ffff')).subarray(2, 16);
    expect(decodeCbor(view)).toStrictEqual([Uint8Array.of(1, 2, 3), new Float(1.1)]);
  });
});
