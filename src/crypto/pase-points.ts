/** M and N: points whose discrete logarithm nobody knows. */
import { fromHex } from '../codec/hex.js';

/** Which of the two wire forms a PASE conversation has (protocol.md, table at the top). */
export type PaseDialect = 'draft' | 'reference';

/** What SPAKE2+ is made of here, by the names of the PICS (pics-registry §3.1); `Crypto` has these and no others. */
export const PASE_SUITE = { group: 'P-256', hash: 'SHA-256', kdf: 'HKDF-SHA256', mac: 'HMAC-SHA256' } as const;

export interface PasePoints {
  /** 65 bytes. */
  readonly M: Uint8Array;
  /** 65 bytes. */
  readonly N: Uint8Array;
}

/**
 * draft: protocol.md §2.1, hash_to_curve("MASH SPAKE2+ M v1") and "… N v1" with P256_XMD:SHA-256_SSWU_RO_ (RFC 9380 §8.2) and the DST
 * `MASH-SPAKE2PLUS-V01-CS01-with-P256_XMD:SHA-256_SSWU_RO_`.
 * reference: RFC 9383 §4, P-256.
 */
export const PASE_POINTS: Readonly<Record<PaseDialect, PasePoints>> = {
  draft: {
    M: fromHex(
      '048af3153464dc53a522fc0979cde2ec7d523c39b9edadd0ba44145b539a0ab1a5' +
        '348fff865156e763f6034405dd07abf8dcd0dd3e26f22d91e6d714574813af51',
    ),
    N: fromHex(
      '044fb869e67ed0666cb3527a7a7dc71118e8a637495606a9af101ccbf0be98899a' +
        '45d12ee0c8e4e53cf8f4cfe67c065c32f6a51c5d901cff9dad0b3cc828afa368',
    ),
  },
  reference: {
    M: fromHex(
      '04886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f' +
        '5ff355163e43ce224e0b0e65ff02ac8e5c7be09419c785e0ca547d55a12e2d20',
    ),
    N: fromHex(
      '04d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49' +
        '07d60aa6bfade45008a636337f5168c64d9bd36034808cd564490b1e656edbe7',
    ),
  },
};
