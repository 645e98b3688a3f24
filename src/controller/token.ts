import { toHex } from '../codec/hex.js';
import { AdminPermission, signAdminToken } from '../pki/admin-token.js';
import type { Crypto } from '../platform.js';
import type { ControllerZone } from './zone.js';

/** `--permissions`, in the order of their bits (commissioning-pase §8.2). */
export const PERMISSIONS = { commission: AdminPermission.COMMISSION, remove: AdminPermission.REMOVE, view: AdminPermission.VIEW } as const;
export type Permission = keyof typeof PERMISSIONS;

export interface TokenOptions {
  /** Unix seconds. */
  readonly now: number;
  readonly days: number;
  readonly permissions: readonly Permission[];
}

export interface IssuedToken {
  /** CBOR of commissioning-pase §8.2. */
  readonly bytes: Uint8Array;
  /** Hex. */
  readonly id: string;
  /** Unix seconds. */
  readonly issuedAt: number;
  /** Unix seconds. */
  readonly expiresAt: number;
  /** Mask of AdminPermission. */
  readonly permissions: number;
}

/** A token with which an admin may act for the owner of this zone. */
export function issueToken(crypto: Crypto, zone: ControllerZone, { now, days, permissions }: TokenOptions): IssuedToken {
  const id = crypto.bytes(32);
  const expiresAt = now + days * 86_400;
  const mask = permissions.reduce((sum, name) => sum | PERMISSIONS[name], 0);
  const caFingerprint = crypto.sha256(zone.caCertificate);
  const bytes = signAdminToken(crypto, zone.caKey, { id, issuedAt: now, expiresAt, caFingerprint, permissions: mask });
  return { bytes, id: toHex(id), issuedAt: now, expiresAt, permissions: mask };
}
