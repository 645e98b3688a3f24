import type { Clock, Timer } from '../platform.js';

/** Packets with news that are looked at one by one; a storm of them is looked at ten times a second. */
const MAXIMUM = 32;
const INTERVAL = 100;

/** Paces the look at what is new: at once while news is rare, ten times a second in a storm. */
export class News {
  readonly #clock: Clock;
  readonly #look: () => void;
  /** Packets that may still be looked at at once. */
  #left = MAXIMUM;
  #timer: Timer | undefined;

  constructor(clock: Clock, look: () => void) {
    this.#clock = clock;
    this.#look = look;
  }

  come(): void {
    const now = this.#left > 0;
    this.#left = Math.max(0, this.#left - 1);
    this.#wait();
    if (now) this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#timer ??= this.#clock.after('MDNS_NEWS', INTERVAL, () => this.#onInterval());
  }

  /** Earns one back. */
  #onInterval(): void {
    this.#timer = undefined;
    const stormy = this.#left === 0;
    this.#left = Math.min(MAXIMUM, this.#left + 1);
    if (this.#left < MAXIMUM) this.#wait();
    if (stormy) this.#look();
  }
}
