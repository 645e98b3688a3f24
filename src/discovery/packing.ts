import { type DnsMessage, encodeMessage, responseMessage } from './message.js';
import { type DnsRecord, recordKey } from './records.js';

/** RFC 6762 §17: messages are kept within an Ethernet frame of 1500 bytes, the headers of IPv6 and UDP taken off. */
export const PACKET_MAXIMUM = 1452;

/** What is said about one thing: a service, a type in the enumeration, the host itself. */
export interface Answer {
  /** The same for the same thing. */
  readonly key: string;
  readonly answers: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
  /** RFC 6762 §6: others may answer too, so the answer waits for 20…120 ms. */
  readonly shared: boolean;
}

/**
 * The answers in as few packets as frames allow (RFC 6762 §6.4); what one answer says is divided only where it is too long by itself. `id`: RFC 6762
 * §18.1, that of the query in a unicast answer, else 0.
 */
export function packed(answers: readonly Answer[], id = 0): readonly DnsMessage[] {
  return grouped(answers, (group) => combined(group, id)).flatMap(divided);
}

/** Each in packets of its own. */
export function packedApart(answers: readonly Answer[], id = 0): readonly DnsMessage[] {
  return answers.flatMap((answer) => packed([answer], id));
}

/** The items in their order, in as few messages as frames allow; one that is too long by itself gets its own. */
export function grouped<T>(items: readonly T[], build: (group: readonly T[]) => DnsMessage): readonly DnsMessage[] {
  const messages: DnsMessage[] = [];
  let group: T[] = [];
  for (const item of items) {
    if (group.length > 0 && !fits(build([...group, item]))) {
      messages.push(build(group));
      group = [];
    }
    group.push(item);
  }
  if (group.length > 0) messages.push(build(group));
  return messages;
}

/** RFC 6762 §17: a message longer than a frame has one record alone. Additional records that do not fit beside the last answer are left out. */
export function divided(message: DnsMessage): readonly DnsMessage[] {
  if (fits(message)) return [message];
  const parts = grouped(message.answers, (answers) => ({ ...message, answers, additionals: [] }));
  const last = parts.at(-1);
  if (last === undefined) return [];
  let whole = last;
  for (const record of message.additionals) {
    const longer = { ...whole, additionals: [...whole.additionals, record] };
    if (fits(longer)) whole = longer;
  }
  return [...parts.slice(0, -1), whole];
}

function fits(message: DnsMessage): boolean {
  return encodeMessage(message).length <= PACKET_MAXIMUM;
}

/** Each record once, and none that is an answer among the additional ones. */
function combined(answers: readonly Answer[], id: number): DnsMessage {
  const first = new Map(answers.flatMap((answer) => answer.answers).map((record) => [recordKey(record), record]));
  const more = new Map<string, DnsRecord>();
  for (const record of answers.flatMap((answer) => answer.additionals))
    if (!first.has(recordKey(record))) more.set(recordKey(record), record);
  return responseMessage({ answers: [...first.values()], additionals: [...more.values()] }, id);
}
