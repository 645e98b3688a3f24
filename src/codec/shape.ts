import { type CborKey, type CborMap, type CborValue, Float, isMap, WideInteger } from './cbor.js';

/** Checked access to decoded CBOR: a value of the right shape, or a ShapeError that names the field. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

export function mapOf(value: CborValue | undefined, where: string): CborMap {
  if (!isMap(value)) throw wrong(where, 'a map', value);
  return value;
}

/** An integer within [minimum, maximum]. */
export function integerAt(map: CborMap, key: CborKey, where: string, minimum = 0, maximum = Number.MAX_SAFE_INTEGER): number {
  const value = map.get(key);
  if (typeof value !== 'number') throw wrong(where, 'an integer', value);
  if (value < minimum || value > maximum) throw new ShapeError(`${where}: ${value} is outside ${minimum}…${maximum}`);
  return value;
}

export function textAt(map: CborMap, key: CborKey, where: string): string {
  const value = map.get(key);
  if (typeof value !== 'string') throw wrong(where, 'a text', value);
  return value;
}

export function bytesAt(map: CborMap, key: CborKey, where: string, length?: number): Uint8Array {
  const value = map.get(key);
  if (!(value instanceof Uint8Array)) throw wrong(where, 'a byte string', value);
  if (length !== undefined && value.length !== length) throw new ShapeError(`${where}: ${value.length} bytes, ${length} are due`);
  return value;
}

/** Runs `read` when the key is present and not null. */
export function optionalAt<T>(map: CborMap, key: CborKey, read: () => T): T | undefined {
  const value = map.get(key);
  return value === undefined || value === null ? undefined : read();
}

/** Non-negative small integers: an array of them, or the byte string that some peers send instead (protocol.md §1). */
export function smallIntegers(value: CborValue | undefined, where: string, maximum: number): readonly number[] {
  if (value instanceof Uint8Array) return [...value];
  if (!Array.isArray(value)) throw wrong(where, 'an array of integers', value);
  return (value as readonly CborValue[]).map((item) => {
    if (typeof item !== 'number' || item < 0 || item > maximum) throw wrong(where, `integers of 0…${maximum}`, item);
    return item;
  });
}

function wrong(where: string, due: string, value: CborValue | undefined): ShapeError {
  return new ShapeError(`${where}: ${due} is due, not ${kindOf(value)}`);
}

export function kindOf(value: CborValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return 'a byte string';
  if (value instanceof WideInteger) return 'a 64-bit integer';
  if (value instanceof Float) return 'a floating-point number';
  if (isMap(value)) return 'a map';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'number' ? 'an integer' : typeof value === 'string' ? 'a text' : 'a boolean';
}
