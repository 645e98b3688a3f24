import type { Profile } from '../profile.js';

/**
 * How wrong codes are slowed down (protocol.md, row "wrong codes", and §2.8): nobody is refused or locked out, answers wait.
 * An attempt has failed when PASE_Y was sent and no correct verifier followed. One pace for all peers, dialects and windows.
 */
export interface Pace {
  /** Milliseconds until the next attempt may be answered. */
  delay(now: number): number;
  /** PASE_Y is sent now. */
  begin(now: number): void;
  /** A correct verifier followed. */
  succeeded(): void;
  /** The window closed, or one begins anew. */
  windowChanged(): void;
  /** Attempts that count as failed now. */
  readonly failed: number;
  /** Forgets them. */
  reset(): void;
}

/** The pace of a profile, nothing failed yet. */
export function paceOf(profile: Profile): Pace {
  return profile['commissioning.pace'] === 'bucket' ? new TokenBucket() : new Tiers();
}

const BUCKET = 10;
const REFILL_INTERVAL = 1000;

/** Ten at once, then one a second. */
export class TokenBucket implements Pace {
  #tokens = BUCKET;
  #filledAt = 0;

  delay(now: number): number {
    this.#refill(now);
    return this.#tokens > 0 ? 0 : this.#filledAt + REFILL_INTERVAL - now;
  }

  begin(now: number): void {
    this.#refill(now);
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  succeeded(): void {
    this.#tokens = Math.min(BUCKET, this.#tokens + 1);
  }

  windowChanged(): void {
    // The bucket persists across windows.
  }

  get failed(): number {
    return BUCKET - this.#tokens;
  }

  reset(): void {
    this.#tokens = BUCKET;
  }

  #refill(now: number): void {
    if (this.#tokens >= BUCKET) this.#filledAt = now;
    const gained = Math.floor((now - this.#filledAt) / REFILL_INTERVAL);
    if (gained <= 0) return;
    this.#tokens = Math.min(BUCKET, this.#tokens + gained);
    this.#filledAt += gained * REFILL_INTERVAL;
  }
}

/** Profile `reference`: the delay grows with the number of failed attempts. */
export class Tiers implements Pace {
  #failed = 0;

  delay(): number {
    if (this.#failed <= 2) return 0;
    if (this.#failed <= 5) return 1000;
    return this.#failed <= 9 ? 3000 : 10_000;
  }

  begin(): void {
    this.#failed += 1;
  }

  succeeded(): void {
    this.#failed = 0;
  }

  windowChanged(): void {
    this.reset();
  }

  get failed(): number {
    return this.#failed;
  }

  reset(): void {
    this.#failed = 0;
  }
}
