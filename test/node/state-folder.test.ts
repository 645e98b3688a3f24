import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createStateFolder } from '../../src/node/state-folder.js';
import { temporaryFolder } from './child.js';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

it('makes a folder and what is missing above it, for its owner alone; again, and by two at once', async () => {
  const deep = join(folder.path, 'a', 'b', 'c');
  await Promise.all([createStateFolder(deep), createStateFolder(deep)]);
  await createStateFolder(deep);
  for (const path of [deep, join(folder.path, 'a')]) expect(statSync(path).mode & 0o777).toBe(0o700);
});

it('a file where a folder is due is named', async () => {
  const file = join(folder.path, 'file');
  writeFileSync(file, '');
  await expect(createStateFolder(file)).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(createStateFolder(join(file, 'below'))).rejects.toMatchObject({ code: 'EEXIST', path: file });
});

it.skipIf(!existsSync('/proc/self'))('a file system that takes no folders is an error, not an endless wait (/proc)', async () => {
  await expect(createStateFolder('/proc/mash-state')).rejects.toMatchObject({ code: 'ENOENT' });
});
