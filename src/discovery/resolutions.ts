import type { Clock, Entropy } from '../platform.js';
import type { IncompleteService } from './discovered.js';
import { nameKey } from './name.js';
import { pauses } from './querier.js';
import { instanceName } from './service.js';
import { randomDelay, Series } from './timing.js';

/** Instances whose missing records are asked for at the same time. */
const MAXIMUM = 32;
/** Queries after which an instance gives way to others that wait: about seven seconds. */
const PATIENCE = 4;

/** The queries for what instances lack: a series each, at most 32 at a time. Instances that somebody invented do not keep others from being asked for. */
export class Resolutions {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #ask: (service: IncompleteService, run: number) => void;
  readonly #series = new Map<string, Series>();
  /** Queries so far for each that lacks something. */
  readonly #asked = new Map<string, number>();
  #lacking: ReadonlyMap<string, IncompleteService> = new Map();

  constructor(clock: Clock, entropy: Entropy, ask: (service: IncompleteService, run: number) => void) {
    this.#clock = clock;
    this.#entropy = entropy;
    this.#ask = ask;
  }

  /** Starts and stops queries, so that these are asked for and no others. */
  set(services: readonly IncompleteService[]): void {
    this.#lacking = new Map(services.map((service) => [`${service.missing} ${nameKey(instanceName(service))}`, service]));
    for (const key of this.#asked.keys()) if (!this.#lacking.has(key)) this.#asked.delete(key);
    this.#choose();
  }

  /** Asks anew: an interface has come, or its addresses have changed. */
  restart(): void {
    for (const series of this.#series.values()) series.start();
  }

  stop(): void {
    for (const series of this.#series.values()) series.stop();
    this.#series.clear();
  }

  #choose(): void {
    const isTired = (key: string): boolean => (this.#asked.get(key) ?? 0) >= PATIENCE;
    const keys = [...this.#lacking.keys()];
    const chosen = new Set([...keys.filter((key) => !isTired(key)), ...keys.filter(isTired)].slice(0, MAXIMUM));
    for (const [key, series] of this.#series) {
      if (chosen.has(key)) continue;
      series.stop();
      this.#series.delete(key);
    }
    for (const key of chosen) {
      if (this.#series.has(key)) continue;
      const series = new Series(this.#clock, 'MDNS_RESOLVE', pauses(randomDelay(this.#entropy)), (run) => this.#query(key, run));
      this.#series.set(key, series);
      series.start();
    }
  }

  #query(key: string, run: number): void {
    const service = this.#lacking.get(key);
    if (service === undefined) return;
    const asked = (this.#asked.get(key) ?? 0) + 1;
    this.#asked.set(key, asked);
    this.#ask(service, run);
    if (asked === PATIENCE) this.#choose();
  }
}
