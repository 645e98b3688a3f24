/** P-256 key pairs and ECDSA over node:crypto. */
import { createECDH, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { badScalar, foreignKey, requireLength } from '../crypto/check.js';
import type { PrivateKey } from '../platform.js';

/** `ieee-p1363` is raw r‖s, 64 bytes. */
const DSA_ENCODING = 'ieee-p1363';

class NodePrivateKey implements PrivateKey {
  readonly publicKey: Uint8Array;
  readonly #key: KeyObject;

  constructor(publicKey: Uint8Array, key: KeyObject) {
    this.publicKey = publicKey;
    this.#key = key;
  }

  static keyOf(key: PrivateKey): KeyObject {
    if (!(key instanceof NodePrivateKey)) throw foreignKey();
    return key.#key;
  }
}

function coordinates(point: Uint8Array): { kty: string; crv: string; x: string; y: string } {
  const bytes = Buffer.from(point);
  return { kty: 'EC', crv: 'P-256', x: bytes.toString('base64url', 1, 33), y: bytes.toString('base64url', 33, 65) };
}

/** A private key as PKCS#8 PEM, for `tls.createSecureContext`. Throws RangeError for a key of another adapter. */
export function nodeKeyPem(key: PrivateKey): string {
  return NodePrivateKey.keyOf(key).export({ format: 'pem', type: 'pkcs8' }).toString();
}

/**
 * Not `generateKeyPairSync`: in Node 20, exporting a key that it made ends in a deadlock with itself when a garbage collection within the export
 * takes the finished job of the key, whose destructor waits for the lock that the export holds.
 */
export function generateKey(): PrivateKey {
  const ecdh = createECDH('prime256v1');
  const publicKey = new Uint8Array(ecdh.generateKeys());
  const scalar = new Uint8Array(32);
  const digits = ecdh.getPrivateKey();
  scalar.set(digits, 32 - digits.length);
  const key = keyOf(publicKey, scalar);
  scalar.fill(0);
  digits.fill(0);
  return key;
}

export function importKey(scalar: Uint8Array): PrivateKey {
  return keyOf(publicPoint(scalar), scalar);
}

function keyOf(publicKey: Uint8Array, scalar: Uint8Array): PrivateKey {
  // performance.md, "Crypto": a key from JWK costs a quarter of one from PEM or DER.
  const jwk = { ...coordinates(publicKey), d: Buffer.from(scalar).toString('base64url') };
  return new NodePrivateKey(publicKey, createPrivateKey({ format: 'jwk', key: jwk }));
}

export function exportKey(key: PrivateKey): Uint8Array {
  return new Uint8Array(Buffer.from(NodePrivateKey.keyOf(key).export({ format: 'jwk' }).d ?? '', 'base64url'));
}

/** scalar · G. */
export function publicPoint(scalar: Uint8Array): Uint8Array {
  return new Uint8Array(ecdhOf(scalar).getPublicKey());
}

/** A native ECDH with that private key; refuses what is not in [1, n−1]. */
export function ecdhOf(scalar: Uint8Array): ReturnType<typeof createECDH> {
  requireLength('scalar', scalar, 32);
  const ecdh = createECDH('prime256v1');
  try {
    ecdh.setPrivateKey(scalar);
  } catch {
    throw badScalar();
  }
  return ecdh;
}

export function signMessage(key: PrivateKey, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign('sha256', message, { key: NodePrivateKey.keyOf(key), dsaEncoding: DSA_ENCODING }));
}

/** Public keys as OpenSSL holds them; the same few (a Zone CA's, a manufacturer's) verify most signatures. */
export class PublicKeyCache {
  static readonly LIMIT = 16;
  readonly #keys = new Map<string, KeyObject>();

  get size(): number {
    return this.#keys.size;
  }

  /** `publicKey`: a valid uncompressed point. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (signature.length !== 64) return false;
    return verify('sha256', message, { key: this.#get(publicKey), dsaEncoding: DSA_ENCODING }, signature);
  }

  #get(publicKey: Uint8Array): KeyObject {
    const name = Buffer.from(publicKey).toString('latin1');
    const key = this.#keys.get(name) ?? createPublicKey({ format: 'jwk', key: coordinates(publicKey) });
    this.#keys.delete(name);
    this.#keys.set(name, key);
    if (this.#keys.size > PublicKeyCache.LIMIT) this.#keys.delete(this.#keys.keys().next().value ?? '');
    return key;
  }
}
