import type { Clock } from '../platform.js';
import type { DnsMessage } from './message.js';
import { type Name, nameKey } from './name.js';
import { CLASS, type DnsRecord, recordData, recordKey, typeCode } from './records.js';

/** The records of one name in `records`. */
function under(key: string, records: readonly DnsRecord[]): readonly DnsRecord[] {
  return records.filter((record) => nameKey(record.name) === key);
}

/**
 * RFC 6762 §8.1, §9: does a response claim the name of `ours` with other data? While probing, a record of any type does ("ANY"); afterwards one of
 * a type that we hold. "Resource records with identical rdata are never considered inconsistent"; a goodbye claims nothing, an NSEC record only repeats what the others say.
 */
export function contradicts(response: DnsMessage, ours: readonly DnsRecord[], alike: ReadonlySet<string>, probing: boolean): boolean {
  const [first] = ours;
  if (first === undefined) return false;
  const own = new Set(ours.map(recordKey));
  const types = new Set(ours.map(typeCode));
  return under(nameKey(first.name), [...response.answers, ...response.authorities, ...response.additionals]).some(
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
 * RFC 6762 §8.2: two hosts probe for one name. Both compare what they propose, sorted; the lexicographically later set wins.
 * True when `theirs` wins over `ours`; of equal sets neither does (§8.2.1: "there is, in fact, no conflict").
 */
export function losesTo(theirs: readonly DnsRecord[], name: Name, ours: readonly DnsRecord[]): boolean {
  const [a, b] = [sorted(ours), sorted(under(nameKey(name), theirs))];
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
