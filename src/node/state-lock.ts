import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import fs from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { StoreError } from '../errors.js';
import { createStateFolder } from './state-folder.js';

export interface StateLock {
  /** Gives the folder free. Idempotent. */
  release(): Promise<void>;
}

const CLAIM = 'lock.';
const DRAFT = 'draft-lock.';
/** sun_path of Linux is 108 bytes with its end, of others 104. */
const SOCKET_PATH_BYTES = 103;
/** A rival that only tries gives way at once; one that is still there after this is the holder. */
const RIVAL_ROUNDS = 10;
const RIVAL_WAIT_MS = 20;

/**
 * Takes the state folder for this process. Each contender shows a *claim* in the folder, a listening Unix socket of a name never used again,
 * and holds the folder when it then finds no other live claim: of two contenders at least one sees the other. A claim whose
 * process has died, kill -9 included, refuses connections; taking its name away can hit nobody else. Among contenders the lowest name stays.
 * A socket with a path belongs to the file system, not to a network namespace: containers that share the folder see each other; two
 * machines that share it over a network do not.
 * Rejects with StoreError 'locked' when another process holds the folder, 'io' when it cannot hold a socket.
 */
export async function lockState(folder: string): Promise<StateLock> {
  const path = resolve(folder);
  let claim: Claim | undefined;
  try {
    await createStateFolder(path);
    claim = await showClaim(path);
    for (let round = 0; round < RIVAL_ROUNDS; round++) {
      const rivals = await liveRivals(claim);
      if (rivals.length === 0) {
        await removeDrafts(claim);
        return claim;
      }
      if (rivals.some((rival) => rival < (claim as Claim).name)) break;
      await wait(RIVAL_WAIT_MS);
    }
    throw new StoreError('locked', `${path}: in use by another process`);
  } catch (error) {
    await claim?.release();
    throw error instanceof StoreError ? error : new StoreError('io', `${path}: lock: ${error instanceof Error ? error.message : error}`);
  }
}

class Claim implements StateLock {
  readonly name: string;
  readonly folder: string;
  readonly #handle: FileHandle;
  readonly #server: Server;
  #released: Promise<void> | undefined;

  constructor(folder: string, name: string, handle: FileHandle, server: Server) {
    this.folder = folder;
    this.name = name;
    this.#handle = handle;
    this.#server = server;
  }

  address(name: string): string {
    return socketPath(this.folder, name, this.#handle);
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    await fs.rm(join(this.folder, this.name), { force: true });
    await new Promise<void>((done) => this.#server.close(() => done()));
    await this.#handle.close();
  }
}

/** Binds under a draft name and renames once it listens, so that a claim that refuses connections is always a dead one. */
async function showClaim(folder: string): Promise<Claim> {
  const id = randomBytes(8).toString('hex');
  const handle = await fs.open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  const server = createServer((socket) => socket.on('error', () => {}).destroy());
  try {
    await new Promise<void>((listening, failed) => {
      server.once('error', failed);
      server.listen({ path: socketPath(folder, DRAFT + id, handle), exclusive: true }, listening);
    });
    // The lock neither keeps the process running nor ends it when a connection cannot be accepted.
    server.unref().on('error', () => {});
    await fs.rename(join(folder, DRAFT + id), join(folder, CLAIM + id));
    return new Claim(folder, CLAIM + id, handle, server);
  } catch (error) {
    server.close();
    await handle.close();
    throw error;
  }
}

/** Names of the other claims whose processes live. Dead ones are taken away. */
async function liveRivals(own: Claim): Promise<readonly string[]> {
  const live: string[] = [];
  for (const name of await fs.readdir(own.folder)) {
    if (!name.startsWith(CLAIM) || name === own.name) continue;
    const answer = await probe(own.address(name));
    if (answer === 'live') live.push(name);
    if (answer === 'dead') await fs.rm(join(own.folder, name), { force: true });
  }
  return live;
}

/** What processes killed between bind and rename left. One that is alive and just there finds its draft gone and holds nothing. */
async function removeDrafts(own: Claim): Promise<void> {
  for (const name of await fs.readdir(own.folder)) {
    if (name.startsWith(DRAFT) && (await probe(own.address(name))) === 'dead') await fs.rm(join(own.folder, name), { force: true });
  }
}

/** Only a refused connection proves that nobody listens any more; what cannot be told counts as live. */
function probe(path: string): Promise<'live' | 'dead' | 'gone'> {
  return new Promise((answer) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      answer('live');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      answer(error.code === 'ECONNREFUSED' ? 'dead' : error.code === 'ENOENT' ? 'gone' : 'live');
    });
  });
}

/** A long folder is reached through its open handle (Linux), for the path of a socket is short. */
function socketPath(folder: string, name: string, handle: FileHandle): string {
  const path = join(folder, name);
  return Buffer.byteLength(path) <= SOCKET_PATH_BYTES ? path : `/proc/self/fd/${handle.fd}/${name}`;
}
