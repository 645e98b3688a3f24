import { PeerError } from '../errors.js';
import { FORMAT_ERROR, type Name, type NameOffsets, readName, writeName } from './name.js';
import { type Compression, type DnsRecord, read16, readRecord, write16, writeRecord } from './records.js';

/** RFC 6762 §17: with the headers of IP and UDP a packet has at most 9000 bytes. So much is read; written is what IPv6 leaves of it. */
const READ_MAXIMUM = 9000;
const WRITE_MAXIMUM = READ_MAXIMUM - 48;
/** Questions and records of one message; the smallest record takes 11 bytes. */
const ENTRY_MAXIMUM = 512;
const HEADER = 12;

export interface DnsQuestion {
  readonly name: Name;
  /** A code of `TYPE`, or any other. */
  readonly type: number;
  readonly class: number;
  /** RFC 6762 §5.4: a unicast answer is welcome (the QU bit). */
  readonly unicast: boolean;
}

/**
 * A DNS message (RFC 1035 §4.1) with the fields that RFC 6762 §18 gives a meaning. The bits RD, RA, Z, AD and CD are ignored when read and
 * written as zero (§18.6–18.10).
 */
export interface DnsMessage {
  readonly id: number;
  readonly response: boolean;
  readonly opcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly rcode: number;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

type Sections = Partial<Pick<DnsMessage, 'questions' | 'answers' | 'authorities' | 'additionals'>>;

/** RFC 6762 §18.1: id 0; §18.3, §18.4: opcode 0, AA 0. */
export function queryMessage(sections: Sections): DnsMessage {
  return { ...EMPTY, ...sections };
}

/** RFC 6762 §18.4: AA is set in responses; §18.1: the id of a multicast response is 0. */
export function responseMessage(sections: Sections, id = 0): DnsMessage {
  return { ...EMPTY, id, response: true, authoritative: true, ...sections };
}

const EMPTY: DnsMessage = {
  id: 0,
  response: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  rcode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
};

/** The QR bit of a packet that is not decoded yet. */
export function isResponse(bytes: Uint8Array): boolean {
  return ((bytes[2] ?? 0) & 0x80) !== 0;
}

/** Decodes strictly: nothing may follow the last record. Throws PeerError (status FORMERR), and nothing else, for any packet. */
export function decodeMessage(bytes: Uint8Array): DnsMessage {
  if (bytes.length < HEADER) throw new PeerError(FORMAT_ERROR, 'dns: shorter than a header');
  if (bytes.length > READ_MAXIMUM) throw new PeerError(FORMAT_ERROR, `dns: longer than ${READ_MAXIMUM} bytes`);
  const flags = read16(bytes, 2);
  const counts = [4, 6, 8, 10].map((at) => read16(bytes, at)) as [number, number, number, number];
  if (counts[0] + counts[1] + counts[2] + counts[3] > ENTRY_MAXIMUM) throw new PeerError(FORMAT_ERROR, 'dns: too many records');
  let at = HEADER;
  const questions: DnsQuestion[] = [];
  for (let i = 0; i < counts[0]; i++) {
    const { name, end } = readName(bytes, at);
    at = end + 4;
    if (at > bytes.length) throw new PeerError(FORMAT_ERROR, 'dns: a question leaves the packet');
    const classBits = read16(bytes, end + 2);
    questions.push({ name, type: read16(bytes, end), class: classBits & 0x7fff, unicast: classBits >= 0x8000 });
  }
  const section = (count: number): DnsRecord[] => {
    const records: DnsRecord[] = [];
    for (let i = 0; i < count; i++) {
      const { record, end } = readRecord(bytes, at);
      records.push(record);
      at = end;
    }
    return records;
  };
  const answers = section(counts[1]);
  const authorities = section(counts[2]);
  const additionals = section(counts[3]);
  if (at !== bytes.length) throw new PeerError(FORMAT_ERROR, 'dns: bytes behind the last record');
  return {
    id: read16(bytes, 0),
    response: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 0xf,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    rcode: flags & 0xf,
    questions,
    answers,
    authorities,
    additionals,
  };
}

/**
 * Encodes with the names compressed, RFC 6762 §18.14, unless `compression` says otherwise.
 * Throws RangeError for what the format cannot carry and for a message above 8952 bytes.
 */
export function encodeMessage(message: DnsMessage, options: { readonly compression?: Compression } = {}): Uint8Array {
  // Of responses, those to legacy resolvers alone repeat the question (RFC 6762 §6, §6.7).
  const isLegacy = message.response && message.questions.length > 0;
  const compression = options.compression ?? (isLegacy ? 'legacy' : 'full');
  const compress = compression !== 'none';
  const out: number[] = [];
  const offsets: NameOffsets = new Map();
  write16(out, message.id);
  write16(
    out,
    (message.response ? 0x8000 : 0) |
      ((message.opcode & 0xf) << 11) |
      (message.authoritative ? 0x0400 : 0) |
      (message.truncated ? 0x0200 : 0) |
      (message.rcode & 0xf),
  );
  const sections = [message.answers, message.authorities, message.additionals];
  write16(out, message.questions.length);
  for (const records of sections) write16(out, records.length);
  for (const question of message.questions) {
    writeName(out, question.name, offsets, compress);
    write16(out, question.type);
    write16(out, question.class | (question.unicast ? 0x8000 : 0));
  }
  for (const records of sections) for (const record of records) writeRecord(out, record, offsets, compression);
  if (out.length > WRITE_MAXIMUM) throw new RangeError(`dns: a message of ${out.length} bytes`);
  return Uint8Array.from(out);
}
