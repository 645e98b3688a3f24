/** What CBOR of this protocol is made of. */
export type CborKey = number | string;
export type CborMap = ReadonlyMap<CborKey, CborValue>;
export type CborValue = number | WideInteger | Float | string | Uint8Array | boolean | null | readonly CborValue[] | CborMap;

/** An integer outside ±(2⁵³−1), kept exactly: value = high·2³² + low, or −1 − that when negative. */
export class WideInteger {
  readonly negative: boolean;
  readonly high: number;
  readonly low: number;
  constructor(negative: boolean, high: number, low: number) {
    this.negative = negative;
    this.high = high;
    this.low = low;
  }
}

/** A floating-point number. The protocol has none; kept apart so that 1.0 is never taken for 1. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export const MAX_DEPTH = 16;

/** Bytes that are not the CBOR of this protocol. */
export class CborError extends Error {
  override readonly name = 'CborError';
}

export function isMap(value: CborValue | undefined): value is CborMap {
  return value instanceof Map;
}
