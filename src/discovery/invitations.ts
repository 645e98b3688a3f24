import type { Clock } from '../platform.js';
import type { DnsMessage, DnsQuestion } from './message.js';
import { type Name, nameKey } from './name.js';

/** "e.g., sent within the last two seconds", ms. */
const LIFE = 2000;
/** Names remembered. */
const MAXIMUM = 256;

/**
 * RFC 6762 §6: "A Multicast DNS querier MUST only accept unicast responses if they answer a recently sent query (e.g., sent within the last two
 * seconds) that explicitly requested unicast responses."
 */
export class Invitations {
  readonly #clock: Clock;
  /** By interface and name, when it was last asked for. */
  readonly #asked = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** These questions leave; those that ask for a unicast answer count. */
  note(questions: readonly DnsQuestion[], interfaceName: string): void {
    for (const { name, unicast } of questions) {
      if (!unicast) continue;
      const key = keyOf(name, interfaceName);
      this.#asked.delete(key);
      this.#asked.set(key, this.#clock.now());
      if (this.#asked.size > MAXIMUM) this.#asked.delete(this.#asked.keys().next().value as string);
    }
  }

  /** True where one of the answers is about a name just asked for. */
  welcomes({ answers }: DnsMessage, interfaceName: string): boolean {
    const now = this.#clock.now();
    return answers.some(({ name }) => now - (this.#asked.get(keyOf(name, interfaceName)) ?? Number.NEGATIVE_INFINITY) <= LIFE);
  }
}

function keyOf(name: Name, interfaceName: string): string {
  return `${interfaceName} ${nameKey(name)}`;
}
