/** Argument checks that every `Crypto` adapter shares, so that all refuse the same things with the same words. */

/** Throws RangeError unless `bytes` has `length` bytes. */
export function requireLength(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new RangeError(`${name}: expected ${length} bytes`);
}

/** SEC 1 §2.3.3, uncompressed form only. The point may still lie off the curve. */
export function requireUncompressed(name: string, bytes: Uint8Array): void {
  if (bytes.length !== 65 || bytes[0] !== 4) throw new RangeError(`${name}: expected 65 bytes that begin with 04`);
}

/** protocol.md §2.3: 33 bytes (02, 03) or 65 bytes (04); nothing else is accepted, whatever a library would take. */
export function requireWirePoint(name: string, bytes: Uint8Array): void {
  const compressed = bytes.length === 33 && (bytes[0] === 2 || bytes[0] === 3);
  const uncompressed = bytes.length === 65 && bytes[0] === 4;
  if (!compressed && !uncompressed) throw new RangeError(`${name}: expected 33 bytes (02, 03) or 65 bytes (04)`);
}

/** RFC 5869 §2.3: L ≤ 255 · HashLen. */
export function requireHkdfLength(length: number): void {
  if (!Number.isInteger(length) || length < 1 || length > 8160) throw new RangeError('length: expected 1…8160');
}

export function offCurve(name: string): RangeError {
  return new RangeError(`${name}: not a point of the curve`);
}

export function badScalar(): RangeError {
  return new RangeError('scalar: expected 1…n−1');
}

export function foreignKey(): RangeError {
  return new RangeError('key: made by another Crypto adapter');
}
