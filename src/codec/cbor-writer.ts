import { type CborKey, type CborMap, type CborValue, Float, isMap, WideInteger } from './cbor-value.js';
import { utf8Encode } from './utf8.js';

/** Encodes `value` behind `reserve` zero bytes. Throws TypeError on a number that is not a safe integer: a bug of ours, never a peer's doing. */
export function encodeCbor(value: CborValue, reserve = 0): Uint8Array {
  return writer.encode(value, reserve);
}

/**
 * The same for what is sent at once and soon forgotten: the result is a part of a larger buffer, which is cheaper than a small one of its own.
 * Not for secrets: they would stay in it.
 */
export function encodeCborPooled(value: CborValue, reserve = 0): Uint8Array {
  return writer.encodePooled(value, reserve);
}

/** Larger values are written into a buffer of their own, which is given back afterwards. */
const SCRATCH = 4096;
const SLAB = 2 * SCRATCH;
/** Less than this left: the next value begins a new slab. A value that does not fit moves into a buffer of its own. */
const SLAB_REST = 256;

class Writer {
  readonly #scratch = new Uint8Array(SCRATCH);
  #slab = new Uint8Array(0);
  #slabUsed = 0;
  #bytes = this.#scratch;
  /** Where this value begins in `#bytes`. */
  #base = 0;
  #at = 0;

  encode(value: CborValue, reserve: number): Uint8Array {
    this.#begin(this.#scratch, 0, value, reserve);
    const encoded = this.#bytes.slice(0, this.#at);
    // What was written may have been a key.
    this.#bytes.fill(0, 0, this.#at);
    this.#bytes = this.#scratch;
    return encoded;
  }

  encodePooled(value: CborValue, reserve: number): Uint8Array {
    if (this.#slab.length - this.#slabUsed < SLAB_REST) {
      this.#slab = new Uint8Array(SLAB);
      this.#slabUsed = 0;
    }
    this.#begin(this.#slab, this.#slabUsed, value, reserve);
    if (this.#bytes === this.#slab) this.#slabUsed = this.#at;
    const encoded = this.#bytes.subarray(this.#base, this.#at);
    this.#bytes = this.#scratch;
    return encoded;
  }

  #begin(bytes: Uint8Array<ArrayBuffer>, base: number, value: CborValue, reserve: number): void {
    this.#bytes = bytes;
    this.#base = base;
    this.#at = base;
    for (let i = 0; i < reserve; i++) this.#byte(0);
    this.value(value);
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
    const start = this.#at - this.#base;
    this.#head(3, text.length);
    if (this.#at + text.length > this.#bytes.length) this.#grow(text.length);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0x80) this.#bytes[this.#at++] = unit;
      else {
        // Not ASCII after all: its length in bytes is another.
        const bytes = utf8Encode(text);
        this.#at = this.#base + start;
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
    const used = this.#at - this.#base;
    const larger = new Uint8Array(Math.max(SCRATCH, 2 * used, used + by));
    larger.set(this.#bytes.subarray(this.#base, this.#at));
    this.#bytes = larger;
    this.#base = 0;
    this.#at = used;
  }
}

const writer = new Writer();

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
