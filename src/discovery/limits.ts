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

/** Packets at once, and packets a second then. */
interface Allowance {
  readonly burst: number;
  readonly rate: number;
}

/** Packets that concern us, of one interface and of one sender. A responder has few questions to answer. */
export const RESPONDER_LIMIT: PacketAllowance = { link: { burst: 400, rate: 200 }, source: { burst: 60, rate: 20 } };
/** Answers: a reflector brings those of a whole link. */
export const ANSWER_LIMIT: PacketAllowance = { link: { burst: 400, rate: 200 }, source: { burst: 200, rate: 100 } };
/** Queries of others, which a browser only overhears. */
export const QUERY_LIMIT: PacketAllowance = { link: { burst: 100, rate: 100 }, source: { burst: 50, rate: 50 } };
/** Senders remembered; a new one displaces the one first seen. */
const SOURCE_MAXIMUM = 64;

export interface PacketAllowance {
  readonly link: Allowance;
  readonly source: Allowance;
}

/** What a link's packets may cost us: beyond it they are dropped, so that a storm about our own names stays cheap too. */
export class PacketLimit {
  readonly #clock: Clock;
  readonly #allowance: PacketAllowance;
  readonly #link: TokenBucket;
  readonly #sources = new Map<string, TokenBucket>();

  constructor(clock: Clock, allowance: PacketAllowance) {
    this.#clock = clock;
    this.#allowance = allowance;
    this.#link = new TokenBucket(clock, allowance.link.burst, allowance.link.rate);
  }

  /** False for a packet too many. */
  admits(source: string): boolean {
    let bucket = this.#sources.get(source);
    if (bucket === undefined) {
      const [oldest] = this.#sources.keys();
      if (oldest !== undefined && this.#sources.size >= SOURCE_MAXIMUM) this.#sources.delete(oldest);
      bucket = new TokenBucket(this.#clock, this.#allowance.source.burst, this.#allowance.source.rate);
      this.#sources.set(source, bucket);
    }
    return bucket.take() && this.#link.take();
  }
}
