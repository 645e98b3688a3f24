import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/codec/hex.js';
import { utf8Encode } from '../../src/codec/utf8.js';
import { SeededEntropy } from '../world/entropy.js';
import { ADAPTERS } from './adapters.js';

const repeat = (byte: number, count: number) => new Uint8Array(count).fill(byte);
const range = (from: number, to: number) => Uint8Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** RFC 4231 §4.2–4.4, 4.5, 4.7, 4.8. */
const HMAC = [
  { key: repeat(0x0b, 20), data: utf8Encode('Hi There'), mac: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7' },
  {
    key: utf8Encode('Jefe'),
    data: utf8Encode('what do ya want for nothing?'),
    mac: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  { key: repeat(0xaa, 20), data: repeat(0xdd, 50), mac: '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe' },
  { key: range(0x01, 0x19), data: repeat(0xcd, 50), mac: '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b' },
  {
    key: repeat(0xaa, 131),
    data: utf8Encode('Test Using Larger Than Block-Size Key - Hash Key First'),
    mac: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  },
  {
    key: repeat(0xaa, 131),
    data: utf8Encode(
      'This is a test using a larger than block-size key and a larger than block-size data. ' +
        'The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    mac: '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  },
];

/** RFC 5869, appendix A.1–A.3. */
const HKDF = [
  {
    secret: repeat(0x0b, 22),
    salt: range(0x00, 0x0c),
    info: range(0xf0, 0xf9),
    output: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    secret: range(0x00, 0x4f),
    salt: range(0x60, 0xaf),
    info: range(0xb0, 0xff),
    output:
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71' +
      'cc30c58179ec3e87c14c01d5c1f3434f1d87',
  },
  {
    secret: repeat(0x0b, 22),
    salt: new Uint8Array(0),
    info: new Uint8Array(0),
    output: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  },
];

describe.each(ADAPTERS)('hashes over $name', ({ crypto, other }) => {
  it('FIPS 180-4: SHA-256 of nothing, of "abc" and of its parts', () => {
    expect(toHex(crypto.sha256())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(toHex(crypto.sha256(utf8Encode('abc')))).toBe(abc);
    expect(toHex(crypto.sha256(utf8Encode('a'), new Uint8Array(0), utf8Encode('bc')))).toBe(abc);
  });

  it.each(HMAC)('RFC 4231: HMAC-SHA-256 $mac', ({ key, data, mac }) => {
    expect(toHex(crypto.hmacSha256(key, data))).toBe(mac);
    expect(toHex(crypto.hmacSha256(key, data.subarray(0, 5), data.subarray(5)))).toBe(mac);
  });

  it.each(HKDF)('RFC 5869: HKDF-SHA-256 $output', ({ secret, salt, info, output }) => {
    expect(toHex(crypto.hkdfSha256(secret, salt, info, output.length / 2))).toBe(output);
  });

  it('derives the same as the other adapter for every kind of length, a long info included', () => {
    const random = new SeededEntropy(5869);
    for (const length of [1, 31, 32, 33, 64, 8160]) {
      const [secret, salt, info] = [random.bytes(random.below(80)), random.bytes(random.below(80)), random.bytes(1500)];
      expect(toHex(crypto.hkdfSha256(secret, salt, info, length))).toBe(toHex(other.hkdfSha256(secret, salt, info, length)));
    }
  });

  it.each([0, -1, 8161, 1.5, Number.NaN])('refuses to derive %d bytes', (length) => {
    const empty = new Uint8Array(0);
    expect(() => crypto.hkdfSha256(empty, empty, empty, length)).toThrow(new RangeError('length: expected 1…8160'));
  });

  it('equal is true for the same bytes only, and false rather than an error where the lengths differ', () => {
    const a = fromHex('00ff10');
    expect(crypto.equal(a, fromHex('00ff10'))).toBe(true);
    expect(crypto.equal(new Uint8Array(0), new Uint8Array(0))).toBe(true);
    for (const b of ['00ff11', '01ff10', '00fe10', '00ff', '00ff1000', '']) expect(crypto.equal(a, fromHex(b))).toBe(false);
  });

  it('gives random bytes of the length asked for, as plain arrays, and never the same twice', () => {
    for (const length of [0, 1, 32, 1000]) expect(crypto.bytes(length)).toHaveLength(length);
    expect(crypto.bytes(32)).not.toEqual(crypto.bytes(32));
    expect(Object.getPrototypeOf(crypto.bytes(4))).toBe(Uint8Array.prototype);
  });
});
