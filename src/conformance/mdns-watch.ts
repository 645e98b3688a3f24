import { decodeMessage, encodeMessage, queryMessage } from '../discovery/message.js';
import type { Name } from '../discovery/name.js';
import { nameKey, nameOf, sameName } from '../discovery/name.js';
import {
  type AddressRecord,
  CLASS,
  type DnsRecord,
  type PtrRecord,
  recordKey,
  type SrvRecord,
  type TxtRecord,
  TYPE,
} from '../discovery/records.js';
import { txtEntries } from '../discovery/txt.js';
import { PeerError } from '../errors.js';
import type { Clock, Multicast } from '../platform.js';

/** Records remembered: more than any run of cases hears of one device. */
const MAXIMUM = 20_000;
const QUESTION_INTERVAL = 1000;

export interface Heard<T extends DnsRecord = DnsRecord> {
  /** Monotonic, ms. */
  readonly at: number;
  readonly record: T;
}

/** One instance of a service as it was last announced. */
export interface Announced {
  readonly ptr: PtrRecord;
  readonly srv: SrvRecord;
  readonly txt: TxtRecord;
  readonly entries: ReadonlyMap<string, string>;
  readonly addresses: readonly AddressRecord[];
}

/** Hears everything that is said on the link, and asks. */
export class MdnsWatch {
  readonly #multicast: Multicast;
  readonly #clock: Clock;
  readonly #heard: Heard[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(multicast: Multicast, clock: Clock) {
    this.#multicast = multicast;
    this.#clock = clock;
  }

  start(): Promise<void> {
    return this.#multicast.start({
      onPacket: (packet) => this.#onPacket(packet),
      onInterfaces: () => {},
      onError: () => {},
    });
  }

  close(): Promise<void> {
    return this.#multicast.close();
  }

  get usable(): boolean {
    return this.#multicast.interfaces().length > 0;
  }

  /** Asks the group on every interface. */
  ask(type: string): void {
    const question = { name: nameOf(`${type}.local`), type: TYPE.PTR, class: CLASS.IN, unicast: false };
    const packet = encodeMessage(queryMessage({ questions: [question] }));
    for (const { name } of this.#multicast.interfaces()) this.#multicast.send(name, packet);
  }

  /** What was heard from `since` on. */
  since(since: number): readonly Heard[] {
    return this.#heard.filter(({ at }) => at >= since);
  }

  /** Resolves true as soon as `test` holds, false after `timeout` ms. */
  until(test: () => boolean, timeout: number): Promise<boolean> {
    if (test()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (result: boolean): void => {
        deadline.cancel();
        this.#waiting.delete(check);
        resolve(result);
      };
      const check = (): void => {
        if (test()) settle(true);
      };
      const deadline = this.#clock.after('mdns', timeout, () => settle(false));
      this.#waiting.add(check);
    });
  }

  /** The instance of a service whose TXT record passes, asked for until it is known; undefined where it is not within `timeout` ms. */
  async find(type: string, fits: (entries: ReadonlyMap<string, string>) => boolean, timeout = 5000): Promise<Announced | undefined> {
    const since = this.#clock.now();
    let found: Announced | undefined;
    const look = (): boolean => {
      found = this.#announced(type, since).find(({ entries }) => fits(entries));
      return found !== undefined;
    };
    while (this.#clock.now() - since < timeout) {
      this.ask(type);
      if (await this.until(look, QUESTION_INTERVAL)) return found;
    }
    return found;
  }

  /** True where a PTR of that service with TTL 0 was heard from `since` on. */
  goodbye(type: string, since: number): boolean {
    const name = nameOf(`${type}.local`);
    return this.since(since).some(({ record }) => record.type === 'PTR' && record.ttl === 0 && sameName(record.name, name));
  }

  #announced(type: string, since: number): readonly Announced[] {
    const heard = this.since(since).map(({ record }) => record);
    const latestFirst = [...heard].reverse();
    const service = nameOf(`${type}.local`);
    const latest = <T extends DnsRecord['type']>(kind: T, owner: Name): Extract<DnsRecord, { type: T }> | undefined =>
      latestFirst.find((record): record is Extract<DnsRecord, { type: T }> => record.type === kind && sameName(record.name, owner));
    const found: Announced[] = [];
    const seen = new Set<string>();
    for (const record of heard) {
      if (record.type !== 'PTR' || record.ttl === 0 || !sameName(record.name, service) || seen.has(nameKey(record.target))) continue;
      seen.add(nameKey(record.target));
      const srv = latest('SRV', record.target);
      const txt = latest('TXT', record.target);
      if (srv === undefined || txt === undefined || srv.ttl === 0) continue;
      const addresses = new Map<string, AddressRecord>();
      for (const candidate of heard) {
        const isAddress = candidate.type === 'AAAA' || candidate.type === 'A';
        if (isAddress && candidate.ttl > 0 && sameName(candidate.name, srv.target)) addresses.set(recordKey(candidate), candidate);
      }
      found.push({ ptr: record, srv, txt, entries: txtEntries(txt.strings), addresses: [...addresses.values()] });
    }
    return found;
  }

  #onPacket(packet: Uint8Array): void {
    try {
      const message = decodeMessage(packet);
      if (!message.response) return;
      const at = this.#clock.now();
      for (const record of [...message.answers, ...message.additionals]) this.#heard.push({ at, record });
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
    }
    if (this.#heard.length > MAXIMUM) this.#heard.splice(0, this.#heard.length - MAXIMUM);
    for (const check of [...this.#waiting]) check();
  }
}
