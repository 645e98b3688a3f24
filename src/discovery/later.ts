import type { Clock, Timer } from '../platform.js';

/** Actions that wait. */
const MAXIMUM = 128;

/** Unicast answers that wait for their delay; bounded, and closed with their link. */
export class Later {
  readonly #clock: Clock;
  readonly #overflow: () => void;
  readonly #timers = new Set<Timer>();

  /** `overflow`: one action more than can wait. */
  constructor(clock: Clock, overflow: () => void) {
    this.#clock = clock;
    this.#overflow = overflow;
  }

  /** At once for a delay of 0, ms. */
  after(delay: number, action: () => void): void {
    if (delay === 0) {
      action();
      return;
    }
    if (this.#timers.size >= MAXIMUM) {
      this.#overflow();
      return;
    }
    const timer = this.#clock.after('MDNS_UNICAST', delay, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
