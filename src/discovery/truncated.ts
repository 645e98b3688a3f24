import type { Clock, Entropy, Timer } from '../platform.js';
import type { DnsMessage } from './message.js';

/** Senders whose further packets are awaited, and known answers kept of each. */
const SENDER_MAXIMUM = 16;
const ANSWER_MAXIMUM = 512;

interface Pending {
  query: DnsMessage;
  timer: Timer;
}

/**
 * Queries whose known answers take several packets. RFC 6762 §6: "responders SHOULD delay their responses by a random amount of time selected with
 * uniform random distribution in the range 400-500 ms"; §7.2: again from each packet with the TC bit on. The last one lacks it.
 */
export class TruncatedQueries {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #complete: (query: DnsMessage, sender: string) => void;
  readonly #pending = new Map<string, Pending>();

  /** `complete` gets the query with everything its sender knows, when the wait is over. */
  constructor(clock: Clock, entropy: Entropy, complete: (query: DnsMessage, sender: string) => void) {
    this.#clock = clock;
    this.#entropy = entropy;
    this.#complete = complete;
  }

  awaits(sender: string): boolean {
    return this.#pending.has(sender);
  }

  /** The query to answer now; undefined when more of it may come. */
  take(query: DnsMessage, sender: string): DnsMessage | undefined {
    const before = this.#pending.get(sender);
    if (before === undefined && !query.truncated) return query;
    before?.timer.cancel();
    this.#pending.delete(sender);
    const whole = before === undefined ? query : joined(before.query, query);
    if (!query.truncated) return whole;
    if (this.#pending.size >= SENDER_MAXIMUM) return whole;
    const delay = 400 + ((this.#entropy.bytes(1)[0] as number) * 100) / 255;
    const timer = this.#clock.after('MDNS_TRUNCATED', delay, () => {
      this.#pending.delete(sender);
      this.#complete(whole, sender);
    });
    this.#pending.set(sender, { query: whole, timer });
    return undefined;
  }

  close(): void {
    for (const { timer } of this.#pending.values()) timer.cancel();
    this.#pending.clear();
  }
}

function joined(first: DnsMessage, more: DnsMessage): DnsMessage {
  return {
    ...first,
    questions: [...first.questions, ...more.questions].slice(0, ANSWER_MAXIMUM),
    answers: [...first.answers, ...more.answers].slice(0, ANSWER_MAXIMUM),
  };
}
