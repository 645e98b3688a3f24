import { describe, expect, it } from 'vitest';
import { isBlank } from '../../src/store/layout.js';
import { SeededEntropy } from '../world/entropy.js';

/** Byte by byte. */
function blankByByte(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0xff) return false;
  return true;
}

describe('whether flash is blank', () => {
  it('sees each cleared bit, wherever it is', () => {
    const bytes = new Uint8Array(131).fill(0xff).subarray(1);
    expect(isBlank(bytes)).toBe(true);
    for (let i = 0; i < bytes.length; i++)
      for (let bit = 0; bit < 8; bit++) {
        bytes[i] = 0xff & ~(1 << bit);
        expect(isBlank(bytes), `bit ${bit} of byte ${i}`).toBe(false);
        bytes[i] = 0xff;
      }
  });

  it('looks at [from, to) and at nothing else, wherever both are', () => {
    const random = new SeededEntropy(42);
    for (let round = 0; round < 20_000; round++) {
      const bytes = new Uint8Array(160).fill(0xff).subarray(random.below(5));
      for (let i = random.below(3); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256);
      const from = random.below(bytes.length);
      const to = from + random.below(bytes.length - from + 1);
      expect(isBlank(bytes, from, to)).toBe(blankByByte(bytes, from, to));
    }
  });
});
