import type { DatagramSource } from '../platform.js';
import type { RecordCache } from './cache.js';
import type { DnsMessage } from './message.js';
import { nameKey } from './name.js';
import { CLASS, type DnsRecord } from './records.js';
import type { Watch } from './watch.js';

/** What a response was: new to us, a repetition of what we have, or about nothing of interest. */
export type Learned = 'news' | 'known' | 'nothing';

/** What of the others' responses is kept: what somebody watches, and the addresses of its hosts. */
export class Learning {
  readonly #cache: RecordCache;
  readonly #watches: () => Iterable<Watch>;

  constructor(cache: RecordCache, watches: () => Iterable<Watch>) {
    this.#cache = cache;
    this.#watches = watches;
  }

  /** Services before addresses: an address is kept only for a host that a kept SRV points to. */
  learn(message: DnsMessage, { interfaceName, address }: DatagramSource): Learned {
    const records = [...message.answers, ...message.additionals].filter((record) => record.class === CLASS.IN).map(shared);
    // What is cached is kept true, also while nobody looks: a goodbye must not be missed.
    const ours = new Set(records.filter((record) => this.#cache.knows(record) || this.#isWatched(record)));
    let changed = false;
    for (const record of ours) changed = this.#cache.add(record, interfaceName, address) || changed;
    const hosts = this.#cache.hosts();
    const addresses = records.filter((record) => isAddress(record) && !ours.has(record) && hosts.has(nameKey(record.name)));
    for (const record of addresses) changed = this.#cache.add(record, interfaceName, address) || changed;
    if (changed) return 'news';
    return ours.size + addresses.length > 0 ? 'known' : 'nothing';
  }

  /** True for a record that is worth being asked for again. */
  isWanted(record: DnsRecord): boolean {
    return isAddress(record) ? this.#cache.hosts().has(nameKey(record.name)) : this.#isWatched(record);
  }

  #isWatched(record: DnsRecord): boolean {
    for (const watch of this.#watches()) if (watch.wants(record)) return true;
    return false;
  }
}

/** RFC 6762 §10.2: "The cache-flush bit MUST NOT ever be set in any shared resource record": the PTR records of a type are of many hosts. */
function shared(record: DnsRecord): DnsRecord {
  return record.type === 'PTR' && record.flush ? { ...record, flush: false } : record;
}

function isAddress(record: DnsRecord): boolean {
  return record.type === 'A' || record.type === 'AAAA';
}
