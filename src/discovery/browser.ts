import type { Clock, DatagramSource, Entropy, Log, Multicast, Timer } from '../platform.js';
import { RecordCache } from './cache.js';
import type { DiscoveredService, IncompleteService } from './discovered.js';
import type { PacketCounters } from './gate.js';
import { Intake } from './intake.js';
import type { DnsMessage } from './message.js';
import { nameKey } from './name.js';
import { News } from './news.js';
import { Overheard } from './overheard.js';
import { pauses, Querier } from './querier.js';
import { CLASS, type DnsRecord } from './records.js';
import { Resolutions } from './resolutions.js';
import { instanceName, typeName } from './service.js';
import { randomDelay, Series, supervised } from './timing.js';
import { type ServiceListener, Watch } from './watch.js';

export interface BrowserOptions {
  /** Started and closed by the browser. */
  readonly multicast: Multicast;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** A continuous look-out for a type. */
export interface Browse {
  services(): readonly DiscoveredService[];
  /** What is announced and cannot be reached yet. */
  incomplete(): readonly IncompleteService[];
  /** Idempotent; the listener is not called afterwards. */
  close(): void;
}

/** With `none`, what was there instead: nothing at all, other services, or incomplete ones (connection-establishment §7.5). */
export type FindResult =
  | { readonly kind: 'found'; readonly service: DiscoveredService }
  | { readonly kind: 'none'; readonly services: readonly DiscoveredService[]; readonly incomplete: readonly IncompleteService[] };

/**
 * Finds DNS-SD services over Multicast DNS (RFC 6762 §5.2, RFC 6763 §4). Network trouble and failures of any kind, a listener's too, are logged, never
 * thrown.
 */
export class Browser {
  readonly #options: BrowserOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #intake: Intake;
  readonly #news: News;
  readonly #cache: RecordCache;
  readonly #querier: Querier;
  readonly #overheard: Overheard;
  /** Each with the series of its PTR queries. */
  readonly #watches = new Map<Watch, Series | undefined>();
  readonly #resolutions: Resolutions;
  /** `find` and `resolve` that have not ended. */
  readonly #searches = new Set<() => void>();
  #state: 'new' | 'running' | 'closed' = 'new';
  #stale = false;
  #updating = false;
  #timer: Timer | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: BrowserOptions) {
    this.#options = options;
    this.#log = options.log.scoped('discovery');
    this.#clock = supervised(options.clock, (error) => this.#report(error));
    this.#cache = new RecordCache(this.#clock, options.entropy);
    this.#overheard = new Overheard(this.#clock, this.#cache);
    this.#querier = new Querier(options.multicast, this.#clock, this.#cache, this.#overheard);
    this.#news = new News(this.#clock, () => this.#update());
    this.#resolutions = new Resolutions(this.#clock, options.entropy, (service, run) => this.#querier.askForMissing(service, run));
    this.#intake = new Intake({
      multicast: options.multicast,
      clock: this.#clock,
      log: this.#log,
      names: this.#cache.names,
      isOwn: (packet, source) => this.#querier.isOwn(packet, source),
    });
  }

  /** Packets dropped: not decodable, from another link, above the rate limits; records lost to the limit of the cache. */
  get counters(): Omit<PacketCounters, 'overflow'> & { readonly displaced: number } {
    const { malformed, offLink, limited } = this.#intake.counters;
    return { malformed, offLink, limited, displaced: this.#cache.displaced };
  }

  /** Opens the sockets and begins to ask. Rejects with ConfigError alone. */
  async start(): Promise<void> {
    await this.#options.multicast.start({
      onPacket: (packet, source) => this.#guard(() => this.#onPacket(packet, source)),
      onInterfaces: () => this.#guard(() => this.#onInterfaces()),
      onError: (interfaceName, reason) => this.#log.warn('multicast failed', { interface: interfaceName, reason }),
    });
    if (this.#state !== 'new') return;
    this.#state = 'running';
    for (const series of this.#watches.values()) series?.start();
    this.#update();
  }

  /**
   * Looks out for all instances of `type` (`_mash._tcp`), or for one of them by its name, without browsing. Throws RangeError for what is no
   * name. The listener's first call comes in a later turn.
   */
  browse(type: string, listener: ServiceListener, instance?: string): Browse {
    const watch = new Watch(type, instance, listener);
    this.#watch(watch);
    return {
      services: () => watch.services(),
      incomplete: () => watch.incomplete(),
      close: () => this.#unwatch(watch),
    };
  }

  /** The first complete service of `type` that `matches`, as soon as there is one; `none` after `timeout` ms or at `close`. */
  find(type: string, matches: (service: DiscoveredService) => boolean, timeout: number): Promise<FindResult> {
    return this.#search(type, undefined, matches, timeout);
  }

  /** One instance by its name, without browsing; `none` after `timeout` ms or at `close`. */
  resolve(instance: string, type: string, timeout: number): Promise<FindResult> {
    return this.#search(type, instance, () => true, timeout);
  }

  /** Forgets where an instance is, because it is not there any more (connection-establishment §7.4); the next `resolve` asks anew. */
  forget(instance: string, type: string): void {
    const name = instanceName({ type, instance });
    for (const { record } of this.#cache.find(name, 'SRV')) {
      this.#cache.forget(record.target, 'AAAA');
      this.#cache.forget(record.target, 'A');
    }
    this.#cache.forget(name, 'SRV');
    this.#cache.forget(name, 'TXT');
    this.#update();
  }

  /** The same for every instance of a type. */
  forgetType(type: string): void {
    const name = typeName(type);
    for (const { record } of this.#cache.find(name, 'PTR')) this.forget(record.target[0] as string, type);
    this.#cache.forget(name, 'PTR');
    this.#update();
  }

  /** Ends every look-out and closes the sockets. Idempotent. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#state = 'closed';
      this.#timer?.cancel();
      this.#news.stop();
      this.#resolutions.stop();
      for (const watch of [...this.#watches.keys()]) this.#unwatch(watch);
      for (const end of [...this.#searches]) end();
      this.#closing = this.#options.multicast.close();
    }
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #watch(watch: Watch): void {
    if (this.#state === 'closed') return;
    const first = randomDelay(this.#options.entropy);
    const series =
      watch.instance === undefined
        ? new Series(this.#clock, 'MDNS_QUERY', pauses(first), (run) => this.#querier.askForType(watch.name, run))
        : undefined;
    this.#watches.set(watch, series);
    this.#cache.names.add(watch.wanted);
    if (this.#state === 'running') series?.start();
    this.#clock.after('MDNS_BROWSE', 0, () => this.#update());
  }

  #unwatch(watch: Watch): void {
    watch.end();
    this.#watches.get(watch)?.stop();
    if (this.#watches.delete(watch)) this.#cache.names.remove(watch.wanted);
    this.#update();
  }

  #search(
    type: string,
    instance: string | undefined,
    matches: (found: DiscoveredService) => boolean,
    timeout: number,
  ): Promise<FindResult> {
    return new Promise((resolve) => {
      const settle = (result: FindResult): void => {
        deadline.cancel();
        this.#searches.delete(end);
        this.#unwatch(watch);
        resolve(result);
      };
      const end = (): void => settle({ kind: 'none', services: watch.services(), incomplete: watch.incomplete() });
      const check = (service: DiscoveredService): void => {
        if (matches(service)) settle({ kind: 'found', service });
      };
      const watch = new Watch(type, instance, { added: check, updated: check });
      const deadline = this.#clock.after('MDNS_SEARCH', timeout, end);
      this.#searches.add(end);
      this.#watch(watch);
      if (this.#state === 'closed') end();
    });
  }

  #onInterfaces(): void {
    if (this.#state !== 'running') return;
    const names = new Set(this.#options.multicast.interfaces().map((on) => on.name));
    this.#cache.keepInterfaces(names);
    this.#intake.keepInterfaces(names);
    for (const series of this.#watches.values()) series?.start();
    this.#resolutions.restart();
    this.#update();
  }

  #onPacket(packet: Uint8Array, source: DatagramSource): void {
    if (this.#state !== 'running') return;
    const message = this.#intake.admit(packet, source);
    if (message === undefined || message.opcode !== 0 || message.rcode !== 0) return;
    if (message.response) this.#learn(message, source);
    else if (this.#overheard.onQuery(message, source.interfaceName)) this.#schedule();
  }

  /** Services before addresses: an address is kept only for a host that a kept SRV points to. */
  #learn(message: DnsMessage, { interfaceName, address }: DatagramSource): void {
    const records = [...message.answers, ...message.additionals].filter((record) => record.class === CLASS.IN);
    // What is cached is kept true, also while nobody looks: a goodbye must not be missed.
    const ours = records.filter((record) => this.#cache.knows(record) || [...this.#watches.keys()].some((watch) => watch.wants(record)));
    let changed = false;
    for (const record of ours) changed = this.#cache.add(record, interfaceName, address) || changed;
    const hosts = this.#cache.hosts();
    const addresses = records.filter((record) => isAddress(record) && !ours.includes(record) && hosts.has(nameKey(record.name)));
    for (const record of addresses) changed = this.#cache.add(record, interfaceName, address) || changed;
    if (changed) this.#news.come();
    else if (ours.length + addresses.length > 0) this.#schedule();
  }

  /**
   * After any change of the cache or of the watches, each watch by itself: one whose listener fails ends no other. A change made by a listener is
   * looked at when the round is over.
   */
  #update(): void {
    this.#stale = true;
    if (this.#updating) return;
    this.#updating = true;
    while (this.#stale && this.#state === 'running') {
      this.#stale = false;
      for (const watch of [...this.#watches.keys()]) this.#guard(() => watch.update(this.#cache));
    }
    this.#updating = false;
    if (this.#state !== 'running') return;
    this.#resolutions.set([...this.#watches.keys()].flatMap((watch) => watch.missing(this.#cache)));
    this.#schedule();
  }

  #schedule(): void {
    this.#timer?.cancel();
    const next = this.#cache.nextDeadline();
    this.#timer =
      next === undefined ? undefined : this.#clock.after('MDNS_CACHE', Math.max(0, next - this.#clock.now()), () => this.#onDeadline());
  }

  #onDeadline(): void {
    const expired = this.#cache.expire();
    this.#querier.refresh(this.#cache.dueForRefresh().filter(({ record }) => this.#isWanted(record)));
    if (expired) this.#update();
    else this.#schedule();
  }

  #isWanted(record: DnsRecord): boolean {
    if (isAddress(record)) return this.#cache.hosts().has(nameKey(record.name));
    return [...this.#watches.keys()].some((watch) => watch.wants(record));
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.#log.error('discovery failed', { reason: error instanceof Error ? error.message : String(error) });
  }
}

function isAddress(record: DnsRecord): boolean {
  return record.type === 'A' || record.type === 'AAAA';
}
