import type { FlashMedium } from '../flash-medium.js';

export interface MockFlashOptions {
  /** Bytes; 4096 unless told. */
  readonly sectorSize?: number;
  /** 2 unless told. */
  readonly sectorCount?: number;
  /** The content; blank unless told. */
  readonly image?: Uint8Array;
  /**
   * A random integer in [0, bound). With it the medium has a write cache: at a power cut every operation since the last `sync`
   * took effect as a whole, in part, or not at all, as chance decides. Without it every operation is durable at once.
   */
  readonly chance?: (bound: number) => number;
}

interface Operation {
  readonly address: number;
  /** What is programmed; 0xFF everywhere for an erase. */
  readonly bytes: Uint8Array;
  readonly erase: boolean;
}

/** Bytes that a write cache writes back as one. */
const BLOCK = 16;

/**
 * A NOR flash in memory, exact to the bit: a program that would set a bit rejects. It counts the erase cycles, can cut the power at any
 * operation, fail any operation, and flip bits. Operations are numbered from 0: each `program`, `erase` and `sync`, not `read`.
 */
export class MockFlash implements FlashMedium {
  readonly sectorSize: number;
  readonly sectorCount: number;
  /** Erase cycles per sector. */
  readonly erases: number[];
  /** Operations done so far, which is the number of the next one. */
  operations = 0;
  /** What reads give. */
  readonly #cells: Uint8Array;
  /** What a power cut leaves, before chance decides about `#unsynced`. */
  readonly #durable: Uint8Array;
  #unsynced: Operation[] = [];
  readonly #chance: ((bound: number) => number) | undefined;
  #cut: { readonly operation: number; readonly bytesDone: number | undefined } | undefined;
  #failure: { readonly operation: number; readonly error: Error; readonly bytesDone: number } | undefined;
  #powered = true;
  #closed = false;

  constructor(options: MockFlashOptions = {}) {
    this.sectorSize = options.sectorSize ?? 4096;
    this.sectorCount = options.sectorCount ?? 2;
    const size = this.sectorSize * this.sectorCount;
    if (options.image !== undefined && options.image.length !== size)
      throw new RangeError(`flash: image of ${options.image.length} bytes, not ${size}`);
    this.#durable = options.image?.slice() ?? new Uint8Array(size).fill(0xff);
    this.#cells = this.#durable.slice();
    this.#chance = options.chance;
    this.erases = new Array<number>(this.sectorCount).fill(0);
  }

  async read(address: number, length: number): Promise<Uint8Array> {
    this.#checkUsable('read', address);
    this.#checkRange('read', address, length);
    return this.#cells.slice(address, address + length);
  }

  async program(address: number, bytes: Uint8Array): Promise<void> {
    this.#checkUsable('program', address);
    this.#checkRange('program', address, bytes.length);
    for (let i = 0; i < bytes.length; i++)
      if (((this.#cells[address + i] as number) & (bytes[i] as number)) !== bytes[i])
        throw new Error(`flash: program at ${address + i} would set a bit`);
    this.#operate({ address, bytes: bytes.slice(), erase: false });
  }

  async erase(sector: number): Promise<void> {
    if (sector < 0 || sector >= this.sectorCount) throw new RangeError(`flash: no sector ${sector}`);
    const address = sector * this.sectorSize;
    this.#checkUsable('erase', address);
    this.erases[sector] = (this.erases[sector] ?? 0) + 1;
    this.#operate({ address, bytes: new Uint8Array(this.sectorSize).fill(0xff), erase: true });
  }

  async sync(): Promise<void> {
    this.#checkUsable('sync', 0);
    this.#operate(undefined);
    this.#durable.set(this.#cells);
    this.#unsynced = [];
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /**
   * Cuts the power at operation `operation`: it rejects, and so does everything until `powerUp`. A program or an erase has
   * then done exactly its first `bytesDone` bytes; without a number chance decides, or none are done where there is no chance.
   */
  cutAt(operation: number, bytesDone?: number): void {
    this.#cut = { operation, bytesDone };
  }

  /** Makes operation `operation` reject with `error` after its first `bytesDone` bytes; the medium goes on. */
  failAt(operation: number, error: Error, bytesDone = 0): void {
    this.#failure = { operation, error, bytesDone };
  }

  /** Cuts the power between two operations. */
  powerOff(): void {
    if (this.#chance !== undefined) for (const operation of this.#unsynced) this.#settle(operation, this.#chance);
    this.#unsynced = [];
    this.#cells.set(this.#durable);
    this.#powered = false;
  }

  /** Power is back; also opens a closed medium again. */
  powerUp(): void {
    this.#powered = true;
    this.#closed = false;
    this.#cut = undefined;
  }

  /** Turns one bit round, whatever it is; `bit` 0…7. */
  flipBit(address: number, bit: number): void {
    for (const cells of [this.#cells, this.#durable]) cells[address] = (cells[address] as number) ^ (1 << bit);
  }

  /** A copy of what reads give now. */
  image(): Uint8Array {
    return this.#cells.slice();
  }

  /** An independent flash in the same state, powered and open, without planned cuts; its cache follows `chance`. */
  fork(chance?: (bound: number) => number): MockFlash {
    const { sectorSize, sectorCount } = this;
    const copy = new MockFlash({ sectorSize, sectorCount, image: this.#durable, ...(chance && { chance }) });
    copy.#cells.set(this.#cells);
    if (chance === undefined) copy.#durable.set(this.#cells);
    else copy.#unsynced = [...this.#unsynced];
    return copy;
  }

  /** Counts the operation and carries it out, unless power is cut or a failure is planned here. `undefined` is a sync. */
  #operate(operation: Operation | undefined): void {
    const number = this.operations++;
    if (this.#cut?.operation === number) {
      const done = this.#cut.bytesDone;
      if (operation !== undefined && done === undefined && this.#chance !== undefined) this.#unsynced.push(operation);
      this.powerOff();
      if (operation !== undefined && done !== undefined) carryOut(this.#durable, operation, done);
      this.#cells.set(this.#durable);
      throw new Error(`flash: power cut at operation ${number}`);
    }
    if (this.#failure?.operation === number) {
      const { error, bytesDone } = this.#failure;
      if (operation !== undefined) this.#perform({ ...operation, bytes: operation.bytes.slice(0, bytesDone) });
      throw error;
    }
    if (operation !== undefined) this.#perform(operation);
  }

  #perform(operation: Operation): void {
    carryOut(this.#cells, operation);
    if (this.#chance === undefined) carryOut(this.#durable, operation);
    else this.#unsynced.push(operation);
  }

  /** Decides what a power cut leaves of an operation that no sync followed. */
  #settle(operation: Operation, chance: (bound: number) => number): void {
    const outcome = ['none', 'all', 'prefix', 'blocks'][chance(4)];
    if (outcome === 'all') carryOut(this.#durable, operation);
    if (outcome === 'prefix') carryOut(this.#durable, operation, chance(operation.bytes.length + 1));
    if (outcome !== 'blocks') return;
    for (let at = 0; at < operation.bytes.length; at += BLOCK) {
      const bytes = operation.bytes.subarray(at, at + BLOCK);
      if (chance(2) === 0) carryOut(this.#durable, { ...operation, address: operation.address + at, bytes });
    }
  }

  #checkUsable(what: string, address: number): void {
    if (this.#closed) throw new Error(`flash: ${what} at ${address} after close`);
    if (!this.#powered) throw new Error(`flash: ${what} at ${address} without power`);
  }

  #checkRange(what: string, address: number, length: number): void {
    const sector = Math.floor(address / this.sectorSize);
    if (address < 0 || sector >= this.sectorCount) throw new RangeError(`flash: ${what} at ${address} is outside`);
    if (address + length > (sector + 1) * this.sectorSize) throw new RangeError(`flash: ${what} at ${address} crosses its sector`);
  }
}

/** Does the first `length` bytes of `operation`, at most all. */
function carryOut(cells: Uint8Array, { address, bytes, erase }: Operation, length = bytes.length): void {
  for (let i = 0; i < Math.min(length, bytes.length); i++)
    cells[address + i] = erase ? 0xff : (cells[address + i] as number) & (bytes[i] as number);
}
