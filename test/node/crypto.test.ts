import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/codec/hex.js';
import { utf8Encode } from '../../src/codec/utf8.js';
import { nodeCrypto, nodeKeyPem } from '../../src/node/crypto.js';
import { PublicKeyCache } from '../../src/node/keys.js';
import { addAffine, negateAffine, recoverProduct } from '../../src/node/p256-field.js';
import { ORDER, portable, scalarOf } from '../crypto/adapters.js';
import { SeededEntropy } from '../world/entropy.js';
import { runNode } from '../world/project.js';
import { temporaryFolder, transpile } from './child.js';

const crypto = nodeCrypto();
const point = (k: bigint) => crypto.multiplyBase(scalarOf(k));

describe('nodeKeyPem', () => {
  it('gives the key to OpenSSL as PKCS#8', () => {
    const key = crypto.importKey(scalarOf(12345n));
    const pem = nodeKeyPem(key);
    expect(pem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    const { x, y, d } = createPrivateKey(pem).export({ format: 'jwk' });
    expect(toHex(Buffer.from(d ?? '', 'base64url'))).toBe(toHex(scalarOf(12345n)));
    expect(`04${Buffer.from(`${x}`, 'base64url').toString('hex')}${Buffer.from(`${y}`, 'base64url').toString('hex')}`).toBe(
      toHex(key.publicKey),
    );
    const signature = crypto.sign(key, utf8Encode('text'));
    expect(verify('sha256', utf8Encode('text'), { key: createPublicKey(pem), dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
  });

  it('refuses a key of another adapter', () => {
    expect(() => nodeKeyPem(portable.generateKey())).toThrow(new RangeError('key: made by another Crypto adapter'));
  });
});

describe('a private key', () => {
  it('shows its public half alone', () => {
    for (const key of [crypto.importKey(scalarOf(ORDER - 3n)), portable.importKey(scalarOf(ORDER - 3n))]) {
      expect(Object.keys(key)).toEqual(['publicKey']);
      const text = inspect(key, { showHidden: true, depth: 9 }) + JSON.stringify(key);
      expect(text).not.toContain([...scalarOf(ORDER - 3n).slice(-8)].join(', '));
      expect(text).not.toContain('PRIVATE');
    }
  });
});

describe('generateKey', () => {
  // A process of its own with a small heap: a deadlock within a garbage collection would end the run of the tests, not the test.
  it('makes thousands of keys without a stop, and each is whole', () => {
    const folder = temporaryFolder();
    try {
      transpile(['src/node/keys.ts'], folder.path);
      const script = path.join(folder.path, 'main.js');
      writeFileSync(
        script,
        `import { exportKey, generateKey, importKey } from './src/node/keys.js';
        const whole = (key) => Buffer.compare(importKey(exportKey(key)).publicKey, key.publicKey) === 0;
        let count = 0;
        for (let i = 0; i < 5000; i++) if (whole(generateKey())) count++;
        console.log(count);`,
      );
      const { stdout, status, signal } = runNode(folder.path, '--max-semi-space-size=1', script);
      expect({ stdout, status, signal }).toEqual({ stdout: '5000\n', status: 0, signal: null });
    } finally {
      folder.remove();
    }
  });
});

describe('PublicKeyCache', () => {
  it('holds a bounded number of keys, and answers by key and message', () => {
    const cache = new PublicKeyCache();
    const text = utf8Encode('text');
    const keys = Array.from({ length: PublicKeyCache.LIMIT + 5 }, (_, i) => crypto.importKey(scalarOf(BigInt(i + 2))));
    for (const key of keys) {
      const signature = crypto.sign(key, text);
      expect(cache.verify(key.publicKey, text, signature)).toBe(true);
      expect(cache.verify(key.publicKey, utf8Encode('other'), signature)).toBe(false);
    }
    expect(cache.size).toBe(PublicKeyCache.LIMIT);
  });

  it('makes no entry for a signature of the wrong length', () => {
    const cache = new PublicKeyCache();
    expect(cache.verify(point(2n), utf8Encode('text'), new Uint8Array(63))).toBe(false);
    expect(cache.size).toBe(0);
  });
});

describe('point sums on the isomorphic curve', () => {
  const random = new SeededEntropy(255);
  const blinders = [new Uint8Array(32), new Uint8Array(32).fill(0xff), scalarOf(1n), random.bytes(32), random.bytes(32)];

  it.each(blinders.map((bytes) => [toHex(bytes).slice(0, 8), bytes] as const))('give the same whatever the blinding (%s…)', (_name, z) => {
    expect(addAffine(point(5n), point(9n), z)).toEqual(point(14n));
    expect(addAffine(point(9n), point(5n), z)).toEqual(point(14n));
    expect(addAffine(point(7n), point(7n), z)).toEqual(point(14n));
    expect(addAffine(point(7n), point(ORDER - 7n), z)).toBeUndefined();
    const coordinate = (k: bigint) => point(k).slice(1, 33);
    expect(recoverProduct(point(3n), coordinate(33n), coordinate(36n), z)).toEqual(point(33n));
    expect(recoverProduct(point(3n), coordinate(6n), coordinate(9n), z)).toEqual(point(6n));
    expect(recoverProduct(point(3n), coordinate(ORDER - 6n), coordinate(ORDER - 3n), z)).toEqual(point(ORDER - 6n));
  });

  it('negates without changing the argument, a y with small bytes included', () => {
    const p = point(4n);
    const copy = p.slice();
    expect(negateAffine(p)).toEqual(point(ORDER - 4n));
    expect(p).toEqual(copy);
    const small = fromHex(`04${'00'.repeat(63)}01`);
    expect(toHex(negateAffine(small).slice(33))).toBe('ffffffff00000001000000000000000000000000fffffffffffffffffffffffe');
  });
});
