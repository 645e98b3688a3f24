import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import fs from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { FlashMedium } from '../../hal/index.js';
import { StoreError } from '../errors.js';
import { createStateFolder, syncFolder } from './state-folder.js';

export interface FileFlashOptions {
  /** The state folder; created 0700 with its parents. The caller holds its lock, see `lockState`. */
  readonly folder: string;
  /** Bytes; 64 KiB unless told. Fixed when the file is created. */
  readonly sectorSize?: number;
  /** 2 unless told. Fixed when the file is created. */
  readonly sectorCount?: number;
}

export const JOURNAL_FILE = 'journal.bin';
export const DEFAULT_SECTOR_SIZE = 65_536;
export const DEFAULT_SECTOR_COUNT = 2;

/**
 * The journal's medium as one file of fixed size in the state folder, mode 0600. It appears whole or not at all: written beside, synced,
 * renamed, folder synced. Rejects with StoreError, naming the path: 'full' when the disk has no room, 'io' for anything that is not a
 * readable regular file of the right size.
 */
export async function openFileFlash(options: FileFlashOptions): Promise<FlashMedium> {
  const sectorSize = options.sectorSize ?? DEFAULT_SECTOR_SIZE;
  const sectorCount = options.sectorCount ?? DEFAULT_SECTOR_COUNT;
  const folder = resolve(options.folder);
  const path = join(folder, JOURNAL_FILE);
  let file: FileHandle | undefined;
  try {
    await createStateFolder(folder);
    file = await openOrCreate(path, sectorSize * sectorCount);
    const status = await file.stat();
    if (!status.isFile()) throw new StoreError('io', `${path}: not a regular file`);
    if (status.size !== sectorSize * sectorCount)
      throw new StoreError(
        'io',
        `${path}: ${status.size} bytes, not ${sectorCount} sectors of ${sectorSize}: no journal, or a part of one`,
      );
    if ((status.mode & 0o077) !== 0) await file.chmod(0o600);
    return new FileFlash(file, path, sectorSize, sectorCount);
  } catch (error) {
    await file?.close();
    throw storeError(path, 'open', error);
  }
}

/**
 * Programs write as they are told: that only blank or same bits change is the journal's rule, enforced on the mock flash and checked by the
 * journal's read-back, and a file would not suffer from a breach.
 */
class FileFlash implements FlashMedium {
  readonly sectorSize: number;
  readonly sectorCount: number;
  readonly #file: FileHandle;
  readonly #path: string;
  #closed: Promise<void> | undefined;

  constructor(file: FileHandle, path: string, sectorSize: number, sectorCount: number) {
    this.#file = file;
    this.#path = path;
    this.sectorSize = sectorSize;
    this.sectorCount = sectorCount;
  }

  async read(address: number, length: number): Promise<Uint8Array> {
    this.#checkRange('read', address, length);
    return this.#run(`read at ${address}`, async () => {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await this.#file.read(bytes, done, length - done, address + done);
        if (bytesRead === 0) throw new Error('the file has shrunk');
        done += bytesRead;
      }
      return bytes;
    });
  }

  async program(address: number, bytes: Uint8Array): Promise<void> {
    this.#checkRange('program', address, bytes.length);
    return this.#run(`program at ${address}`, () => writeAll(this.#file, bytes, address));
  }

  async erase(sector: number): Promise<void> {
    const address = sector * this.sectorSize;
    this.#checkRange('erase', address, this.sectorSize);
    return this.#run(`erase of sector ${sector}`, () => writeAll(this.#file, new Uint8Array(this.sectorSize).fill(0xff), address));
  }

  /** The size of the file never changes, so that its data is all there is to sync. */
  sync(): Promise<void> {
    return this.#run('sync', () => this.#file.datasync());
  }

  close(): Promise<void> {
    this.#closed ??= this.#file.close();
    return this.#closed;
  }

  async #run<T>(what: string, operation: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw new StoreError('closed', `${this.#path}: ${what} after close`);
    try {
      return await operation();
    } catch (error) {
      throw storeError(this.#path, what, error);
    }
  }

  #checkRange(what: string, address: number, length: number): void {
    const sector = Math.floor(address / this.sectorSize);
    if (!(sector >= 0 && sector < this.sectorCount)) throw new RangeError(`flash: ${what} at ${address} is outside`);
    if (address + length > (sector + 1) * this.sectorSize) throw new RangeError(`flash: ${what} at ${address} crosses its sector`);
  }
}

async function openOrCreate(path: string, size: number): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_NOFOLLOW;
  try {
    return await fs.open(path, flags);
  } catch (error) {
    if (code(error) !== 'ENOENT') throw error;
  }
  const fresh = `${path}.new`;
  await fs.rm(fresh, { force: true });
  const file = await fs.open(fresh, 'wx', 0o600);
  try {
    await file.chmod(0o600);
    await writeAll(file, new Uint8Array(size).fill(0xff), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await fs.rename(fresh, path);
  await syncFolder(dirname(path));
  return fs.open(path, flags);
}

async function writeAll(file: FileHandle, bytes: Uint8Array, address: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, address + done);
    done += bytesWritten;
  }
}

function storeError(path: string, what: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const full = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code(error) ?? '');
  return new StoreError(full ? 'full' : 'io', `${path}: ${what}: ${error instanceof Error ? error.message : String(error)}`);
}

function code(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
