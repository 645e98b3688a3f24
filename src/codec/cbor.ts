import { utf8Decode, utf8Encode } from './utf8.js';

/**
 * The CBOR of the wire (RFC 8949), strict and deterministic (protocol.md §1).
 * Sent: definite lengths, shortest integers, map keys in the order of their encoded bytes (§4.2.1). Received: duplicate keys, NaN, infinities,
 * nesting deeper than 16, tags and trailing bytes are refused; indefinite lengths and non-shortest integers are accepted.
 */
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

/** Encodes `value` behind `reserve` zero bytes. Throws TypeError on a number that is not a safe integer: a bug of ours, never a peer's doing. */
export function encodeCbor(value: CborValue, reserve = 0): Uint8Array {
  return writer.encode(value, reserve);
}

/** Larger values are written into a buffer of their own, which is given back afterwards. */
const SCRATCH = 4096;

class Writer {
  readonly #scratch = new Uint8Array(SCRATCH);
  #bytes = this.#scratch;
  #at = 0;

  encode(value: CborValue, reserve: number): Uint8Array {
    this.#bytes = this.#scratch;
    this.#bytes.fill(0, 0, reserve);
    this.#at = reserve;
    this.value(value);
    const encoded = this.#bytes.slice(0, this.#at);
    // What was written may have been a key.
    this.#bytes.fill(0, 0, this.#at);
    this.#bytes = this.#scratch;
    return encoded;
  }

  value(value: CborValue): void {
    if (typeof value === 'number') {
      if (!Number.isSafeInteger(value)) throw new TypeError(`CBOR: ${value} is not a safe integer`);
      if (value >= 0) this.#head(0, value);
      else this.#head(1, -1 - value);
    } else if (typeof value === 'string') this.#text(value);
    else if (value === null) this.#byte(0xf6);
    else if (typeof value === 'boolean') this.#byte(value ? 0xf5 : 0xf4);
    else if (value instanceof Uint8Array) {
      this.#head(2, value.length);
      this.#raw(value);
    } else if (value instanceof WideInteger) this.#wide(value);
    else if (value instanceof Float) throw new TypeError('CBOR: floating-point numbers are never sent');
    else if (isMap(value)) this.#map(value);
    else {
      this.#head(4, value.length);
      for (const item of value) this.value(item);
    }
  }

  #text(text: string): void {
    const start = this.#at;
    this.#head(3, text.length);
    if (this.#at + text.length > this.#bytes.length) this.#grow(text.length);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0x80) this.#bytes[this.#at++] = unit;
      else {
        // Not ASCII after all: its length in bytes is another.
        const bytes = utf8Encode(text);
        this.#at = start;
        this.#head(3, bytes.length);
        this.#raw(bytes);
        return;
      }
    }
  }

  #map(map: CborMap): void {
    this.#head(5, map.size);
    if (inOrder(map)) {
      for (const [key, value] of map) {
        this.value(key);
        this.value(value);
      }
      return;
    }
    for (const key of [...map.keys()].sort(compareKeys)) {
      this.value(key);
      this.value(map.get(key) as CborValue);
    }
  }

  #head(major: number, argument: number): void {
    const type = major << 5;
    if (argument < 24) this.#byte(type | argument);
    else if (argument < 0x100) {
      this.#byte(type | 24);
      this.#byte(argument);
    } else if (argument < 0x10000) {
      this.#byte(type | 25);
      this.#uint(argument, 2);
    } else if (argument < 0x1_0000_0000) {
      this.#byte(type | 26);
      this.#uint(argument, 4);
    } else {
      this.#byte(type | 27);
      this.#uint(Math.floor(argument / 0x1_0000_0000), 4);
      this.#uint(argument % 0x1_0000_0000, 4);
    }
  }

  #wide(value: WideInteger): void {
    this.#byte(value.negative ? 0x3b : 0x1b);
    this.#uint(value.high, 4);
    this.#uint(value.low, 4);
  }

  #uint(value: number, length: number): void {
    for (let shift = length - 1; shift >= 0; shift--) this.#byte(Math.floor(value / 256 ** shift) & 0xff);
  }

  #byte(byte: number): void {
    if (this.#at >= this.#bytes.length) this.#grow(1);
    this.#bytes[this.#at++] = byte;
  }

  #raw(bytes: Uint8Array): void {
    if (this.#at + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #grow(by: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + by));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

const writer = new Writer();

export function isMap(value: CborValue | undefined): value is CborMap {
  return value instanceof Map;
}

function inOrder(map: CborMap): boolean {
  let previous: CborKey | undefined;
  for (const key of map.keys()) {
    if (previous !== undefined && compareKeys(previous, key) >= 0) return false;
    previous = key;
  }
  return true;
}

// RFC 8949 §4.2.1: bytewise order of the encoded keys: 0, 1, …, then −1, −2, …, then texts by length and content.
function compareKeys(a: CborKey, b: CborKey): number {
  if (typeof a === 'number') {
    if (typeof b !== 'number') return -1;
    if (a >= 0 !== b >= 0) return a >= 0 ? -1 : 1;
    return Math.abs(a) - Math.abs(b);
  }
  if (typeof b === 'number') return 1;
  const left = utf8Encode(a);
  const right = utf8Encode(b);
  if (left.length !== right.length) return left.length - right.length;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return (left[i] as number) - (right[i] as number);
  return 0;
}

/** Decodes exactly one item that fills `bytes`. Byte strings are copies. Throws CborError. */
export function decodeCbor(bytes: Uint8Array): CborValue {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.rest > 0) throw new CborError(`${reader.rest} trailing bytes`);
  return value;
}

const INDEFINITE = -1;

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get rest(): number {
    return this.#bytes.length - this.#at;
  }

  value(depth: number): CborValue {
    const initial = this.#byte();
    const major = initial >> 5;
    const info = initial & 0x1f;
    if (major === 7) return this.#simple(info);
    if (major === 6) throw new CborError('tags are not used');
    if (info === 31) return this.#indefinite(major, depth);
    if (major <= 1) return this.#integer(major === 1, info);
    const length = this.#length(info);
    if (major === 2) return this.#take(length).slice();
    if (major === 3) return text(this.#take(length));
    return major === 4 ? this.#array(length, depth) : this.#map(length, depth);
  }

  #indefinite(major: number, depth: number): CborValue {
    if (major === 4) return this.#array(INDEFINITE, depth);
    if (major === 5) return this.#map(INDEFINITE, depth);
    if (major !== 2 && major !== 3) throw new CborError('indefinite length on an integer');
    const chunks: number[] = [];
    while (!this.#atBreak()) {
      const initial = this.#byte();
      if (initial >> 5 !== major || (initial & 0x1f) === 31) throw new CborError('wrong chunk in an indefinite string');
      const chunk = this.#take(this.#length(initial & 0x1f));
      if (major === 3) text(chunk);
      for (const byte of chunk) chunks.push(byte);
    }
    const whole = Uint8Array.from(chunks);
    return major === 2 ? whole : text(whole);
  }

  #array(length: number, depth: number): CborValue {
    if (depth >= MAX_DEPTH) throw new CborError(`nesting deeper than ${MAX_DEPTH}`);
    const items: CborValue[] = [];
    if (length > this.rest) throw new CborError('truncated array');
    for (let i = 0; length === INDEFINITE ? !this.#atBreak() : i < length; i++) items.push(this.value(depth + 1));
    return items;
  }

  #map(length: number, depth: number): CborValue {
    if (depth >= MAX_DEPTH) throw new CborError(`nesting deeper than ${MAX_DEPTH}`);
    if (2 * length > this.rest) throw new CborError('truncated map');
    const map = new Map<CborKey, CborValue>();
    for (let i = 0; length === INDEFINITE ? !this.#atBreak() : i < length; i++) {
      const key = this.value(depth + 1);
      if (typeof key !== 'number' && typeof key !== 'string') throw new CborError('a map key that is neither integer nor text');
      if (map.has(key)) throw new CborError(`duplicate map key ${key}`);
      map.set(key, this.value(depth + 1));
    }
    return map;
  }

  #integer(negative: boolean, info: number): CborValue {
    if (info < 27) {
      const value = this.#length(info);
      return negative ? -1 - value : value;
    }
    if (info > 27) throw new CborError('reserved additional information');
    const high = this.#uint(4);
    const low = this.#uint(4);
    // 2⁵³ − 1 is the largest exact number; −1 − (2⁵³ − 2) its negative counterpart.
    const exact = high < 0x20_0000 && !(negative && high === 0x1f_ffff && low === 0xffff_ffff);
    if (!exact) return new WideInteger(negative, high, low);
    const value = high * 0x1_0000_0000 + low;
    return negative ? -1 - value : value;
  }

  #length(info: number): number {
    if (info < 24) return info;
    if (info === 24) return this.#byte();
    if (info === 25) return this.#uint(2);
    if (info === 26) return this.#uint(4);
    if (info !== 27) throw new CborError('reserved additional information');
    const high = this.#uint(4);
    const low = this.#uint(4);
    if (high >= 0x20_0000) throw new CborError('length beyond any message');
    return high * 0x1_0000_0000 + low;
  }

  #simple(info: number): CborValue {
    if (info === 20) return false;
    if (info === 21) return true;
    if (info === 22) return null;
    if (info >= 25 && info <= 27) return this.#float(2 ** (info - 24));
    throw new CborError(info === 31 ? 'break outside of an indefinite item' : `simple value ${info} is not used`);
  }

  #float(length: number): Float {
    const bytes = this.#take(length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, length);
    const value = length === 8 ? view.getFloat64(0) : length === 4 ? view.getFloat32(0) : half(view.getUint16(0));
    if (!Number.isFinite(value)) throw new CborError('NaN and infinities are refused');
    return new Float(value);
  }

  #atBreak(): boolean {
    if (this.#bytes[this.#at] !== 0xff) return false;
    this.#at++;
    return true;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new CborError('truncated');
    return byte;
  }

  #uint(length: number): number {
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + this.#byte();
    return value;
  }

  #take(length: number): Uint8Array {
    if (length > this.rest) throw new CborError('truncated string');
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }
}

function text(bytes: Uint8Array): string {
  const value = utf8Decode(bytes);
  if (value === undefined) throw new CborError('text that is not UTF-8');
  return value;
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
