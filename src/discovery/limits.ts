import type { Clock } from '../platform.js';

/** `burst` at once, then `rate` a second. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #rate: number;
  #tokens: number;
  #at: number;

  constructor(clock: Clock, burst: number, rate: number) {
    this.#clock = clock;
    this.#burst = burst;
    this.#rate = rate;
    this.#tokens = burst;
    this.#at = clock.now();
  }

  take(): boolean {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#rate);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

/** Packets that concern us: of one interface, and of one sender. */
const LINK = { burst: 400, rate: 200 };
const SOURCE = { burst: 60, rate: 20 };
/** Senders remembered; a new one displaces the one first seen. */
const SOURCE_MAXIMUM = 64;

/** What a link's packets may cost us: beyond it they are dropped, so that a storm about our own names stays cheap too. */
export class PacketLimit {
  readonly #clock: Clock;
  readonly #link: TokenBucket;
  readonly #sources = new Map<string, TokenBucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#link = new TokenBucket(clock, LINK.burst, LINK.rate);
  }

  /** False for a packet too many. */
  admits(source: string): boolean {
    let bucket = this.#sources.get(source);
    if (bucket === undefined) {
      const [oldest] = this.#sources.keys();
      if (oldest !== undefined && this.#sources.size >= SOURCE_MAXIMUM) this.#sources.delete(oldest);
      bucket = new TokenBucket(this.#clock, SOURCE.burst, SOURCE.rate);
      this.#sources.set(source, bucket);
    }
    return bucket.take() && this.#link.take();
  }
}
