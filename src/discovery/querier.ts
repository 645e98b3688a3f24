import type { Clock, DatagramSource, Multicast } from '../platform.js';
import { parseAddress } from './address.js';
import type { CachedRecord, RecordCache } from './cache.js';
import type { IncompleteService } from './discovered.js';
import { Invitations } from './invitations.js';
import { type DnsMessage, type DnsQuestion, encodeMessage, queryMessage } from './message.js';
import { type Name, nameKey } from './name.js';
import type { Overheard } from './overheard.js';
import { grouped, PACKET_MAXIMUM } from './packing.js';
import { CLASS, type DnsRecord, TYPE, typeCode } from './records.js';
import { instanceName } from './service.js';

/** Own packets kept to be known again. */
const SENT_MAXIMUM = 16;
/** RFC 6762 §5.2: at least a second between the first two queries, then twice as long each time, at most an hour. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 3_600_000;

/** The pauses of a series of queries whose first one waits for `first` ms. */
export function pauses(first: number): (run: number) => number {
  return (run) => (run === 0 ? first : Math.min(FIRST_PAUSE * 2 ** (run - 1), LONGEST_PAUSE));
}

/** Writes the browser's queries, one packet an interface. */
export class Querier {
  readonly #multicast: Multicast;
  readonly #clock: Clock;
  readonly #cache: RecordCache;
  readonly #overheard: Overheard;
  readonly #invitations: Invitations;
  /** Questions of the last second that keep records alive. */
  readonly #refreshed = new Map<string, number>();
  /** The latest packets of our own, which come back to us. */
  readonly #sent: { readonly interfaceName: string; readonly packet: Uint8Array }[] = [];

  constructor(multicast: Multicast, clock: Clock, cache: RecordCache, overheard: Overheard) {
    this.#multicast = multicast;
    this.#clock = clock;
    this.#cache = cache;
    this.#overheard = overheard;
    this.#invitations = new Invitations(clock);
  }

  /** True for a unicast response that was asked for. */
  welcomes(response: DnsMessage, interfaceName: string): boolean {
    return this.#invitations.welcomes(response, interfaceName);
  }

  /** True for a query of ours that the network has looped back. */
  isOwn(packet: Uint8Array, { interfaceName, address }: DatagramSource): boolean {
    const bytes = parseAddress(address);
    const on = this.#multicast.interfaces().find(({ name }) => name === interfaceName);
    if (bytes === undefined || !on?.addresses.some((own) => sameBytes(own.bytes, bytes))) return false;
    return this.#sent.some((sent) => sent.interfaceName === interfaceName && sameBytes(sent.packet, packet));
  }

  /** Who offers a type (`_mash._tcp.local`)? */
  askForType(type: Name, run: number): void {
    const now = this.#clock.now();
    for (const on of this.#multicast.interfaces()) {
      // RFC 6762 §7.1: answers of which more than half the life is left are known, each with what is left.
      const known = this.#cache
        .find(type, 'PTR')
        .map(({ record, interfaceName, expiresAt }) => ({ record, interfaceName, left: Math.floor((expiresAt - now) / 1000) }))
        .filter(({ record, interfaceName, left }) => interfaceName === on.name && left > record.ttl / 2)
        .map(({ record, left }) => ({ ...record, flush: false, ttl: left }));
      this.#ask(on.name, [question(type, TYPE.PTR, this.#invites(run))], known);
    }
  }

  /** What keeps the instance from being complete? IPv4 addresses are asked for where the interface has one. */
  askForMissing(service: IncompleteService, run: number): void {
    const name = instanceName(service);
    const unicast = this.#invites(run);
    const host = this.#cache.find(name, 'SRV')[0]?.record.target;
    for (const on of this.#multicast.interfaces()) {
      const ipv4 = on.addresses.some((address) => address.family === 4);
      if (host === undefined) this.#ask(on.name, [question(name, TYPE.SRV, unicast), question(name, TYPE.TXT, unicast)]);
      else if (service.missing === 'txt') this.#ask(on.name, [question(name, TYPE.TXT, unicast)]);
      else this.#ask(on.name, [question(host, TYPE.AAAA, unicast), ...(ipv4 ? [question(host, TYPE.A, unicast)] : [])]);
    }
  }

  /** Do these still hold? Each is asked for where it was heard; one question a second serves every record of its name and type. */
  refresh(due: readonly CachedRecord[]): void {
    const now = this.#clock.now();
    for (const [key, at] of this.#refreshed) if (now - at >= FIRST_PAUSE) this.#refreshed.delete(key);
    for (const on of this.#multicast.interfaces()) {
      const questions: DnsQuestion[] = [];
      for (const { record } of due.filter(({ interfaceName }) => interfaceName === on.name)) {
        const key = `${on.name} ${typeCode(record)} ${nameKey(record.name)}`;
        if (this.#refreshed.has(key)) continue;
        this.#refreshed.set(key, now);
        questions.push(question(record.name, typeCode(record), false));
      }
      this.#ask(on.name, questions);
    }
  }

  /** RFC 6762 §5.4: the first question of a series may be answered by unicast, its repetitions not; §15.1: none where another process may get the answer. */
  #invites(run: number): boolean {
    return run === 0 && this.#multicast.alone === true;
  }

  #ask(interfaceName: string, wanted: readonly DnsQuestion[], answers: readonly DnsRecord[] = []): void {
    const questions = wanted.filter((one) => !this.#overheard.isAsked(one, answers, interfaceName));
    this.#invitations.note(questions, interfaceName);
    for (const { questions: some } of grouped(questions, (group) => queryMessage({ questions: group }))) {
      const [first, ...more] = divided(some, answers).map((message) => encodeMessage(message));
      if (first === undefined) continue;
      this.#sent.push({ interfaceName, packet: first });
      if (this.#sent.length > SENT_MAXIMUM) this.#sent.shift();
      for (const packet of [first, ...more]) this.#multicast.send(interfaceName, packet);
    }
  }
}

/** RFC 6762 §7.2: known answers that do not fit follow at once in packets without a question; each packet but the last has the TC bit. */
function divided(questions: readonly DnsQuestion[], answers: readonly DnsRecord[]): readonly DnsMessage[] {
  const lengthWith = (some: readonly DnsRecord[]): number => encodeMessage(queryMessage({ questions, answers: some })).length;
  const empty = lengthWith([]);
  const packets: DnsRecord[][] = [[]];
  let room = PACKET_MAXIMUM - empty;
  for (const answer of answers) {
    // Its owner is a question's name; where no question is, the first owner takes the place of that.
    const size = lengthWith([answer]) - empty;
    if (size > room) {
      packets.push([]);
      room = PACKET_MAXIMUM - empty;
    }
    packets.at(-1)?.push(answer);
    room -= size;
  }
  return packets.map((some, i) => ({
    ...queryMessage({ questions: i === 0 ? questions : [], answers: some }),
    truncated: i < packets.length - 1,
  }));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function question(name: Name, type: number, unicast: boolean): DnsQuestion {
  return { name, type, class: CLASS.IN, unicast };
}
