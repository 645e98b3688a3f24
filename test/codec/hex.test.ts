import { describe, expect, it } from 'vitest';
import { concat, sameBytes } from '../../src/codec/bytes.js';
import { fromHex, toHex } from '../../src/codec/hex.js';

describe('hex', () => {
  it('writes every byte as two lower-case digits and reads it back', () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(toHex(all)).toBe(Buffer.from(all).toString('hex'));
    expect(fromHex(toHex(all))).toEqual(all);
    expect(fromHex(toHex(all).toUpperCase())).toEqual(all);
    expect(fromHex('')).toEqual(new Uint8Array(0));
  });

  it.each(['0', '012', '0g', 'g0', ' 1', '1 ', '+1', '-1', '-f', '0x', '0x01', '1.', '１１', '\n0'])('refuses %j', (text) => {
    expect(() => fromHex(text)).toThrow(RangeError);
  });
});

describe('bytes', () => {
  it('joins, without keeping the parts', () => {
    const part = Uint8Array.of(1, 2);
    const whole = concat(part, new Uint8Array(0), Uint8Array.of(3));
    part.fill(9);
    expect([...whole]).toEqual([1, 2, 3]);
    expect(concat()).toHaveLength(0);
  });

  it('compares by content and length', () => {
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(9, 1, 2).subarray(1))).toBe(true);
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(sameBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
  });
});
