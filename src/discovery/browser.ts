import { PeerError } from '../errors.js';
import type { Clock, DatagramSource, Entropy, Log, Multicast, Timer } from '../platform.js';
import { RecordCache } from './cache.js';
import type { DiscoveredService, IncompleteService } from './discovered.js';
import { type DnsMessage, decodeMessage, isResponse } from './message.js';
import { nameKey } from './name.js';
import { Overheard } from './overheard.js';
import { pauses, Querier } from './querier.js';
import { CLASS, type DnsRecord } from './records.js';
import { MDNS_PORT } from './responder.js';
import { instanceName, typeName } from './service.js';
import { randomDelay, Series } from './timing.js';
import { type ServiceListener, Watch } from './watch.js';

export interface BrowserOptions {
  /** Started and closed by the browser. */
  readonly multicast: Multicast;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /**
   * True where no other process of this machine has port 5353: the first question of a look-out then invites unicast answers (RFC 6762 §5.4). Default
   * false, since such an answer reaches only one of several.
   */
  readonly unicastFirst?: boolean;
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

/** Packets with news that are looked at one by one; a storm of them is looked at ten times a second. */
const NEWS_MAXIMUM = 32;
const NEWS_INTERVAL = 100;
/** Instances whose missing records are asked for at the same time. */
const RESOLUTION_MAXIMUM = 32;
/** Finds DNS-SD services over Multicast DNS (RFC 6762 §5.2, RFC 6763 §4). Network trouble is logged, never thrown. */
export class Browser {
  readonly #options: BrowserOptions;
  readonly #log: Log;
  readonly #cache: RecordCache;
  readonly #querier: Querier;
  readonly #overheard: Overheard;
  /** Each with the series of its PTR queries. */
  readonly #watches = new Map<Watch, Series | undefined>();
  /** Series of queries for what an instance lacks, by the instance's name. */
  readonly #resolutions = new Map<string, Series>();
  /** `find` and `resolve` that have not ended. */
  readonly #searches = new Set<() => void>();
  #state: 'new' | 'running' | 'closed' = 'new';
  #stale = false;
  #updating = false;
  #timer: Timer | undefined;
  #closing: Promise<void> | undefined;
  #malformed = 0;
  /** News that may still be looked at at once. */
  #news = NEWS_MAXIMUM;
  #newsTimer: Timer | undefined;

  constructor(options: BrowserOptions) {
    this.#options = options;
    this.#log = options.log.scoped('discovery');
    this.#cache = new RecordCache(options.clock, options.entropy);
    this.#overheard = new Overheard(options.clock, this.#cache);
    this.#querier = new Querier(options.multicast, options.clock, this.#cache, this.#overheard);
  }

  /** Packets that did not decode, records lost to the limit of the cache. */
  get counters(): { readonly malformed: number; readonly displaced: number } {
    return { malformed: this.#malformed, displaced: this.#cache.displaced };
  }

  /** Opens the sockets and begins to ask. Rejects with ConfigError alone. */
  async start(): Promise<void> {
    await this.#options.multicast.start({
      onPacket: (packet, source) => this.#onPacket(packet, source),
      onInterfaces: () => this.#onInterfaces(),
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
      this.#newsTimer?.cancel();
      for (const series of this.#resolutions.values()) series.stop();
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
    const { clock, entropy } = this.#options;
    const first = randomDelay(entropy);
    const series =
      watch.instance === undefined
        ? new Series(clock, 'MDNS_QUERY', pauses(first), (run) =>
            this.#querier.askForType(watch.name, run === 0 && this.#options.unicastFirst === true),
          )
        : undefined;
    this.#watches.set(watch, series);
    if (this.#state === 'running') series?.start();
    clock.after('MDNS_BROWSE', 0, () => this.#update());
  }

  #unwatch(watch: Watch): void {
    watch.end();
    this.#watches.get(watch)?.stop();
    this.#watches.delete(watch);
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
      const deadline = this.#options.clock.after('MDNS_SEARCH', timeout, end);
      this.#searches.add(end);
      this.#watch(watch);
      if (this.#state === 'closed') end();
    });
  }

  #onInterfaces(): void {
    if (this.#state !== 'running') return;
    this.#cache.keepInterfaces(new Set(this.#options.multicast.interfaces().map((on) => on.name)));
    for (const series of [...this.#watches.values(), ...this.#resolutions.values()]) series?.start();
    this.#update();
  }

  #onPacket(packet: Uint8Array, source: DatagramSource): void {
    // RFC 6762 §6: a response from another port than 5353 is ignored; a query from one comes from a legacy resolver, and tells nothing.
    if (this.#state !== 'running' || source.port !== MDNS_PORT) return;
    const response = isResponse(packet);
    if (!response && (!this.#overheard.admit() || this.#querier.isOwn(packet, source))) return;
    let message: DnsMessage;
    try {
      message = decodeMessage(packet);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#malformed++;
      this.#log.debug('packet dropped', { from: source.address, interface: source.interfaceName, reason: error.message });
      return;
    }
    if (message.opcode !== 0 || message.rcode !== 0) return;
    if (response) this.#learn(message, source.interfaceName);
    else if (this.#overheard.onQuery(message, source.interfaceName)) this.#schedule();
  }

  /** Services before addresses: an address is kept only for a host that a kept SRV points to. */
  #learn(message: DnsMessage, interfaceName: string): void {
    const records = [...message.answers, ...message.additionals].filter((record) => record.class === CLASS.IN);
    // What is cached is kept true, also while nobody looks: a goodbye must not be missed.
    const ours = records.filter((record) => this.#cache.knows(record) || [...this.#watches.keys()].some((watch) => watch.wants(record)));
    let changed = false;
    for (const record of ours) changed = this.#cache.add(record, interfaceName) || changed;
    const hosts = this.#cache.hosts();
    const addresses = records.filter((record) => isAddress(record) && !ours.includes(record) && hosts.has(nameKey(record.name)));
    for (const record of addresses) changed = this.#cache.add(record, interfaceName) || changed;
    if (changed) this.#onNews();
    else if (ours.length + addresses.length > 0) this.#schedule();
  }

  #onNews(): void {
    if (this.#news > 0) this.#update();
    this.#news = Math.max(0, this.#news - 1);
    this.#newsTimer ??= this.#options.clock.after('MDNS_NEWS', NEWS_INTERVAL, () => this.#onCalm());
  }

  /** Earns back what the last interval has left, at least one. */
  #onCalm(): void {
    this.#newsTimer = undefined;
    if (this.#news === 0) this.#update();
    this.#news = Math.min(NEWS_MAXIMUM, this.#news + 1);
    if (this.#news < NEWS_MAXIMUM) this.#newsTimer = this.#options.clock.after('MDNS_NEWS', NEWS_INTERVAL, () => this.#onCalm());
  }

  /** After any change of the cache or of the watches. A change made by a listener is looked at when the round is over. */
  #update(): void {
    this.#stale = true;
    if (this.#updating) return;
    this.#updating = true;
    while (this.#stale && this.#state === 'running') {
      this.#stale = false;
      for (const watch of [...this.#watches.keys()]) watch.update(this.#cache);
    }
    this.#updating = false;
    if (this.#state !== 'running') return;
    this.#resolveMissing();
    this.#schedule();
  }

  #schedule(): void {
    const { clock } = this.#options;
    this.#timer?.cancel();
    const next = this.#cache.nextDeadline();
    this.#timer = next === undefined ? undefined : clock.after('MDNS_CACHE', Math.max(0, next - clock.now()), () => this.#onDeadline());
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

  /** Starts and stops the queries for what instances lack. */
  #resolveMissing(): void {
    const { clock, entropy } = this.#options;
    const lacking = new Map<string, IncompleteService>();
    for (const watch of this.#watches.keys())
      for (const service of watch.missing(this.#cache)) {
        if (lacking.size < RESOLUTION_MAXIMUM) lacking.set(`${service.missing} ${nameKey(instanceName(service))}`, service);
      }
    for (const [key, series] of this.#resolutions) {
      if (lacking.has(key)) continue;
      series.stop();
      this.#resolutions.delete(key);
    }
    for (const [key, service] of lacking) {
      if (this.#resolutions.has(key)) continue;
      const series = new Series(clock, 'MDNS_RESOLVE', pauses(randomDelay(entropy)), () => this.#querier.askForMissing(service));
      this.#resolutions.set(key, series);
      series.start();
    }
  }
}

function isAddress(record: DnsRecord): boolean {
  return record.type === 'A' || record.type === 'AAAA';
}
