import type { Clock } from '../platform.js';
import type { DiscoveredService, IncompleteService } from './discovered.js';
import { Watch } from './watch.js';

/** With `none`, what was there instead: nothing at all, other services, or incomplete ones (connection-establishment §7.5). */
export type FindResult =
  | { readonly kind: 'found'; readonly service: DiscoveredService }
  | { readonly kind: 'none'; readonly services: readonly DiscoveredService[]; readonly incomplete: readonly IncompleteService[] };

export interface Search {
  readonly type: string;
  /** One instance by its name, without browsing. */
  readonly instance?: string;
  matches(service: DiscoveredService): boolean;
  /** ms */
  readonly timeout: number;
}

/** Watches that end with the first service that is wanted, or with their time. */
export class Searches {
  readonly #clock: Clock;
  readonly #begin: (watch: Watch) => void;
  readonly #end: (watch: Watch) => void;
  readonly #open = new Set<() => void>();

  constructor(clock: Clock, begin: (watch: Watch) => void, end: (watch: Watch) => void) {
    this.#clock = clock;
    this.#begin = begin;
    this.#end = end;
  }

  run({ type, instance, matches, timeout }: Search): Promise<FindResult> {
    return new Promise((resolve) => {
      const settle = (result: FindResult): void => {
        deadline.cancel();
        this.#open.delete(giveUp);
        this.#end(watch);
        resolve(result);
      };
      const giveUp = (): void => settle({ kind: 'none', services: watch.services(), incomplete: watch.incomplete() });
      const check = (service: DiscoveredService): void => {
        if (matches(service)) settle({ kind: 'found', service });
      };
      const watch = new Watch(type, instance, { added: check, updated: check });
      const deadline = this.#clock.after('MDNS_SEARCH', timeout, giveUp);
      this.#open.add(giveUp);
      this.#begin(watch);
    });
  }

  /** Each that is open ends with what it has. */
  endAll(): void {
    for (const giveUp of [...this.#open]) giveUp();
  }
}
