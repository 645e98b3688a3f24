import { type CborValue, encodeCborPooled } from './cbor.js';

/** Frames: a 4-byte big-endian length, then one CBOR item (protocol.md §1). */
export const PREFIX = 4;

/** A frame that ends the connection: its length is 0 or above the maximum. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** Encodes prefix and payload into one buffer, for one write. Returns undefined when the payload is longer than `maximum` bytes. */
export function encodeFrame(value: CborValue, maximum: number): Uint8Array | undefined {
  const frame = encodeCborPooled(value, PREFIX);
  const length = frame.length - PREFIX;
  if (length > maximum) return undefined;
  for (let i = 0; i < PREFIX; i++) frame[i] = (length >>> (24 - 8 * i)) & 0xff;
  return frame;
}

/** The length that the prefix at `at` announces. */
function lengthAt(bytes: Uint8Array, at: number): number {
  let length = 0;
  for (let i = at; i < at + PREFIX; i++) length = length * 256 + (bytes[i] as number);
  return length;
}

const NOTHING = new Uint8Array(0);

/** Cuts a byte stream into frame payloads. Holds at most one frame of `maximum` bytes, and grows only with what has arrived. */
export class FrameReader {
  readonly #maximum: number;
  #buffer: Uint8Array = NOTHING;
  #held = 0;
  #failed = false;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /**
   * Takes bytes and calls `onFrame` for every payload that is complete, in order; a payload is valid during the call only.
   * Throws FrameError after the payloads before the bad prefix were delivered; the reader takes nothing afterwards.
   */
  push(bytes: Uint8Array, onFrame: (payload: Uint8Array) => void): void {
    if (this.#failed) return;
    const input = this.#held === 0 ? bytes : this.#append(bytes);
    let at = 0;
    while (input.length - at >= PREFIX) {
      const length = lengthAt(input, at);
      if (length === 0 || length > this.#maximum) {
        this.#failed = true;
        this.#buffer = NOTHING;
        throw new FrameError(length === 0 ? 'frame of length 0' : `frame of ${length} bytes, at most ${this.#maximum} are allowed`);
      }
      if (input.length - at < PREFIX + length) break;
      const payload = input.subarray(at + PREFIX, at + PREFIX + length);
      at += PREFIX + length;
      onFrame(payload);
    }
    this.#keep(input.subarray(at));
  }

  #append(bytes: Uint8Array): Uint8Array {
    const length = this.#held + bytes.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#held));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#held);
    return this.#buffer.subarray(0, length);
  }

  #keep(rest: Uint8Array): void {
    this.#held = rest.length;
    if (rest.length === 0) this.#buffer = NOTHING;
    else if (rest.buffer === this.#buffer.buffer) {
      const from = rest.byteOffset - this.#buffer.byteOffset;
      if (from > 0) this.#buffer.copyWithin(0, from, from + rest.length);
    } else this.#buffer = Uint8Array.from(rest);
  }
}
