import { describe, expect, it } from 'vitest';
import { concat } from '../../src/codec/bytes.js';
import { fromHex, toHex } from '../../src/codec/hex.js';
import { SeededEntropy } from '../world/entropy.js';
import { ADAPTERS, FIELD, node, ORDER, portable, scalarOf } from './adapters.js';

const G = fromHex(
  '046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296' + '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
);
/** SEC 2 §2.4.2 base point doubled; NIST's P-256 point multiplication vectors, k = 2. */
const TWO_G = fromHex(
  '047cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978' + '07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1',
);
const x = (point: Uint8Array) => point.slice(1, 33);
const y = (point: Uint8Array) => point.slice(33);
const prefixed = (prefix: number, ...parts: Uint8Array[]) => concat(Uint8Array.of(prefix), ...parts);

function outcome(action: () => Uint8Array | undefined): string {
  try {
    const result = action();
    return result === undefined ? 'identity' : toHex(result);
  } catch (error) {
    return `${(error as Error).name} ${(error as Error).message}`;
  }
}

describe.each(ADAPTERS)('points over $name', ({ crypto }) => {
  it('multiplies the base point by the scalars at both ends of the range', () => {
    expect(crypto.multiplyBase(scalarOf(1n))).toEqual(G);
    expect(crypto.multiplyBase(scalarOf(2n))).toEqual(TWO_G);
    expect(crypto.multiplyBase(scalarOf(ORDER - 1n))).toEqual(crypto.negatePoint(G));
    expect(crypto.multiplyBase(scalarOf(ORDER - 2n))).toEqual(crypto.negatePoint(TWO_G));
  });

  it.each([1n, 2n, 3n, ORDER - 3n, ORDER - 2n, ORDER - 1n])('multiplies any point by %d as it does the base point', (k) => {
    expect(crypto.multiply(G, scalarOf(k))).toEqual(crypto.multiplyBase(scalarOf(k)));
    expect(crypto.multiply(TWO_G, scalarOf(k))).toEqual(crypto.multiplyBase(scalarOf((2n * k) % ORDER)));
  });

  it.each([
    ['0', scalarOf(0n), 'scalar: expected 1…n−1'],
    ['n', scalarOf(ORDER), 'scalar: expected 1…n−1'],
    ['n + 1', scalarOf(ORDER + 1n), 'scalar: expected 1…n−1'],
    ['2^256 − 1', new Uint8Array(32).fill(0xff), 'scalar: expected 1…n−1'],
    ['31 bytes', new Uint8Array(31).fill(1), 'scalar: expected 32 bytes'],
    ['33 bytes', new Uint8Array(33).fill(1), 'scalar: expected 32 bytes'],
    ['no bytes', new Uint8Array(0), 'scalar: expected 32 bytes'],
  ])('refuses the scalar %s everywhere', (_name, scalar, message) => {
    const error = new RangeError(message);
    expect(() => crypto.multiplyBase(scalar)).toThrow(error);
    expect(() => crypto.multiply(G, scalar)).toThrow(error);
    expect(() => crypto.importKey(scalar)).toThrow(error);
  });

  it('adds, doubles, negates, and names the identity', () => {
    const THREE_G = crypto.multiplyBase(scalarOf(3n));
    expect(crypto.addPoints(G, TWO_G)).toEqual(THREE_G);
    expect(crypto.addPoints(TWO_G, G)).toEqual(THREE_G);
    expect(crypto.addPoints(G, G)).toEqual(TWO_G);
    expect(crypto.addPoints(THREE_G, crypto.negatePoint(G))).toEqual(TWO_G);
    expect(crypto.addPoints(G, crypto.negatePoint(G))).toBeUndefined();
    expect(crypto.negatePoint(crypto.negatePoint(TWO_G))).toEqual(TWO_G);
  });

  it('decodes 33 and 65 bytes to the same point, and compresses back', () => {
    for (const point of [G, TWO_G, crypto.negatePoint(G)]) {
      const compressed = crypto.compressPoint(point);
      expect(compressed).toHaveLength(33);
      expect(compressed[0]).toBe(2 + ((point[64] as number) & 1));
      expect(crypto.decodePoint(compressed)).toEqual(point);
      expect(crypto.decodePoint(point)).toEqual(point);
    }
  });

  it('gives fresh plain arrays and leaves its arguments as they were', () => {
    const [point, scalar] = [G.slice(), scalarOf(1n)];
    const results = [
      crypto.decodePoint(point),
      crypto.multiply(point, scalar),
      crypto.multiplyBase(scalar),
      crypto.addPoints(point, TWO_G) as Uint8Array,
      crypto.negatePoint(point),
      crypto.compressPoint(point),
    ];
    for (const result of results) {
      expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype);
      result.fill(0);
    }
    expect(point).toEqual(G);
    expect(scalar).toEqual(scalarOf(1n));
  });

  it('TC-PASE-4: decodes no other length, whatever the first byte', () => {
    for (let length = 0; length <= 130; length++) {
      for (const prefix of [0, 2, 3, 4, 6, 7]) {
        if ((length === 33 && (prefix === 2 || prefix === 3)) || (length === 65 && prefix === 4)) continue;
        const bytes = concat(G, G).slice(0, length);
        if (length > 0) bytes[0] = prefix;
        expect(() => crypto.decodePoint(bytes)).toThrow(new RangeError('point: expected 33 bytes (02, 03) or 65 bytes (04)'));
      }
    }
  });

  it.each([
    ['hybrid 06', prefixed(6, x(TWO_G), y(TWO_G))],
    ['hybrid 07', prefixed(7, x(G), y(G))],
    ['the identity, one byte', Uint8Array.of(0)],
    ['the identity in 33 bytes', new Uint8Array(33)],
    ['the identity in 65 bytes', new Uint8Array(65)],
    ['x = 0, y = 0', prefixed(4, new Uint8Array(64))],
    ['y one off', prefixed(4, x(G), scalarOf(BigInt(`0x${toHex(y(G))}`) + 1n))],
    ['x and y exchanged', prefixed(4, y(G), x(G))],
    ['x = p, which is 0 on the curve', prefixed(2, scalarOf(FIELD))],
    ['x = p + 5, which is 5 on the curve', prefixed(3, scalarOf(FIELD + 5n))],
    ['x = 2^256 − 1', prefixed(2, new Uint8Array(32).fill(0xff))],
    ['y = 2^256 − 1', prefixed(4, x(G), new Uint8Array(32).fill(0xff))],
    ['a point of the curve with another b', prefixed(4, scalarOf(1n), scalarOf(1n))],
  ])('TC-PASE-4: refuses %s', (_name, bytes) => {
    expect(() => crypto.decodePoint(bytes)).toThrow(RangeError);
  });

  it('x = p is refused although x = 0 is on the curve, in both forms', () => {
    const zero = crypto.decodePoint(prefixed(2, new Uint8Array(32)));
    expect(() => crypto.decodePoint(prefixed(4, scalarOf(FIELD), y(zero)))).toThrow(new RangeError('point: not a point of the curve'));
  });

  it('every operation on points names the argument it refuses', () => {
    const off = prefixed(4, x(G), x(G));
    const short = crypto.compressPoint(G);
    const [notOn, notWhole] = ['not a point of the curve', 'expected 65 bytes that begin with 04'];
    for (const [bad, text] of [
      [off, notOn],
      [short, notWhole],
    ] as const) {
      expect(() => crypto.multiply(bad, scalarOf(5n))).toThrow(new RangeError(`point: ${text}`));
      expect(() => crypto.addPoints(bad, G)).toThrow(new RangeError(`a: ${text}`));
      expect(() => crypto.addPoints(G, bad)).toThrow(new RangeError(`b: ${text}`));
      expect(() => crypto.negatePoint(bad)).toThrow(new RangeError(`point: ${text}`));
      expect(() => crypto.compressPoint(bad)).toThrow(new RangeError(`point: ${text}`));
      expect(() => crypto.verify(bad, x(G), new Uint8Array(64))).toThrow(new RangeError(`publicKey: ${text}`));
    }
  });
});

describe('the two adapters', () => {
  it('give the same bytes for random points and scalars', () => {
    const random = new SeededEntropy(256);
    const scalar = () => scalarOf(BigInt(`0x${toHex(random.bytes(32))}`) % ORDER);
    let point = G;
    for (let round = 0; round < 12; round++) {
      const k = scalar();
      const base = node.multiplyBase(k);
      expect(portable.multiplyBase(k)).toEqual(base);
      const product = node.multiply(point, k);
      expect(portable.multiply(point, k)).toEqual(product);
      const sum = node.addPoints(base, product) as Uint8Array;
      expect(portable.addPoints(base, product)).toEqual(sum);
      expect(portable.negatePoint(sum)).toEqual(node.negatePoint(sum));
      expect(portable.compressPoint(sum)).toEqual(node.compressPoint(sum));
      point = sum;
    }
  });

  it('accept and refuse the same encodings, with the same words', () => {
    const random = new SeededEntropy(65);
    let accepted = 0;
    let refused = 0;
    const check = (bytes: Uint8Array) => {
      const result = outcome(() => node.decodePoint(bytes));
      expect(outcome(() => portable.decodePoint(bytes))).toBe(result);
      if (result.startsWith('04')) accepted++;
      else refused++;
    };
    for (let small = 0n; small < 40n; small++) check(prefixed(2 + Number(small % 2n), scalarOf(small)));
    for (let round = 0; round < 60; round++) check(prefixed(random.below(8), random.bytes(32)));
    for (let round = 0; round < 120; round++) {
      const mutated = round % 2 === 0 ? G.slice() : node.compressPoint(TWO_G);
      mutated[random.below(mutated.length)] = random.below(256);
      check(mutated);
    }
    expect(accepted).toBeGreaterThan(30);
    expect(refused).toBeGreaterThan(60);
  });
});
