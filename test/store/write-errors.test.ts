import { describe, expect, it } from 'vitest';
import type { FlashMedium } from '../../hal/index.js';
import { MockFlash } from '../../hal/mock/flash.js';
import { StoreError } from '../../src/errors.js';
import { type Change, Journal } from '../../src/store/journal.js';
import { MemoryLog } from '../world/log.js';
import { expectRejection } from './model.js';

const set = (key: string, length: number, fill: number): Change => ({ key, value: new Uint8Array(length).fill(fill) });
const open = (medium: FlashMedium) => Journal.open(medium, new MemoryLog());

async function restart(flash: MockFlash): Promise<Journal> {
  flash.powerOff();
  flash.powerUp();
  return open(flash);
}

describe('journal: write errors', () => {
  // Operations of a commit: program, sync. Of one that rewrites: erase, base, sync, header, header, sync.
  it.each([
    ['small', 0],
    ['small', 1],
    ['rewriting', 0],
    ['rewriting', 1],
    ['rewriting', 2],
    ['rewriting', 3],
    ['rewriting', 4],
    ['rewriting', 5],
  ])(
    'a %s commit that fails at its operation %i is rejected; the old values hold, over a restart too, and it goes on',
    async (kind, operation) => {
      for (const sectorCount of [2, 3])
        for (const bytesDone of [0, 30, 4096]) {
          const flash = new MockFlash({ sectorCount });
          const journal = await open(flash);
          await journal.commit([set('a', 2000, 1), set('b', 1, 1)]);
          // A queued seal comes first.
          await journal.commit([]);
          flash.failAt(flash.operations + operation, new Error('worn out'), bytesDone);
          await expectRejection(journal.commit([set('a', kind === 'small' ? 20 : 2001, 2), set('c', 1, 1)]), 'io');
          for (const one of [journal, await open(flash.fork())]) {
            expect(one.keys()).toEqual(['a', 'b']);
            expect(one.get('a')).toEqual(new Uint8Array(2000).fill(1));
          }
          await journal.commit([set('b', 1, 3)]);
          const again = await restart(flash);
          expect([again.get('a')?.length, again.get('b')?.[0], again.keys().length, again.damaged]).toEqual([2000, 3, 2, false]);
        }
    },
  );

  it('a commit that fails with a full disk says so', async () => {
    const flash = new MockFlash();
    const journal = await open(flash);
    flash.failAt(flash.operations, new StoreError('full', 'no space left'));
    await expectRejection(journal.commit([set('a', 1, 1)]), 'full');
    await journal.commit([set('a', 1, 2)]);
    expect((await restart(flash)).get('a')).toEqual(Uint8Array.of(2));
  });

  it('a medium that stays broken rejects every commit, and takes them again when it is repaired', async () => {
    const flash = new MockFlash();
    let broken = false;
    const guard = async (operation: () => Promise<void>): Promise<void> => {
      if (broken) throw new Error('broken');
      await operation();
    };
    const journal = await open({
      sectorSize: flash.sectorSize,
      sectorCount: flash.sectorCount,
      read: (address, length) => flash.read(address, length),
      program: (address, bytes) => guard(() => flash.program(address, bytes)),
      erase: (sector) => guard(() => flash.erase(sector)),
      sync: () => guard(() => flash.sync()),
      close: () => flash.close(),
    });
    await journal.commit([set('a', 1, 1)]);
    broken = true;
    for (let i = 0; i < 3; i++) await expectRejection(journal.commit([set('a', 1, 2)]), 'io');
    expect(journal.get('a')).toEqual(Uint8Array.of(1));
    broken = false;
    await journal.commit([set('b', 1, 3)]);
    const again = await restart(flash);
    expect([again.get('a'), again.get('b')]).toEqual([Uint8Array.of(1), Uint8Array.of(3)]);
  });

  it('a cell that does not take its value is noticed by reading back, and avoided', async () => {
    const flash = new MockFlash();
    let stuck = true;
    const journal = await open({
      sectorSize: flash.sectorSize,
      sectorCount: flash.sectorCount,
      read: (address, length) => flash.read(address, length),
      program: (address, bytes) => {
        // Bit 0 of address 100 stays 1.
        const stored = bytes.slice();
        if (stuck && address <= 100 && address + bytes.length > 100) stored[100 - address] = (stored[100 - address] as number) | 1;
        return flash.program(address, stored);
      },
      erase: (sector) => flash.erase(sector),
      sync: () => flash.sync(),
      close: () => flash.close(),
    });
    await expectRejection(journal.commit([set('a', 100, 0)]), 'io');
    await journal.commit([set('a', 100, 2)]);
    stuck = false;
    expect((await restart(flash)).get('a')).toEqual(new Uint8Array(100).fill(2));
  });

  it('a sector that cannot be erased any more is passed over, where there are others', async () => {
    const flash = new MockFlash({ sectorCount: 3 });
    const journal = await open({
      sectorSize: flash.sectorSize,
      sectorCount: flash.sectorCount,
      read: (address, length) => flash.read(address, length),
      program: (address, bytes) => flash.program(address, bytes),
      erase: (sector) => (sector === 1 ? Promise.reject(new Error('worn out')) : flash.erase(sector)),
      sync: () => flash.sync(),
      close: () => flash.close(),
    });
    await journal.commit([set('a', 3000, 0)]);
    await expectRejection(journal.commit([set('a', 3000, 1)]), 'io');
    expect(flash.erases).toEqual([1, 0, 1]);
    await journal.commit([set('a', 3000, 2)]);
    expect(flash.erases).toEqual([2, 0, 1]);
    expect((await restart(flash)).get('a')).toEqual(new Uint8Array(3000).fill(2));
  });

  it('a seal that fails costs nothing', async () => {
    const flash = new MockFlash();
    const log = new MemoryLog();
    const journal = await Journal.open(flash, log);
    flash.failAt(flash.operations + 2, new Error('worn out'));
    await journal.commit([set('a', 1, 1)]);
    await journal.commit([set('b', 1, 1)]);
    expect(log.lines.filter((line) => line.level === 'warn')).toHaveLength(1);
    const again = await restart(flash);
    expect(again.keys()).toEqual(['a', 'b']);
    expect(again.damaged).toBe(false);
  });

  it('a medium that cannot be read refuses to open', async () => {
    const flash = new MockFlash();
    await flash.close();
    await expectRejection(open(flash), 'io');
  });

  it('a medium that fails at close says so', async () => {
    const flash = new MockFlash();
    const journal = await open(flash);
    flash.failAt(flash.operations, new Error('worn out'));
    await expectRejection(journal.close(), 'io');
    await expect(flash.sync()).rejects.toThrow('after close');
  });
});
