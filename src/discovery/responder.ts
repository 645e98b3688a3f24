import type { DatagramSource, NetworkInterface } from '../platform.js';
import { parseAddress, samePrefix } from './address.js';
import { type DnsMessage, type DnsQuestion, responseMessage } from './message.js';
import { type Name, nameKey, sameName } from './name.js';
import { type Answer, divided, grouped } from './packing.js';
import { CLASS, type DnsRecord, type NsecRecord, nsecRecord, recordKey, TYPE, typeCode } from './records.js';
import {
  addressNegation,
  addressRecords,
  instanceName,
  missingFamily,
  type RecordPolicy,
  type ServiceDefinition,
  serviceRecords,
} from './service.js';

/** RFC 6762 §11; a query from another port comes from a legacy resolver (§6.7). */
export const MDNS_PORT = 5353;
/** RFC 6762 §6.7: TTLs of a legacy answer are capped. */
const LEGACY_TTL = 10;
/** RFC 6762 §6.3: a legacy query may ask several things; more than so many are not answered. */
const LEGACY_QUESTIONS = 8;

/** What this host answers for on a link. */
export interface Zone {
  readonly host: Name;
  readonly services: readonly ServiceDefinition[];
  readonly policy: RecordPolicy;
}

/** What there is to say about one thing. */
interface Subject {
  readonly key: string;
  readonly records: readonly DnsRecord[];
  /** RFC 6762 §6.1: what is said when a type is asked for that the name does not have. Shared names have none. */
  readonly negation: NsecRecord | undefined;
  readonly helpful: readonly DnsRecord[];
}

function subjectsOf(zone: Zone, on: NetworkInterface): readonly Subject[] {
  const addresses = addressRecords(zone.host, on, zone.policy);
  if (addresses.length === 0) return [];
  const lacking = missingFamily(addresses);
  const subjects: Subject[] = [];
  const types = new Map<string, DnsRecord>();
  for (const service of zone.services) {
    const { ptr, srv, txt, enumeration } = serviceRecords(service, zone.host, zone.policy);
    types.set(recordKey(enumeration), enumeration);
    const negation = nsecRecord(srv.name, [TYPE.TXT, TYPE.SRV], srv.ttl);
    // RFC 6763 §12.1, §12.2: the answer to a PTR carries SRV, TXT and the addresses, so that nobody has to ask again.
    const helpful = [srv, txt, ...addresses, ...lacking];
    subjects.push({ key: nameKey(instanceName(service)), records: [ptr, srv, txt], negation, helpful });
  }
  for (const [key, enumeration] of types) subjects.push({ key, records: [enumeration], negation: undefined, helpful: [] });
  const helpful = [...addresses, ...lacking];
  subjects.push({ key: nameKey(zone.host), records: addresses, negation: addressNegation(addresses), helpful });
  return subjects;
}

function answerAbout(subject: Subject, wanted: (record: DnsRecord) => boolean, negated: (nsec: NsecRecord) => boolean): Answer | undefined {
  const positive = subject.records.filter(wanted);
  const answers: readonly DnsRecord[] =
    subject.negation !== undefined && negated(subject.negation) ? [...positive, subject.negation] : positive;
  if (answers.length === 0) return undefined;
  const additionals = positive.length === 0 ? [] : subject.helpful.filter((record) => !answers.includes(record));
  return { key: subject.key, answers, additionals, shared: answers.some((record) => !record.flush) };
}

/** What `query` asks of this host, on the interface that received it. Empty for what is none of ours and what the querier knows. */
export function answersTo(query: DnsMessage, zone: Zone, on: NetworkInterface): readonly Answer[] {
  // RFC 6762 §18.3, §18.11: messages with another opcode or response code are ignored.
  if (query.response || query.opcode !== 0 || query.rcode !== 0) return [];
  const known = new Map(query.answers.map((record) => [recordKey(record), record.ttl]));
  // RFC 6762 §7.1: an answer whose known TTL is at least half the correct value is not sent.
  const isUnknown = (record: DnsRecord): boolean => (known.get(recordKey(record)) ?? -1) < record.ttl / 2;
  const asked = new Asked(query.questions);
  return subjectsOf(zone, on).flatMap((subject) => {
    const wanted = (record: DnsRecord): boolean => asked.for(record) && isUnknown(record);
    const negated = (nsec: NsecRecord): boolean => asked.inVain(nsec.name, subject.records) && isUnknown(nsec);
    return answerAbout(subject, wanted, negated) ?? [];
  });
}

/** What was promised to be said, as it is now; nothing about what has left or changed meanwhile. */
export function answersNow(promised: ReadonlyMap<string, ReadonlySet<string>>, zone: Zone, on: NetworkInterface): readonly Answer[] {
  return subjectsOf(zone, on).flatMap((subject) => {
    const keys = promised.get(subject.key);
    const wanted = (record: DnsRecord): boolean => keys?.has(recordKey(record)) ?? false;
    return answerAbout(subject, wanted, wanted) ?? [];
  });
}

/** RFC 6762 §6.6: what another says of us with less than half the life that we give it, a goodbye included. */
export function answersAgainst(response: DnsMessage, zone: Zone, on: NetworkInterface): readonly Answer[] {
  const said = new Map([...response.answers, ...response.additionals].map((record) => [recordKey(record), record.ttl]));
  const short = (record: DnsRecord): boolean => (said.get(recordKey(record)) ?? record.ttl) < record.ttl / 2;
  return subjectsOf(zone, on).flatMap((subject) => answerAbout(subject, short, () => false) ?? []);
}

/** The types that a query asks for, by name: hundreds of questions cost no more than one each. */
class Asked {
  readonly #types = new Map<string, Set<number>>();

  /** RFC 6762 §6: a record answers a question of its name, of its class or ANY, and of its type or ANY. */
  constructor(questions: readonly DnsQuestion[]) {
    for (const { name, type, class: code } of questions) {
      if (code !== CLASS.IN && code !== CLASS.ANY) continue;
      const key = nameKey(name);
      this.#types.set(key, (this.#types.get(key) ?? new Set()).add(type));
    }
  }

  for(record: DnsRecord): boolean {
    const types = this.#types.get(nameKey(record.name));
    return types !== undefined && (types.has(typeCode(record)) || types.has(TYPE.ANY));
  }

  /** RFC 6762 §6.1: the name is ours alone, and it has no record of a type asked for. */
  inVain(name: Name, records: readonly DnsRecord[]): boolean {
    const types = this.#types.get(nameKey(name));
    if (types === undefined) return false;
    const has = new Set(records.filter((record) => sameName(record.name, name)).map(typeCode));
    return [...types].some((type) => type !== TYPE.ANY && !has.has(type));
  }
}

/**
 * RFC 6762 §6.7: one packet, id and questions repeated, TTLs capped, no cache-flush bits. Additional records only where they are few; of answers too
 * many for a frame, those that fit (§6.3: "any or all"). Undefined for more questions than such resolvers ask.
 */
export function legacyResponse(query: DnsMessage, answers: readonly Answer[]): DnsMessage | undefined {
  if (query.questions.length > LEGACY_QUESTIONS) return undefined;
  const questions = query.questions.map((question) => ({ ...question, unicast: false }));
  const plain = (record: DnsRecord): DnsRecord => ({ ...record, flush: false, ttl: Math.min(record.ttl, LEGACY_TTL) });
  const build = (group: readonly Answer[]): DnsMessage => {
    const additionals = answers.length > 1 ? [] : group.flatMap((answer) => answer.additionals).map(plain);
    return responseMessage({ questions, answers: group.flatMap((answer) => answer.answers).map(plain), additionals }, query.id);
  };
  const [response] = grouped(answers, build).flatMap(divided);
  return response;
}

/** RFC 6762 §11: the local link alone is heard and answered: a link-local source, or one inside a prefix of the interface. */
export function isOnLink(source: DatagramSource, on: NetworkInterface): boolean {
  const bytes = parseAddress(source.address);
  if (bytes === undefined) return false;
  if (bytes.length === 16 && samePrefix(bytes, LINK_LOCAL, 10)) return true;
  return on.addresses.some((address) => samePrefix(bytes, address.bytes, address.prefixLength));
}
const LINK_LOCAL = Uint8Array.from([0xfe, 0x80, ...new Array<number>(14).fill(0)]);
