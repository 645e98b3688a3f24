import type { DatagramSource, NetworkInterface } from '../platform.js';
import { parseAddress, samePrefix } from './address.js';
import { type DnsMessage, type DnsQuestion, responseMessage } from './message.js';
import { type Name, nameKey, sameName } from './name.js';
import { CLASS, type DnsRecord, recordKey, TYPE, typeCode } from './records.js';
import { addressRecords, instanceName, type RecordPolicy, type ServiceDefinition, serviceRecords } from './service.js';

/** RFC 6762 §11; a query from another port comes from a legacy resolver (§6.7). */
export const MDNS_PORT = 5353;
/** RFC 6762 §6.7: TTLs of a legacy answer are capped. */
const LEGACY_TTL = 10;

/** What this host answers for. */
export interface Zone {
  readonly host: Name;
  readonly services: readonly ServiceDefinition[];
  readonly policy: RecordPolicy;
}

/** The answer about one thing: a service, a type in the enumeration, the host itself. Each leaves in a packet of its own. */
export interface Answer {
  /** The same for the same thing. */
  readonly key: string;
  readonly answers: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
  /** RFC 6762 §6: others may answer too, so the answer waits for 20…120 ms. */
  readonly shared: boolean;
}

/** What `query` asks of this host, on the interface that received it. Empty for what is none of ours and what the querier knows. */
export function answersTo(query: DnsMessage, zone: Zone, on: NetworkInterface): readonly Answer[] {
  // RFC 6762 §18.3, §18.11: messages with another opcode or response code are ignored.
  if (query.response || query.opcode !== 0 || query.rcode !== 0) return [];
  const addresses = addressRecords(zone.host, on, zone.policy);
  if (addresses.length === 0) return [];
  const known = new Map(query.answers.map((record) => [recordKey(record), record.ttl]));
  const wanted = (record: DnsRecord): boolean => {
    if (!query.questions.some((question) => asksFor(question, record))) return false;
    // RFC 6762 §7.1: an answer whose known TTL is at least half the correct value is not sent.
    const ttl = known.get(recordKey(record));
    return ttl === undefined || ttl < record.ttl / 2;
  };
  const found: Answer[] = [];
  const add = (key: string, records: readonly DnsRecord[], helpful: readonly DnsRecord[]): void => {
    const answers = records.filter(wanted);
    if (answers.length === 0) return;
    const additionals = helpful.filter((record) => !answers.includes(record));
    found.push({ key, answers, additionals, shared: answers.some((record) => !record.flush) });
  };
  const types = new Map<string, DnsRecord>();
  for (const service of zone.services) {
    const { ptr, srv, txt, enumeration } = serviceRecords(service, zone.host, zone.policy);
    types.set(recordKey(enumeration), enumeration);
    // RFC 6763 §12.1, §12.2: the answer to a PTR carries SRV, TXT and the addresses, so that nobody has to ask again.
    add(nameKey(instanceName(service)), [ptr, srv, txt], [srv, txt, ...addresses]);
  }
  for (const [key, enumeration] of types) add(key, [enumeration], []);
  add(nameKey(zone.host), addresses, addresses);
  return found;
}

function asksFor(question: DnsQuestion, record: DnsRecord): boolean {
  return (
    (question.class === CLASS.IN || question.class === CLASS.ANY) &&
    (question.type === typeCode(record) || question.type === TYPE.ANY) &&
    sameName(question.name, record.name)
  );
}

export function multicastResponse(answer: Answer): DnsMessage {
  return responseMessage({ answers: answer.answers, additionals: answer.additionals });
}

/** RFC 6762 §18.1: a unicast answer carries the id of its query. */
export function unicastResponse(query: DnsMessage, answer: Answer): DnsMessage {
  return responseMessage({ answers: answer.answers, additionals: answer.additionals }, query.id);
}

/**
 * RFC 6762 §6.7: one packet, id and question repeated, TTLs capped, no cache-flush bits. Additional records only where they are few.
 * Undefined for anything but the single question that such resolvers ask.
 */
export function legacyResponse(query: DnsMessage, answers: readonly Answer[]): DnsMessage | undefined {
  const [question] = query.questions;
  if (question === undefined || query.questions.length > 1) return undefined;
  const plain = (record: DnsRecord): DnsRecord => ({ ...record, flush: false, ttl: Math.min(record.ttl, LEGACY_TTL) });
  return responseMessage(
    {
      questions: [{ ...question, unicast: false }],
      answers: answers.flatMap((answer) => answer.answers).map(plain),
      additionals: answers.length > 1 ? [] : answers.flatMap((answer) => answer.additionals).map(plain),
    },
    query.id,
  );
}

/** RFC 6762 §11: unicast answers go to the local link alone: a link-local source, or one inside a prefix of the interface. */
export function isOnLink(source: DatagramSource, on: NetworkInterface): boolean {
  const bytes = parseAddress(source.address);
  if (bytes === undefined) return false;
  if (bytes.length === 16 && samePrefix(bytes, LINK_LOCAL, 10)) return true;
  return on.addresses.some((address) => samePrefix(bytes, address.bytes, address.prefixLength));
}
const LINK_LOCAL = Uint8Array.from([0xfe, 0x80, ...new Array<number>(14).fill(0)]);
