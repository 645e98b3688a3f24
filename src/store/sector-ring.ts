import type { FlashMedium } from '../../hal/index.js';
import { sameBytes } from '../codec/bytes.js';
import { StoreError } from '../errors.js';
import type { Log } from '../platform.js';
import { type BootScan, isSectorBlank, scanMedium } from './boot-scan.js';
import {
  align,
  CONTENT_AT,
  contentBytes,
  MARK_BYTES,
  MAX_SECTOR_SIZE,
  MAX_SECTORS,
  MIN_SECTOR_SIZE,
  MIN_SECTORS,
  RECORD_ALIGNMENT,
  REPLACED_AT,
  SEAL_AT,
  SECTOR_HEADER_BYTES,
} from './layout.js';
import { type Entry, encodeEntries, encodeRecord } from './record.js';
import type { SectorScan } from './scan.js';
import { encodeSectorHeader } from './sector-header.js';

const MARK = new Uint8Array(MARK_BYTES);

/**
 * The sectors of the medium, one of them in force. Records are appended to it; when it has no room, or its end cannot be trusted, the live
 * entries move to the sector with the fewest erase cycles, which is in force once its header is durable.
 * Calls never overlap: the journal makes them one after the other. Errors are those of the medium, or StoreError('io') for a read-back that differs.
 */
export class SectorRing {
  readonly #medium: FlashMedium;
  readonly #log: Log;
  readonly #erases: number[];
  #active: number | undefined;
  #generation: number;
  #end: number;
  #appendable: boolean;
  #unsealed: number | undefined;
  #wipe: boolean;

  private constructor(medium: FlashMedium, log: Log, boot: BootScan) {
    this.#medium = medium;
    this.#log = log;
    this.#erases = [...boot.erases];
    this.#active = boot.active;
    this.#generation = boot.generation;
    this.#end = boot.scan.end;
    this.#appendable = boot.scan.appendable;
    this.#wipe = boot.wipe;
  }

  /**
   * Reads the medium; writes nothing. Throws RangeError for a geometry out of range, StoreError('io') for a journal that was written with
   * another geometry, and what the medium throws.
   */
  static async open(medium: FlashMedium, log: Log): Promise<{ ring: SectorRing; scan: SectorScan }> {
    const { sectorSize, sectorCount } = medium;
    if (sectorSize < MIN_SECTOR_SIZE || sectorSize > MAX_SECTOR_SIZE || sectorSize % RECORD_ALIGNMENT !== 0)
      throw new RangeError(`journal: sector size ${sectorSize} is not a multiple of 8 in ${MIN_SECTOR_SIZE}…${MAX_SECTOR_SIZE}`);
    if (sectorCount < MIN_SECTORS || sectorCount > MAX_SECTORS)
      throw new RangeError(`journal: ${sectorCount} sectors, not ${MIN_SECTORS}…${MAX_SECTORS}`);
    const boot = await scanMedium(medium);
    return { ring: new SectorRing(medium, log, boot), scan: boot.scan };
  }

  /** Bytes of records that the sector in force still takes; 0 when it must be rewritten first. */
  get room(): number {
    return this.#appendable ? this.#medium.sectorSize - SECTOR_HEADER_BYTES - this.#end : 0;
  }

  /** True when the sector in force takes records. */
  get appendable(): boolean {
    return this.#appendable;
  }

  /** Erase cycles of each sector, as far as the headers tell. */
  get erases(): readonly number[] {
    return this.#erases;
  }

  /** Writes one record of at most `room` bytes. Resolves when it is durable. After an error the sector is no longer appended to. */
  async append(entries: readonly Entry[], sequence: number): Promise<void> {
    const active = this.#active;
    if (active === undefined || !this.#appendable) throw new Error('journal: no sector to append to');
    this.#appendable = false;
    const address = this.#address(active);
    const record = encodeRecord(entries, sequence, { generation: this.#generation, sector: address }, this.#end);
    await this.#program(address + this.#end, record);
    await this.#medium.sync();
    this.#unsealed = address + this.#end + SEAL_AT;
    this.#end += record.length;
    this.#appendable = true;
  }

  /**
   * Moves to a fresh sector that holds `entries` alone. Resolves when that is durable and the old sector is out of force. After an error the
   * old sector holds, but takes no record any more: the new header may be on the medium, and whatever came later would lose against it.
   */
  async rewrite(entries: readonly Entry[], sequence: number, mode: { readonly reset: boolean; readonly lossy: boolean }): Promise<void> {
    const { sectorSize, sectorCount } = this.#medium;
    const before = this.#active;
    const target = this.#leastWorn();
    const generation = this.#generation + 1;
    const address = this.#address(target);
    const base = encodeEntries(entries, { generation, sector: address }, CONTENT_AT);
    if (base.length > contentBytes(sectorSize)) throw new StoreError('full', `journal: ${base.length} bytes of entries exceed one sector`);
    const reset = mode.reset || this.#wipe;
    this.#appendable = false;
    this.#unsealed = undefined;
    this.#generation = generation;
    const erases = (this.#erases[target] ?? 0) + 1;
    this.#erases[target] = erases;

    await this.#medium.erase(target);
    if (base.length > 0) await this.#program(address + CONTENT_AT, base);
    await this.#medium.sync();
    const header = encodeSectorHeader({
      generation,
      erases,
      sequence,
      baseLength: base.length,
      sectorSize,
      sectorCount,
      reset,
      lossy: mode.lossy,
    });
    await this.#program(address, header);
    await this.#program(address + sectorSize - SECTOR_HEADER_BYTES, header);
    await this.#medium.sync();

    this.#wipe = reset;
    this.#active = target;
    this.#end = align(CONTENT_AT + base.length, RECORD_ALIGNMENT);
    this.#appendable = true;
    if (before !== undefined) await this.#mark(this.#address(before) + REPLACED_AT, 'sector');
  }

  /**
   * Seals the last record. It needs no sync of its own: a seal that is lost costs a rewrite at the next boot, no data. Never rejects.
   */
  async seal(): Promise<void> {
    if (this.#unsealed === undefined) return;
    const at = this.#unsealed;
    this.#unsealed = undefined;
    await this.#mark(at, 'record');
  }

  /** True when a factory reset still has to erase sectors. */
  get mustWipe(): boolean {
    return this.#wipe;
  }

  /** Erases every sector that is not in force, and reads it back. */
  async wipe(): Promise<void> {
    for (let sector = 0; sector < this.#medium.sectorCount; sector++) {
      if (sector === this.#active || (await isSectorBlank(this.#medium, sector))) continue;
      await this.#medium.erase(sector);
      this.#erases[sector] = (this.#erases[sector] ?? 0) + 1;
      if (!(await isSectorBlank(this.#medium, sector)))
        throw new StoreError('io', `journal: sector ${sector} is not blank after its erase`);
    }
    await this.#medium.sync();
    this.#wipe = false;
  }

  async sync(): Promise<void> {
    await this.#medium.sync();
  }

  /** Makes the seals durable and closes the medium. */
  async close(): Promise<void> {
    try {
      await this.#medium.sync();
    } finally {
      await this.#medium.close();
    }
  }

  /** The next sector of the rotation among those with the fewest erase cycles. */
  #leastWorn(): number {
    const count = this.#medium.sectorCount;
    if (this.#active === undefined) return 0;
    let best = (this.#active + 1) % count;
    for (let step = 2; step < count; step++) {
      const sector = (this.#active + step) % count;
      if ((this.#erases[sector] ?? 0) < (this.#erases[best] ?? 0)) best = sector;
    }
    return best;
  }

  #address(sector: number): number {
    return sector * this.#medium.sectorSize;
  }

  async #program(address: number, bytes: Uint8Array): Promise<void> {
    await this.#medium.program(address, bytes);
    const back = await this.#medium.read(address, bytes.length);
    if (!sameBytes(back, bytes)) throw new StoreError('io', `journal: what was programmed at ${address} reads back differently`);
  }

  async #mark(address: number, what: string): Promise<void> {
    try {
      await this.#medium.program(address, MARK);
    } catch (error) {
      this.#log.warn('mark not written', { what, address, reason: String(error) });
    }
  }
}
