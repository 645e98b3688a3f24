import type { Clock, DatagramSource, Entropy, Log, Multicast, NetworkInterface, Timer } from '../platform.js';
import { ConflictLimit } from './conflicts.js';
import { type PacketCounters, PacketGate } from './gate.js';
import { Echoes } from './history.js';
import { LinkResponder } from './link.js';
import { type Name, nameKey, nameOf, nameText } from './name.js';
import { checkService, Publication, Publications } from './publications.js';
import { recordKey } from './records.js';
import { addressRecords, instanceName, type RecordPolicy, type ServiceDefinition } from './service.js';
import { Supervisor } from './supervision.js';
import { TakenInstances } from './taken-instances.js';

export interface AdvertiserOptions {
  /** Started and closed by the advertiser. */
  readonly multicast: Multicast;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** `mash-1a2b3c4d.local`, see `hostName`. */
  readonly hostName: string;
  readonly policy: RecordPolicy;
  /** `conflicts` or `hostName` changed. */
  readonly onConflict?: () => void;
}

/** A service as others see it now. */
export interface Published {
  /** Other port or TXT under the same instance name: announced again. */
  update(service: Pick<ServiceDefinition, 'port' | 'txt'>): void;
  /** Says goodbye. Idempotent; without effect once the same instance has been published anew. */
  withdraw(): void;
}

/** Longest wait of `close` for the sockets, ms. */
const CLOSE_MAXIMUM = 1000;

/**
 * Publishes DNS-SD services over Multicast DNS and answers for them, on every interface (RFC 6762, RFC 6763). A host name that another host
 * has gets `-2`, `-3`, …; an instance that another device has is left to it, told by `conflicts`, and tried again. Network trouble and failures of
 * any kind are logged, never thrown.
 */
export class Advertiser {
  readonly #options: AdvertiserOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #supervisor: Supervisor;
  readonly #echoes: Echoes;
  readonly #gate: PacketGate;
  readonly #conflictLimit: ConflictLimit;
  readonly #publications = new Publications();
  readonly #links = new Map<string, LinkResponder>();
  readonly #taken: TakenInstances;
  #host: Name;
  #hostNumber = 1;
  #state: 'new' | 'running' | 'closed' = 'new';
  #closing: Promise<void> | undefined;

  constructor(options: AdvertiserOptions) {
    this.#options = options;
    this.#log = options.log.scoped('discovery');
    this.#supervisor = new Supervisor(this.#log);
    this.#clock = this.#supervisor.clock(options.clock);
    this.#echoes = new Echoes(this.#clock);
    this.#gate = new PacketGate(this.#log);
    this.#taken = new TakenInstances(this.#log, () => options.onConflict?.());
    this.#conflictLimit = new ConflictLimit(this.#clock);
    this.#host = nameOf(options.hostName);
  }

  /** Packets dropped: not decodable, from another link, above the rate limits; answers more than can wait. */
  get counters(): PacketCounters {
    return this.#gate.counters;
  }

  /** As it is published now. */
  get hostName(): string {
    return this.#host.join('.');
  }

  /** Instances that another device on some link has, in presentation form (RFC 6763 §4.3). */
  get conflicts(): readonly string[] {
    return this.#taken.names;
  }

  /** Opens the sockets and begins to publish: probes first, announcements about a second later. Rejects with ConfigError alone. */
  async start(): Promise<void> {
    await this.#options.multicast.start(
      this.#supervisor.handlers({
        onPacket: (packet, source) => this.#onPacket(packet, source),
        onInterfaces: () => this.#onInterfaces(),
      }),
    );
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#supervisor.guard(() => this.#onInterfaces());
  }

  /**
   * Publishes the service on every interface; an instance already published is replaced.
   * Throws RangeError for a definition that DNS cannot carry, and for too many. After `close` nothing is sent.
   */
  publish(service: ServiceDefinition): Published {
    this.#check(service);
    const publication = new Publication(service);
    if (this.#state !== 'closed') {
      this.#publications.add(publication);
      this.#say(publication.service);
    }
    return {
      update: ({ port, txt }) => {
        const changed = { ...publication.service, port, txt };
        this.#check(changed);
        if (!this.#publications.has(publication)) return;
        publication.service = changed;
        this.#say(changed);
      },
      withdraw: () => {
        if (!this.#publications.has(publication)) return;
        this.#publications.remove(publication);
        for (const name of this.#links.keys()) this.#setTaken(publication.service, name, false);
        this.#supervisor.guard(() => this.#eachLink((link) => link.withdraw(publication.key)));
      },
    };
  }

  /** Says goodbye for every service and for the addresses, then closes the sockets, within a second. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#state = 'closed';
    this.#supervisor.guard(() => this.#eachLink((link) => link.leave()));
    this.#links.clear();
    this.#publications.clear();
    let deadline: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      deadline = this.#clock.after('MDNS_CLOSE', CLOSE_MAXIMUM, resolve);
    });
    await Promise.race([this.#options.multicast.close(), late]);
    deadline?.cancel();
  }

  #check(service: ServiceDefinition): void {
    checkService(service, this.#host, this.#options.policy);
  }

  #say(service: ServiceDefinition): void {
    this.#supervisor.guard(() => this.#eachLink((link) => link.publish(service)));
  }

  #eachLink(action: (link: LinkResponder) => void): void {
    for (const link of [...this.#links.values()]) action(link);
  }

  /** A new link is probed on; a changed one gets goodbyes and announcements; one without an address that may be published has nothing to say. */
  #onInterfaces(): void {
    if (this.#state !== 'running') return;
    const { multicast, policy } = this.#options;
    const usable = multicast.interfaces().filter((on) => addressRecords(this.#host, on, policy).length > 0);
    for (const [name, link] of [...this.#links]) {
      if (usable.some((on) => on.name === name)) continue;
      link.stop();
      this.#links.delete(name);
      for (const service of this.#publications.services) this.#setTaken(service, name, false);
    }
    for (const on of usable) {
      const link = this.#links.get(on.name);
      if (link === undefined) this.#addLink(on);
      else if (addressTexts(link.on) !== addressTexts(on)) link.setAddresses(on);
    }
  }

  #addLink(on: NetworkInterface): void {
    const { multicast, entropy, policy } = this.#options;
    const parts = {
      multicast,
      entropy,
      policy,
      clock: this.#clock,
      echoes: this.#echoes,
      conflicts: this.#conflictLimit,
      ownAddresses: () => this.#ownAddresses(),
      onHostTaken: (host: Name) => this.#onHostTaken(host, on.name),
      onInstanceOurs: (service: ServiceDefinition) => this.#setTaken(service, on.name, false),
      onInstanceTaken: (service: ServiceDefinition, pause: number) => this.#onInstanceTaken(service, on.name, pause),
      onAnnounced: (service: ServiceDefinition) =>
        this.#log.info('announced', { interface: on.name, name: nameText(instanceName(service)), host: this.hostName }),
      onOverflow: () => void this.counters.overflow++,
    };
    const link = new LinkResponder(parts, on, this.#host);
    this.#links.set(on.name, link);
    for (const service of this.#publications.services) link.publish(service);
  }

  #ownAddresses(): ReadonlySet<string> {
    const { multicast, policy } = this.#options;
    return new Set(multicast.interfaces().flatMap((on) => addressRecords(this.#host, on, policy).map(recordKey)));
  }

  /** RFC 6762 §9: "appending the digit "2" to the name, or incrementing a number at the end of the name if one is already present", on all links (§14). */
  #onHostTaken(taken: Name, interfaceName: string): void {
    if (taken !== this.#host) return;
    const pause = this.#conflictLimit.count();
    this.#host = nameOf(this.#options.hostName);
    this.#host = [`${this.#host[0]}-${++this.#hostNumber}`, ...this.#host.slice(1)];
    this.#log.warn('host name taken', { interface: interfaceName, name: nameText(taken), now: this.hostName });
    this.#eachLink((link) => link.setHost(this.#host, pause));
    this.#options.onConflict?.();
  }

  /** RFC 6762 §9, RFC 6763 §4.1.1: one that may takes another name, on all links; the others wait for theirs. */
  #onInstanceTaken(service: ServiceDefinition, interfaceName: string, pause: number): void {
    const renamed = this.#publications.rename(service);
    if (renamed === undefined) {
      this.#setTaken(service, interfaceName, true);
      return;
    }
    const [name, now] = [service, renamed.service].map((one) => nameText(instanceName(one)));
    this.#log.warn('instance taken', { interface: interfaceName, name, now });
    this.#eachLink((link) => {
      link.withdraw(nameKey(instanceName(service)));
      link.publish(renamed.service, pause);
    });
  }

  #setTaken(service: ServiceDefinition, interfaceName: string, taken: boolean): void {
    this.#taken.set(nameText(instanceName(service)), interfaceName, taken);
  }

  #onPacket(packet: Uint8Array, source: DatagramSource): void {
    const link = this.#links.get(source.interfaceName);
    if (this.#state !== 'running' || link === undefined) return;
    const names = this.#publications.hashes(this.#host);
    const message = this.#gate.admit(packet, source, link, { names, isOwn: (own) => this.#echoes.has(own) });
    if (message !== undefined) link.receive(message, source);
  }
}

function addressTexts(on: NetworkInterface): string {
  return [...on.addresses, ...(on.elsewhere ?? [])].map(({ text, prefixLength }) => `${text}/${prefixLength}`).join(' ');
}
