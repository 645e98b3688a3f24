import { existsSync, linkSync, readdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lockState, type StateLock } from '../../src/node/state-lock.js';
import { Child, temporaryFolder, transpile } from './child.js';

const code = temporaryFolder();
let folder: ReturnType<typeof temporaryFolder>;
let children: Child[];

const HOLD = `
import { lockState } from '../src/node/state-lock.js';
try {
  await lockState(process.argv[2]);
  console.log('held');
  setInterval(() => {}, 1000);
} catch (error) {
  console.log(error.code);
}`;

function start(path: string): Child {
  const child = new Child(HOLD, code.path, [path]);
  children.push(child);
  return child;
}

beforeAll(() => transpile(['src/node/state-lock.ts'], code.path));
afterAll(() => code.remove());
beforeEach(() => {
  folder = temporaryFolder();
  children = [];
});
afterEach(async () => {
  for (const child of children) await child.kill();
  folder.remove();
});

const locks = (path: string) => readdirSync(path).filter((name) => name.includes('lock'));

describe('state lock', () => {
  it('refuses a second process, naming the folder, until the first releases', async () => {
    const lock = await lockState(folder.path);
    expect(await start(folder.path).line()).toBe('locked');
    await lock.release();
    await lock.release();
    expect(locks(folder.path)).toEqual([]);
    expect(await start(folder.path).line()).toBe('held');
    await expect(lockState(folder.path)).rejects.toMatchObject({
      name: 'StoreError',
      code: 'locked',
      message: expect.stringContaining(folder.path),
    });
  });

  it('is free at once after kill -9', async () => {
    for (let round = 0; round < 3; round++) {
      const child = start(folder.path);
      expect(await child.line()).toBe('held');
      await child.kill();
    }
    const lock = await lockState(folder.path);
    expect(locks(folder.path)).toHaveLength(1);
    await lock.release();
  });

  it('is exclusive within one process too', async () => {
    const lock = await lockState(folder.path);
    await expect(lockState(folder.path)).rejects.toMatchObject({ code: 'locked' });
    expect(locks(folder.path)).toHaveLength(1);
    await lock.release();
    await (await lockState(folder.path)).release();
  });

  it('goes to exactly one of many that start at the same time, dead claims among them', async () => {
    for (let round = 0; round < 5; round++) {
      const dead = start(folder.path);
      expect(await dead.line()).toBe('held');
      await dead.kill();
      const attempts = await Promise.allSettled(Array.from({ length: 12 }, () => lockState(folder.path)));
      const held = attempts.filter((attempt): attempt is PromiseFulfilledResult<StateLock> => attempt.status === 'fulfilled');
      expect(held).toHaveLength(1);
      for (const attempt of attempts) if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ code: 'locked' });
      await held[0]?.value.release();
      expect(locks(folder.path)).toEqual([]);
    }
  });

  it('goes to exactly one of several processes that start at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => start(folder.path).line()));
    expect(answers.sort()).toEqual(['held', 'locked', 'locked', 'locked', 'locked']);
  });

  it('works in a folder whose path is too long for a socket, and by another path to it', async () => {
    const long = join(folder.path, 'a'.repeat(100), 'b'.repeat(100));
    const lock = await lockState(long);
    expect(await start(long).line()).toBe('locked');
    const short = join(folder.path, 'short');
    symlinkSync(long, short);
    expect(await start(short).line()).toBe('locked');
    await lock.release();
    const child = start(short);
    expect(await child.line()).toBe('held');
    await expect(lockState(long)).rejects.toMatchObject({ code: 'locked' });
    await child.kill();
    await (await lockState(long)).release();
  });

  it('creates the folder for its owner alone', async () => {
    const path = join(folder.path, 'made', 'here');
    const lock = await lockState(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder.path, 'made')).mode & 0o777).toBe(0o700);
    await lock.release();
  });

  it('clears away what processes killed in between have left, and what is no socket', async () => {
    const child = start(folder.path);
    expect(await child.line()).toBe('held');
    await child.kill();
    const [claim] = locks(folder.path);
    // Killed after bind and before rename; a copy of the folder that made a file of a socket.
    linkSync(join(folder.path, claim as string), join(folder.path, 'draft-lock.0123456789abcdef'));
    writeFileSync(join(folder.path, 'lock.from-a-backup'), '');
    writeFileSync(join(folder.path, 'journal.bin'), '');
    const lock = await lockState(folder.path);
    expect(readdirSync(folder.path).filter((name) => !name.startsWith('lock.'))).toEqual(['journal.bin']);
    expect(locks(folder.path)).toHaveLength(1);
    await lock.release();
  });

  it('gives way to a contender with a lower name, and waits for one with a higher name to do so', async () => {
    const rival = createServer((socket) => socket.destroy());
    const draft = join(folder.path, 'rival');
    await new Promise<void>((listening) => rival.listen(draft, listening));
    renameSync(draft, join(folder.path, 'lock.'));
    await expect(lockState(folder.path)).rejects.toMatchObject({ code: 'locked' });
    renameSync(join(folder.path, 'lock.'), join(folder.path, 'lock.z'));
    const lock = lockState(folder.path);
    setTimeout(() => rival.close(), 30);
    await (await lock).release();
    expect(existsSync(join(folder.path, 'lock.z'))).toBe(false);
  });

  it('says io when the folder cannot be one', async () => {
    writeFileSync(join(folder.path, 'file'), '');
    await expect(lockState(join(folder.path, 'file'))).rejects.toMatchObject({ name: 'StoreError', code: 'io' });
  });
});
