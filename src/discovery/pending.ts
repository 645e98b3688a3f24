import type { Clock, Timer } from '../platform.js';
import type { Answer } from './packing.js';
import { recordKey } from './records.js';

/** Answers that wait. */
const MAXIMUM = 128;

interface Waiting {
  /** `recordKey`s. */
  readonly keys: Set<string>;
  readonly due: number;
  readonly timer: Timer;
}

/** By subject, the `recordKey`s that were promised to be multicast. */
export type Promised = ReadonlyMap<string, ReadonlySet<string>>;

/** Answers to the group that wait for their time. What is said is made when it leaves, so that it never tells of a service withdrawn meanwhile. */
export class PendingAnswers {
  readonly #clock: Clock;
  readonly #overflow: () => void;
  readonly #say: (promised: Promised) => void;
  readonly #waiting = new Map<string, Waiting>();

  /** `overflow`: one answer more than can wait; `say`: these are due. */
  constructor(clock: Clock, overflow: () => void, say: (promised: Promised) => void) {
    this.#clock = clock;
    this.#overflow = overflow;
    this.#say = say;
  }

  /** At `due`, monotonic ms. An answer about the same thing that waits already serves this query too. */
  put(answer: Answer, due: number): void {
    const keys = answer.answers.map(recordKey);
    const waiting = this.#waiting.get(answer.key);
    if (waiting !== undefined) {
      for (const key of keys) waiting.keys.add(key);
      return;
    }
    if (this.#waiting.size >= MAXIMUM) {
      this.#overflow();
      return;
    }
    const timer = this.#clock.after('MDNS_RESPONSE', due - this.#clock.now(), () => this.#onDue(answer.key));
    this.#waiting.set(answer.key, { keys: new Set(keys), due, timer });
  }

  /** RFC 6762 §6.4: when something else leaves, `shortest`…`longest` ms from now. */
  dueWithin(shortest: number, longest: number): number | undefined {
    const now = this.#clock.now();
    for (const { due } of this.#waiting.values()) if (due >= now + shortest && due <= now + longest) return due;
    return undefined;
  }

  get promised(): Promised {
    return new Map([...this.#waiting].map(([subject, { keys }]) => [subject, keys]));
  }

  /** Somebody else has said this. */
  drop(subject: string, key: string): void {
    this.#waiting.get(subject)?.keys.delete(key);
  }

  close(): void {
    for (const { timer } of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
  }

  /** Everything due leaves together. */
  #onDue(first: string): void {
    const promised = new Map<string, ReadonlySet<string>>();
    const now = this.#clock.now();
    for (const [subject, { keys, due, timer }] of this.#waiting) {
      if (subject !== first && due > now) continue;
      timer.cancel();
      this.#waiting.delete(subject);
      promised.set(subject, keys);
    }
    this.#say(promised);
  }
}
