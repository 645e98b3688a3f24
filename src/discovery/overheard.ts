import type { Clock } from '../platform.js';
import type { RecordCache } from './cache.js';
import type { DnsMessage, DnsQuestion } from './message.js';
import { nameKey } from './name.js';
import { type DnsRecord, recordKey } from './records.js';

/** A question asked by somebody else this recently is as good as ours: its answer goes to the group. */
const AS_GOOD_AS_OURS = 1000;
/** Questions of others kept in mind. */
const QUESTION_MAXIMUM = 256;

interface Asked {
  readonly at: number;
  /** Keys of the answers that the querier knew. */
  readonly known: ReadonlySet<string>;
}

/**
 * What the queries of other hosts say: which of our own need not be sent (RFC 6762 §7.3), and which cached records nobody answers for any more
 * (§10.5).
 */
export class Overheard {
  readonly #clock: Clock;
  readonly #cache: RecordCache;
  readonly #asked = new Map<string, Asked>();

  constructor(clock: Clock, cache: RecordCache) {
    this.#clock = clock;
    this.#cache = cache;
  }

  /** A query of another host. True when the life of a cached record has changed. */
  onQuery({ questions, answers, truncated }: DnsMessage, interfaceName: string): boolean {
    // More known answers follow a truncated query: nobody can tell yet what it lacks.
    if (truncated) return false;
    const known = new Set(answers.map(recordKey));
    let changed = false;
    for (const question of questions) {
      // The answer to a QU question may go to the querier alone.
      if (question.unicast) continue;
      const key = keyOf(question, interfaceName);
      this.#asked.delete(key);
      this.#asked.set(key, { at: this.#clock.now(), known });
      if (this.#asked.size > QUESTION_MAXIMUM) this.#asked.delete(this.#asked.keys().next().value as string);
      changed = this.#cache.unanswered(question, known, interfaceName) || changed;
    }
    return changed;
  }

  /** RFC 6762 §7.3: somebody has just asked this, and knew no answer that we would not have named, too. */
  isAsked(question: DnsQuestion, ours: readonly DnsRecord[], interfaceName: string): boolean {
    const asked = this.#asked.get(keyOf(question, interfaceName));
    if (asked === undefined || this.#clock.now() - asked.at >= AS_GOOD_AS_OURS) return false;
    const named = new Set(ours.map(recordKey));
    return [...asked.known].every((key) => named.has(key));
  }
}

function keyOf(question: DnsQuestion, interfaceName: string): string {
  return `${interfaceName} ${question.type} ${nameKey(question.name)}`;
}
