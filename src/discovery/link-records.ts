import type { NetworkInterface } from '../platform.js';
import type { Name } from './name.js';
import type { Answer } from './packing.js';
import type { AddressRecord, DnsRecord } from './records.js';
import type { Zone } from './responder.js';
import {
  addressGoodbye,
  addressRecords,
  announcement,
  goodbye,
  lastGoodbye,
  type RecordPolicy,
  type ServiceDefinition,
  type ServiceRecords,
  serviceRecords,
} from './service.js';

/** What is told of the host and its services on one link, as it is now. */
export class LinkRecords {
  readonly policy: RecordPolicy;
  on: NetworkInterface;
  host: Name;

  constructor(policy: RecordPolicy, on: NetworkInterface, host: Name) {
    this.policy = policy;
    this.on = on;
    this.host = host;
  }

  addresses(): readonly AddressRecord[] {
    return addressRecords(this.host, this.on, this.policy);
  }

  /** The records that nobody else may have. */
  unique(service: ServiceDefinition): readonly DnsRecord[] {
    const { srv, txt } = this.#of(service);
    return [srv, txt];
  }

  zone(services: readonly ServiceDefinition[]): Zone {
    return { host: this.host, services, policy: this.policy };
  }

  announcement(service: ServiceDefinition): Answer {
    return announcement(this.#of(service), this.addresses());
  }

  goodbye(service: ServiceDefinition): Answer {
    return goodbye(this.#of(service), this.addresses());
  }

  /** Of the host: `services` that it still has, and its addresses where they were told. */
  lastGoodbyes(services: readonly ServiceDefinition[], told: boolean): readonly Answer[] {
    const addresses = told ? this.addresses() : [];
    if (services.length === 0) return addresses.length === 0 ? [] : [lastGoodbye(undefined, addresses)];
    return services.map((service) => lastGoodbye(this.#of(service), addresses));
  }

  addressGoodbye(lost: readonly AddressRecord[]): Answer {
    return addressGoodbye(lost, this.addresses());
  }

  #of(service: ServiceDefinition): ServiceRecords {
    return serviceRecords(service, this.host, this.policy);
  }
}
