import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Decode, utf8Encode, utf8Length } from '../../src/codec/utf8.js';
import { SeededEntropy } from '../world/entropy.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function oracle(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

describe('utf8', () => {
  it('encodes like TextEncoder, and says how long that is, lone surrogates included', () => {
    const anyUnits = fc
      .array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd7f0, max: 0xe010 })))
      .map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), anyUnits), (text) => {
        expect(utf8Encode(text)).toEqual(encoder.encode(text));
        expect(utf8Length(text)).toBe(encoder.encode(text).length);
      }),
      { seed: 3629, numRuns: 2000 },
    );
  });

  it('encodes and decodes the first and the last code point of every length', () => {
    for (const point of [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfeff, 0xffff, 0x10000, 0x10ffff]) {
      const text = String.fromCodePoint(point);
      expect(utf8Encode(text)).toEqual(encoder.encode(text));
      expect(utf8Decode(utf8Encode(text))).toBe(text);
    }
  });

  it('decodes every sequence of up to two bytes like TextDecoder', () => {
    for (let first = 0; first < 256; first++) {
      if (utf8Decode(Uint8Array.of(first)) !== oracle(Uint8Array.of(first))) expect.fail(`${first}`);
      for (let second = 0; second < 256; second++) {
        const bytes = Uint8Array.of(first, second);
        if (utf8Decode(bytes) !== oracle(bytes)) expect.fail(`${first} ${second}`);
      }
    }
  });

  it('decodes sequences of three and four bytes around every border like TextDecoder', () => {
    const borders = [0x00, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
    for (const first of [0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff])
      for (const second of borders)
        for (const third of borders)
          for (const fourth of [undefined, ...borders]) {
            const bytes = fourth === undefined ? Uint8Array.of(first, second, third) : Uint8Array.of(first, second, third, fourth);
            if (utf8Decode(bytes) !== oracle(bytes)) expect.fail([...bytes].join(' '));
          }
  });

  it('decodes random bytes and spoiled texts like TextDecoder', () => {
    const entropy = new SeededEntropy(63);
    const sample = encoder.encode('Wärmepumpe 水 𐅑 – Ω');
    for (let i = 0; i < 20_000; i++) {
      const bytes = i % 2 === 0 ? entropy.bytes(entropy.below(8)) : sample.slice(entropy.below(8), entropy.below(sample.length));
      if (bytes.length > 0 && i % 4 === 1) bytes[entropy.below(bytes.length)] = entropy.below(256);
      expect(utf8Decode(bytes)).toBe(oracle(bytes));
    }
  });
});
