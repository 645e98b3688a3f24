import type { Clock, DatagramSource, Entropy, Multicast, NetworkInterface } from '../platform.js';
import { Answerer } from './answerer.js';
import { Claim, type ClaimEffect, retryPause, TIE_PAUSE } from './claim.js';
import { heed, probes } from './claimed-name.js';
import type { ConflictLimit } from './conflicts.js';
import type { Echoes } from './history.js';
import { PacketLimit, RESPONDER_LIMIT } from './limits.js';
import { LinkNames } from './link-names.js';
import { LinkRecords } from './link-records.js';
import type { DnsMessage } from './message.js';
import { type Name, nameKey } from './name.js';
import { Outbox } from './outbox.js';
import { Prober } from './prober.js';
import { recordKey } from './records.js';
import { Registration } from './registration.js';
import { instanceName, type RecordPolicy, type ServiceDefinition } from './service.js';
import { Voice } from './voice.js';

export interface LinkParts {
  readonly multicast: Multicast;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly policy: RecordPolicy;
  readonly echoes: Echoes;
  readonly conflicts: ConflictLimit;
  /** `recordKey`s of the addresses that the host has on any interface: a bridge or a reflector brings them here, and they contradict nothing. */
  ownAddresses(): ReadonlySet<string>;
  /** Another host has the name. `setHost` is expected. */
  onHostTaken(host: Name): void;
  /** An instance is ours now. */
  onInstanceOurs(service: ServiceDefinition): void;
  /** An instance is somebody else's; a name in its place may be probed for in `pause` ms. */
  onInstanceTaken(service: ServiceDefinition, pause: number): void;
  /** An instance is ours, and the first announcement leaves. */
  onAnnounced(service: ServiceDefinition): void;
  onOverflow(): void;
}

/** The host and its services on one link: probes for their names, announces them, answers for them, says goodbye. */
export class LinkResponder {
  readonly limit: PacketLimit;
  readonly #parts: LinkParts;
  readonly #voice: Voice;
  readonly #answerer: Answerer;
  readonly #prober: Prober<string>;
  readonly #outbox: Outbox;
  readonly #records: LinkRecords;
  readonly #names: LinkNames;
  #announced = false;

  constructor(parts: LinkParts, on: NetworkInterface, host: Name) {
    const { clock, entropy, policy } = parts;
    this.#parts = parts;
    this.#voice = new Voice(parts, on.name);
    this.#records = new LinkRecords(policy, on, host);
    this.#names = new LinkNames(this.#records);
    this.#outbox = new Outbox(clock, policy.aggregate, (answers) => this.#voice.say(answers));
    this.limit = new PacketLimit(clock, RESPONDER_LIMIT);
    this.#prober = new Prober<string>(
      clock,
      entropy,
      (keys, run) => this.#probe(keys, run),
      (key) => this.#names.claimOf(key)?.on('silence'),
    );
    this.#answerer = new Answerer({
      clock,
      entropy,
      history: this.#voice.history,
      on: () => this.on,
      zone: (proved) => this.#names.zone(proved),
      send: (message, to) => this.#voice.send(message, to),
      overflow: () => parts.onOverflow(),
    });
  }

  get on(): NetworkInterface {
    return this.#records.on;
  }

  /** Probes for the instance in `pause` ms, unless it is known to be ours, and announces it; with other data, announces that. */
  publish(service: ServiceDefinition, pause = 0): void {
    const name = instanceName(service);
    const key = nameKey(name);
    const before = this.#names.registrations.get(key);
    if (before !== undefined && !before.leaving) {
      before.service = service;
      this.#announce(before);
      return;
    }
    if (before !== undefined) this.#forget(key, before);
    const { clock } = this.#parts;
    const registration = new Registration(clock, service, {
      claim: (effect) => this.#onInstance(key, registration, effect),
      announce: () =>
        this.#outbox.put(key, () => (this.#names.isOurs(registration) ? this.#records.announcement(registration.service) : undefined)),
      sayGoodbye: () => this.#outbox.put(key, () => this.#records.goodbye(registration.service)),
      gone: () => this.#forget(key, registration),
    });
    this.#names.registrations.set(key, registration);
    this.#claimHost();
    if (service.known === true) this.#announce(registration);
    else if (pause > 0) registration.claim.postpone(pause);
    else this.#prober.add(key);
  }

  /** Goodbye, repeated once; in silence what was never announced. */
  withdraw(key: string): void {
    const registration = this.#names.registrations.get(key);
    if (registration === undefined || registration.leaving) return;
    registration.leaving = true;
    this.#prober.remove(key);
    registration.claim.stop();
    if (this.#names.isTold(registration)) registration.announcer.leave();
    else this.#forget(key, registration);
  }

  /** The host has another name now: probed for, then everything is announced with it. */
  setHost(host: Name, pause: number): void {
    const { clock } = this.#parts;
    const before = this.#names.host;
    if (before?.state === 'owned') this.#voice.say(this.#records.lastGoodbyes([], this.#announced));
    before?.stop();
    this.#prober.remove(nameKey(this.#records.host));
    for (const { announcer, leaving } of this.#names.registrations.values()) if (!leaving) announcer.stop();
    this.#records.host = host;
    if (before === undefined) return;
    this.#names.host = new Claim(clock, 'waiting', (effect) => this.#onHost(effect));
    this.#names.host.wait(pause);
  }

  /** RFC 6762 §8.4, §10.1: goodbye for the addresses that are gone, beside those that stay; then everything is announced anew. */
  setAddresses(on: NetworkInterface): void {
    const before = this.#records.addresses();
    this.#records.on = on;
    const now = new Set(this.#records.addresses().map(recordKey));
    const lost = before.filter((record) => !now.has(recordKey(record)));
    if (this.#names.host?.state !== 'owned') return;
    if (lost.length > 0 && this.#announced) this.#voice.say([this.#records.addressGoodbye(lost)]);
    for (const registration of this.#names.registrations.values()) this.#announce(registration);
  }

  /** RFC 6762 §7.2: an otherwise empty packet of this sender belongs to its query. */
  continues(source: DatagramSource): boolean {
    return this.#answerer.continues(source);
  }

  receive(message: DnsMessage, source: DatagramSource): void {
    // RFC 6762 §18.3, §18.11.
    if (message.opcode !== 0 || message.rcode !== 0) return;
    const unicast = source.unicast === true;
    heed(message, this.#names.claims(), { alike: this.#parts.ownAddresses(), unicast, hasAsked: (key) => this.#prober.hasAsked(key) });
    // §6: what came by unicast unasked tells nothing.
    if (!message.response) this.#answerer.onQuery(message, source);
    else if (!unicast) this.#answerer.onResponse(message);
  }

  /** Goodbye for all, once; nothing is sent afterwards. */
  leave(): void {
    const leaving = [...this.#names.registrations.values()].filter((registration) => this.#names.isTold(registration));
    const told = this.#announced && this.#names.host?.state === 'owned';
    this.stop();
    const services = leaving.map(({ service }) => service);
    this.#voice.say(this.#records.lastGoodbyes(services, told));
  }

  /** The interface is gone. */
  stop(): void {
    this.#answerer.close();
    this.#prober.close();
    this.#outbox.close();
    this.#names.host?.stop();
    for (const registration of this.#names.registrations.values()) registration.stop();
    this.#names.registrations.clear();
  }

  #claimHost(): void {
    if (this.#names.host !== undefined) return;
    this.#names.host = new Claim(this.#parts.clock, 'probing', (effect) => this.#onHost(effect));
    this.#prober.add(nameKey(this.#records.host));
  }

  #onHost(effect: ClaimEffect): void {
    const key = nameKey(this.#records.host);
    const registrations = [...this.#names.registrations.values()];
    if (effect === 'announce') for (const registration of registrations) this.#announce(registration);
    else if (effect === 'probe') this.#prober.add(key);
    else this.#prober.remove(key);
    if (effect === 'retreat') for (const { announcer } of registrations) announcer.stop();
    if (effect === 'retreat') this.#names.host?.wait(this.#parts.conflicts.count());
    if (effect === 'pause') this.#names.host?.wait(TIE_PAUSE);
    if (effect === 'defer') this.#parts.onHostTaken(this.#records.host);
  }

  #onInstance(key: string, registration: Registration, effect: ClaimEffect): void {
    const { claim, announcer, service } = registration;
    const { conflicts, onInstanceOurs, onInstanceTaken } = this.#parts;
    if (effect === 'probe') this.#prober.add(key);
    else this.#prober.remove(key);
    if (effect === 'announce') {
      onInstanceOurs(service);
      this.#announce(registration);
    } else if (effect === 'retreat') {
      announcer.stop();
      claim.wait(conflicts.count());
    } else if (effect === 'pause') claim.wait(TIE_PAUSE);
    else if (effect === 'defer') {
      const pause = conflicts.count();
      claim.wait(Math.max(pause, retryPause(claim.refusals)));
      onInstanceTaken(service, pause);
    }
  }

  #announce(registration: Registration): void {
    if (!this.#names.isOurs(registration)) return;
    if (!registration.announced) this.#parts.onAnnounced(registration.service);
    registration.announced = true;
    this.#announced = true;
    registration.announcer.announce();
  }

  #forget(key: string, registration: Registration): void {
    registration.stop();
    this.#prober.remove(key);
    if (this.#names.registrations.get(key) === registration) this.#names.registrations.delete(key);
  }

  #probe(keys: readonly string[], run: number): void {
    const wanted = this.#names.claims().filter(({ name }) => keys.includes(nameKey(name)));
    for (const message of probes(wanted, run)) this.#voice.send(message);
  }
}
