import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { StoreError } from '../errors.js';
import { syncFolder } from '../node/state-folder.js';
import { messageOf } from './errors.js';

/** Replaces `path` by a file of mode 0600 with that content: written beside it, synced, renamed, the folder synced. Rejects with StoreError. */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  await place(path, content, async (draft) => fs.rename(draft, path));
}

/** The same for a file that must not exist yet; false where it does. */
export async function createAtomically(path: string, text: string): Promise<boolean> {
  let created = true;
  await place(path, text, async (draft) => {
    await fs.link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      created = false;
    });
    await fs.rm(draft);
  });
  return created;
}

/** Undefined where there is no such file. Rejects with StoreError where it cannot be read. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await fs.readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StoreError('io', `${path}: ${messageOf(error)}`);
  }
}

async function place(path: string, content: string | Uint8Array, into: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.draft`;
  try {
    const handle = await fs.open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await into(draft);
    await syncFolder(dirname(path));
  } catch (error) {
    await fs.rm(draft, { force: true });
    throw new StoreError('io', `${path}: ${messageOf(error)}`);
  }
}
