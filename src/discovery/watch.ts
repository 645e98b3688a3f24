import type { RecordCache } from './cache.js';
import { assemble, type DiscoveredService, type IncompleteService, signature } from './discovered.js';
import { isChildOf, type Name, nameKey, sameName, writeName } from './name.js';
import type { DnsRecord } from './records.js';
import { instanceName, typeName } from './service.js';

/** Told when what is known about the services of a type changes. No call follows the end of the watch. */
export interface ServiceListener {
  /** SRV, TXT and an address are known. */
  added?(service: DiscoveredService): void;
  updated?(service: DiscoveredService): void;
  /** Said goodbye, expired, or lost its addresses. `service` as last told. */
  removed?(service: DiscoveredService): void;
  /** Announced, but something is missing; also when that changes. */
  incomplete?(service: IncompleteService): void;
}

/** Interest in all instances of a type, or in one of them. */
export class Watch {
  readonly type: string;
  readonly name: Name;
  /** The one instance of interest; undefined for all. */
  readonly instance: string | undefined;
  readonly #listener: ServiceListener;
  readonly #known = new Map<string, DiscoveredService | IncompleteService>();
  #ended = false;

  /** Throws RangeError for a type or an instance that is no name. */
  constructor(type: string, instance: string | undefined, listener: ServiceListener) {
    writeName([], instanceName({ type, instance: instance ?? 'any' }), new Map(), false);
    this.type = type;
    this.name = typeName(type);
    this.instance = instance;
    this.#listener = listener;
  }

  /** The name that the packets of interest speak of. */
  get wanted(): Name {
    return this.instance === undefined ? this.name : instanceName({ type: this.type, instance: this.instance });
  }

  end(): void {
    this.#ended = true;
  }

  services(): readonly DiscoveredService[] {
    return [...this.#known.values()].filter((service) => service.kind === 'complete');
  }

  incomplete(): readonly IncompleteService[] {
    return [...this.#known.values()].filter((service) => service.kind === 'incomplete');
  }

  /** True when a record belongs to this watch; addresses are not judged here. */
  wants(record: DnsRecord): boolean {
    switch (record.type) {
      case 'PTR':
        return this.instance === undefined && sameName(record.name, this.name) && isChildOf(record.target, this.name);
      case 'SRV':
      case 'TXT':
        if (this.instance === undefined) return isChildOf(record.name, this.name);
        return sameName(record.name, instanceName({ type: this.type, instance: this.instance }));
      default:
        return false;
    }
  }

  /** The instances of interest that lack something, as of the last `update`; one asked for by name also when nobody announced it. */
  missing(cache: RecordCache): readonly IncompleteService[] {
    if (this.instance === undefined) return this.incomplete();
    const service = assemble(cache, this.type, this.instance);
    return service.kind === 'incomplete' ? [service] : [];
  }

  /** Compares the cache with what the listener knows, and tells it. */
  update(cache: RecordCache): void {
    const gone = new Map(this.#known);
    for (const instance of this.#instances(cache)) {
      const key = nameKey([instance]);
      const now = assemble(cache, this.type, instance);
      const before = gone.get(key);
      // An instance that was asked for by name and that nobody has mentioned is not there.
      if (now.kind === 'incomplete' && this.instance !== undefined && now.missing === 'srv' && now.txt.size === 0) continue;
      gone.delete(key);
      if (before?.kind === now.kind && signature(before) === signature(now)) continue;
      this.#known.set(key, now);
      this.#tell(before, now);
    }
    for (const [key, before] of gone) {
      this.#known.delete(key);
      this.#tell(before, undefined);
    }
  }

  #tell(before: DiscoveredService | IncompleteService | undefined, now: DiscoveredService | IncompleteService | undefined): void {
    if (!this.#ended && before?.kind === 'complete' && now?.kind !== 'complete') this.#listener.removed?.(before);
    if (this.#ended || now === undefined) return;
    if (now.kind === 'incomplete') this.#listener.incomplete?.(now);
    else if (before?.kind === 'complete') this.#listener.updated?.(now);
    else this.#listener.added?.(now);
  }

  #instances(cache: RecordCache): readonly string[] {
    if (this.instance !== undefined) return [this.instance];
    const instances = new Map<string, string>();
    for (const { record } of cache.find(this.name, 'PTR')) {
      const instance = record.target[0] as string;
      instances.set(nameKey([instance]), instance);
    }
    return [...instances.values()];
  }
}
