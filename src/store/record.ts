import { utf8Decode, utf8Encode, utf8Length } from '../codec/utf8.js';
import { crc32 } from './crc32.js';
import {
  align,
  ENTRY_ALIGNMENT,
  ENTRY_HEADER_BYTES,
  MAX_KEY_BYTES,
  MAX_VALUE_BYTES,
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
} from './layout.js';

/** 'MJR1' */
const MAGIC = 0x31524a4d;
const FLAG_VALUE = 1;
const FLAG_DAMAGED = 2;

/**
 * One key in a record or a base:
 * value, sound = set; no value, sound = deleted; value, damaged = the last good value, a newer one is lost;
 * no value, damaged = the value written here is lost, what was known before stays.
 */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array | undefined;
  readonly damaged: boolean;
}

/**
 * Where bytes of the journal lie. Each CRC begins with the generation of the sector and the address, so that what an earlier use of the
 * sector left, or a value that looks like a record, never counts as one.
 */
export interface Place {
  readonly generation: number;
  /** Address of the sector on the medium. */
  readonly sector: number;
}

export function entriesSize(entries: Iterable<Entry>): number {
  let size = 0;
  for (const entry of entries) size += entrySize(utf8Length(entry.key), entry.value?.length ?? 0);
  return size;
}

/** Bytes a record of `entries` takes on the medium. */
export function recordSize(entries: Iterable<Entry>): number {
  return align(RECORD_HEADER_BYTES + entriesSize(entries), RECORD_ALIGNMENT);
}

/** Entries one after the other, as they lie at offset `at` of the sector; blank bytes between them. */
export function encodeEntries(entries: Iterable<Entry>, place: Place, at: number): Uint8Array {
  const list = [...entries];
  const bytes = new Uint8Array(entriesSize(list)).fill(0xff);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const { key, value, damaged } of list) {
    const name = utf8Encode(key);
    const content = value ?? new Uint8Array(0);
    bytes[offset] = (value === undefined ? 0 : FLAG_VALUE) | (damaged ? FLAG_DAMAGED : 0);
    bytes[offset + 1] = name.length;
    view.setUint16(offset + 2, content.length, true);
    bytes.set(name, offset + ENTRY_HEADER_BYTES);
    bytes.set(content, offset + ENTRY_HEADER_BYTES + name.length);
    const head = headCrc(bytes, offset, name.length, seed(place, at + offset));
    view.setUint32(offset + 4, head, true);
    view.setUint32(offset + 8, crc32(content, head), true);
    offset += entrySize(name.length, content.length);
  }
  return bytes;
}

/** One record: header, blank seal, entries, blank bytes up to the next boundary. */
export function encodeRecord(entries: Iterable<Entry>, sequence: number, place: Place, at: number): Uint8Array {
  const payload = encodeEntries(entries, place, at + RECORD_HEADER_BYTES);
  const bytes = new Uint8Array(align(RECORD_HEADER_BYTES + payload.length, RECORD_ALIGNMENT)).fill(0xff);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, sequence, true);
  view.setUint32(8, payload.length, true);
  view.setUint32(12, crc32(bytes.subarray(0, 12), seed(place, at)), true);
  bytes.set(payload, RECORD_HEADER_BYTES);
  return bytes;
}

export interface RecordHeader {
  readonly sequence: number;
  /** Bytes of the entries that follow the header. */
  readonly length: number;
}

/** Undefined unless a whole record header of this place lies at `at` and its entries end before `limit`. */
export function decodeRecordHeader(sector: Uint8Array, at: number, limit: number, place: Place): RecordHeader | undefined {
  if (at + RECORD_HEADER_BYTES > limit) return undefined;
  const view = new DataView(sector.buffer, sector.byteOffset + at, RECORD_HEADER_BYTES);
  if (view.getUint32(0, true) !== MAGIC) return undefined;
  if (view.getUint32(12, true) !== crc32(sector.subarray(at, at + 12), seed(place, at))) return undefined;
  const length = view.getUint32(8, true);
  return at + RECORD_HEADER_BYTES + length > limit ? undefined : { sequence: view.getUint32(4, true), length };
}

export interface DecodedEntry {
  /** As written; with a wrong value CRC the value is taken away and the entry damaged. */
  readonly entry: Entry;
  readonly valueHolds: boolean;
  /** Offset of what follows. */
  readonly end: number;
}

/** Undefined unless flags, lengths and key of an entry of this place hold at `at`; its lengths can then be trusted, its value may not hold. */
export function decodeEntry(sector: Uint8Array, at: number, limit: number, place: Place): DecodedEntry | undefined {
  if (at + ENTRY_HEADER_BYTES > limit) return undefined;
  const flags = sector[at] as number;
  const keyLength = sector[at + 1] as number;
  const view = new DataView(sector.buffer, sector.byteOffset + at, ENTRY_HEADER_BYTES);
  const valueLength = view.getUint16(2, true);
  const end = at + entrySize(keyLength, valueLength);
  if (flags > (FLAG_VALUE | FLAG_DAMAGED) || keyLength === 0 || keyLength > MAX_KEY_BYTES) return undefined;
  if (valueLength > MAX_VALUE_BYTES || end > limit) return undefined;
  const head = headCrc(sector, at, keyLength, seed(place, at));
  if (view.getUint32(4, true) !== head) return undefined;
  const valueAt = at + ENTRY_HEADER_BYTES + keyLength;
  const key = utf8Decode(sector.subarray(at + ENTRY_HEADER_BYTES, valueAt));
  if (key === undefined) return undefined;
  const value = sector.slice(valueAt, valueAt + valueLength);
  if (view.getUint32(8, true) !== crc32(value, head)) {
    return { entry: { key, value: undefined, damaged: true }, valueHolds: false, end };
  }
  const entry = { key, value: flags & FLAG_VALUE ? value : undefined, damaged: (flags & FLAG_DAMAGED) !== 0 };
  return { entry, valueHolds: true, end };
}

function entrySize(keyLength: number, valueLength: number): number {
  return align(ENTRY_HEADER_BYTES + keyLength + valueLength, ENTRY_ALIGNMENT);
}

function headCrc(bytes: Uint8Array, at: number, keyLength: number, before: number): number {
  const key = bytes.subarray(at + ENTRY_HEADER_BYTES, at + ENTRY_HEADER_BYTES + keyLength);
  return crc32(key, crc32(bytes.subarray(at, at + 4), before));
}

function seed(place: Place, at: number): number {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, place.generation, true);
  view.setUint32(4, place.sector + at, true);
  return crc32(bytes);
}
