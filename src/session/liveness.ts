import type { Clock, Timer } from '../platform.js';
import { type KeepAliveSettings, type KeepAliveState, keepAliveDeadline, nextKeepAlive, startKeepAlive } from './keep-alive.js';

export interface LivenessEvents {
  /** Asks the peer for a sign of life. */
  probe(): void;
  /** Nothing answered `missed` probes in a row; `close` is called by then. */
  lost(missed: number): void;
}

/** Carries out the table of `keep-alive.ts` for one connection, from the moment it is made until `close`. */
export class Liveness {
  readonly #settings: KeepAliveSettings;
  readonly #clock: Clock;
  readonly #events: LivenessEvents;
  #state: KeepAliveState;
  #timer: Timer | undefined;
  #closed = false;

  constructor(settings: KeepAliveSettings, clock: Clock, events: LivenessEvents) {
    this.#settings = settings;
    this.#clock = clock;
    this.#events = events;
    this.#state = startKeepAlive(settings, clock.now());
    this.#schedule();
  }

  /** Any received frame (protocol.md §2.13). */
  received(): void {
    // The hot path of pings: nothing changes until the next one.
    if (this.#settings.mode === 'always' && this.#state.due === undefined && this.#state.missed === 0) return;
    this.#state = nextKeepAlive(this.#settings, this.#state, 'received', this.#clock.now()).state;
  }

  /** No callback follows. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    const delay = keepAliveDeadline(this.#state) - this.#clock.now();
    this.#timer = this.#clock.after('keep-alive', delay, () => this.#onTime());
  }

  // A deadline that `received` has moved is found when the former one comes.
  #onTime(): void {
    const step = nextKeepAlive(this.#settings, this.#state, 'time', this.#clock.now());
    this.#state = step.state;
    for (const effect of step.effects) {
      if (effect === 'probe') this.#events.probe();
      else {
        this.close();
        this.#events.lost(step.state.missed);
      }
    }
    if (!this.#closed) this.#schedule();
  }
}
