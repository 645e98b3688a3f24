import { concat, sameBytes } from '../codec/bytes.js';
import type { Crypto } from '../platform.js';
import { CertificateError } from './certificate-error.js';
import { derBitString, derOid, derSequence } from './der-writer.js';
import { OID } from './oid.js';

/** Uncompressed P-256 point. */
const POINT_LENGTH = 65;

/** SubjectPublicKeyInfo of every P-256 key up to the point: a named curve, an uncompressed point (RFC 5480 §2). */
const PREFIX = (() => {
  const whole = derSequence(derSequence(derOid(OID.ecPublicKey), derOid(OID.prime256v1)), derBitString(new Uint8Array(POINT_LENGTH)));
  return whole.subarray(0, whole.length - POINT_LENGTH);
})();

/** SubjectPublicKeyInfo DER, 91 bytes, of an uncompressed point. */
export function encodeSpki(publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== POINT_LENGTH) throw new RangeError('publicKey: must be an uncompressed point of 65 bytes');
  return concat(PREFIX, publicKey);
}

/** The uncompressed point of a SubjectPublicKeyInfo; other algorithms, curves and point forms are `unsupported`. */
export function decodeSpki(crypto: Crypto, spki: Uint8Array): Uint8Array {
  if (spki.length !== PREFIX.length + POINT_LENGTH || !sameBytes(spki.subarray(0, PREFIX.length), PREFIX))
    throw new CertificateError('unsupported', 'public key: not an uncompressed P-256 point');
  try {
    return crypto.decodePoint(spki.subarray(PREFIX.length));
  } catch {
    throw new CertificateError('malformed', 'public key: not a point of P-256');
  }
}

/** Subject key identifier: SHA-256(SPKI)[0:20] (protocol.md §3). */
export function keyIdentifier(crypto: Crypto, publicKey: Uint8Array): Uint8Array {
  return crypto.sha256(encodeSpki(publicKey)).subarray(0, 20);
}
