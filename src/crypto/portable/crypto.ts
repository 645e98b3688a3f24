/**
 * The `Crypto` port over @noble, for engines without native cryptography, and the oracle of the native adapter's tests.
 * Its arithmetic is BigInt: point multiplication runs a fixed sequence of operations with a blinded scalar, but BigInt itself is not
 * constant-time. Nothing on Node loads this file at run time.
 */
import { ecdsa, type WeierstrassPoint, weierstrass } from '@noble/curves/abstract/weierstrass.js';
import { p256 } from '@noble/curves/nist.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Crypto, Entropy, PrivateKey } from '../../platform.js';
import { Secret } from '../../secret.js';
import { badScalar, foreignKey, offCurve, requireHkdfLength, requireLength, requireUncompressed, requireWirePoint } from '../check.js';
import { randomScalar } from '../scalar.js';

type Point = WeierstrassPoint<bigint>;

/** noble's two traps: high-S is refused by default, and the message is hashed by default; both are said explicitly. */
const ECDSA = { lowS: false, prehash: true, format: 'compact' } as const;

class PortablePrivateKey implements PrivateKey {
  readonly publicKey: Uint8Array;
  readonly #scalar: Secret;

  constructor(publicKey: Uint8Array, scalar: Uint8Array) {
    this.publicKey = publicKey;
    this.#scalar = new Secret(scalar);
  }

  static scalarOf(key: PrivateKey): Uint8Array {
    if (!(key instanceof PortablePrivateKey)) throw foreignKey();
    return key.#scalar.expose();
  }
}

/** A new adapter. `entropy` makes the keys and blinds the multiplications; no other source of randomness is used. */
export function portableCrypto(entropy: Entropy): Crypto {
  const randomBytes = (length = 32) => Uint8Array.from(entropy.bytes(length));
  const Curve = weierstrass(p256.Point.CURVE(), { randomBytes });
  const signer = ecdsa(Curve, sha256, { randomBytes });

  function read(name: string, encoded: Uint8Array): Point {
    try {
      return Curve.fromBytes(encoded);
    } catch {
      throw offCurve(name);
    }
  }

  function point(name: string, encoded: Uint8Array): Point {
    requireUncompressed(name, encoded);
    return read(name, encoded);
  }

  function integer(scalar: Uint8Array): bigint {
    requireLength('scalar', scalar, 32);
    if (!signer.utils.isValidSecretKey(scalar)) throw badScalar();
    return Curve.Fn.fromBytes(scalar);
  }

  function multiplyBase(scalar: Uint8Array): Uint8Array {
    return Curve.BASE.multiply(integer(scalar)).toBytes(false);
  }

  function importKey(scalar: Uint8Array): PrivateKey {
    return new PortablePrivateKey(multiplyBase(scalar), scalar);
  }

  return {
    bytes: (length) => entropy.bytes(length),
    sha256(...parts) {
      const hash = sha256.create();
      for (const part of parts) hash.update(part);
      return hash.digest();
    },
    hmacSha256(key, ...parts) {
      const mac = hmac.create(sha256, key);
      for (const part of parts) mac.update(part);
      return mac.digest();
    },
    hkdfSha256(secret, salt, info, length) {
      requireHkdfLength(length);
      return hkdf(sha256, secret, salt, info, length);
    },
    equal,
    generateKey: () => importKey(randomScalar(entropy)),
    importKey,
    exportKey: (key) => PortablePrivateKey.scalarOf(key).slice(),
    sign: (key, message) => signer.sign(message, PortablePrivateKey.scalarOf(key), ECDSA),
    verify(publicKey, message, signature) {
      point('publicKey', publicKey);
      return signature.length === 64 && signer.verify(signature, message, publicKey, ECDSA);
    },
    decodePoint(encoded) {
      requireWirePoint('point', encoded);
      return read('point', encoded).toBytes(false);
    },
    compressPoint: (encoded) => point('point', encoded).toBytes(true),
    multiplyBase,
    multiply(encoded, scalar) {
      requireUncompressed('point', encoded);
      const factor = integer(scalar);
      return read('point', encoded).multiply(factor).toBytes(false);
    },
    addPoints(a, b) {
      const sum = point('a', a).add(point('b', b));
      return sum.is0() ? undefined : sum.toBytes(false);
    },
    negatePoint: (encoded) => point('point', encoded).negate().toBytes(false),
  };
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}
