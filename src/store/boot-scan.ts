import type { FlashMedium } from '../../hal/index.js';
import { StoreError } from '../errors.js';
import { CONTENT_AT, contentBytes, isBlank, isMarked, REPLACED_AT, SECTOR_HEADER_BYTES } from './layout.js';
import { type SectorScan, scanSector } from './scan.js';
import { decodeSectorHeader, type SectorHeader } from './sector-header.js';

/** What the medium holds at boot. */
export interface BootScan {
  /** The sector in force; undefined when none has a readable header. */
  readonly active: number | undefined;
  /** The highest generation that was ever in force. */
  readonly generation: number;
  /** Erase cycles of each sector. */
  readonly erases: readonly number[];
  /** True when a factory reset still has to erase sectors. */
  readonly wipe: boolean;
  /** What the sector in force tells. */
  readonly scan: SectorScan;
}

const EMPTY: SectorScan = { entries: [], damage: [], lossy: false, sequence: 0, end: CONTENT_AT, appendable: false };

interface Candidate {
  readonly sector: number;
  readonly header: SectorHeader;
  /** Both copies of the header hold. */
  readonly whole: boolean;
  readonly replaced: boolean;
}

/** Reads all sector headers and the sector in force; writes nothing. Throws StoreError('io') for a journal written with another geometry. */
export async function scanMedium(medium: FlashMedium): Promise<BootScan> {
  const { sectorCount } = medium;
  const candidates: (Candidate | undefined)[] = [];
  for (let sector = 0; sector < sectorCount; sector++) candidates.push(await readCandidate(medium, sector));
  // A sector without a readable header counts as worn as the most worn one: never used, erased by a reset, or cut while erased.
  const most = candidates.reduce((most, candidate) => Math.max(most, candidate?.header.erases ?? 0), 0);
  const erases = candidates.map((candidate) => candidate?.header.erases ?? most);
  let newest: Candidate | undefined;
  for (const candidate of candidates)
    if (candidate !== undefined && candidate.header.generation > (newest?.header.generation ?? -1)) newest = candidate;
  if (newest === undefined) return { active: undefined, generation: 0, erases, wipe: false, scan: await scanUnheaded(medium) };

  const { sector, header, whole, replaced } = newest;
  const address = sector * medium.sectorSize;
  const scan = scanSector(await medium.read(address, medium.sectorSize), header, address);
  const lost = { key: undefined, reason: 'the newest sector cannot be read, an older one is in force', at: address };
  return {
    active: sector,
    // A sector that was replaced and is still the newest means that its successor, one generation on, cannot be read.
    generation: header.generation + (replaced ? 1 : 0),
    erases,
    wipe: header.reset && !(await othersBlank(medium, sector)),
    scan: {
      ...scan,
      damage: replaced ? [...scan.damage, lost] : scan.damage,
      lossy: scan.lossy || header.lossy || replaced,
      appendable: scan.appendable && whole && !replaced,
    },
  };
}

export async function isSectorBlank(medium: FlashMedium, sector: number): Promise<boolean> {
  return isBlank(await medium.read(sector * medium.sectorSize, medium.sectorSize));
}

async function othersBlank(medium: FlashMedium, active: number): Promise<boolean> {
  for (let sector = 0; sector < medium.sectorCount; sector++) if (sector !== active && !(await isSectorBlank(medium, sector))) return false;
  return true;
}

async function readCandidate(medium: FlashMedium, sector: number): Promise<Candidate | undefined> {
  const { sectorSize, sectorCount } = medium;
  const start = await medium.read(sector * sectorSize, CONTENT_AT);
  const end = await medium.read((sector + 1) * sectorSize - SECTOR_HEADER_BYTES, SECTOR_HEADER_BYTES);
  const first = decodeSectorHeader(start);
  const second = decodeSectorHeader(end);
  const header = first ?? second;
  if (header === undefined) return undefined;
  if (header.sectorSize !== sectorSize || header.sectorCount !== sectorCount)
    throw new StoreError(
      'io',
      `journal: written as ${header.sectorCount} × ${header.sectorSize}, opened as ${sectorCount} × ${sectorSize}`,
    );
  return { sector, header, whole: first !== undefined && second !== undefined, replaced: isMarked(start, REPLACED_AT) };
}

/** No header anywhere: a medium never used, a first boot cut short (nothing but torn headers), or everything lost. */
async function scanUnheaded(medium: FlashMedium): Promise<SectorScan> {
  for (let sector = 0; sector < medium.sectorCount; sector++) {
    const at = sector * medium.sectorSize;
    if (isBlank(await medium.read(at + CONTENT_AT, contentBytes(medium.sectorSize)))) continue;
    return { ...EMPTY, damage: [{ key: undefined, reason: 'no sector has a readable header', at }], lossy: true };
  }
  return EMPTY;
}
