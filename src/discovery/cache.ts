import type { Clock, Entropy } from '../platform.js';
import type { DnsQuestion } from './message.js';
import { type Name, nameKey } from './name.js';
import { NameCounts } from './peek.js';
import { type DnsRecord, recordKey, TYPE, typeCode } from './records.js';

/** A record that another host published, as heard on one interface. */
export interface CachedRecord<T extends DnsRecord = DnsRecord> {
  readonly record: T;
  readonly interfaceName: string;
  /** Who told it first. */
  readonly sender: string;
  /** Monotonic ms. */
  readonly receivedAt: number;
  /** Monotonic ms. */
  readonly expiresAt: number;
}

interface Slot extends CachedRecord {
  expiresAt: number;
  /** Index into REFRESH of the next query that keeps the record alive. */
  refreshes: number;
  /** Queries of others that nobody has answered. */
  unanswered: number;
  /** Part of its life by which the record's queries are late. */
  readonly lateness: number;
}

/** RFC 6762 §5.2: queries at 80, 85, 90 and 95 % of a record's life, each a random 0…2 % later. */
const REFRESH = [0.8, 0.85, 0.9, 0.95];
const REFRESH_SPREAD = 0.02;
/** A record of a shorter life is not asked for again, s: a host that invents hundreds of them would have us ask all the time. */
const REFRESH_MINIMUM = 10;
/** RFC 6762 §10.1, §10.2: a goodbye or a flush takes effect after a second, so that the owner can object. */
const GRACE = 1000;
/** RFC 6762 §10.5: after two queries without an answer, a record goes in ten seconds. */
const FAILURES = 2;
const FAILURE_TIME = 10_000;
/** A longer TTL counts as this many seconds. */
const TTL_MAXIMUM = 86_400;

type TypeName = Exclude<DnsRecord['type'], 'raw'>;

/**
 * Bounded record cache after RFC 6762 §10. A record beyond the limit displaces the one not heard of for longest, of the sender that has most: a
 * host that floods the link displaces its own. A record is of who told it first, so that nobody makes others' records its own by repeating them.
 */
export class RecordCache {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #limit: number;
  /** Oldest news first. */
  readonly #slots = new Map<string, Slot>();
  /** By owner and type. */
  readonly #owners = new Map<string, Set<Slot>>();
  /** Oldest news first. */
  readonly #senders = new Map<string, Map<string, Slot>>();
  /** Owners of the records and the hosts that they point to, for `mentions`; the browser adds what it looks for. */
  readonly names = new NameCounts();
  /** Records lost to the limit. */
  displaced = 0;

  constructor(clock: Clock, entropy: Entropy, limit = 512) {
    this.#clock = clock;
    this.#entropy = entropy;
    this.#limit = limit;
  }

  /** Takes in a record that `from` sent. True when the content changed (a new record, not a repetition). */
  add(record: DnsRecord, interfaceName: string, from = ''): boolean {
    const now = this.#clock.now();
    const key = `${interfaceName} ${recordKey(record)}`;
    const old = this.#slots.get(key);
    if (record.ttl === 0) {
      if (old !== undefined) old.expiresAt = Math.min(old.expiresAt, now + GRACE);
      return false;
    }
    if (record.flush) this.#flush(record, interfaceName, now);
    if (old !== undefined) this.#remove(key, old);
    else if (this.#slots.size >= this.#limit) this.#displace();
    const expiresAt = now + Math.min(record.ttl, TTL_MAXIMUM) * 1000;
    const lateness = ((this.#entropy.bytes(1)[0] as number) / 255) * REFRESH_SPREAD;
    const sender = old?.sender ?? from;
    const slot: Slot = { record, interfaceName, sender, receivedAt: now, expiresAt, refreshes: 0, unanswered: 0, lateness };
    this.#slots.set(key, slot);
    const sent = this.#senders.get(sender) ?? new Map<string, Slot>();
    this.#senders.set(sender, sent.set(key, slot));
    this.names.add(record.name);
    if (record.type === 'SRV') this.names.add(record.target);
    const owner = ownerKey(record.name, typeCode(record));
    const owned = this.#owners.get(owner);
    if (owned === undefined) this.#owners.set(owner, new Set([slot]));
    else owned.add(slot);
    return old === undefined;
  }

  /** Records of one name and type, latest news first. */
  find<T extends TypeName>(name: Name, type: T): readonly CachedRecord<Extract<DnsRecord, { type: T }>>[] {
    const slots = [...(this.#owners.get(ownerKey(name, TYPE[type])) ?? [])].reverse();
    return slots as unknown as readonly CachedRecord<Extract<DnsRecord, { type: T }>>[];
  }

  /** True where a record of the same name and type is kept. */
  knows(record: DnsRecord): boolean {
    return this.#owners.has(ownerKey(record.name, typeCode(record)));
  }

  /** Keys (`nameKey`) of the hosts that the SRV records point to. */
  hosts(): ReadonlySet<string> {
    const hosts = new Set<string>();
    for (const { record } of this.#slots.values()) if (record.type === 'SRV') hosts.add(nameKey(record.target));
    return hosts;
  }

  /** Takes away all records of one name and type. */
  forget(name: Name, type: TypeName): void {
    const owned = this.#owners.get(ownerKey(name, TYPE[type]));
    this.#removeWhere((slot) => owned?.has(slot) ?? false);
  }

  /**
   * RFC 6762 §10.5, passive observation of failures: a query of another host that its owner should answer. `known`: what the querier did not
   * want to hear, as record keys. An answer makes the record new, and all is well. True when a record's life became shorter.
   */
  unanswered(question: Pick<DnsQuestion, 'name' | 'type'>, known: ReadonlySet<string>, interfaceName: string): boolean {
    const now = this.#clock.now();
    const types = question.type === TYPE.ANY ? Object.values(TYPE) : [question.type];
    let shortened = false;
    for (const slot of types.flatMap((type) => [...(this.#owners.get(ownerKey(question.name, type)) ?? [])])) {
      // §6: what was multicast within the last second is not multicast again.
      if (slot.interfaceName !== interfaceName || now - slot.receivedAt < GRACE || known.has(recordKey(slot.record))) continue;
      slot.unanswered++;
      if (slot.unanswered !== FAILURES || slot.expiresAt <= now + FAILURE_TIME) continue;
      slot.expiresAt = now + FAILURE_TIME;
      shortened = true;
    }
    return shortened;
  }

  /** Takes away what was heard on interfaces that are gone. True when something was. */
  keepInterfaces(names: ReadonlySet<string>): boolean {
    return this.#removeWhere((slot) => !names.has(slot.interfaceName));
  }

  /** Takes away what has expired. True when something has. */
  expire(): boolean {
    const now = this.#clock.now();
    return this.#removeWhere((slot) => slot.expiresAt <= now);
  }

  /** Monotonic ms of the next expiry or refresh; undefined when the cache is empty. */
  nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const slot of this.#slots.values()) {
      const at = Math.min(slot.expiresAt, refreshAt(slot));
      if (next === undefined || at < next) next = at;
    }
    return next;
  }

  /** Records whose life must be asked for now; each is handed out once a step. */
  dueForRefresh(): readonly CachedRecord[] {
    const now = this.#clock.now();
    const due: Slot[] = [];
    for (const slot of this.#slots.values()) {
      if (refreshAt(slot) > now) continue;
      due.push(slot);
      while (refreshAt(slot) <= now) slot.refreshes++;
    }
    return due;
  }

  /** RFC 6762 §10.2: other data under the same name, type and class, older than a second, goes a second from now. */
  #flush(record: DnsRecord, interfaceName: string, now: number): void {
    for (const slot of this.#owners.get(ownerKey(record.name, typeCode(record))) ?? []) {
      if (slot.interfaceName === interfaceName && slot.record.class === record.class && slot.receivedAt < now - GRACE)
        slot.expiresAt = Math.min(slot.expiresAt, now + GRACE);
    }
  }

  #displace(): void {
    let most: Map<string, Slot> | undefined;
    for (const sent of this.#senders.values()) if (sent.size > (most?.size ?? 0)) most = sent;
    const oldest = most?.entries().next().value;
    if (oldest === undefined) return;
    this.#remove(...oldest);
    this.displaced++;
  }

  #removeWhere(matches: (slot: Slot) => boolean): boolean {
    let removed = false;
    for (const [key, slot] of this.#slots) {
      if (!matches(slot)) continue;
      this.#remove(key, slot);
      removed = true;
    }
    return removed;
  }

  #remove(key: string, slot: Slot): void {
    this.#slots.delete(key);
    const sent = this.#senders.get(slot.sender);
    sent?.delete(key);
    if (sent?.size === 0) this.#senders.delete(slot.sender);
    this.names.remove(slot.record.name);
    if (slot.record.type === 'SRV') this.names.remove(slot.record.target);
    const owner = ownerKey(slot.record.name, typeCode(slot.record));
    const owned = this.#owners.get(owner);
    owned?.delete(slot);
    if (owned?.size === 0) this.#owners.delete(owner);
  }
}

/** A record on its way out (goodbye, flush), or here for a moment, is not asked for. */
function refreshAt(slot: Slot): number {
  const step = REFRESH[slot.refreshes];
  const life = Math.min(slot.record.ttl, TTL_MAXIMUM) * 1000;
  const leaving = slot.expiresAt < slot.receivedAt + life;
  return step === undefined || leaving || slot.record.ttl < REFRESH_MINIMUM
    ? Number.POSITIVE_INFINITY
    : slot.receivedAt + (step + slot.lateness) * life;
}

function ownerKey(name: Name, type: number): string {
  return `${type} ${nameKey(name)}`;
}
