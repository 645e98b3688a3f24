import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { JOURNAL_FILE, openFileFlash } from '../../src/node/file-flash.js';
import { Journal } from '../../src/store/journal.js';
import { MemoryLog } from '../world/log.js';
import { Child, temporaryFolder, transpile } from './child.js';

const SMALL = { sectorSize: 4096, sectorCount: 2 };
const bytes = (...values: number[]) => Uint8Array.from(values);
let folder: ReturnType<typeof temporaryFolder>;

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => {
  vi.restoreAllMocks();
  folder.remove();
});

/** What all file handles share, to watch or break their calls. */
async function handles(): Promise<FileHandle> {
  const handle = await fs.open(folder.path);
  await handle.close();
  return Object.getPrototypeOf(handle);
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: made for the test`), { code });
}

describe('file flash', () => {
  it('is one blank file of 2 × 64 KiB unless told', async () => {
    const medium = await openFileFlash({ folder: folder.path });
    expect([medium.sectorSize, medium.sectorCount]).toEqual([65_536, 2]);
    await medium.close();
    expect(readdirSync(folder.path)).toEqual([JOURNAL_FILE]);
    expect(readFileSync(join(folder.path, JOURNAL_FILE)).every((byte) => byte === 0xff)).toBe(true);
    expect(statSync(join(folder.path, JOURNAL_FILE)).size).toBe(131_072);
  });

  it('reads, programs, erases, and keeps it', async () => {
    let medium = await openFileFlash({ folder: folder.path, ...SMALL });
    await medium.program(4090, bytes(1, 2, 3, 4, 5, 6));
    await medium.program(4096, bytes(7));
    await medium.sync();
    await medium.close();
    medium = await openFileFlash({ folder: folder.path, ...SMALL });
    expect(await medium.read(4089, 7)).toEqual(bytes(0xff, 1, 2, 3, 4, 5, 6));
    await medium.erase(0);
    expect(await medium.read(4089, 7)).toEqual(new Uint8Array(7).fill(0xff));
    expect(await medium.read(4096, 1)).toEqual(bytes(7));
    await medium.close();
  });

  it('creates file and folders for their owner alone, whatever the umask', async () => {
    const path = join(folder.path, 'made', 'here');
    for (const [umask, state] of [
      [0, path],
      [0o777, folder.path],
    ] as const) {
      const before = process.umask(umask);
      try {
        await (await openFileFlash({ folder: state, ...SMALL })).close();
      } finally {
        process.umask(before);
      }
      expect(statSync(join(state, JOURNAL_FILE)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder.path, 'made')).mode & 0o777).toBe(0o700);
  });

  it('takes rights back that others have on an existing file', async () => {
    await (await openFileFlash({ folder: folder.path, ...SMALL })).close();
    chmodSync(join(folder.path, JOURNAL_FILE), 0o644);
    await (await openFileFlash({ folder: folder.path, ...SMALL })).close();
    expect(statSync(join(folder.path, JOURNAL_FILE)).mode & 0o777).toBe(0o600);
  });

  it('makes the file whole before it has its name, and syncs file and folders in that order', async () => {
    const calls: string[] = [];
    const state = join(folder.path, 'state');
    const prototype = await handles();
    const name = (handle: FileHandle) => readlinkSync(`/proc/self/fd/${handle.fd}`).slice(folder.path.length) || '/';
    for (const method of ['write', 'sync', 'datasync'] as const) {
      const original = prototype[method] as (...args: unknown[]) => Promise<unknown>;
      vi.spyOn(prototype, method).mockImplementation(function (this: FileHandle, ...args: unknown[]) {
        calls.push(`${method} ${name(this)}`);
        return original.apply(this, args) as never;
      });
    }
    const rename = fs.rename;
    vi.spyOn(fs, 'rename').mockImplementation((from, to) => {
      calls.push(`rename ${String(from).slice(folder.path.length)} ${String(to).slice(folder.path.length)}`);
      return rename(from, to);
    });
    const medium = await openFileFlash({ folder: state, ...SMALL });
    expect(calls).toEqual([
      'sync /',
      'write /state/journal.bin.new',
      'sync /state/journal.bin.new',
      'rename /state/journal.bin.new /state/journal.bin',
      'sync /state',
    ]);
    calls.length = 0;
    await medium.program(0, bytes(1));
    await medium.sync();
    expect(calls).toEqual(['write /state/journal.bin', 'datasync /state/journal.bin']);
    await medium.close();
  });

  it('begins anew after a creation that was cut short', async () => {
    writeFileSync(join(folder.path, `${JOURNAL_FILE}.new`), 'half');
    await (await openFileFlash({ folder: folder.path, ...SMALL })).close();
    expect(readdirSync(folder.path)).toEqual([JOURNAL_FILE]);
  });

  it('refuses what is no file of the right size, naming the path, and leaves it alone', async () => {
    const path = join(folder.path, JOURNAL_FILE);
    const refused = (reason: string) =>
      expect(openFileFlash({ folder: folder.path, ...SMALL })).rejects.toMatchObject({
        name: 'StoreError',
        code: 'io',
        message: expect.stringMatching(new RegExp(`${path}.*${reason}`)),
      });
    writeFileSync(path, 'short');
    await refused('5 bytes, not 2 sectors of 4096');
    expect(readFileSync(path, 'utf8')).toBe('short');
    await fs.rm(path);
    mkdirSync(path);
    await refused('EISDIR');
    await fs.rmdir(path);
    symlinkSync('/dev/null', path);
    await refused('ELOOP');
    await fs.rm(path);
    writeFileSync(join(folder.path, 'file'), '');
    await expect(openFileFlash({ folder: join(folder.path, 'file') })).rejects.toMatchObject({ code: 'io' });
  });

  it('says full when the disk is, at creation and later', async () => {
    const prototype = await handles();
    const medium = await openFileFlash({ folder: join(folder.path, 'a'), ...SMALL });
    vi.spyOn(prototype, 'write').mockRejectedValue(failure('ENOSPC'));
    await expect(openFileFlash({ folder: join(folder.path, 'b'), ...SMALL })).rejects.toMatchObject({ name: 'StoreError', code: 'full' });
    await expect(medium.program(0, bytes(1))).rejects.toMatchObject({ code: 'full', message: expect.stringContaining(JOURNAL_FILE) });
    await medium.close();
  });

  it('says io when a sync fails', async () => {
    const prototype = await handles();
    const medium = await openFileFlash({ folder: folder.path, ...SMALL });
    vi.spyOn(prototype, 'datasync').mockRejectedValue(failure('EIO'));
    await expect(medium.sync()).rejects.toMatchObject({ name: 'StoreError', code: 'io' });
    await medium.close();
  });

  it('writes all where the system writes less at once, and reads so', async () => {
    const prototype = await handles();
    const medium = await openFileFlash({ folder: folder.path, ...SMALL });
    for (const method of ['read', 'write'] as const) {
      const original = prototype[method] as (...args: unknown[]) => Promise<unknown>;
      vi.spyOn(prototype, method).mockImplementation(function (this: FileHandle, ...args: unknown[]) {
        return original.call(this, args[0], args[1], Math.min(args[2] as number, 2), args[3]) as never;
      });
    }
    await medium.program(0, bytes(1, 2, 3, 4, 5));
    expect(await medium.read(0, 6)).toEqual(bytes(1, 2, 3, 4, 5, 0xff));
    await medium.close();
  });

  it('says io when the file has shrunk', async () => {
    const medium = await openFileFlash({ folder: folder.path, ...SMALL });
    await fs.truncate(join(folder.path, JOURNAL_FILE), 100);
    await expect(medium.read(90, 20)).rejects.toMatchObject({ code: 'io', message: expect.stringContaining('shrunk') });
    await medium.close();
  });

  it('refuses ranges outside or across sectors, and everything after close', async () => {
    const medium = await openFileFlash({ folder: folder.path, ...SMALL });
    await expect(medium.read(4095, 2)).rejects.toThrow(RangeError);
    await expect(medium.program(4095, bytes(1, 2))).rejects.toThrow(RangeError);
    await expect(medium.read(8192, 1)).rejects.toThrow(RangeError);
    await expect(medium.program(-1, bytes(1))).rejects.toThrow(RangeError);
    await expect(medium.erase(2)).rejects.toThrow(RangeError);
    await Promise.all([medium.close(), medium.close()]);
    for (const after of [medium.read(0, 1), medium.program(0, bytes(1)), medium.erase(0), medium.sync()])
      await expect(after).rejects.toMatchObject({ name: 'StoreError', code: 'closed' });
  });
});

describe('journal on a file', () => {
  const code = temporaryFolder();
  beforeAll(() => transpile(['src/node/file-flash.ts', 'src/store/journal.ts'], code.path));
  afterAll(() => code.remove());

  const COMMIT = `
import { openFileFlash } from '../src/node/file-flash.js';
import { Journal } from '../src/store/journal.js';
const log = { error() {}, warn() {}, info() {}, debug() {}, scoped: () => log };
const journal = await Journal.open(await openFileFlash({ folder: process.argv[2], sectorSize: 4096, sectorCount: 2 }), log);
for (let i = Number(process.argv[3]); ; i++) {
  const value = new Uint8Array(300);
  new DataView(value.buffer).setUint32(0, i);
  await journal.commit([{ key: 'a', value }, { key: 'b', value }]);
  console.log(i);
}`;

  it('holds every acknowledged commit after kill -9', async () => {
    let next = 0;
    for (let round = 0; round < 4; round++) {
      const child = new Child(COMMIT, code.path, [folder.path, String(next)]);
      let acknowledged = -1;
      for (const enough = next + 23 + 7 * round; acknowledged < enough; ) acknowledged = Number(await child.line());
      await child.kill();
      for (let line = await child.line(); line !== undefined; line = await child.line()) acknowledged = Number(line);
      const journal = await Journal.open(await openFileFlash({ folder: folder.path, ...SMALL }), new MemoryLog());
      const found = ['a', 'b'].map((key) => new DataView((journal.get(key) as Uint8Array).buffer).getUint32(0));
      expect(found[0]).toBe(found[1]);
      // The line of the last commit may have died with the process.
      expect(found[0]).toBeGreaterThanOrEqual(acknowledged);
      expect(found[0]).toBeLessThanOrEqual(acknowledged + 2);
      expect(journal.damaged).toBe(false);
      await journal.close();
      next = (found[0] as number) + 1;
    }
  });
});
