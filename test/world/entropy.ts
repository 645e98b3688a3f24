import type { Entropy } from '../../src/platform.js';

/** Seeded pseudo-random bytes (xorshift128), so that a failing test can be repeated. */
export class SeededEntropy implements Entropy {
  #state: [number, number, number, number];

  constructor(seed: number) {
    this.#state = [seed | 1, seed ^ 0x9e3779b9, seed ^ 0x243f6a88, seed ^ 0xb7e15162];
    for (let i = 0; i < 20; i++) this.#next();
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.#next() >>> 24;
    return bytes;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Math.floor((this.#next() / 0x1_0000_0000) * bound);
  }

  #next(): number {
    const [x, y, z, w] = this.#state;
    const t = x ^ (x << 11);
    const v = (w ^ (w >>> 19) ^ t ^ (t >>> 8)) >>> 0;
    this.#state = [y, z, w, v];
    return v;
  }
}
