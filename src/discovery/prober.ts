import type { Clock, Entropy } from '../platform.js';
import { Series } from './timing.js';

/**
 * RFC 6762 §8.1: "the host should first wait for a short random delay time, uniformly distributed in the range 0-250 ms. […] 250 ms after the
 * first query, the host should send a second; then, 250 ms after that, a third. If, by 250 ms after the third probe, no conflicting Multicast
 * DNS responses have been received, the host may move to the next step, announcing."
 */
const DELAY_MAXIMUM = 250;
const PROBES = 3;
const PAUSE = 250;

interface Round<T> {
  readonly subjects: Set<T>;
  readonly series: Series;
}

/** Probes for names, those that come together in one packet (RFC 6762 §5.3). */
export class Prober<T> {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #send: (subjects: readonly T[], run: number) => void;
  readonly #done: (subject: T) => void;
  readonly #rounds = new Set<Round<T>>();
  /** The round whose first probe has not left. */
  #open: Round<T> | undefined;

  /** `send` multicasts the probe number `run`, from 0; `done` tells that nobody objected. */
  constructor(clock: Clock, entropy: Entropy, send: (subjects: readonly T[], run: number) => void, done: (subject: T) => void) {
    this.#clock = clock;
    this.#entropy = entropy;
    this.#send = send;
    this.#done = done;
  }

  /** Begins to probe for the subject, or begins anew. */
  add(subject: T): void {
    this.remove(subject);
    const round = this.#open ?? this.#begin();
    round.subjects.add(subject);
  }

  /** Without effect for what is not being probed. */
  remove(subject: T): void {
    for (const round of this.#rounds) {
      round.subjects.delete(subject);
      if (round.subjects.size === 0) this.#end(round);
    }
  }

  /** RFC 6762 §8.1: what conflicts with us before the first probe left is silently ignored. */
  hasAsked(subject: T): boolean {
    for (const round of this.#rounds) if (round.subjects.has(subject)) return round !== this.#open;
    return false;
  }

  close(): void {
    for (const round of this.#rounds) this.#end(round);
  }

  #begin(): Round<T> {
    // Never 0: what is published in one turn is probed for together.
    const delay = 1 + ((this.#entropy.bytes(1)[0] as number) * (DELAY_MAXIMUM - 1)) / 255;
    const series = new Series(
      this.#clock,
      'MDNS_PROBE',
      (run) => (run === 0 ? delay : run <= PROBES ? PAUSE : undefined),
      (run) => this.#next(round, run),
    );
    const round: Round<T> = { subjects: new Set(), series };
    this.#rounds.add(round);
    this.#open = round;
    series.start();
    return round;
  }

  #next(round: Round<T>, run: number): void {
    if (this.#open === round) this.#open = undefined;
    if (run < PROBES) {
      this.#send([...round.subjects], run);
      return;
    }
    const subjects = [...round.subjects];
    this.#end(round);
    for (const subject of subjects) this.#done(subject);
  }

  #end(round: Round<T>): void {
    if (this.#open === round) this.#open = undefined;
    round.series.stop();
    this.#rounds.delete(round);
  }
}
