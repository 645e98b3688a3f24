import { describe, expect, it } from 'vitest';
import { concat } from '../../src/codec/bytes.js';
import { fromHex, toHex } from '../../src/codec/hex.js';
import { utf8Encode } from '../../src/codec/utf8.js';
import { SeededEntropy } from '../world/entropy.js';
import { ADAPTERS, ORDER, portable, scalarOf } from './adapters.js';

/** RFC 6979, appendix A.2.5, P-256 with SHA-256. */
const SCALAR = fromHex('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721');
const PUBLIC = fromHex(
  '0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6' + '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
);
const SIGNATURES = [
  {
    message: 'sample',
    signature:
      'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716' +
      'f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
  },
  {
    message: 'test',
    signature:
      'f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367' +
      '019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083',
  },
];
const message = utf8Encode('sample');
const valid = fromHex(SIGNATURES[0]?.signature ?? '');
const r = valid.slice(0, 32);
const s = valid.slice(32);

describe.each(ADAPTERS)('ECDSA over $name', ({ crypto, other }) => {
  it.each(SIGNATURES)('RFC 6979 A.2.5: verifies the signature of "$message"', ({ message, signature }) => {
    expect(crypto.importKey(SCALAR).publicKey).toEqual(PUBLIC);
    expect(crypto.verify(PUBLIC, utf8Encode(message), fromHex(signature))).toBe(true);
    expect(crypto.verify(PUBLIC, utf8Encode(`${message}!`), fromHex(signature))).toBe(false);
  });

  it('accepts both s and n − s, for TLS and X.509 sign with either', () => {
    const low = scalarOf(ORDER - BigInt(`0x${toHex(s)}`));
    expect(crypto.verify(PUBLIC, message, concat(r, s))).toBe(true);
    expect(crypto.verify(PUBLIC, message, concat(r, low))).toBe(true);
  });

  it.each([
    ['r = 0', concat(new Uint8Array(32), s)],
    ['s = 0', concat(r, new Uint8Array(32))],
    ['r = s = 0', new Uint8Array(64)],
    ['r = n', concat(scalarOf(ORDER), s)],
    ['s = n', concat(r, scalarOf(ORDER))],
    ['r = 2^256 − 1', concat(new Uint8Array(32).fill(0xff), s)],
    ['s = 2^256 − 1', concat(r, new Uint8Array(32).fill(0xff))],
    ['r = s = 1', concat(scalarOf(1n), scalarOf(1n))],
    ['r = 1, s = n − 1', concat(scalarOf(1n), scalarOf(ORDER - 1n))],
    ['r and s exchanged', concat(s, r)],
    ['no bytes', new Uint8Array(0)],
    ['63 bytes', valid.slice(0, 63)],
    ['65 bytes', concat(valid, Uint8Array.of(0))],
    ['DER', fromHex(`3046022100${toHex(r)}022100${toHex(s)}`)],
  ])('answers false, never an error, for a signature with %s', (_name, signature) => {
    expect(crypto.verify(PUBLIC, message, signature)).toBe(false);
  });

  it('answers false for each single bit changed in one byte of r and of s', () => {
    for (const at of [5, 40]) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = valid.slice();
        changed[at] = (changed[at] as number) ^ (1 << bit);
        expect(crypto.verify(PUBLIC, message, changed)).toBe(false);
      }
    }
  });

  it('signs what both adapters verify, with keys generated and imported', () => {
    const random = new SeededEntropy(7);
    const imported = crypto.importKey(SCALAR);
    for (let round = 0; round < 12; round++) {
      const key = round % 2 === 0 ? imported : crypto.generateKey();
      const text = random.bytes(round * 9);
      const signature = crypto.sign(key, text);
      expect(signature).toHaveLength(64);
      expect(Object.getPrototypeOf(signature)).toBe(Uint8Array.prototype);
      expect(crypto.verify(key.publicKey, text, signature)).toBe(true);
      expect(other.verify(key.publicKey, text, signature)).toBe(true);
      expect(crypto.verify(PUBLIC, text, signature)).toBe(round % 2 === 0);
    }
  });

  it('exports the scalar it was given, and what it exports is the generated key', () => {
    expect(crypto.exportKey(crypto.importKey(SCALAR))).toEqual(SCALAR);
    const small = scalarOf(3n);
    expect(crypto.exportKey(crypto.importKey(small))).toEqual(small);
    const generated = crypto.generateKey();
    expect(other.importKey(crypto.exportKey(generated)).publicKey).toEqual(generated.publicKey);
    expect(crypto.decodePoint(generated.publicKey)).toEqual(generated.publicKey);
  });

  it('refuses a key that the other adapter made', () => {
    const foreign = other.importKey(SCALAR);
    const error = new RangeError('key: made by another Crypto adapter');
    expect(() => crypto.sign(foreign, message)).toThrow(error);
    expect(() => crypto.exportKey(foreign)).toThrow(error);
  });
});

describe('the portable adapter', () => {
  it.each(SIGNATURES)('RFC 6979 A.2.5: signs "$message" deterministically, s not lowered', ({ message, signature }) => {
    expect(toHex(portable.sign(portable.importKey(SCALAR), utf8Encode(message)))).toBe(signature);
  });
});
