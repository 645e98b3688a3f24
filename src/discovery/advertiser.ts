import { PeerError } from '../errors.js';
import type { Clock, DatagramSource, Entropy, Log, Multicast, Timer } from '../platform.js';
import { Announcer } from './announcer.js';
import { type DnsMessage, decodeMessage, encodeMessage, isResponse } from './message.js';
import { type Name, nameKey, nameOf } from './name.js';
import type { AddressRecord } from './records.js';
import { answersTo, isOnLink, legacyResponse, MDNS_PORT, multicastResponse, unicastResponse, type Zone } from './responder.js';
import {
  addressRecords,
  announcementMessage,
  goodbyeMessage,
  instanceName,
  lastGoodbyeMessage,
  type RecordPolicy,
  type ServiceDefinition,
  type ServiceRecords,
  serviceRecords,
} from './service.js';
import { randomDelay } from './timing.js';

export interface AdvertiserOptions {
  /** Started and closed by the advertiser. */
  readonly multicast: Multicast;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** `mash-1a2b3c4d.local`, see `hostName`. */
  readonly hostName: string;
  readonly policy: RecordPolicy;
}

/** A service as others see it now. */
export interface Published {
  /** Other port or TXT under the same instance name: announced again. */
  update(service: Pick<ServiceDefinition, 'port' | 'txt'>): void;
  /** Says goodbye. Idempotent; without effect once the same instance has been published anew. */
  withdraw(): void;
}

interface Entry {
  service: ServiceDefinition;
  readonly announcer: Announcer;
  published: boolean;
}

/** Instances published, or withdrawn within the last second. */
const ENTRY_MAXIMUM = 64;
/** Records of one service without the addresses, bytes. */
const SERVICE_MAXIMUM = 4000;
/** Answers that wait for their delay. */
const PENDING_MAXIMUM = 128;
/** Longest wait of `close` for the sockets, ms. */
const CLOSE_MAXIMUM = 1000;

/**
 * Publishes DNS-SD services over Multicast DNS and answers for them. Network trouble is logged, never thrown.
 * Probing, conflicts, rate limits and truncated queries are not handled.
 */
export class Advertiser {
  readonly #options: AdvertiserOptions;
  readonly #log: Log;
  readonly #host: Name;
  readonly #entries = new Map<string, Entry>();
  readonly #pending = new Map<string, Timer>();
  #state: 'new' | 'running' | 'closed' = 'new';
  #announced = false;
  #closing: Promise<void> | undefined;
  /** Packets dropped: not decodable, or more answers than can wait. */
  readonly counters = { malformed: 0, overflow: 0 };

  constructor(options: AdvertiserOptions) {
    this.#options = options;
    this.#log = options.log.scoped('discovery');
    this.#host = nameOf(options.hostName);
  }

  /** Opens the sockets and announces what has been published. Rejects with ConfigError alone. */
  async start(): Promise<void> {
    await this.#options.multicast.start({
      onPacket: (packet, source) => this.#onPacket(packet, source),
      onInterfaces: () => this.#announceAll(),
      onError: (interfaceName, reason) => this.#log.warn('multicast failed', { interface: interfaceName, reason }),
    });
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#announceAll();
  }

  /**
   * Announces the service at once, on every interface; an instance already published is replaced.
   * Throws RangeError for a definition that DNS cannot carry, and for too many. After `close` nothing is sent.
   */
  publish(service: ServiceDefinition): Published {
    this.#check(service);
    const key = nameKey(instanceName(service));
    this.#entries.get(key)?.announcer.stop();
    this.#entries.delete(key);
    if (this.#entries.size >= ENTRY_MAXIMUM) throw new RangeError(`discovery: more than ${ENTRY_MAXIMUM} services`);
    const entry: Entry = {
      service,
      published: true,
      announcer: new Announcer(
        this.#options.clock,
        () => this.#sendAbout(entry.service, announcementMessage),
        () => this.#sendAbout(entry.service, goodbyeMessage),
        () => this.#entries.delete(key),
      ),
    };
    if (this.#state !== 'closed') this.#entries.set(key, entry);
    if (this.#state === 'running') entry.announcer.announce();
    const isCurrent = (): boolean => this.#entries.get(key) === entry && entry.published;
    return {
      update: ({ port, txt }) => {
        const changed = { ...entry.service, port, txt };
        this.#check(changed);
        if (!isCurrent()) return;
        entry.service = changed;
        if (this.#state === 'running') entry.announcer.announce();
      },
      withdraw: () => {
        if (!isCurrent()) return;
        entry.published = false;
        if (this.#state === 'running') entry.announcer.leave();
        else this.#entries.delete(key);
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
    const announced = this.#announced;
    this.#state = 'closed';
    for (const timer of this.#pending.values()) timer.cancel();
    this.#pending.clear();
    const leaving = [...this.#entries.values()];
    this.#entries.clear();
    for (const { announcer } of leaving) announcer.stop();
    if (announced) for (const { service } of leaving) this.#sendAbout(service, lastGoodbyeMessage);
    if (announced && leaving.length === 0) this.#sendToAll((addresses) => lastGoodbyeMessage(undefined, addresses));
    let deadline: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      deadline = this.#options.clock.after('MDNS_CLOSE', CLOSE_MAXIMUM, resolve);
    });
    await Promise.race([this.#options.multicast.close(), late]);
    deadline?.cancel();
  }

  #check(service: ServiceDefinition): void {
    const length = encodeMessage(announcementMessage(serviceRecords(service, this.#host, this.#options.policy), [])).length;
    if (length > SERVICE_MAXIMUM) throw new RangeError(`discovery: the records of ${service.instance} take ${length} bytes`);
  }

  #announceAll(): void {
    if (this.#state !== 'running') return;
    for (const entry of this.#entries.values()) if (entry.published) entry.announcer.announce();
  }

  #sendAbout(service: ServiceDefinition, build: (records: ServiceRecords, addresses: readonly AddressRecord[]) => DnsMessage): void {
    const records = serviceRecords(service, this.#host, this.#options.policy);
    this.#sendToAll((addresses) => build(records, addresses));
  }

  /** One packet an interface; an interface without an address that may be published has nothing to say. */
  #sendToAll(build: (addresses: readonly AddressRecord[]) => DnsMessage): void {
    const { multicast, policy } = this.#options;
    for (const on of multicast.interfaces()) {
      const addresses = addressRecords(this.#host, on, policy);
      if (addresses.length === 0) continue;
      this.#announced = true;
      multicast.send(on.name, encodeMessage(build(addresses)));
    }
  }

  #onPacket(packet: Uint8Array, source: DatagramSource): void {
    if (this.#state !== 'running' || isResponse(packet)) return;
    let query: DnsMessage;
    try {
      query = decodeMessage(packet);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.counters.malformed++;
      this.#log.debug('query dropped', { from: source.address, interface: source.interfaceName, reason: error.message });
      return;
    }
    this.#answer(query, source);
  }

  #zone(): Zone {
    const services = [...this.#entries.values()].filter((entry) => entry.published).map((entry) => entry.service);
    return { host: this.#host, services, policy: this.#options.policy };
  }

  #answer(query: DnsMessage, source: DatagramSource): void {
    const { multicast } = this.#options;
    const on = multicast.interfaces().find((candidate) => candidate.name === source.interfaceName);
    if (on === undefined) return;
    const answers = answersTo(query, this.#zone(), on);
    if (answers.length === 0) return;
    const onLink = isOnLink(source, on);
    if (source.port !== MDNS_PORT) {
      const response = onLink ? legacyResponse(query, answers) : undefined;
      if (response !== undefined) multicast.send(on.name, encodeMessage(response), source);
      return;
    }
    // RFC 6762 §5.4. A unicast answer leaves without delay: it can collide with nobody's.
    if (onLink && query.questions.every((question) => question.unicast)) {
      for (const answer of answers) multicast.send(on.name, encodeMessage(unicastResponse(query, answer)), source);
      return;
    }
    for (const answer of answers) {
      if (answer.shared) this.#answerLater(query, answer.key, on.name);
      else multicast.send(on.name, encodeMessage(multicastResponse(answer)));
    }
  }

  /** An answer already waiting serves this query too. It is made when it leaves, so that it never tells of a service withdrawn meanwhile. */
  #answerLater(query: DnsMessage, key: string, interfaceName: string): void {
    const { clock, entropy, multicast } = this.#options;
    const slot = `${interfaceName} ${key}`;
    if (this.#pending.has(slot)) return;
    if (this.#pending.size >= PENDING_MAXIMUM) {
      this.counters.overflow++;
      return;
    }
    const timer = clock.after('MDNS_RESPONSE', randomDelay(entropy), () => {
      this.#pending.delete(slot);
      const on = multicast.interfaces().find((candidate) => candidate.name === interfaceName);
      const answer = on && answersTo(query, this.#zone(), on).find((candidate) => candidate.key === key);
      if (answer !== undefined) multicast.send(interfaceName, encodeMessage(multicastResponse(answer)));
    });
    this.#pending.set(slot, timer);
  }
}
