import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { StoreError } from '../errors.js';
import type { Log } from '../platform.js';
import type { ProtocolLogSink } from '../protocol-log/index.js';

export interface ProtocolLogFileOptions {
  readonly path: string;
  /** Bytes at which the file becomes PATH.1 and a new one begins; so at most twice as many are on the disk. */
  readonly limit?: number;
  /** Hears once of a disk that refuses. */
  readonly log: Log;
}

const LIMIT = 64 * 1024 * 1024;
/** Bytes that may wait for the disk. */
const WAITING = 4 * 1024 * 1024;
/** Readable by its owner alone: frames show what a household does. */
const MODE = 0o600;

/**
 * A protocol log on a disk. A file that is there already becomes PATH.1. Entries are written behind, in their order; what the disk does not take
 * is lost and counted, and the device goes on. Rejects with StoreError where the file cannot be made.
 */
export async function openProtocolLog(options: ProtocolLogFileOptions): Promise<ProtocolLogFile> {
  const file = await newFile(options.path);
  return new ProtocolLogFile(options, file);
}

/** A pipe or a device is written to as it is. */
async function newFile(path: string): Promise<FileHandle> {
  try {
    const present = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (present !== undefined && !present.isFile()) return await open(path, 'a');
    if (present !== undefined) await rename(path, `${path}.1`);
    return await open(path, 'wx', MODE);
  } catch (error) {
    throw new StoreError('io', `protocol log ${path}: ${(error as Error).message}`);
  }
}

export class ProtocolLogFile implements ProtocolLogSink {
  readonly #options: ProtocolLogFileOptions;
  #file: FileHandle;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #written = 0;
  #writing: Promise<void> | undefined;
  #failed = false;
  #closed = false;

  constructor(options: ProtocolLogFileOptions, file: FileHandle) {
    this.#options = options;
    this.#file = file;
  }

  append(entry: Uint8Array): boolean {
    if (this.#closed || this.#failed || this.#waitingBytes + entry.length > WAITING) return false;
    this.#waiting.push(entry);
    this.#waitingBytes += entry.length;
    this.#writing ??= this.#write();
    return true;
  }

  /** Resolves when what was taken is on its way to the disk. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    await this.#file.close().catch(() => undefined);
  }

  async #write(): Promise<void> {
    // A later turn: entries of one turn leave in one write.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0 && !this.#failed) {
      const batch = Buffer.concat(this.#waiting.splice(0));
      this.#waitingBytes = 0;
      try {
        await this.#rotate(batch.length);
        await this.#file.appendFile(batch);
        this.#written += batch.length;
      } catch (error) {
        // A torn entry would hide all that follow it: nothing more is written.
        this.#failed = true;
        this.#waiting = [];
        this.#options.log.error('the protocol log ends here', { path: this.#options.path, reason: (error as Error).message });
      }
    }
    this.#writing = undefined;
  }

  async #rotate(coming: number): Promise<void> {
    if (this.#written === 0 || this.#written + coming <= (this.#options.limit ?? LIMIT)) return;
    await this.#file.close();
    this.#file = await newFile(this.#options.path);
    this.#written = 0;
  }
}
