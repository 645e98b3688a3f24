/** The transcript TT of SPAKE2+, from which every key is made. */
import { concat } from '../codec/bytes.js';
import { utf8Encode } from '../codec/utf8.js';
import { PASE_POINTS, type PasePoints } from './pase-points.js';

/** Points are uncompressed, 65 bytes. */
export interface TranscriptShares {
  readonly X: Uint8Array;
  readonly Y: Uint8Array;
  readonly Z: Uint8Array;
  readonly V: Uint8Array;
  /** 32 bytes. */
  readonly w0: Uint8Array;
}

export interface TranscriptIdentities {
  readonly context: Uint8Array;
  readonly idProver: Uint8Array;
  readonly idVerifier: Uint8Array;
}

/** RFC 9383 §3.3: every element after its length, 8 bytes little-endian. */
export function transcript(identities: TranscriptIdentities, points: PasePoints, shares: TranscriptShares): Uint8Array {
  const { context, idProver, idVerifier } = identities;
  const { X, Y, Z, V, w0 } = shares;
  const elements = [context, idProver, idVerifier, points.M, points.N, X, Y, Z, V, w0];
  return concat(...elements.flatMap((element) => [littleEndian64(element.length), element]));
}

/** protocol.md §2.5: Context is the exporter value, the identities are empty and keep their zero lengths. */
export function draftTranscript(exporter: Uint8Array, shares: TranscriptShares): Uint8Array {
  const none = new Uint8Array(0);
  return transcript({ context: exporter, idProver: none, idVerifier: none }, PASE_POINTS.draft, shares);
}

/** protocol.md §3: no lengths, w0 in minimal big-endian form. */
export function referenceTranscript(shares: TranscriptShares): Uint8Array {
  const { X, Y, Z, V, w0 } = shares;
  return concat(REFERENCE_IDENTITIES, X, Y, Z, V, withoutLeadingZeros(w0));
}

/** c‖s; also the salt of the reference dialect's password derivation. */
export const REFERENCE_IDENTITIES = utf8Encode('mash-controllermash-device');

function littleEndian64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function withoutLeadingZeros(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length && bytes[start] === 0) start++;
  return bytes.subarray(start);
}
