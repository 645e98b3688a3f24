import type { Clock, Timer } from '../platform.js';
import { ControllerError } from './errors.js';

interface Ping {
  readonly sentAt: number;
  readonly timer: Timer;
  readonly settle: (answer: number | ControllerError) => void;
}

/** Pings of our own that wait for their pong, by sequence (protocol.md §2.13). */
export class SessionPings {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Ping>();
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until the pong; `write` sends the ping. Rejects with TIMEOUT, or with what `end` is given. */
  send(timeout: number, write: (sequence: number) => void): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#sequence += 1;
      const sequence = this.#sequence;
      const settle = (answer: number | ControllerError): void => {
        this.#waiting.get(sequence)?.timer.cancel();
        this.#waiting.delete(sequence);
        if (answer instanceof ControllerError) reject(answer);
        else resolve(answer);
      };
      const timer = this.#clock.after('pong', timeout, () => {
        settle(new ControllerError('TIMEOUT', `The device did not answer a ping within ${timeout / 1000} s`));
      });
      this.#waiting.set(sequence, { sentAt: this.#clock.now(), timer, settle });
      write(sequence);
    });
  }

  pong(sequence: number): void {
    const ping = this.#waiting.get(sequence);
    ping?.settle(this.#clock.now() - ping.sentAt);
  }

  /** The connection has ended. */
  end(lost: ControllerError): void {
    for (const { settle } of [...this.#waiting.values()]) settle(lost);
  }
}
