import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import { dirname } from 'node:path';

/** Creates an absolute `folder` and what is missing above it, all 0700, and makes that durable. */
export async function createStateFolder(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  const above = dirname(folder);
  if (above !== folder) await createStateFolder(above);
  // Not `recursive`: Node 20 asks for ever where a file system answers ENOENT for what it does not take (/proc), and hides EROFS.
  await fs.mkdir(folder, { mode: 0o700 }).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST' || !(await isFolder(folder))) throw error;
  });
  // A folder that was made is durable only when the folder above it is synced.
  await syncFolder(above);
}

/** False for what is not there; a file on the way is left to `mkdir` to name. */
async function isFolder(path: string): Promise<boolean> {
  return fs.stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Makes the names in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
