import { describe, expect, it } from 'vitest';
import { concat } from '../../src/codec/bytes.js';
import { utf8Encode } from '../../src/codec/utf8.js';
import { crc32 } from '../../src/store/crc32.js';
import { SeededEntropy } from '../world/entropy.js';

describe('crc32', () => {
  it('gives the check value of CRC-32/ISO-HDLC (reveng catalogue)', () => {
    expect(crc32(utf8Encode('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });

  it('chains over parts', () => {
    const entropy = new SeededEntropy(1);
    const a = entropy.bytes(37);
    const b = entropy.bytes(101);
    expect(crc32(b, crc32(a))).toBe(crc32(concat(a, b)));
  });
});
