import { toHex } from '../codec/hex.js';
import type { Crypto } from '../platform.js';
import { encodeSpki } from './spki.js';

/** Zone id of the draft dialect: upper-case hex of SHA-256(Zone CA DER)[0:8] (protocol.md §2.15). */
export function zoneIdOfCa(crypto: Crypto, caDer: Uint8Array): string {
  return toHex(crypto.sha256(caDer).subarray(0, 8)).toUpperCase();
}

/** Device id that the first certificate for this key must carry: upper-case hex of SHA-256(SPKI DER)[0:8] (commissioning-pase §4.4). */
export function deviceIdOfKey(crypto: Crypto, publicKey: Uint8Array): string {
  return toHex(crypto.sha256(encodeSpki(publicKey)).subarray(0, 8)).toUpperCase();
}

/** Ids compare without regard to case (protocol.md §2.15). */
export function sameId(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
