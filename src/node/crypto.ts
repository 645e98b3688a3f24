/** The `Crypto` port over node:crypto. Each scalar multiplication, hash and signature is native; only point sums are ours. */
import { createHash, createHmac, ECDH, randomFillSync, timingSafeEqual } from 'node:crypto';
import { offCurve, requireHkdfLength, requireUncompressed, requireWirePoint } from '../crypto/check.js';
import type { Crypto } from '../platform.js';
import { ecdhOf, exportKey, generateKey, importKey, PublicKeyCache, publicPoint, signMessage } from './keys.js';
import { addAffine, negateAffine, recoverProduct } from './p256-field.js';

export { nodeKeyPem } from './keys.js';

const ORDER_MINUS_1 = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550', 'hex');

/** A new adapter; it holds a small cache of public keys and nothing else. */
export function nodeCrypto(): Crypto {
  const publicKeys = new PublicKeyCache();
  return {
    bytes,
    sha256,
    hmacSha256,
    hkdfSha256,
    equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
    generateKey,
    importKey,
    exportKey,
    sign: signMessage,
    verify: (publicKey, message, signature) => publicKeys.verify(validPoint('publicKey', publicKey), message, signature),
    decodePoint,
    compressPoint,
    multiplyBase: publicPoint,
    multiply,
    addPoints: (a, b) => addAffine(validPoint('a', a), validPoint('b', b), bytes(32)),
    negatePoint: (point) => negateAffine(validPoint('point', point)),
  };
}

function bytes(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length));
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return new Uint8Array(hmac.digest());
}

/** RFC 5869 §2.2, §2.3. Not `hkdfSync`: that one limits `info` to 1024 bytes. */
function hkdfSha256(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  requireHkdfLength(length);
  const pseudorandomKey = hmacSha256(salt, secret);
  const output = new Uint8Array(length);
  let block: Uint8Array = new Uint8Array(0);
  for (let at = 0, counter = 1; at < length; at += 32, counter++) {
    block = hmacSha256(pseudorandomKey, block, info, Uint8Array.of(counter));
    output.set(block.subarray(0, Math.min(32, length - at)), at);
  }
  return output;
}

/** On the curve, coordinates below p, not the identity; OpenSSL checks all three while it decodes. */
function convert(name: string, point: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(ECDH.convertKey(point, 'prime256v1', undefined, undefined, 'uncompressed') as Buffer);
  } catch {
    throw offCurve(name);
  }
}

function validPoint(name: string, point: Uint8Array): Uint8Array {
  requireUncompressed(name, point);
  return convert(name, point);
}

function decodePoint(encoded: Uint8Array): Uint8Array {
  requireWirePoint('point', encoded);
  return convert('point', encoded);
}

function compressPoint(point: Uint8Array): Uint8Array {
  const compressed = validPoint('point', point).slice(0, 33);
  compressed[0] = 2 | ((point[64] as number) & 1);
  return compressed;
}

/** x(kP) and x((k+1)P) are native and constant-time; y follows from both. */
function multiply(point: Uint8Array, scalar: Uint8Array): Uint8Array {
  requireUncompressed('point', point);
  const ecdh = ecdhOf(scalar);
  let productX: Buffer;
  try {
    productX = ecdh.computeSecret(point);
  } catch {
    throw offCurve('point');
  }
  if (timingSafeEqual(scalar, ORDER_MINUS_1)) return negateAffine(point);
  const next = increment(scalar);
  ecdh.setPrivateKey(next);
  next.fill(0);
  return recoverProduct(point, productX, ecdh.computeSecret(point), bytes(32));
}

/** scalar + 1, for a scalar below 2^256 − 1. Constant-time. */
function increment(scalar: Uint8Array): Uint8Array {
  const next = new Uint8Array(32);
  let carry = 1;
  for (let i = 31; i >= 0; i--) {
    const digit = (scalar[i] as number) + carry;
    next[i] = digit & 0xff;
    carry = digit >> 8;
  }
  return next;
}
