import type { Clock, Timer } from '../platform.js';
import type { Response } from './wire.js';

/** The device numbers its own requests from 1000, so that no response looks like a control message (protocol.md §3). */
export const FIRST_REQUEST_ID = 1000;
const LAST_REQUEST_ID = 0xffff_ffff;
const MAX_PENDING = 64;

interface Pending {
  readonly settle: (response: Response | undefined) => void;
  readonly timer: Timer;
}

/** Requests of one connection that wait for their response, by id. */
export class PendingRequests {
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  #next: number;

  constructor(clock: Clock, first = FIRST_REQUEST_ID) {
    this.#clock = clock;
    this.#next = first;
  }

  has(id: number): boolean {
    return this.#pending.has(id);
  }

  /**
   * Takes the next free id and calls `settle` once: with the response, or with undefined after `timeout` milliseconds or when the connection ends.
   * Returns undefined, without calling anything, when 64 requests are already waiting.
   */
  open(timeout: number, settle: (response: Response | undefined) => void): number | undefined {
    if (this.#pending.size >= MAX_PENDING) return undefined;
    const id = this.#next;
    this.#next = id === LAST_REQUEST_ID ? FIRST_REQUEST_ID : id + 1;
    this.#pending.set(id, { settle, timer: this.#clock.after('response', timeout, () => this.#settle(id, undefined)) });
    return id;
  }

  /** False when nothing waits for it: an unknown response is ignored. */
  deliver(response: Response): boolean {
    return this.#settle(response.id, response);
  }

  /** The request could not be sent. */
  cancel(id: number): void {
    this.#settle(id, undefined);
  }

  close(): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id, undefined);
  }

  #settle(id: number, response: Response | undefined): boolean {
    const pending = this.#pending.get(id);
    if (pending === undefined) return false;
    this.#pending.delete(id);
    pending.timer.cancel();
    pending.settle(response);
    return true;
  }
}
