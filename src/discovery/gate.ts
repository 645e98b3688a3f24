import { PeerError } from '../errors.js';
import type { DatagramSource, Log, NetworkInterface } from '../platform.js';
import type { Echoes } from './history.js';
import type { PacketLimit } from './limits.js';
import { type DnsMessage, decodeMessage } from './message.js';
import { mentions } from './peek.js';
import { isOnLink } from './responder.js';

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

/** Lets in what concerns us. The cheapest test comes first: names, sender, our own packets, rates; only then is a packet decoded. */
export class PacketGate {
  readonly counters: PacketCounters = { malformed: 0, offLink: 0, limited: 0, overflow: 0 };
  readonly #echoes: Echoes;
  readonly #log: Log;

  constructor(echoes: Echoes, log: Log) {
    this.#echoes = echoes;
    this.#log = log;
  }

  /** The packet as a message; undefined for one that is not let in. `names` are `nameHashes`. */
  admit(packet: Uint8Array, source: DatagramSource, link: GatedLink, names: ReadonlySet<number>): DnsMessage | undefined {
    const concerns = mentions(packet, names);
    if (concerns === undefined) {
      this.counters.malformed++;
      return undefined;
    }
    if (!concerns && !link.continues(source)) return undefined;
    if (!isOnLink(source, link.on)) {
      this.counters.offLink++;
      return undefined;
    }
    if (this.#echoes.has(packet)) return undefined;
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
