import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKeyLog } from '../../src/node/key-log.js';
import { openProtocolLog } from '../../src/node/protocol-log-file.js';
import { MemoryLog } from '../world/log.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mash-log-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const entry = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a protocol log on the disk', () => {
  it('holds what was taken, in its order, for its owner alone', async () => {
    const file = path.join(folder, 'order.mlog');
    const log = await openProtocolLog({ path: file, log: new MemoryLog() });
    for (const text of ['a', 'b', 'c']) expect(log.append(entry(text))).toBe(true);
    await log.close();
    expect(readFileSync(file, 'utf8')).toBe('abc');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(log.append(entry('late'))).toBe(false);
    await log.close();
  });

  it('keeps the file of the run before as PATH.1', async () => {
    const file = path.join(folder, 'again.mlog');
    writeFileSync(file, 'former');
    await (await openProtocolLog({ path: file, log: new MemoryLog() })).close();
    expect([readFileSync(file, 'utf8'), readFileSync(`${file}.1`, 'utf8')]).toEqual(['', 'former']);
  });

  it('begins anew at its limit', async () => {
    const file = path.join(folder, 'limit.mlog');
    const log = await openProtocolLog({ path: file, limit: 10, log: new MemoryLog() });
    // Between two files there is none.
    const written = (): string => {
      try {
        return readFileSync(file, 'utf8');
      } catch {
        return '';
      }
    };
    for (const text of ['12345678', 'abcdefgh']) {
      log.append(entry(text));
      while (!written().endsWith(text)) await new Promise((resolve) => setImmediate(resolve));
    }
    await log.close();
    expect([readFileSync(`${file}.1`, 'utf8'), written()]).toEqual(['12345678', 'abcdefgh']);
  });

  it('takes no more than waits for the disk: 4 MiB', async () => {
    const log = await openProtocolLog({ path: path.join(folder, 'full.mlog'), log: new MemoryLog() });
    const mebibyte = new Uint8Array(1024 * 1024);
    expect([1, 2, 3, 4, 5].map(() => log.append(mebibyte))).toEqual([true, true, true, true, false]);
    await log.close();
  });

  it('ends with one line in the log when the disk is full, and the device goes on', async () => {
    const lines = new MemoryLog();
    const log = await openProtocolLog({ path: '/dev/full', log: lines });
    log.append(entry('x'));
    await log.close();
    expect(lines.lines).toMatchObject([{ level: 'error', message: 'the protocol log ends here', fields: { path: '/dev/full' } }]);
  });

  it('that cannot be made is a StoreError naming the file', async () => {
    await expect(openProtocolLog({ path: path.join(folder, 'none', 'x'), log: new MemoryLog() })).rejects.toThrow(
      /^protocol log .*none.x: ENOENT/,
    );
  });
});

describe('a TLS key log', () => {
  it('says loudly that it is written, and holds the lines', () => {
    const file = path.join(folder, 'keys.txt');
    const log = new MemoryLog();
    const write = openKeyLog(file, log);
    write(entry('CLIENT_RANDOM 1 2\n'));
    expect(readFileSync(file, 'utf8')).toBe('CLIENT_RANDOM 1 2\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(log.lines).toMatchObject([{ level: 'warn', message: expect.stringMatching(/^TLS KEYS ARE WRITTEN DOWN/) }]);
  });

  it('ends with one line when the disk is full', () => {
    const log = new MemoryLog();
    const write = openKeyLog('/dev/full', log);
    write(entry('a\n'));
    write(entry('b\n'));
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('that cannot be made is refused by its option', () => {
    expect(() => openKeyLog(path.join(folder, 'none', 'x'), new MemoryLog())).toThrow(/^--tls-key-log: ENOENT/);
  });
});
