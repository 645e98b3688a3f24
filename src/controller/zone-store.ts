import fs from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { StoreError } from '../errors.js';
import { createStateFolder, syncFolder } from '../node/state-folder.js';
import type { Crypto } from '../platform.js';
import { createAtomically, readIfThere, writeAtomically } from './atomic-file.js';
import { messageOf } from './errors.js';
import type { AdminZone, ControllerZone, DeviceRecord } from './zone.js';
import { decodeAdminFile, decodeDeviceFile, decodeZoneFile, encodeAdminFile, encodeDeviceFile, encodeZoneFile } from './zone-records.js';

const ZONE_FILE = 'zone.json';
const ADMIN_FILE = 'admin.json';
const DEVICES = 'devices';
const SUFFIX = '.json';

/** Where the zone lives when no folder is named: `$XDG_STATE_HOME/mash-controller`, else `~/.local/state/mash-controller`. */
export function defaultZoneFolder(env: Readonly<Record<string, string | undefined>>): string {
  const state = env['XDG_STATE_HOME'];
  return join(state === undefined || state === '' ? join(homedir(), '.local', 'state') : state, 'mash-controller');
}

/**
 * One zone in one folder: `zone.json` with the keys, or `admin.json` with a token of its owner, and `devices/<id>.json`. Each file is replaced as a whole and durable when its
 * promise resolves; several processes may use the folder at once. Rejects with StoreError naming the file.
 */
export class ZoneStore {
  readonly folder: string;
  readonly #crypto: Crypto;

  constructor(folder: string, crypto: Crypto) {
    this.folder = resolve(folder);
    this.#crypto = crypto;
  }

  /** Undefined where no zone was created yet. */
  async load(): Promise<ControllerZone | undefined> {
    const path = join(this.folder, ZONE_FILE);
    const text = await readIfThere(path);
    return text === undefined ? undefined : decode(path, () => decodeZoneFile(this.#crypto, text));
  }

  /** Stores a new zone; where another process was faster, its zone is returned and this one forgotten. */
  async create(zone: ControllerZone): Promise<ControllerZone> {
    const path = join(this.folder, ZONE_FILE);
    await this.#makeFolder(this.folder);
    if (await createAtomically(path, encodeZoneFile(zone))) return zone;
    const other = await this.load();
    if (other === undefined) throw new StoreError('io', `${path}: vanished`);
    return other;
  }

  /** Replaces what is stored of the zone: a renewed controller certificate. */
  async update(zone: ControllerZone): Promise<void> {
    await writeAtomically(join(this.folder, ZONE_FILE), encodeZoneFile(zone));
  }

  /** The zone for which this folder's user is an admin; undefined where it is of no other owner. */
  async loadAdmin(): Promise<AdminZone | undefined> {
    const path = join(this.folder, ADMIN_FILE);
    const text = await readIfThere(path);
    return text === undefined ? undefined : decode(path, () => decodeAdminFile(this.#crypto, text));
  }

  /** A new token replaces the former one. */
  async putAdmin(zone: AdminZone): Promise<void> {
    await this.#makeFolder(this.folder);
    await writeAtomically(join(this.folder, ADMIN_FILE), encodeAdminFile(zone));
  }

  /** In the order in which they joined. */
  async devices(): Promise<readonly DeviceRecord[]> {
    const folder = join(this.folder, DEVICES);
    const names = await fs.readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw new StoreError('io', `${folder}: ${error.message}`);
    });
    const records: DeviceRecord[] = [];
    for (const name of names.filter((candidate) => candidate.endsWith(SUFFIX))) {
      const path = join(folder, name);
      const text = await readIfThere(path);
      if (text !== undefined) records.push(decode(path, () => decodeDeviceFile(text)));
    }
    return records.sort((a, b) => a.addedAt - b.addedAt || (a.id < b.id ? -1 : 1));
  }

  async put(record: DeviceRecord): Promise<void> {
    await this.#makeFolder(join(this.folder, DEVICES));
    await writeAtomically(this.#pathOf(record.id), encodeDeviceFile(record));
  }

  /** Without effect where there is no such device. */
  async remove(id: string): Promise<void> {
    const path = this.#pathOf(id);
    try {
      await fs.rm(path, { force: true });
      await syncFolder(join(this.folder, DEVICES));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new StoreError('io', `${path}: ${messageOf(error)}`);
    }
  }

  /** Ids differ in case alone only where they are the same. */
  #pathOf(id: string): string {
    return join(this.folder, DEVICES, `${id.toUpperCase()}${SUFFIX}`);
  }

  async #makeFolder(folder: string): Promise<void> {
    await createStateFolder(folder).catch((error: unknown) => {
      throw new StoreError('io', `${folder}: ${messageOf(error)}`);
    });
  }
}

/** A file that cannot be read is never "no zone" or "no device". */
function decode<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new StoreError('io', `${path}: ${messageOf(error)}`);
  }
}
