/** What both sides of a PASE exchange do alike: the form of a share on the wire, and the key schedule behind it. */
import { PeerError } from '../errors.js';
import type { Crypto } from '../platform.js';
import { type Confirmations, confirmations } from './kdf.js';
import type { PaseDialect } from './pase-points.js';
import { draftTranscript, referenceTranscript, type TranscriptShares } from './transcript.js';

/** VERIFICATION_FAILED (commissioning-pase §6.2) and "authentication failed" (protocol.md §3) are both 1. */
const STATUS_REFUSED = 1;

/** One share in both its forms. */
export interface Share {
  /** Uncompressed, 65 bytes. */
  readonly point: Uint8Array;
  /** As it travels: draft 33 bytes compressed when we send it, reference 65. */
  readonly sent: Uint8Array;
}

/** scalar·G + mask. */
export function ownShare(crypto: Crypto, dialect: PaseDialect, scalar: Uint8Array, mask: Uint8Array): Share {
  const point = crypto.addPoints(crypto.multiplyBase(scalar), mask);
  if (point === undefined) throw new Error('the entropy source knows the mask');
  return { point, sent: dialect === 'draft' ? crypto.compressPoint(point) : point };
}

/**
 * The peer's share from the bytes as received: 33 or 65 bytes in the draft dialect (protocol.md §2.3), 65 in the reference dialect (§3).
 * Throws PeerError with status 1 for anything but a point of the curve.
 */
export function peerShare(crypto: Crypto, dialect: PaseDialect, received: Uint8Array): Share {
  if (dialect === 'reference' && received.length !== 65) throw new PeerError(STATUS_REFUSED, 'the share is not 65 bytes long');
  try {
    return { point: crypto.decodePoint(received), sent: received.slice() };
  } catch {
    throw new PeerError(STATUS_REFUSED, 'the share is not a point of P-256');
  }
}

/** The peer's share without its password part. Throws PeerError with status 1 where nothing is left: Z and V would be the identity. */
export function unmask(crypto: Crypto, share: Uint8Array, minusMask: Uint8Array): Uint8Array {
  const rest = crypto.addPoints(share, minusMask);
  if (rest === undefined) throw new PeerError(STATUS_REFUSED, 'the share leads to the identity');
  return rest;
}

/** Everything that follows from Z and V. `context`: our own exporter value, 32 bytes, in the draft dialect; absent in the reference dialect. */
export function finishPase(
  crypto: Crypto,
  dialect: PaseDialect,
  context: Uint8Array | undefined,
  X: Share,
  Y: Share,
  secrets: Pick<TranscriptShares, 'Z' | 'V' | 'w0'>,
): Confirmations {
  const shares = { X: X.point, Y: Y.point, ...secrets };
  const tt = context === undefined ? referenceTranscript(shares) : draftTranscript(context, shares);
  const result = confirmations(crypto, dialect, tt, X.sent, Y.sent);
  tt.fill(0);
  secrets.Z.fill(0);
  secrets.V.fill(0);
  return result;
}

/** Throws RangeError where the dialect's channel binding is missing or too much (protocol.md §2.4, §3). */
export function requireContext(dialect: PaseDialect, context: Uint8Array | undefined): void {
  if (dialect === 'draft' ? context?.length !== 32 : context !== undefined)
    throw new RangeError('context: expected 32 bytes in the draft dialect, none in the reference dialect');
}
