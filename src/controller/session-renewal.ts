import type { CborMap } from '../codec/cbor.js';
import type { Clock } from '../platform.js';
import { ControllerError } from './errors.js';

/** Messages 30 and 32 of our own that wait for what answers them, one at a time (protocol.md §3). */
export class SessionRenewal {
  readonly #clock: Clock;
  #settle: ((answer: CborMap | ControllerError) => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with whatever answers; `write` sends the message. Rejects with TIMEOUT, with PROTOCOL while another waits, or with what `end` is given. */
  exchange(timeout: number, write: () => void): Promise<CborMap> {
    return new Promise((resolve, reject) => {
      if (this.#settle !== undefined) {
        reject(new ControllerError('PROTOCOL', 'A renewal is under way'));
        return;
      }
      const timer = this.#clock.after('response', timeout, () => {
        this.end(new ControllerError('TIMEOUT', `The device did not answer within ${timeout / 1000} s`));
      });
      this.#settle = (answer) => {
        this.#settle = undefined;
        timer.cancel();
        if (answer instanceof ControllerError) reject(answer);
        else resolve(answer);
      };
      write();
    });
  }

  receive(answer: CborMap): void {
    this.#settle?.(answer);
  }

  end(failure: ControllerError): void {
    this.#settle?.(failure);
  }
}
