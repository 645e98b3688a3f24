import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminRegister } from '../../src/controller/admin/register.js';

let folder: string;
let register: AdminRegister;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'admins-'));
  register = new AdminRegister(folder);
});
afterEach(() => fs.rm(folder, { recursive: true, force: true }));

const id = (start: string): string => start.padEnd(64, '0');
const record = (start: string, issuedAt = 100) => ({ id: id(start), issuedAt, expiresAt: 200, permissions: 1 });

describe('the register of admin tokens', () => {
  it('is empty at first, then tells what was issued in its order', async () => {
    expect(await register.list()).toEqual([]);
    expect(await register.find(id('a'))).toBeUndefined();
    await register.put(record('b', 101));
    await register.put({ ...record('a'), name: 'Phone' });
    expect(await new AdminRegister(folder).list()).toEqual([{ ...record('a'), name: 'Phone' }, record('b', 101)]);
  });

  it('revokes by the first digits, once; another process sees it at once', async () => {
    const other = new AdminRegister(folder);
    await register.put(record('ab'));
    await register.put(record('ac'));
    await expect(register.revoke('a', 150)).rejects.toMatchObject({ code: 'AMBIGUOUS_DEVICE' });
    await expect(register.revoke('d', 150)).rejects.toMatchObject({ code: 'UNKNOWN_DEVICE' });
    await expect(register.revoke('x', 150)).rejects.toThrow('hexadecimal digits are due');
    expect(await register.revoke('AB', 150)).toMatchObject({ id: id('ab'), revokedAt: 150 });
    expect(await register.revoke('ab', 160)).toMatchObject({ revokedAt: 150 });
    expect((await other.find(id('ab')))?.revokedAt).toBe(150);
    expect((await other.find(id('ac')))?.revokedAt).toBeUndefined();
  });

  it('revokes a token that was never recorded by its whole id', async () => {
    await register.revoke(id('e'), 150);
    expect(await register.find(id('e'))).toMatchObject({ revokedAt: 150 });
  });

  it.each([
    '',
    '{',
    '{"version":2}',
    '{"version":1,"id":"x"}',
    `{"version":1,"id":"${id('a')}","issuedAt":1,"expiresAt":"soon","permissions":1}`,
  ])('a file that cannot be read is never "not revoked": %s', async (text) => {
    await register.put(record('a'));
    await fs.writeFile(join(folder, 'admins', `${id('a')}.json`), text);
    await expect(register.find(id('a'))).rejects.toMatchObject({ name: 'StoreError' });
    await expect(register.list()).rejects.toMatchObject({ name: 'StoreError' });
  });
});
