import { PeerError } from '../errors.js';
import type { DatagramSource, Log, NetworkInterface } from '../platform.js';
import type { PacketLimit } from './limits.js';
import { type DnsMessage, decodeMessage, isResponse } from './message.js';
import { mentions } from './peek.js';
import { isOnLink, MDNS_PORT } from './responder.js';

/** Packets dropped: not decodable, from another link, above the rate limits; answers more than can wait. */
export interface PacketCounters {
  malformed: number;
  offLink: number;
  limited: number;
  overflow: number;
}

/** Where a packet arrives. */
export interface GatedLink {
  readonly on: NetworkInterface;
  readonly limit: PacketLimit;
  /** RFC 6762 §7.2: a packet of this sender without a question belongs to its query. */
  continues(source: DatagramSource): boolean;
}

/** What a gate lets in. */
export interface GateRule {
  /** Hashes of the names that concern us. */
  readonly names: { has(hash: number): boolean };
  /** The names with one label more concern us too. */
  readonly children?: boolean;
  /** A packet of our own that the network has brought back. */
  isOwn(packet: Uint8Array, source: DatagramSource): boolean;
}

/** Lets in what concerns us. The cheapest test comes first: names, sender, our own packets, rates; only then is a packet decoded. */
export class PacketGate {
  readonly counters: PacketCounters = { malformed: 0, offLink: 0, limited: 0, overflow: 0 };
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The packet as a message; undefined for one that is not let in. */
  admit(packet: Uint8Array, source: DatagramSource, link: GatedLink, rule: GateRule): DnsMessage | undefined {
    const concerns = mentions(packet, rule.names, rule.children);
    if (concerns === undefined) {
      this.counters.malformed++;
      return undefined;
    }
    if (!concerns && !link.continues(source)) return undefined;
    // RFC 6762 §6: responses from another port are silently ignored.
    if (isResponse(packet) && source.port !== MDNS_PORT) return undefined;
    // Stricter than RFC 6762 §11, which trusts whatever was sent to the group.
    if (!isOnLink(source, link.on)) {
      this.counters.offLink++;
      return undefined;
    }
    if (rule.isOwn(packet, source)) return undefined;
    if (!link.limit.admits(source.address)) {
      this.counters.limited++;
      return undefined;
    }
    try {
      return decodeMessage(packet);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.counters.malformed++;
      this.#log.debug('packet dropped', { from: source.address, interface: source.interfaceName, reason: error.message });
      return undefined;
    }
  }
}
