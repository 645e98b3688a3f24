import { uptime } from 'node:os';

/** Longer than the two clocks can differ by chance, ms. */
const SLEEP = 5000;

/**
 * Whether the machine has slept: meanwhile its uptime grows, and the clock of the process stands still (on Linux CLOCK_BOOTTIME and
 * CLOCK_MONOTONIC). Setting the time moves neither.
 */
export class SleepWatch {
  readonly #uptime: () => number;
  readonly #now: () => number;
  #ahead: number;

  /** Both in ms. */
  constructor(up: () => number = () => uptime() * 1000, now: () => number = () => performance.now()) {
    this.#uptime = up;
    this.#now = now;
    this.#ahead = up() - now();
  }

  /** True where it has slept since this was last asked. */
  slept(): boolean {
    const before = this.#ahead;
    this.#ahead = this.#uptime() - this.#now();
    return this.#ahead - before > SLEEP;
  }
}
