import type { Clock, DatagramSource, Log, Multicast, NetworkInterface } from '../platform.js';
import { type GateRule, type PacketCounters, PacketGate } from './gate.js';
import { ANSWER_LIMIT, PacketLimit, QUERY_LIMIT } from './limits.js';
import { type DnsMessage, isResponse } from './message.js';
import { MDNS_PORT } from './responder.js';

interface InterfaceLimits {
  readonly answers: PacketLimit;
  readonly queries: PacketLimit;
}

export interface IntakeParts {
  readonly multicast: Multicast;
  readonly clock: Clock;
  readonly log: Log;
  /** Hashes of what is looked for and of what is cached. */
  readonly names: { has(hash: number): boolean };
  isOwn(packet: Uint8Array, source: DatagramSource): boolean;
}

/** Further packets of a truncated query have no question: they tell nothing here. */
const NEVER = (): boolean => false;

/** What a browser takes in. Queries and answers have an allowance each, on each interface: a storm of the ones does not silence the others. */
export class Intake {
  readonly #parts: IntakeParts;
  readonly #gate: PacketGate;
  readonly #rule: GateRule;
  readonly #limits = new Map<string, InterfaceLimits>();

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#gate = new PacketGate(parts.log);
    this.#rule = { names: parts.names, children: true, isOwn: (packet, source) => parts.isOwn(packet, source) };
  }

  get counters(): PacketCounters {
    return this.#gate.counters;
  }

  /** The packet as a message; undefined for one that is not let in. */
  admit(packet: Uint8Array, source: DatagramSource): DnsMessage | undefined {
    // RFC 6762 §6: a response from another port than 5353 is ignored; a query from one comes from a legacy resolver, and tells nothing.
    if (source.port !== MDNS_PORT) return undefined;
    const on = this.#parts.multicast.interfaces().find(({ name }) => name === source.interfaceName);
    if (on === undefined) return undefined;
    const { answers, queries } = this.#limitsOf(on);
    const limit = isResponse(packet) ? answers : queries;
    return this.#gate.admit(packet, source, { on, limit, continues: NEVER }, this.#rule);
  }

  /** Interfaces that are gone need no allowance. */
  keepInterfaces(names: ReadonlySet<string>): void {
    for (const name of this.#limits.keys()) if (!names.has(name)) this.#limits.delete(name);
  }

  #limitsOf({ name }: NetworkInterface): InterfaceLimits {
    const { clock } = this.#parts;
    const limits = this.#limits.get(name) ?? {
      answers: new PacketLimit(clock, ANSWER_LIMIT),
      queries: new PacketLimit(clock, QUERY_LIMIT),
    };
    this.#limits.set(name, limits);
    return limits;
  }
}
