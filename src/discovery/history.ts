import type { Clock } from '../platform.js';
import type { DnsMessage } from './message.js';
import { type DnsRecord, recordKey } from './records.js';

/** RFC 6762 §6: a record is not multicast again on an interface within a second; 250 ms where it answers a probe. */
const REPEAT = 1000;
const REPEAT_TO_PROBE = 250;
/** Records remembered; more than a device of sixteen zones has. */
const RECORD_MAXIMUM = 512;

/** When we last multicast each record on one link. */
export class History {
  readonly #clock: Clock;
  readonly #times = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(records: readonly DnsRecord[]): void {
    for (const record of records) {
      const key = recordKey(record);
      this.#times.delete(key);
      const [oldest] = this.#times.keys();
      if (oldest !== undefined && this.#times.size >= RECORD_MAXIMUM) this.#times.delete(oldest);
      if (record.ttl > 0) this.#times.set(key, this.#clock.now());
    }
  }

  /** Ms until the record may be multicast again: 0 after exactly so long, whatever the fractions of the clock. */
  pause(record: DnsRecord, toProbe = false): number {
    const free = this.#time(record) + (toProbe ? REPEAT_TO_PROBE : REPEAT);
    return Math.max(0, free - this.#clock.now());
  }

  /** §5.4: "If the responder has not multicast that record recently (within one quarter of its TTL), then the responder SHOULD instead multicast". */
  isRecent(record: DnsRecord): boolean {
    return this.#clock.now() - this.#time(record) < (record.ttl * 1000) / 4;
  }

  #time(record: DnsRecord): number {
    return this.#times.get(recordKey(record)) ?? Number.NEGATIVE_INFINITY;
  }
}

/** Packets remembered, and for how long, ms. */
const ECHO_MAXIMUM = 32;
const ECHO_LIFE = 5000;

/**
 * What was sent lately, on all interfaces: loop-back, a bridge between two of our links or a reflector brings it back to us, perhaps after
 * what it says has changed, and that is no conflict.
 */
export class Echoes {
  readonly #clock: Clock;
  #sent: { readonly packet: Uint8Array; readonly at: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(packet: Uint8Array): void {
    const now = this.#clock.now();
    this.#sent = [...this.#sent.filter(({ at }) => now - at < ECHO_LIFE), { packet, at: now }].slice(-ECHO_MAXIMUM);
  }

  has(packet: Uint8Array): boolean {
    return this.#sent.some(({ packet: own }) => own.length === packet.length && own.every((byte, i) => byte === packet[i]));
  }
}

/** §7.4: what another responder has just multicast, with a TTL no lower than ours, need not be said again. */
export function saidBy(response: DnsMessage, ours: DnsRecord): boolean {
  const key = recordKey(ours);
  return response.answers.some((record) => record.ttl >= ours.ttl && recordKey(record) === key);
}
