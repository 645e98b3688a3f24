import { sameBytes } from '../codec/bytes.js';
import { CborError, type CborValue, decodeCbor, encodeCbor } from '../codec/cbor.js';
import { bytesAt, integerAt, mapOf, ShapeError } from '../codec/shape.js';
import type { Crypto, PrivateKey } from '../platform.js';
import type { Certificate } from './certificate.js';
import type { TimeReading } from './trusted-time.js';

/** Bits of a token's permissions (commissioning-pase §8.2); bits 3–7 are reserved and not looked at. */
export const AdminPermission = { COMMISSION: 1, REMOVE: 2, VIEW: 4 } as const;

/** An admin token without its signature (commissioning-pase §8.2). */
export interface AdminTokenFields {
  /** 32 bytes, random. */
  readonly id: Uint8Array;
  /** Unix seconds. */
  readonly issuedAt: number;
  /** Unix seconds, exclusive; not before `issuedAt`. */
  readonly expiresAt: number;
  /** SHA-256 of the Zone CA's DER, 32 bytes. */
  readonly caFingerprint: Uint8Array;
  /** Mask of AdminPermission, 0…255. */
  readonly permissions: number;
}

export interface AdminToken extends AdminTokenFields {
  /** Raw r‖s, 64 bytes, over the deterministic encoding of the map with keys 1–5 (protocol.md §2.12). */
  readonly signature: Uint8Array;
}

/** The failures of commissioning-pase §8.4, and `malformed` for what is no token at all. */
export type AdminTokenReason = 'malformed' | 'signature' | 'expired' | 'permissions' | 'fingerprint';

/** A token does not hold. The reason is for the log: on the wire all are the same. */
export class AdminTokenError extends Error {
  override readonly name = 'AdminTokenError';
  readonly reason: AdminTokenReason;
  constructor(reason: AdminTokenReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Bytes of the longest token that is looked at; one in deterministic encoding has at most 161. */
export const MAX_ADMIN_TOKEN = 256;
const KEYS = 6;

/** The token that the owner of `caKey` gives out; deterministic CBOR. Throws RangeError for fields that no token has. */
export function signAdminToken(crypto: Crypto, caKey: PrivateKey, fields: AdminTokenFields): Uint8Array {
  const { id, issuedAt, expiresAt, caFingerprint, permissions } = fields;
  const times = Number.isSafeInteger(issuedAt) && Number.isSafeInteger(expiresAt) && issuedAt >= 0 && expiresAt >= issuedAt;
  if (id.length !== 32 || caFingerprint.length !== 32) throw new RangeError('admin token: id and fingerprint have 32 bytes');
  if (!times) throw new RangeError('admin token: its times are whole seconds in their order');
  if (!Number.isInteger(permissions) || permissions < 0 || permissions > 255) throw new RangeError('admin token: permissions are 0…255');
  const map = signedPart(fields);
  return encodeCbor(new Map<number, CborValue>([...map, [6, crypto.sign(caKey, encodeCbor(map))]]));
}

/** Keys 1–6 and no other, each of its size and range. Throws AdminTokenError `malformed` and nothing else. */
export function decodeAdminToken(bytes: Uint8Array): AdminToken {
  if (bytes.length > MAX_ADMIN_TOKEN) throw malformed(`longer than ${MAX_ADMIN_TOKEN} bytes`);
  try {
    const map = mapOf(decodeCbor(bytes), 'admin token');
    const token: AdminToken = {
      id: bytesAt(map, 1, 'key 1, token id', 32),
      issuedAt: integerAt(map, 2, 'key 2, issued at'),
      expiresAt: integerAt(map, 3, 'key 3, expires at'),
      caFingerprint: bytesAt(map, 4, 'key 4, Zone CA fingerprint', 32),
      permissions: integerAt(map, 5, 'key 5, permissions', 0, 255),
      signature: bytesAt(map, 6, 'key 6, signature', 64),
    };
    if (map.size !== KEYS) throw new ShapeError(`${map.size} keys, ${KEYS} are due`);
    if (token.expiresAt < token.issuedAt) throw new ShapeError('expires before it was issued');
    return token;
  } catch (error) {
    if (error instanceof CborError || error instanceof ShapeError) throw malformed(error.message);
    throw error;
  }
}

export interface AdminTokenCheck {
  /** The Zone CA that came with the token. */
  readonly ca: Certificate;
  readonly time: TimeReading;
}

/**
 * The checks of commissioning-pase §8.4 in their order. §8.4 compares `expires_at` with the current time and grants no tolerance; a clock
 * that was never set cannot tell, and accepts. `issued_at` is none of the four checks: an owner's clock may be ahead of the device's.
 * Throws AdminTokenError and nothing else.
 */
export function verifyAdminToken(crypto: Crypto, bytes: Uint8Array, { ca, time }: AdminTokenCheck): AdminToken {
  const token = decodeAdminToken(bytes);
  if (!crypto.verify(ca.publicKey, encodeCbor(signedPart(token)), token.signature))
    throw new AdminTokenError('signature', 'not signed by the Zone CA');
  if (time.quality !== 'unset' && token.expiresAt <= time.now)
    throw new AdminTokenError('expired', `expired ${time.now - token.expiresAt} s ago`);
  if ((token.permissions & AdminPermission.COMMISSION) === 0)
    throw new AdminTokenError('permissions', `permissions ${token.permissions} do not include commissioning`);
  if (!sameBytes(token.caFingerprint, crypto.sha256(ca.raw)))
    throw new AdminTokenError('fingerprint', 'the fingerprint is not that of the Zone CA received');
  return token;
}

function signedPart({ id, issuedAt, expiresAt, caFingerprint, permissions }: AdminTokenFields): Map<number, CborValue> {
  return new Map<number, CborValue>([
    [1, id],
    [2, issuedAt],
    [3, expiresAt],
    [4, caFingerprint],
    [5, permissions],
  ]);
}

function malformed(what: string): AdminTokenError {
  return new AdminTokenError('malformed', what);
}
