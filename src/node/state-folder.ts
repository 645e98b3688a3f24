import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import { dirname } from 'node:path';

/** Creates an absolute `folder` and what is missing above it, all 0700, and makes that durable. */
export async function createStateFolder(folder: string): Promise<void> {
  const first = await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  // Each folder made is durable only when the folder above it is synced.
  for (let made = folder; made !== dirname(first); made = dirname(made)) await syncFolder(dirname(made));
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
