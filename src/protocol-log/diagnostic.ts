import { type CborValue, Float, isMap, WideInteger } from '../codec/cbor.js';
import { toHex } from '../codec/hex.js';

/** Diagnostic notation of RFC 8949 §8, on one line. */
export function diagnostic(value: CborValue): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Uint8Array) return `h'${toHex(value).toLowerCase()}'`;
  if (value instanceof Float) return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value);
  if (value instanceof WideInteger) return wide(value);
  if (isMap(value)) return `{${[...value].map(([key, inner]) => `${diagnostic(key)}: ${diagnostic(inner)}`).join(', ')}}`;
  return `[${(value as readonly CborValue[]).map(diagnostic).join(', ')}]`;
}

function wide({ negative, high, low }: WideInteger): string {
  const magnitude = (BigInt(high) << 32n) + BigInt(low);
  return String(negative ? -1n - magnitude : magnitude);
}
