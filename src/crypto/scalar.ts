/** Scalars of P-256 as 32 bytes big-endian. No BigInt: its run time depends on the value, and these are secrets. */
import { fromHex } from '../codec/hex.js';
import type { Entropy } from '../platform.js';
import { requireLength } from './check.js';

const ORDER = fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
const ORDER_MINUS_1 = fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550');
const TWO = fromHex('0000000000000000000000000000000000000000000000000000000000000002');

/** a − b mod 2^256; `borrow` is 1 where a < b. Constant-time. */
function subtract(a: Uint8Array, b: Uint8Array): { readonly difference: Uint8Array; readonly borrow: number } {
  const difference = new Uint8Array(32);
  let borrow = 0;
  for (let i = 31; i >= 0; i--) {
    const digit = (a[i] as number) - (b[i] as number) - borrow;
    difference[i] = digit & 0xff;
    borrow = (digit >> 8) & 1;
  }
  return { difference, borrow };
}

/**
 * `bytes` mod n in constant time: one conditional subtraction, since n > 2^255.
 * Throws RangeError unless given 32 bytes.
 */
export function reduceScalar(bytes: Uint8Array): Uint8Array {
  requireLength('bytes', bytes, 32);
  const { difference, borrow } = subtract(bytes, ORDER);
  const keep = -borrow & 0xff;
  for (let i = 0; i < 32; i++) difference[i] = ((bytes[i] as number) & keep) | ((difference[i] as number) & ~keep);
  return difference;
}

/** A uniform scalar in [2, n−2], by rejection. */
export function randomScalar(entropy: Entropy): Uint8Array {
  for (let draw = 0; draw < 64; draw++) {
    const bytes = entropy.bytes(32);
    if (subtract(bytes, TWO).borrow === 0 && subtract(bytes, ORDER_MINUS_1).borrow === 1) return bytes;
  }
  throw new Error('the entropy source repeats itself');
}
