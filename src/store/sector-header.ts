import { crc32 } from './crc32.js';
import { SECTOR_HEADER_BYTES } from './layout.js';

/** 'MJS1' */
const MAGIC = 0x31534a4d;
const FLAG_RESET = 1;
const FLAG_LOSSY = 2;

/** What a sector says about itself. */
export interface SectorHeader {
  /** Rises with every rewrite; the sector with the highest is in force. */
  readonly generation: number;
  /** Erase cycles of this sector, this one included. */
  readonly erases: number;
  /** Sequence of the last commit that the base contains. */
  readonly sequence: number;
  /** Bytes of the base: the entries that were live when the sector was written. */
  readonly baseLength: number;
  readonly sectorSize: number;
  readonly sectorCount: number;
  /** Written by a factory reset: nothing in any other sector may survive. */
  readonly reset: boolean;
  /** Records whose keys nobody can tell were lost before this sector was written. */
  readonly lossy: boolean;
}

export function encodeSectorHeader(header: SectorHeader): Uint8Array {
  const bytes = new Uint8Array(SECTOR_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, header.generation, true);
  view.setUint32(8, header.erases, true);
  view.setUint32(12, header.sequence, true);
  view.setUint32(16, header.baseLength, true);
  view.setUint32(20, header.sectorSize, true);
  view.setUint16(24, header.sectorCount, true);
  view.setUint16(26, (header.reset ? FLAG_RESET : 0) | (header.lossy ? FLAG_LOSSY : 0), true);
  view.setUint32(28, crc32(bytes.subarray(0, 28)), true);
  return bytes;
}

/** Undefined unless magic and CRC hold. */
export function decodeSectorHeader(bytes: Uint8Array): SectorHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, SECTOR_HEADER_BYTES);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(28, true) !== crc32(bytes.subarray(0, 28))) return undefined;
  const flags = view.getUint16(26, true);
  return {
    generation: view.getUint32(4, true),
    erases: view.getUint32(8, true),
    sequence: view.getUint32(12, true),
    baseLength: view.getUint32(16, true),
    sectorSize: view.getUint32(20, true),
    sectorCount: view.getUint16(24, true),
    reset: (flags & FLAG_RESET) !== 0,
    lossy: (flags & FLAG_LOSSY) !== 0,
  };
}
