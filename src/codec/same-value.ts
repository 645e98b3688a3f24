import { type CborValue, Float, isMap, WideInteger } from './cbor-value.js';

/** Deep equality of two CBOR values; the order of a map's keys does not matter. */
export function sameValue(a: CborValue, b: CborValue): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
  if (a instanceof WideInteger) return b instanceof WideInteger && a.negative === b.negative && a.high === b.high && a.low === b.low;
  if (a instanceof Float) return b instanceof Float && a.value === b.value;
  if (isMap(a)) {
    if (!isMap(b) || a.size !== b.size) return false;
    for (const [key, value] of a) {
      const other = b.get(key);
      if (other === undefined || !sameValue(value, other)) return false;
    }
    return true;
  }
  const left = a as readonly CborValue[];
  const right = b as readonly CborValue[];
  return Array.isArray(b) && left.length === right.length && left.every((item, i) => sameValue(item, right[i] as CborValue));
}
