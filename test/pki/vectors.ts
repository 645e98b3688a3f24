import { readFileSync } from 'node:fs';
import { fromHex } from '../../src/codec/hex.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import type { Crypto } from '../../src/platform.js';
import { SeededEntropy } from '../world/entropy.js';

interface Trace {
  readonly frames: readonly { readonly hex: string }[];
}

/** A session of the Go reference; its `about` names the source. */
const trace = JSON.parse(readFileSync(new URL('../vectors/reference-trace.json', import.meta.url), 'utf8')) as Trace;

/** The DER that frame `index` carries as a byte string, which begins at byte `at` of the frame. */
function carried(index: number, at: number): Uint8Array {
  const frame = fromHex(trace.frames[index]?.hex ?? '');
  const short = frame[at + 1] === 0x81;
  const content = short ? (frame[at + 2] ?? 0) : ((frame[at + 2] ?? 0) << 8) | (frame[at + 3] ?? 0);
  return frame.subarray(at, at + content + (short ? 3 : 4));
}

/** Made by mash-go and its controller. */
export const REFERENCE = {
  zoneCa: carried(4, 43),
  firstCsr: carried(5, 7),
  device: carried(6, 8),
  renewalCsr: carried(78, 8),
  renewedDevice: carried(79, 8),
  /** Unix seconds of the recording: 2026-11-22 05:23:40. */
  now: 1_795_325_020,
} as const;

/** node:crypto with random bytes that repeat. */
export function seededCrypto(seed: number): Crypto {
  const entropy = new SeededEntropy(seed);
  return { ...nodeCrypto(), bytes: (length) => entropy.bytes(length) };
}

/** A private key that is always the same. */
export function fixedScalar(seed: number): Uint8Array {
  const scalar = new SeededEntropy(seed).bytes(32);
  scalar[0] = 1;
  return scalar;
}
