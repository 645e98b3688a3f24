import type { Clock, DatagramSource, Entropy, NetworkInterface } from '../platform.js';
import { type History, saidBy } from './history.js';
import { Later } from './later.js';
import type { DnsMessage, DnsQuestion } from './message.js';
import { type Answer, packed, packedApart } from './packing.js';
import { PendingAnswers, type Promised } from './pending.js';
import { recordKey } from './records.js';
import { answersAgainst, answersNow, answersTo, legacyResponse, MDNS_PORT, type Zone } from './responder.js';
import { LONGEST_DELAY, randomDelay, SHORTEST_DELAY } from './timing.js';
import { TruncatedQueries } from './truncated.js';

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

/** Answers the queries that arrive on one link: when, to whom, and what of it is not said (RFC 6762 §5.4, §6, §7). */
export class Answerer {
  readonly #parts: AnswererParts;
  readonly #pending: PendingAnswers;
  /** Answers to probes, which wait for a quarter of a second at most. */
  readonly #defences: PendingAnswers;
  readonly #unicasts: Later;
  readonly #truncated: TruncatedQueries;
  readonly #sources = new Map<string, DatagramSource>();

  constructor(parts: AnswererParts) {
    const { clock, entropy } = parts;
    const overflow = (): void => parts.overflow();
    this.#parts = parts;
    this.#pending = new PendingAnswers(clock, overflow, (promised) => this.#say(promised, false));
    this.#defences = new PendingAnswers(clock, overflow, (promised) => this.#say(promised, true));
    this.#unicasts = new Later(clock, overflow);
    this.#truncated = new TruncatedQueries(clock, entropy, (query, sender) => {
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
    for (const { key, answers } of answersNow(this.#pending.promised, zone, this.#parts.on()))
      for (const record of answers) if (saidBy(response, record)) this.#pending.drop(key, recordKey(record));
  }

  close(): void {
    this.#pending.close();
    this.#defences.close();
    this.#unicasts.close();
    this.#truncated.close();
    this.#sources.clear();
  }

  /** `waited`: for more known answers, which is delay enough (RFC 6762 §6). */
  #answer(query: DnsMessage, source: DatagramSource, waited = false): void {
    // Nobody defends a name that is not its own yet.
    const zone = this.#parts.zone(query.authorities.length > 0);
    if (zone === undefined) return;
    const to = (questions: readonly DnsQuestion[]): readonly Answer[] =>
      questions.length === 0 ? [] : answersTo({ ...query, questions }, zone, this.#parts.on());
    const delays = waited ? 'none' : query.questions.length > 1 ? 'always' : 'usual';
    if (source.port !== MDNS_PORT) {
      this.#answerLegacy(query, to(query.questions), source, delays);
      return;
    }
    // §5.4 and §5.5: by its QU bit, or because the query itself came by unicast.
    const isWelcome = (question: DnsQuestion): boolean => question.unicast || source.unicast === true;
    // RFC 6762 §8.1: a probe carries what it proposes as authority; it is answered at once.
    if (query.authorities.length > 0) {
      this.#defend(to(query.questions), query, query.questions.every(isWelcome) ? source : undefined);
      return;
    }
    const welcome = to(query.questions.filter(isWelcome));
    const isRecent = (answer: Answer): boolean => answer.answers.every((record) => this.#parts.history.isRecent(record));
    this.#unicast(welcome.filter(isRecent), query.id, source, delays);
    const rare = welcome.filter((answer) => !isRecent(answer));
    this.#multicast([...rare, ...to(query.questions.filter((question) => !isWelcome(question)))], delays);
  }

  #answerLegacy(query: DnsMessage, answers: readonly Answer[], source: DatagramSource, delays: Delays): void {
    if (answers.length === 0) return;
    this.#unicasts.after(this.#delayOf(answers, delays), () => {
      const zone = this.#parts.zone();
      const now = zone === undefined ? [] : answersTo(query, zone, this.#parts.on());
      const response = now.length === 0 ? undefined : legacyResponse(query, now);
      if (response !== undefined) this.#parts.send(response, source);
    });
  }

  /** RFC 6762 §5.4: unicast answers wait as multicast ones do: many hosts answer the same querier. */
  #unicast(answers: readonly Answer[], id: number, source: DatagramSource, delays: Delays): void {
    if (answers.length === 0) return;
    const promised = new Map(answers.map((answer) => [answer.key, new Set(answer.answers.map(recordKey))]));
    this.#unicasts.after(this.#delayOf(answers, delays), () => {
      const zone = this.#parts.zone();
      if (zone === undefined) return;
      for (const message of this.#packed(answersNow(promised, zone, this.#parts.on()), id)) this.#parts.send(message, source);
    });
  }

  /**
   * By multicast, so that everyone at port 5353 of the prober's machine hears it, at most every 250 ms; in between by unicast where the prober asked for
   * that (`to`), else when the time has come.
   */
  #defend(answers: readonly Answer[], query: DnsMessage, to: DatagramSource | undefined): void {
    const { clock, send } = this.#parts;
    const pauseOf = (answer: Answer): number => this.#pauseOf(answer, true);
    const [free, said] = [answers.filter((answer) => pauseOf(answer) === 0), answers.filter((answer) => pauseOf(answer) > 0)];
    for (const message of packed(free)) send(message);
    if (to !== undefined) for (const message of packed(said, query.id)) send(message, to);
    else for (const answer of said) this.#defences.put(answer, clock.now() + pauseOf(answer));
  }

  /** RFC 6762 §6: unique records at once, shared ones after 20…120 ms; none within a second of the last time. */
  #multicast(answers: readonly Answer[], delays: Delays): void {
    const { clock, entropy, send } = this.#parts;
    const isNow = (answer: Answer): boolean => !waits(answer, delays) && this.#pauseOf(answer) === 0;
    const [now, later] = [answers.filter(isNow), answers.filter((answer) => !isNow(answer))];
    for (const message of this.#packed(now)) send(message);
    const delay = randomDelay(entropy);
    for (const answer of later) {
      const own = waits(answer, delays) ? (this.#aggregates ? delay : randomDelay(entropy)) : 0;
      const pause = this.#pauseOf(answer);
      const company = this.#aggregates ? this.#pending.dueWithin(Math.max(pause, SHORTEST_DELAY), LONGEST_DELAY) : undefined;
      this.#pending.put(answer, company ?? clock.now() + Math.max(own, pause));
    }
  }

  /** What is due; what has been multicast meanwhile, with an announcement or as a defence, waits again. */
  #say(promised: Promised, toProbe: boolean): void {
    const { clock, on, send } = this.#parts;
    const zone = this.#parts.zone();
    if (zone === undefined) return;
    const answers = answersNow(promised, zone, on());
    const isDue = (answer: Answer): boolean => this.#pauseOf(answer, toProbe) === 0;
    const [due, early] = [answers.filter(isDue), answers.filter((answer) => !isDue(answer))];
    for (const message of this.#packed(due)) send(message);
    const waiting = toProbe ? this.#defences : this.#pending;
    for (const answer of early) waiting.put(answer, clock.now() + this.#pauseOf(answer, toProbe));
  }

  /** Ms until all of it may be multicast again. */
  #pauseOf(answer: Answer, toProbe = false): number {
    return Math.max(0, ...answer.answers.map((record) => this.#parts.history.pause(record, toProbe)));
  }

  #delayOf(answers: readonly Answer[], delays: Delays): number {
    return answers.some((answer) => waits(answer, delays)) ? randomDelay(this.#parts.entropy) : 0;
  }

  get #aggregates(): boolean {
    return this.#parts.zone()?.policy.aggregate ?? true;
  }

  #packed(answers: readonly Answer[], id = 0): readonly DnsMessage[] {
    return this.#aggregates ? packed(answers, id) : packedApart(answers, id);
  }
}

function waits(answer: Answer, delays: Delays): boolean {
  return delays === 'always' || (delays === 'usual' && answer.shared);
}

function senderOf(source: DatagramSource): string {
  return `${source.address} ${source.port}`;
}
