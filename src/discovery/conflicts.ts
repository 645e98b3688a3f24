import type { Clock } from '../platform.js';
import { nameKey } from './name.js';
import { CLASS, type DnsRecord, recordData, recordKey, typeCode } from './records.js';

/** Records by `nameKey`: a packet of hundreds is looked through once, however many names are ours. */
export function byName(records: readonly DnsRecord[]): ReadonlyMap<string, readonly DnsRecord[]> {
  const named = new Map<string, DnsRecord[]>();
  for (const record of records) {
    const key = nameKey(record.name);
    const same = named.get(key);
    if (same === undefined) named.set(key, [record]);
    else same.push(record);
  }
  return named;
}

/**
 * RFC 6762 §8.1, §9: do the records that a response has under our name claim it with other data? While probing, a record of any type does ("ANY");
 * afterwards one of a type that we hold. "Resource records with identical rdata are never considered inconsistent"; a goodbye claims nothing, an
 * NSEC record only repeats what the others say.
 */
export function contradicts(
  theirs: readonly DnsRecord[],
  ours: readonly DnsRecord[],
  alike: ReadonlySet<string>,
  probing: boolean,
): boolean {
  const own = new Set(ours.map(recordKey));
  const types = new Set(ours.map(typeCode));
  return theirs.some(
    (record) =>
      record.class === CLASS.IN &&
      record.ttl > 0 &&
      record.type !== 'NSEC' &&
      (probing || types.has(typeCode(record))) &&
      !own.has(recordKey(record)) &&
      !alike.has(recordKey(record)),
  );
}

/**
 * RFC 6762 §8.2: two hosts probe for one name. Both compare what they propose under it, sorted; the lexicographically later set wins.
 * True when `theirs` wins over `ours`; of equal sets neither does (§8.2.1: "there is, in fact, no conflict").
 */
export function losesTo(theirs: readonly DnsRecord[], ours: readonly DnsRecord[]): boolean {
  const [a, b] = [sorted(ours), sorted(theirs)];
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compareBytes(a[i] as Uint8Array, b[i] as Uint8Array);
    if (order !== 0) return order < 0;
  }
  // "If either list of records runs out of records before any difference is found, then the list with records remaining is deemed to have won the tiebreak."
  return b.length > a.length;
}

/** Class, "excluding the cache-flush bit", then type, then data, each as on the wire. */
function sorted(records: readonly DnsRecord[]): readonly Uint8Array[] {
  return records
    .map((record) => {
      const type = typeCode(record);
      return Uint8Array.from([record.class >> 8, record.class & 0xff, type >> 8, type & 0xff, ...recordData(record)]);
    })
    .sort(compareBytes);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  return a.length - b.length;
}

/** Conflicts in so many ms that are too many. */
const CONFLICT_MAXIMUM = 15;
const CONFLICT_PERIOD = 10_000;
const CONFLICT_PAUSE = 5000;

/**
 * RFC 6762 §8.1: "If fifteen conflicts occur within any ten-second period, then the host MUST wait at least five seconds before each successive
 * additional probe attempt", until ten seconds pass without one.
 */
export class ConflictLimit {
  readonly #clock: Clock;
  #times: number[] = [];
  #tripped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a conflict; the ms to wait before the next probe. */
  count(): number {
    const now = this.#clock.now();
    this.#times = [...this.#times.filter((at) => now - at < CONFLICT_PERIOD), now].slice(-CONFLICT_MAXIMUM);
    if (this.#times.length === 1) this.#tripped = false;
    if (this.#times.length === CONFLICT_MAXIMUM) this.#tripped = true;
    return this.#tripped ? CONFLICT_PAUSE : 0;
  }
}
