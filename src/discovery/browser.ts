import type { Clock, DatagramSource, Entropy, Log, Multicast, Timer } from '../platform.js';
import { RecordCache } from './cache.js';
import type { DiscoveredService, IncompleteService } from './discovered.js';
import type { PacketCounters } from './gate.js';
import { Intake } from './intake.js';
import { Learning } from './learning.js';
import type { DnsMessage } from './message.js';
import { News } from './news.js';
import { Overheard } from './overheard.js';
import { pauses, Querier } from './querier.js';
import { Resolutions } from './resolutions.js';
import { type FindResult, type Search, Searches } from './searches.js';
import { instanceName, typeName } from './service.js';
import { Supervisor } from './supervision.js';
import { randomDelay, Series } from './timing.js';
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

/**
 * Finds DNS-SD services over Multicast DNS (RFC 6762 §5.2, RFC 6763 §4). Network trouble and failures of any kind, a listener's too, are logged, never
 * thrown.
 */
export class Browser {
  readonly #options: BrowserOptions;
  readonly #clock: Clock;
  readonly #supervisor: Supervisor;
  readonly #intake: Intake;
  readonly #news: News;
  readonly #cache: RecordCache;
  readonly #querier: Querier;
  readonly #overheard: Overheard;
  readonly #learning: Learning;
  /** Each with the series of its PTR queries. */
  readonly #watches = new Map<Watch, Series | undefined>();
  readonly #resolutions: Resolutions;
  readonly #searches: Searches;
  #state: 'new' | 'running' | 'closed' = 'new';
  #stale = false;
  #updating = false;
  #timer: Timer | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: BrowserOptions) {
    this.#options = options;
    const log = options.log.scoped('discovery');
    this.#supervisor = new Supervisor(log);
    this.#clock = this.#supervisor.clock(options.clock);
    this.#cache = new RecordCache(this.#clock, options.entropy);
    this.#learning = new Learning(this.#cache, () => this.#watches.keys());
    this.#overheard = new Overheard(this.#clock, this.#cache);
    this.#querier = new Querier(options.multicast, this.#clock, this.#cache, this.#overheard);
    this.#searches = new Searches(
      this.#clock,
      (watch) => this.#watch(watch),
      (watch) => this.#unwatch(watch),
    );
    this.#news = new News(this.#clock, () => this.#update());
    this.#resolutions = new Resolutions(this.#clock, options.entropy, (service, run) => this.#querier.askForMissing(service, run));
    this.#intake = new Intake({
      multicast: options.multicast,
      clock: this.#clock,
      log,
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
    await this.#options.multicast.start(
      this.#supervisor.handlers({
        onPacket: (packet, source) => this.#onPacket(packet, source),
        onInterfaces: () => this.#onInterfaces(),
      }),
    );
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
    return this.#search({ type, matches, timeout });
  }

  /** One instance by its name, without browsing; `none` after `timeout` ms or at `close`. */
  resolve(instance: string, type: string, timeout: number): Promise<FindResult> {
    return this.#search({ type, instance, matches: () => true, timeout });
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
      this.#searches.endAll();
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

  #search(search: Search): Promise<FindResult> {
    const result = this.#searches.run(search);
    if (this.#state === 'closed') this.#searches.endAll();
    return result;
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
    if (message.response && source.unicast === true && !this.#querier.welcomes(message, source.interfaceName)) return;
    if (message.response) this.#learn(message, source);
    // Of a query that was sent to us alone nobody else hears, and nobody tells us the answer.
    else if (source.unicast !== true && this.#overheard.onQuery(message, source.interfaceName)) this.#schedule();
  }

  #learn(message: DnsMessage, source: DatagramSource): void {
    const learned = this.#learning.learn(message, source);
    if (learned === 'news') this.#news.come();
    else if (learned === 'known') this.#schedule();
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
      for (const watch of [...this.#watches.keys()]) this.#supervisor.guard(() => watch.update(this.#cache));
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
    this.#querier.refresh(this.#cache.dueForRefresh().filter(({ record }) => this.#learning.isWanted(record)));
    if (expired) this.#update();
    else this.#schedule();
  }
}
