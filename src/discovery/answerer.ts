import type { Clock, DatagramSource, Entropy, NetworkInterface, Timer } from '../platform.js';
import { type History, saidBy } from './history.js';
import type { DnsMessage } from './message.js';
import { type Answer, packed, packedApart } from './packing.js';
import { recordKey } from './records.js';
import { answersAgainst, answersNow, answersTo, legacyResponse, MDNS_PORT, type Zone } from './responder.js';
import { LONGEST_DELAY, randomDelay, SHORTEST_DELAY } from './timing.js';
import { TruncatedQueries } from './truncated.js';

/** Answers that wait for their delay. */
const PENDING_MAXIMUM = 128;

export interface AnswererParts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly history: History;
  on(): NetworkInterface;
  /** What is ours on the link now; undefined while the host's name is not. `proved`: without what is still being probed for. */
  zone(proved?: boolean): Zone | undefined;
  send(message: DnsMessage, to?: DatagramSource): void;
  /** An answer more than can wait. */
  overflow(): void;
}

/** Who waits for 20…120 ms. RFC 6762 §6.3: "for query messages containing more than one question, all (non-defensive) answers". */
type Delays = 'none' | 'usual' | 'always';

interface Pending {
  /** `recordKey`s. */
  readonly keys: Set<string>;
  readonly due: number;
  readonly timer: Timer;
}

/** Answers the queries that arrive on one link: when, to whom, and what of it is not said (RFC 6762 §5.4, §6, §7). */
export class Answerer {
  readonly #parts: AnswererParts;
  readonly #pending = new Map<string, Pending>();
  readonly #truncated: TruncatedQueries;
  readonly #sources = new Map<string, DatagramSource>();

  constructor(parts: AnswererParts) {
    this.#parts = parts;
    this.#truncated = new TruncatedQueries(parts.clock, parts.entropy, (query, sender) => {
      const source = this.#sources.get(sender);
      this.#sources.delete(sender);
      if (source !== undefined) this.#answer(query, source, true);
    });
  }

  /** RFC 6762 §7.2: known answers without a question continue a query of the same sender. */
  continues(source: DatagramSource): boolean {
    return this.#truncated.awaits(senderOf(source));
  }

  onQuery(query: DnsMessage, source: DatagramSource): void {
    const sender = senderOf(source);
    const whole = this.#truncated.take(query, sender);
    if (whole === undefined) this.#sources.set(sender, source);
    else this.#sources.delete(sender);
    if (whole !== undefined) this.#answer(whole, source);
  }

  /**
   * RFC 6762 §7.4: "this host SHOULD treat its own answer as having been sent". §6.6: "If the TTL of B's resource record given in the message is less
   * than half the true TTL from A's point of view, then A MUST mark its record to be announced via multicast."
   */
  onResponse(response: DnsMessage): void {
    const proved = this.#parts.zone(true);
    if (proved !== undefined) this.#multicast(answersAgainst(response, proved, this.#parts.on()), 'usual');
    const zone = this.#parts.zone();
    if (zone === undefined) return;
    for (const [key, { keys }] of this.#pending) {
      const promised = new Map([[key, keys]]);
      for (const { answers } of answersNow(promised, zone, this.#parts.on()))
        for (const record of answers) if (saidBy(response, record)) keys.delete(recordKey(record));
    }
  }

  close(): void {
    for (const { timer } of this.#pending.values()) timer.cancel();
    this.#pending.clear();
    this.#truncated.close();
    this.#sources.clear();
  }

  /** `waited`: for more known answers, which is delay enough (RFC 6762 §6). */
  #answer(query: DnsMessage, source: DatagramSource, waited = false): void {
    const { send, history } = this.#parts;
    // Nobody defends a name that is not its own yet.
    const zone = this.#parts.zone(query.authorities.length > 0);
    if (zone === undefined) return;
    const to = (questions: DnsMessage['questions']): readonly Answer[] =>
      questions.length === 0 ? [] : answersTo({ ...query, questions }, zone, this.#parts.on());
    if (source.port !== MDNS_PORT) {
      const answers = to(query.questions);
      const response = answers.length === 0 ? undefined : legacyResponse(query, answers);
      if (response !== undefined) send(response, source);
      return;
    }
    // RFC 6762 §8.1: a probe carries what it proposes as authority; it is answered at once.
    if (query.authorities.length > 0) {
      this.#defend(to(query.questions), query, source);
      return;
    }
    const welcome = to(query.questions.filter((question) => question.unicast));
    const isRecent = (answer: Answer): boolean => answer.answers.every((record) => history.isRecent(record));
    // §5.4. A unicast answer leaves without delay: it can collide with nobody's.
    const rare = welcome.filter((answer) => !isRecent(answer));
    for (const message of this.#packed(welcome.filter(isRecent), query.id)) send(message, source);
    const usual = waited ? 'none' : query.questions.length > 1 ? 'always' : 'usual';
    this.#multicast([...rare, ...to(query.questions.filter((question) => !question.unicast))], usual);
  }

  /** By multicast, so that everyone at port 5353 of the prober's machine hears it; by unicast what was multicast within 250 ms. */
  #defend(answers: readonly Answer[], query: DnsMessage, source: DatagramSource): void {
    const { history, send } = this.#parts;
    const isFree = (answer: Answer): boolean => answer.answers.every((record) => history.pause(record, true) === 0);
    const [free, said] = [answers.filter(isFree), answers.filter((answer) => !isFree(answer))];
    for (const message of packed(free)) send(message);
    for (const message of packed(said, query.id)) send(message, source);
  }

  /** RFC 6762 §6: unique records at once, shared ones after 20…120 ms; none within a second of the last time. */
  #multicast(answers: readonly Answer[], delays: Delays): void {
    const { clock, entropy, history, send } = this.#parts;
    const waits = (answer: Answer): boolean => delays === 'always' || (delays === 'usual' && answer.shared);
    const isNow = (answer: Answer): boolean => !waits(answer) && answer.answers.every((record) => history.pause(record) === 0);
    const [now, later] = [answers.filter(isNow), answers.filter((answer) => !isNow(answer))];
    for (const message of this.#packed(now)) send(message);
    const delay = randomDelay(entropy);
    for (const answer of later) {
      const own = waits(answer) ? (this.#aggregates ? delay : randomDelay(entropy)) : 0;
      const pause = Math.max(0, ...answer.answers.map((record) => history.pause(record)));
      const company = this.#aggregates ? this.#dueWithin(Math.max(pause, SHORTEST_DELAY), LONGEST_DELAY) : undefined;
      this.#later(answer, company ?? clock.now() + Math.max(own, pause));
    }
  }

  /** RFC 6762 §6.4: when something else leaves, `shortest`…`longest` ms from now. */
  #dueWithin(shortest: number, longest: number): number | undefined {
    const now = this.#parts.clock.now();
    return [...this.#pending.values()].map(({ due }) => due).find((due) => due >= now + shortest && due <= now + longest);
  }

  /** An answer already waiting serves this query too. */
  #later(answer: Answer, due: number): void {
    const keys = answer.answers.map(recordKey);
    const waiting = this.#pending.get(answer.key);
    if (waiting !== undefined) {
      for (const key of keys) waiting.keys.add(key);
      return;
    }
    if (this.#pending.size >= PENDING_MAXIMUM) {
      this.#parts.overflow();
      return;
    }
    const { clock } = this.#parts;
    const timer = clock.after('MDNS_RESPONSE', due - clock.now(), () => this.#send(answer.key));
    this.#pending.set(answer.key, { keys: new Set(keys), due, timer });
  }

  /** Everything due. It is made when it leaves, so that it never tells of a service withdrawn meanwhile. */
  #send(first: string): void {
    const promised = new Map<string, ReadonlySet<string>>();
    const now = this.#parts.clock.now();
    for (const [key, { keys, due, timer }] of this.#pending) {
      if (key !== first && due > now) continue;
      timer.cancel();
      this.#pending.delete(key);
      promised.set(key, keys);
    }
    const zone = this.#parts.zone();
    if (zone !== undefined) for (const message of this.#packed(answersNow(promised, zone, this.#parts.on()))) this.#parts.send(message);
  }

  get #aggregates(): boolean {
    return this.#parts.zone()?.policy.aggregate ?? true;
  }

  #packed(answers: readonly Answer[], id = 0): readonly DnsMessage[] {
    return this.#aggregates ? packed(answers, id) : packedApart(answers, id);
  }
}

function senderOf(source: DatagramSource): string {
  return `${source.address} ${source.port}`;
}
