import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/codec/hex.js';
import { randomScalar, reduceScalar } from '../../src/crypto/scalar.js';
import type { Entropy } from '../../src/platform.js';
import { SeededEntropy } from '../world/entropy.js';
import { ORDER, scalarOf } from './adapters.js';

const MAXIMUM = 2n ** 256n - 1n;

function queue(...values: readonly bigint[]): Entropy {
  const rest = [...values];
  return { bytes: () => scalarOf(rest.shift() ?? 0n) };
}

describe('reduceScalar', () => {
  it.each([0n, 1n, 255n, 256n, ORDER - 1n, ORDER, ORDER + 1n, ORDER + 2n ** 128n, MAXIMUM - 1n, MAXIMUM])('%d mod n', (value) => {
    const bytes = scalarOf(value);
    expect(toHex(reduceScalar(bytes))).toBe(toHex(scalarOf(value % ORDER)));
    expect(bytes).toEqual(scalarOf(value));
  });

  it('agrees with plain arithmetic near n, where every borrow and every byte matters', () => {
    const random = new SeededEntropy(32);
    for (let round = 0; round < 300; round++) {
      const bytes = random.bytes(32);
      bytes.fill(0xff, 0, random.below(32));
      expect(toHex(reduceScalar(bytes))).toBe(toHex(scalarOf(BigInt(`0x${toHex(bytes)}`) % ORDER)));
    }
  });

  it.each([0, 31, 33, 64])('refuses %d bytes', (length) => {
    expect(() => reduceScalar(new Uint8Array(length))).toThrow(new RangeError('bytes: expected 32 bytes'));
  });
});

describe('randomScalar', () => {
  it.each([2n, 3n, ORDER - 3n, ORDER - 2n])('takes %d as it is', (value) => {
    expect(randomScalar(queue(value))).toEqual(scalarOf(value));
  });

  it('draws again for 0, 1, n − 1, n and above', () => {
    expect(randomScalar(queue(0n, 1n, ORDER - 1n, ORDER, MAXIMUM, 77n))).toEqual(scalarOf(77n));
  });

  it('ends with an error where the source never gives another value', () => {
    expect(() => randomScalar(queue())).toThrow('the entropy source repeats itself');
  });
});
