import fs from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, StoreError } from '../../errors.js';
import { createStateFolder } from '../../node/state-folder.js';
import { readIfThere, writeAtomically } from '../atomic-file.js';
import { ControllerError, messageOf } from '../errors.js';

/** A token that the owner of a zone has issued. */
export interface AdminRecord {
  /** Token id, 64 hex digits, lower case. */
  readonly id: string;
  /** Of the app it was issued to, where it told one. */
  readonly name?: string;
  /** Unix seconds. */
  readonly issuedAt: number;
  /** Unix seconds. */
  readonly expiresAt: number;
  /** Mask of AdminPermission. */
  readonly permissions: number;
  /** Unix seconds; from then on the owner refuses the token. */
  readonly revokedAt?: number;
}

const FOLDER = 'admins';
const SUFFIX = '.json';
const VERSION = 1;
const ID_LENGTH = 64;

/**
 * The admins of a zone: `admins/<token id>.json` in its folder, one file a token, durable when a promise resolves; several processes may use
 * it at once, so that a revocation holds in a running owner. Rejects with StoreError naming the file.
 */
export class AdminRegister {
  readonly #folder: string;

  /** `zoneFolder`: of the zone. */
  constructor(zoneFolder: string) {
    this.#folder = join(zoneFolder, FOLDER);
  }

  async put(record: AdminRecord): Promise<void> {
    await createStateFolder(this.#folder).catch((error: unknown) => {
      throw new StoreError('io', `${this.#folder}: ${messageOf(error)}`);
    });
    await writeAtomically(this.#pathOf(record.id), `${JSON.stringify({ version: VERSION, ...record }, undefined, 2)}\n`);
  }

  /** Forgets a token that nobody has received. */
  async remove(id: string): Promise<void> {
    await fs.rm(this.#pathOf(id), { force: true });
  }

  /** The oldest first. */
  async list(): Promise<readonly AdminRecord[]> {
    const names = await fs.readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw new StoreError('io', `${this.#folder}: ${error.message}`);
    });
    const records: AdminRecord[] = [];
    for (const name of names.filter((candidate) => candidate.endsWith(SUFFIX))) {
      const record = await this.#read(name.slice(0, -SUFFIX.length));
      if (record !== undefined) records.push(record);
    }
    return records.sort((a, b) => a.issuedAt - b.issuedAt || (a.id < b.id ? -1 : 1));
  }

  /** Undefined for a token that was never recorded here. */
  find(id: string): Promise<AdminRecord | undefined> {
    return this.#read(id);
  }

  /**
   * Revokes the token whose id begins so, from `now` (Unix seconds) on; one revoked before stays as it is. A whole id that was never recorded
   * is revoked too. Rejects with UNKNOWN_DEVICE or AMBIGUOUS_DEVICE where no token, or several, have this beginning.
   */
  async revoke(prefix: string, now: number): Promise<AdminRecord> {
    const wanted = prefix.toLowerCase();
    if (!/^[0-9a-f]{1,64}$/.test(wanted)) throw new ConfigError('token', `'${prefix}' is no token id: hexadecimal digits are due`);
    const found = (await this.list()).filter(({ id }) => id.startsWith(wanted));
    if (found.length > 1)
      throw new ControllerError('AMBIGUOUS_DEVICE', `${found.length} tokens begin with ${prefix}`, { suggestions: ['Give more digits'] });
    const unknown: AdminRecord = { id: wanted, issuedAt: now, expiresAt: now, permissions: 0 };
    const record = found[0] ?? (wanted.length === ID_LENGTH ? unknown : undefined);
    if (record === undefined)
      throw new ControllerError('UNKNOWN_DEVICE', `No token begins with ${prefix}`, { suggestions: ["See 'mash-controller admin list'"] });
    if (record.revokedAt !== undefined) return record;
    const revoked = { ...record, revokedAt: now };
    await this.put(revoked);
    return revoked;
  }

  async #read(id: string): Promise<AdminRecord | undefined> {
    const path = this.#pathOf(id);
    const text = await readIfThere(path);
    if (text === undefined) return undefined;
    try {
      return decode(JSON.parse(text) as Readonly<Record<string, unknown>>, id);
    } catch (error) {
      // A file that cannot be read is never "not revoked".
      throw new StoreError('io', `${path}: ${messageOf(error)}`);
    }
  }

  #pathOf(id: string): string {
    return join(this.#folder, `${id}${SUFFIX}`);
  }
}

function decode(fields: Readonly<Record<string, unknown>>, id: string): AdminRecord {
  const { version, name, issuedAt, expiresAt, permissions, revokedAt } = fields;
  if (version !== VERSION || fields['id'] !== id) throw new TypeError(`version ${VERSION} of token ${id} is due`);
  for (const value of [issuedAt, expiresAt, permissions, ...(revokedAt === undefined ? [] : [revokedAt])])
    if (!Number.isSafeInteger(value)) throw new TypeError('whole numbers are due');
  return {
    id,
    ...(typeof name === 'string' ? { name } : {}),
    issuedAt: issuedAt as number,
    expiresAt: expiresAt as number,
    permissions: permissions as number,
    ...(revokedAt === undefined ? {} : { revokedAt: revokedAt as number }),
  };
}
