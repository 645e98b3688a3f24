import { toHex } from '../codec/hex.js';
import { PeerError } from '../errors.js';
import { FORMAT_ERROR, type Name, type NameOffsets, nameKey, readName, writeName } from './name.js';
import { wholeData } from './named-data.js';

/** Type codes of RFC 1035 §3.2.2, 3596, 2782, 4034; ANY is a question type alone. */
export const TYPE = { A: 1, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, NSEC: 47, ANY: 255 } as const;
export const CLASS = { IN: 1, ANY: 255 } as const;

interface RecordHead {
  readonly name: Name;
  /** 15 bits; 1 is IN. In an OPT record the size of the sender's buffer. */
  readonly class: number;
  /** RFC 6762 §10.2: this record replaces what the cache holds under its name, type and class. */
  readonly flush: boolean;
  /** Seconds, 0…2³²−1; 0 is a goodbye (RFC 6762 §10.1). */
  readonly ttl: number;
}

/** 4 bytes (A) or 16 bytes (AAAA). */
export interface AddressRecord extends RecordHead {
  readonly type: 'A' | 'AAAA';
  readonly address: Uint8Array;
}
export interface PtrRecord extends RecordHead {
  readonly type: 'PTR';
  readonly target: Name;
}
export interface SrvRecord extends RecordHead {
  readonly type: 'SRV';
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: Name;
}
/** Each string 0…255 bytes; see `txt.ts` for keys and values. */
export interface TxtRecord extends RecordHead {
  readonly type: 'TXT';
  readonly strings: readonly Uint8Array[];
}
/** `bitmap`: the window blocks of RFC 4034 §4.1.2 as received. */
export interface NsecRecord extends RecordHead {
  readonly type: 'NSEC';
  readonly next: Name;
  readonly bitmap: Uint8Array;
}
/** A type that is not read; names inside its data are written out where RFC 6762 §18.14 lets them be compressed. */
export interface RawRecord extends RecordHead {
  readonly type: 'raw';
  readonly code: number;
  readonly data: Uint8Array;
}
export type DnsRecord = AddressRecord | PtrRecord | SrvRecord | TxtRecord | NsecRecord | RawRecord;

export function typeCode(record: DnsRecord): number {
  return record.type === 'raw' ? record.code : TYPE[record.type];
}

/** A key under which records of the same name, type, class and data are equal; TTL and flush bit do not count (RFC 6762 §7.1). */
export function recordKey(record: DnsRecord): string {
  return `${typeCode(record)} ${record.class} ${nameKey(record.name)} ${dataKey(record)}`;
}

function dataKey(record: DnsRecord): string {
  switch (record.type) {
    case 'PTR':
      return nameKey(record.target);
    case 'SRV':
      return `${record.priority} ${record.weight} ${record.port} ${nameKey(record.target)}`;
    case 'NSEC':
      return `${nameKey(record.next)} ${toHex(record.bitmap)}`;
    case 'TXT':
      return record.strings.map(toHex).join(' ');
    case 'raw':
      return toHex(record.data);
    default:
      return toHex(record.address);
  }
}

/**
 * Which names are compressed. RFC 6762 §18.14: in PTR, SRV and NSEC too; "In legacy unicast responses generated to answer legacy queries, name
 * compression MUST NOT be performed on SRV records."
 */
export type Compression = 'full' | 'legacy' | 'none';

/** RFC 1035 §3.2.1. Throws RangeError for what the format cannot carry. */
export function writeRecord(out: number[], record: DnsRecord, offsets: NameOffsets, compression: Compression): void {
  writeName(out, record.name, offsets, compression !== 'none');
  write16(out, typeCode(record));
  write16(out, range('class', record.class, 0x7fff) | (record.flush ? 0x8000 : 0));
  const ttl = range('ttl', record.ttl, 0xffff_ffff);
  write16(out, ttl >>> 16);
  write16(out, ttl & 0xffff);
  const lengthAt = out.length;
  out.push(0, 0);
  writeData(out, record, offsets, compression);
  const length = out.length - lengthAt - 2;
  out[lengthAt] = length >> 8;
  out[lengthAt + 1] = length & 0xff;
}

/** The data as RFC 6762 §8.2 compares it: names not compressed. */
export function recordData(record: DnsRecord): Uint8Array {
  const out: number[] = [];
  writeData(out, record, new Map(), 'none');
  return Uint8Array.from(out);
}

/** RFC 6762 §6.1: under `name` there are records of `types` (each below 256) and of no other type. */
export function nsecRecord(name: Name, types: readonly number[], ttl: number): NsecRecord {
  const bits = new Array<number>((Math.max(...types) >> 3) + 1).fill(0);
  for (const type of types) bits[type >> 3] = (bits[type >> 3] as number) | (0x80 >> (type & 7));
  return { name, class: CLASS.IN, flush: true, ttl, type: 'NSEC', next: name, bitmap: Uint8Array.from([0, bits.length, ...bits]) };
}

function writeData(out: number[], record: DnsRecord, offsets: NameOffsets, compression: Compression): void {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      if (record.address.length !== (record.type === 'A' ? 4 : 16)) throw new RangeError(`dns: ${record.address.length} bytes of address`);
      out.push(...record.address);
      return;
    case 'PTR':
      writeName(out, record.target, offsets, compression !== 'none');
      return;
    case 'SRV':
      write16(out, range('priority', record.priority, 0xffff));
      write16(out, range('weight', record.weight, 0xffff));
      write16(out, range('port', record.port, 0xffff));
      writeName(out, record.target, offsets, compression === 'full');
      return;
    case 'TXT':
      // RFC 6763 §6.1: a TXT record has at least one string; one empty string stands for none.
      if (record.strings.length === 0) out.push(0);
      for (const text of record.strings) out.push(range('txt string', text.length, 255), ...text);
      return;
    case 'NSEC':
      writeName(out, record.next, offsets, compression !== 'none');
      out.push(...record.bitmap);
      return;
    case 'raw':
      out.push(...record.data);
  }
}

/** Reads the record at `start`; `end` is the offset behind it. Throws PeerError for anything malformed. */
export function readRecord(bytes: Uint8Array, start: number): { readonly record: DnsRecord; readonly end: number } {
  const { name, end: at } = readName(bytes, start);
  const from = at + 10;
  if (from > bytes.length) throw new PeerError(FORMAT_ERROR, 'dns: a record leaves the packet');
  const end = from + read16(bytes, at + 8);
  if (end > bytes.length) throw new PeerError(FORMAT_ERROR, 'dns: a record leaves the packet');
  const classBits = read16(bytes, at + 2);
  const ttl = read16(bytes, at + 4) * 0x1_0000 + read16(bytes, at + 6);
  const head = { name, class: classBits & 0x7fff, flush: classBits >= 0x8000, ttl };
  return { record: readData(bytes, from, end, read16(bytes, at), head), end };
}

function readData(bytes: Uint8Array, from: number, end: number, code: number, head: RecordHead): DnsRecord {
  const data = bytes.slice(from, end);
  switch (code) {
    case TYPE.A:
    case TYPE.AAAA:
      if (data.length !== (code === TYPE.A ? 4 : 16)) throw new PeerError(FORMAT_ERROR, 'dns: an address of the wrong length');
      return { ...head, type: code === TYPE.A ? 'A' : 'AAAA', address: data };
    case TYPE.PTR:
      return { ...head, type: 'PTR', target: readWholeName(bytes, from, end) };
    case TYPE.SRV:
      if (data.length < 7) throw new PeerError(FORMAT_ERROR, 'dns: SRV too short');
      return {
        ...head,
        type: 'SRV',
        priority: read16(data, 0),
        weight: read16(data, 2),
        port: read16(data, 4),
        target: readWholeName(bytes, from + 6, end),
      };
    case TYPE.TXT:
      return { ...head, type: 'TXT', strings: readStrings(data) };
    case TYPE.NSEC:
      return { ...head, type: 'NSEC', ...readNsec(bytes, from, end, head.name) };
    default:
      return { ...head, type: 'raw', code, data: wholeData(bytes, from, end, code) };
  }
}

function readWholeName(bytes: Uint8Array, from: number, end: number): Name {
  const read = readName(bytes, from);
  if (read.end !== end) throw new PeerError(FORMAT_ERROR, 'dns: a name does not fill its record');
  return read.name;
}

/** RFC 6762 §6.1: a message is not ignored for an NSEC record that cannot be parsed; such a one says nothing. */
function readNsec(bytes: Uint8Array, from: number, end: number, owner: Name): Pick<NsecRecord, 'next' | 'bitmap'> {
  try {
    const next = readName(bytes, from);
    if (next.end <= end) return { next: next.name, bitmap: bytes.slice(next.end, end) };
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
  }
  return { next: owner, bitmap: new Uint8Array(0) };
}

function readStrings(data: Uint8Array): readonly Uint8Array[] {
  // RFC 6763 §6.1: a TXT record without data counts as one empty string.
  if (data.length === 0) return [data];
  const strings: Uint8Array[] = [];
  for (let at = 0; at < data.length; ) {
    const next = at + 1 + (data[at] as number);
    if (next > data.length) throw new PeerError(FORMAT_ERROR, 'dns: a string leaves its TXT record');
    strings.push(data.slice(at + 1, next));
    at = next;
  }
  return strings;
}

/** The caller has checked that both bytes are there. */
export function read16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function write16(out: number[], value: number): void {
  out.push((value >>> 8) & 0xff, value & 0xff);
}

function range(what: string, value: number, maximum: number): number {
  if (!Number.isInteger(value) || value < 0 || value > maximum) throw new RangeError(`dns: ${what} ${value} is outside 0…${maximum}`);
  return value;
}
