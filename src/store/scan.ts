import {
  align,
  CONTENT_AT,
  ENTRY_ALIGNMENT,
  isBlank,
  isMarked,
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
  SEAL_AT,
  SECTOR_HEADER_BYTES,
} from './layout.js';
import { decodeEntry, decodeRecordHeader, type Entry, type Place, type RecordHeader } from './record.js';
import type { SectorHeader } from './sector-header.js';

/** Something on the medium that was acknowledged and does not hold any more. */
export interface Damage {
  /** Undefined where even the key cannot be read. */
  readonly key: string | undefined;
  readonly reason: string;
  /** Address on the medium; undefined for damage that a rewrite carried over, and for a value that its reader refused. */
  readonly at: number | undefined;
}

/** Everything one sector tells. */
export interface SectorScan {
  /** In the order of their commits. */
  readonly entries: readonly Entry[];
  readonly damage: readonly Damage[];
  /** True when entries were lost whose keys cannot be told. */
  readonly lossy: boolean;
  /** Sequence of the last commit. */
  readonly sequence: number;
  /** Offset where the next record goes. */
  readonly end: number;
  /** False when the last record is torn, unsealed or damaged: then nothing may be appended, the sector is to be rewritten. */
  readonly appendable: boolean;
}

/**
 * Reads a sector back. A record that does not hold is *damaged* when its seal is set or a valid record follows, for then it was
 * acknowledged; it is *torn*, and counts as never written, when it is the last and not sealed.
 */
export function scanSector(sector: Uint8Array, header: SectorHeader, address: number): SectorScan {
  const limit = sector.length - SECTOR_HEADER_BYTES;
  const place: Place = { generation: header.generation, sector: address };
  const baseEnd = Math.min(CONTENT_AT + header.baseLength, limit);
  const base = readEntries(sector, CONTENT_AT, baseEnd, place, 0);
  const entries = [...base.entries];
  const damage = [...base.damage];
  let lossy = base.gap;
  let sequence = header.sequence;
  let appendable = true;
  let at = align(baseEnd, RECORD_ALIGNMENT);

  while (at < limit) {
    const record = nextRecordHeader(sector, at, limit, place, sequence);
    if (record === undefined && isBlank(sector, at, limit)) break;
    const payload = at + RECORD_HEADER_BYTES;
    const payloadEnd = record === undefined ? (findRecord(sector, at, limit, place, sequence) ?? limit) : payload + record.length;
    const next = Math.min(align(payloadEnd, RECORD_ALIGNMENT), limit);
    const slack = record !== undefined ? 0 : next < limit ? RECORD_ALIGNMENT - 1 : limit;
    const read = readEntries(sector, payload, payloadEnd, place, slack);
    const holds = record !== undefined && read.damage.length === 0;
    const sealed = at + RECORD_HEADER_BYTES <= limit && isMarked(sector, at + SEAL_AT);
    if (!holds && !sealed && findRecord(sector, next - RECORD_ALIGNMENT, limit, place, sequence) === undefined) {
      appendable = false;
      break;
    }
    if (record === undefined) damage.push({ key: undefined, reason: 'record header damaged', at: address + at });
    damage.push(...read.damage);
    entries.push(...read.entries);
    lossy ||= read.gap;
    sequence = record?.sequence ?? sequence;
    appendable = holds && sealed;
    at = next;
  }
  return { entries, damage, lossy, sequence, end: at, appendable };
}

function nextRecordHeader(sector: Uint8Array, at: number, limit: number, place: Place, after: number): RecordHeader | undefined {
  const record = decodeRecordHeader(sector, at, limit, place);
  return record !== undefined && record.sequence > after ? record : undefined;
}

/** Offset of the first valid record behind `from` that is newer than sequence `after`. */
function findRecord(sector: Uint8Array, from: number, limit: number, place: Place, after: number): number | undefined {
  for (let at = from + RECORD_ALIGNMENT; at < limit; at += RECORD_ALIGNMENT) {
    if (nextRecordHeader(sector, at, limit, place, after) !== undefined) return at;
  }
  return undefined;
}

interface EntriesRead {
  readonly entries: readonly Entry[];
  readonly damage: readonly Damage[];
  /** True when bytes were passed over that are no entry. */
  readonly gap: boolean;
}

/** The entries of [from, to). Up to `slack` blank bytes at the end are no gap: the end of a record with a damaged header is not known. */
function readEntries(sector: Uint8Array, from: number, to: number, place: Place, slack: number): EntriesRead {
  const entries: Entry[] = [];
  const damage: Damage[] = [];
  let gap = false;
  let at = from;
  while (at < to) {
    const decoded = decodeEntry(sector, at, to, place);
    if (decoded !== undefined) {
      entries.push(decoded.entry);
      if (!decoded.valueHolds) damage.push({ key: decoded.entry.key, reason: 'value damaged', at: place.sector + at });
      at = decoded.end;
      continue;
    }
    if (to - at <= slack && isBlank(sector, at, to)) break;
    gap = true;
    damage.push({ key: undefined, reason: 'entry damaged', at: place.sector + at });
    do at += ENTRY_ALIGNMENT;
    while (at < to && decodeEntry(sector, at, to, place) === undefined);
  }
  return { entries, damage, gap };
}
