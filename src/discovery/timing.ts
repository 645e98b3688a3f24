import type { Clock, Entropy, Timer } from '../platform.js';

/** RFC 6762 §6, §5.2: 20…120 ms, so that several answers or queries do not collide. */
export const SHORTEST_DELAY = 20;
export const LONGEST_DELAY = 120;

export function randomDelay(entropy: Entropy): number {
  return SHORTEST_DELAY + ((entropy.bytes(1)[0] as number) * (LONGEST_DELAY - SHORTEST_DELAY)) / 255;
}

/**
 * Runs an action again and again with growing pauses. `pauses` gives the milliseconds to wait before the n-th run, n from 0;
 * undefined ends the series. `stop` is idempotent; nothing runs after it.
 */
export class Series {
  readonly #clock: Clock;
  readonly #name: string;
  readonly #pauses: (run: number) => number | undefined;
  readonly #action: (run: number) => void;
  #timer: Timer | undefined;
  #run = 0;

  constructor(clock: Clock, name: string, pauses: (run: number) => number | undefined, action: (run: number) => void) {
    this.#clock = clock;
    this.#name = name;
    this.#pauses = pauses;
    this.#action = action;
  }

  /** Begins anew with run 0; a first pause of 0 runs at once. */
  start(): void {
    this.stop();
    this.#run = 0;
    if (this.#pauses(0) === 0) this.#next();
    else this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): void {
    const pause = this.#pauses(this.#run);
    this.#timer = pause === undefined ? undefined : this.#clock.after(this.#name, pause, () => this.#next());
  }

  #next(): void {
    const run = this.#run++;
    this.#wait();
    this.#action(run);
  }
}
