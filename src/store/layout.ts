/** Sizes and limits of the journal. The format on the medium, byte by byte: docs/journal.md. All numbers on it are little-endian. */

/** UTF-8 bytes of a key: 1…64. */
export const MAX_KEY_BYTES = 64;
/** Bytes of a value: 0…16 KiB. */
export const MAX_VALUE_BYTES = 16_384;
/** Keys that have a value or are known to be damaged. */
export const MAX_KEYS = 256;
/** Commits that wait for their turn; the next one is refused. */
export const MAX_WAITING = 128;
/** Reports of damage that are kept and logged. */
export const MAX_REPORTS = 256;

export const MIN_SECTOR_SIZE = 4096;
export const MAX_SECTOR_SIZE = 262_144;
export const MIN_SECTORS = 2;
export const MAX_SECTORS = 64;

/** A sector header; one copy at the start of the sector, one at its end. */
export const SECTOR_HEADER_BYTES = 32;
/** A mark is blank (all ones) or set (all zeros); see `isMarked`. */
export const MARK_BYTES = 8;
/** The mark of a sector that a newer one has replaced, after the first header copy. */
export const REPLACED_AT = SECTOR_HEADER_BYTES;
/** Where the base and the records begin. */
export const CONTENT_AT = REPLACED_AT + MARK_BYTES;
/** Magic, sequence, length and CRC of a record, then its seal. */
export const RECORD_HEADER_BYTES = 16 + MARK_BYTES;
export const SEAL_AT = 16;
/** Flags, lengths and the two CRCs of an entry, before its key. */
export const ENTRY_HEADER_BYTES = 12;
export const ENTRY_ALIGNMENT = 4;
export const RECORD_ALIGNMENT = 8;

/** Bytes that one sector has for its base and its records. */
export function contentBytes(sectorSize: number): number {
  return sectorSize - CONTENT_AT - SECTOR_HEADER_BYTES;
}

export function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/** Whether [from, to) is as erased. Every boot looks at the rest of a sector: 32 bytes a step keep that below what wakes an optimising compiler. */
export function isBlank(bytes: Uint8Array, from = 0, to = bytes.length): boolean {
  let at = from;
  for (; at < to && (bytes.byteOffset + at) % 4 !== 0; at++) if (bytes[at] !== 0xff) return false;
  const steps = (to - at) >> 5;
  if (steps > 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, steps * 8);
    for (let i = 0; i < words.length; i += 8) {
      const half = (words[i] as number) & (words[i + 1] as number) & (words[i + 2] as number) & (words[i + 3] as number);
      if ((half & (words[i + 4] as number) & (words[i + 5] as number) & (words[i + 6] as number) & (words[i + 7] as number)) !== -1)
        return false;
    }
    at += words.byteLength;
  }
  for (; at < to; at++) if (bytes[at] !== 0xff) return false;
  return true;
}

/** True when most bits of the mark at `at` are cleared: neither a torn program nor a flipped bit turns its meaning round unnoticed. */
export function isMarked(bytes: Uint8Array, at: number): boolean {
  let cleared = 0;
  for (let i = at; i < at + MARK_BYTES; i++) for (let bit = 0; bit < 8; bit++) if ((((bytes[i] ?? 0xff) >> bit) & 1) === 0) cleared++;
  return cleared > MARK_BYTES * 4;
}
