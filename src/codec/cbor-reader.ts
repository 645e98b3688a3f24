import { CborError, type CborKey, type CborValue, Float, MAX_DEPTH, WideInteger } from './cbor-value.js';
import { utf8Decode } from './utf8.js';

/** Decodes exactly one item that fills `bytes`. Byte strings are copies. Throws CborError. */
export function decodeCbor(bytes: Uint8Array): CborValue {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.rest > 0) throw new CborError(`${reader.rest} trailing bytes`);
  return value;
}

/** Decodes the item that begins at `start`, of a CBOR sequence (RFC 8742); `end` is where the next one begins. Throws CborError. */
export function decodeCborItem(bytes: Uint8Array, start: number): { readonly value: CborValue; readonly end: number } {
  const reader = new Reader(bytes.subarray(start));
  const value = reader.value(0);
  return { value, end: bytes.length - reader.rest };
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
