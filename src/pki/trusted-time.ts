import type { Clock } from '../platform.js';

/** Seconds by which a peer's clock may differ (connection-establishment §5.4). */
export const CLOCK_SKEW_TOLERANCE = 300;

/**
 * How good the wall time is:
 * `unset`: the clock was never set, and nothing tells the time; `floor`: the clock was lost, but it is at least this late;
 * `synchronised`: the clock shows a time that can be.
 */
export type TimeQuality = 'unset' | 'floor' | 'synchronised';

/** Wall time at one moment. A test clock is `{ ...reading, now: reading.now + offset }`. */
export interface TimeReading {
  readonly quality: TimeQuality;
  /** Unix seconds, whole. With `floor` a lower bound, with `unset` the earliest time this firmware can run. */
  readonly now: number;
}

/** `cannot-tell` is accepted: a clock that was never set must not lock the device out. */
export type TimeVerdict = 'valid' | 'expired' | 'not-yet-valid' | 'cannot-tell';

/** Judges a validity period (Unix seconds, both ends included) with the tolerance of ±300 s. */
export function judge(time: TimeReading, notBefore: number, notAfter: number): TimeVerdict {
  if (time.quality === 'unset') return 'cannot-tell';
  if (time.now > notAfter + CLOCK_SKEW_TOLERANCE) return 'expired';
  if (time.now >= notBefore - CLOCK_SKEW_TOLERANCE) return 'valid';
  return time.quality === 'floor' ? 'cannot-tell' : 'not-yet-valid';
}

/** Seconds from `earliest` on in which this firmware may still run: 20 years, as long as an attestation holds (commissioning-pase §9.3). */
const LIFE = 7305 * 86_400;

export interface TrustedTimeOptions {
  readonly clock: Clock;
  /** Unix seconds: the earliest time at which this firmware can run, known when it is built. */
  readonly earliest: number;
  /** Unix seconds: the latest time ever seen, from the store; undefined where none was. A factory reset forgets it. */
  readonly floor: number | undefined;
}

/**
 * Wall time with its quality, for boards whose clock forgets. The latest time ever seen is a floor below which the clock is not
 * believed; from the floor on, monotonic time counts.
 *
 * No operational peer may move the floor. A zone's controller signs whatever times it likes: one that could raise the floor could
 * make the certificates of every other zone look expired, and lock their owners out. The floor rises with the device's own clock, with
 * monotonic time, and, only where the clock cannot tell the time, by a Zone CA that the setup code has just proved: who holds the setup
 * code could reset the device anyway.
 */
export class TrustedTime {
  readonly #clock: Clock;
  readonly #earliest: number;
  #floor: number | undefined;
  /** Monotonic milliseconds at which the floor was true. */
  #floorSetAt: number;

  constructor(options: TrustedTimeOptions) {
    this.#clock = options.clock;
    this.#earliest = options.earliest;
    this.#floor = options.floor === undefined ? undefined : Math.max(options.floor, options.earliest);
    this.#floorSetAt = options.clock.now();
  }

  read(): TimeReading {
    const wall = Math.floor(this.#clock.wall() / 1000);
    const least = (this.#floor ?? this.#earliest) + Math.floor((this.#clock.now() - this.#floorSetAt) / 1000);
    if (wall >= least) return { quality: 'synchronised', now: wall };
    return { quality: this.#floor === undefined ? 'unset' : 'floor', now: least };
  }

  /**
   * Unix seconds, fractions kept, to place what zones tell in wall time; undefined while the clock was never set. A floor sets none: by a lower bound a
   * limit that is due would wait.
   */
  get unix(): number | undefined {
    return this.read().quality === 'synchronised' ? this.#clock.wall() / 1000 : undefined;
  }

  /** Raises the floor to the present time. Returns the floor to store where it rose; how often this is asked limits the writes. */
  observe(): number | undefined {
    const { quality, now } = this.read();
    return quality === 'unset' ? undefined : this.#raise(now);
  }

  /**
   * Raises the floor by a Zone CA that the setup code has just proved, where the clock cannot tell the time; never called for any
   * other peer. `notBefore` is that of the Zone CA or, later and so better, of the certificate it has just issued.
   * Returns the floor to store where it rose.
   */
  proveBy(notBefore: number): number | undefined {
    const { quality, now } = this.read();
    return quality === 'synchronised' || notBefore <= now ? undefined : this.#raise(notBefore);
  }

  /** A time beyond the life of this firmware is none: as a floor it would make every certificate look expired until a factory reset. */
  #raise(floor: number): number | undefined {
    if (floor > this.#earliest + LIFE) return undefined;
    if (this.#floor !== undefined && floor <= this.#floor) return undefined;
    this.#floor = floor;
    this.#floorSetAt = this.#clock.now();
    return floor;
  }
}
