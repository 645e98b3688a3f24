import type { Clock, Timer } from '../platform.js';
import type { Answer } from './packing.js';

/**
 * What is said unasked on one link: announcements and goodbyes. RFC 6762 §6.4: "a responder SHOULD, for the sake of network efficiency, aggregate as
 * many responses as possible into a single Multicast DNS response message", so what comes in one turn leaves together.
 */
export class Outbox {
  readonly #clock: Clock;
  readonly #aggregate: boolean;
  readonly #say: (answers: readonly Answer[]) => void;
  readonly #waiting = new Map<string, () => Answer | undefined>();
  #timer: Timer | undefined;

  /** Without `aggregate` each thing is said at once, by itself. */
  constructor(clock: Clock, aggregate: boolean, say: (answers: readonly Answer[]) => void) {
    this.#clock = clock;
    this.#aggregate = aggregate;
    this.#say = say;
  }

  /** `build` is called when it leaves: undefined for what is no longer to be said. The latest under one key counts. */
  put(key: string, build: () => Answer | undefined): void {
    this.#waiting.delete(key);
    this.#waiting.set(key, build);
    if (this.#aggregate) this.#timer ??= this.#clock.after('MDNS_SEND', 0, () => this.#flush());
    else this.#flush();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#waiting.clear();
  }

  #flush(): void {
    const answers = [...this.#waiting.values()].flatMap((build) => build() ?? []);
    this.close();
    if (answers.length > 0) this.#say(answers);
  }
}
