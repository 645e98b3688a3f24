import { isDeepStrictEqual } from 'node:util';
import { type CborValue, decodeCbor, Float, WideInteger } from '../../src/codec/cbor.js';
import { fromHex, toHex } from '../../src/codec/hex.js';

/** Values as the vectors write them: `{bytes}`, `{map}`, `{wide}` and `{float}` stand for what JSON does not have. */
export type Written =
  | number
  | string
  | boolean
  | null
  | readonly Written[]
  | { readonly bytes: string }
  | { readonly map: readonly (readonly [number | string, Written])[] }
  | { readonly wide: string }
  | { readonly float: number | '-0' };

export function meant(written: Written): CborValue {
  if (written === null || typeof written !== 'object') return written;
  if (isList(written)) return written.map(meant);
  if ('bytes' in written) return fromHex(written.bytes);
  if ('map' in written) return new Map(written.map.map(([key, value]) => [key, meant(value)]));
  if ('wide' in written) return wide(BigInt(written.wide));
  if ('float' in written) return new Float(Number(written.float));
  throw new TypeError('no such value');
}

function isList(written: Written): written is readonly Written[] {
  return Array.isArray(written);
}

/** The integer in the form that decoding gives it. */
export function wide(value: bigint): WideInteger {
  const argument = value < 0n ? -1n - value : value;
  return new WideInteger(value < 0n, Number(argument >> 32n), Number(argument & 0xffff_ffffn));
}

/** Equal, maps without regard to the order of their keys. */
export function sameValue(a: CborValue, b: CborValue): boolean {
  return isDeepStrictEqual(a, b);
}

export function decodeHex(hex: string): CborValue {
  return decodeCbor(fromHex(hex));
}

export { fromHex, toHex };
