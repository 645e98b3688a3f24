import { Advertiser, type Published } from '../discovery/advertiser.js';
import { commissionableService, commissionableUdpService, hostName, operationalService } from '../discovery/mash-services.js';
import { recordPolicy, type ServiceDefinition } from '../discovery/service.js';
import type { BoardDefinition } from '../model/board.js';
import type { DeviceModel } from '../model/model.js';
import type { Clock, Crypto, Log, Multicast } from '../platform.js';
import type { Profile } from '../profile.js';
import type { Zone } from '../zones/zone.js';
import type { DeviceIdentity } from './identity.js';

export interface DeviceServicesParts {
  readonly profile: Profile;
  readonly board: BoardDefinition;
  readonly identity: DeviceIdentity;
  readonly firmware: string;
  readonly model: DeviceModel;
  readonly multicast: Multicast;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log: Log;
  /** `conflicts` changed. */
  onConflict(): void;
}

/** What the device publishes in each of its states (protocol.md §2.16). */
export class DeviceServices {
  readonly #parts: DeviceServicesParts;
  readonly #advertiser: Advertiser;
  readonly #operational = new Map<string, Published>();
  #commissionable: readonly Published[] = [];

  constructor(parts: DeviceServicesParts) {
    const { profile, multicast, clock, crypto, log, identity, onConflict } = parts;
    this.#parts = parts;
    const policy = recordPolicy(profile['discovery.records'], profile['discovery.ipv4'] === 'on');
    this.#advertiser = new Advertiser({
      multicast,
      clock,
      entropy: crypto,
      log,
      hostName: hostName(identity.hostSeed),
      policy,
      onConflict,
    });
  }

  /** Instances of ours that another device on some link has; they are not published there. */
  get conflicts(): readonly string[] {
    return this.#advertiser.conflicts;
  }

  start(): Promise<void> {
    return this.#advertiser.start();
  }

  /** Goodbyes, then the sockets. Idempotent. */
  close(): Promise<void> {
    return this.#advertiser.close();
  }

  /** What `openWindow` publishes. */
  commissionable(port: number): readonly ServiceDefinition[] {
    const { profile, board, identity } = this.#parts;
    const form = profile['discovery.records'];
    const { discriminator, serialNumber: serial } = identity;
    const { vendorId, productId, deviceType, categories: category, brand, model } = board;
    const services = [commissionableService({ discriminator, category, serial, brand, model, port }, form)];
    if (form === 'draft') services.push(commissionableUdpService({ discriminator, vendorId, productId, deviceType, port }));
    return services;
  }

  /** What `addZone` publishes. */
  operational(zone: Pick<Zone, 'id' | 'deviceId'>, port: number): ServiceDefinition {
    const { board, model, firmware, profile } = this.#parts;
    const { vendorId, productId } = board;
    const data = { zoneId: zone.id, deviceId: zone.deviceId, vendorId, productId, firmware, endpoints: model.endpoints.length };
    return operationalService({ ...data, featureMap: model.featureMap, port }, profile['discovery.records']);
  }

  /** Both commissionable services while the window is open; in the records of `reference` the first alone. */
  openWindow(port: number): void {
    this.closeWindow();
    this.#commissionable = this.commissionable(port).map((service) => this.#advertiser.publish(service));
  }

  closeWindow(): void {
    for (const service of this.#commissionable) service.withdraw();
    this.#commissionable = [];
  }

  addZone(zone: Zone, port: number): void {
    this.#operational.set(zone.id, this.#advertiser.publish(this.operational(zone, port)));
  }

  removeZone(zone: Zone): void {
    this.#operational.get(zone.id)?.withdraw();
    this.#operational.delete(zone.id);
  }
}
