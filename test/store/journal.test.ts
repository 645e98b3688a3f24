import { describe, expect, it } from 'vitest';
import { MockFlash } from '../../hal/mock/flash.js';
import { type Change, Journal } from '../../src/store/journal.js';
import { MAX_KEYS, MAX_VALUE_BYTES, MAX_WAITING } from '../../src/store/layout.js';
import { SeededEntropy } from '../world/entropy.js';
import { MemoryLog } from '../world/log.js';
import { applied, type Contents, contents, expectRejection, randomChanges } from './model.js';

const set = (key: string, ...value: number[]): Change => ({ key, value: Uint8Array.from(value) });
const remove = (key: string): Change => ({ key, value: null });
const open = (flash: MockFlash) => Journal.open(flash, new MemoryLog());

async function reopen(flash: MockFlash): Promise<Journal> {
  flash.powerOff();
  flash.powerUp();
  return open(flash);
}

describe('journal: values', () => {
  it('formats a blank medium and is empty', async () => {
    const journal = await open(new MockFlash());
    expect(journal.keys()).toEqual([]);
    expect(journal.get('a')).toBeUndefined();
    expect(journal.damaged).toBe(false);
    expect(journal.quarantined).toEqual([]);
  });

  it('keeps what was committed over a restart, the newest value, deletes included', async () => {
    const flash = new MockFlash();
    const journal = await open(flash);
    await journal.commit([set('a', 1), set('b', 2), set('empty')]);
    await journal.commit([set('a', 3), remove('b'), remove('never')]);
    for (const one of [journal, await reopen(flash)]) {
      expect(one.keys()).toEqual(['a', 'empty']);
      expect(one.get('a')).toEqual(Uint8Array.of(3));
      expect(one.get('empty')).toEqual(new Uint8Array(0));
      expect(one.get('b')).toBeUndefined();
    }
  });

  it('lists keys by prefix, sorted', async () => {
    const journal = await open(new MockFlash());
    await journal.commit([set('zone/2', 1), set('zone/1', 1), set('identity', 1)]);
    expect(journal.keys('zone/')).toEqual(['zone/1', 'zone/2']);
    expect(journal.keys()).toEqual(['identity', 'zone/1', 'zone/2']);
  });

  it('is not changed through the arrays that go in and come out', async () => {
    const journal = await open(new MockFlash());
    const value = Uint8Array.of(1, 2, 3);
    const done = journal.commit([{ key: 'a', value }]);
    value.fill(9);
    await done;
    journal.get('a')?.fill(7);
    expect(journal.get('a')).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('shows a commit only when it is durable, and runs commits in the order of their calls', async () => {
    const flash = new MockFlash();
    const journal = await open(flash);
    const done = Promise.all([journal.commit([set('a', 1)]), journal.commit([set('a', 2)]), journal.commit([set('a', 3)])]);
    expect(journal.get('a')).toBeUndefined();
    await done;
    expect(journal.get('a')).toEqual(Uint8Array.of(3));
    expect((await reopen(flash)).get('a')).toEqual(Uint8Array.of(3));
  });

  it('takes a commit larger than the rest of the sector by rewriting first', async () => {
    const flash = new MockFlash();
    const journal = await open(flash);
    await journal.commit([{ key: 'a', value: new Uint8Array(2500) }]);
    await journal.commit([{ key: 'a', value: new Uint8Array(2600).fill(1) }]);
    expect(flash.erases).toEqual([1, 1]);
    expect((await reopen(flash)).get('a')).toEqual(new Uint8Array(2600).fill(1));
  });

  it('does nothing for an empty commit', async () => {
    const flash = new MockFlash();
    const journal = await open(flash);
    const before = flash.operations;
    await journal.commit([]);
    expect(flash.operations).toBe(before);
  });
});

describe('journal: limits', () => {
  it('refuses keys and values out of range, the same key twice', async () => {
    const journal = await open(new MockFlash({ sectorSize: 65_536 }));
    await journal.commit([set('k'.repeat(64), 1), { key: 'v', value: new Uint8Array(MAX_VALUE_BYTES) }]);
    await expect(journal.commit([set('', 1)])).rejects.toThrow(RangeError);
    await expect(journal.commit([set('é'.repeat(33), 1)])).rejects.toThrow(RangeError);
    await expect(journal.commit([set('\ud800', 1)])).rejects.toThrow(RangeError);
    await expect(journal.commit([{ key: 'v', value: new Uint8Array(MAX_VALUE_BYTES + 1) }])).rejects.toThrow(/16385/);
    await expect(journal.commit([set('a', 1), set('a', 2)])).rejects.toThrow(/twice/);
    await expect(journal.factoryReset([''])).rejects.toThrow(RangeError);
    expect(journal.get('v')).toHaveLength(MAX_VALUE_BYTES);
  });

  it('is full when the live values do not fit one sector; nothing changes and it goes on', async () => {
    const flash = new MockFlash();
    const journal = await open(flash);
    await journal.commit([{ key: 'a', value: new Uint8Array(3000) }]);
    await expectRejection(journal.commit([set('b', 1), { key: 'c', value: new Uint8Array(1000) }]), 'full');
    await expectRejection(journal.commit([{ key: 'a', value: new Uint8Array(4096) }]), 'full');
    expect(journal.keys()).toEqual(['a']);
    await journal.commit([remove('a'), set('b', 2)]);
    expect((await reopen(flash)).keys()).toEqual(['b']);
  });

  it('fills a sector to its last byte', async () => {
    const flash = new MockFlash();
    const journal = await open(flash);
    // 4096 − 40 − 32 of the sector, − 12 of the entry, − 1 of the key; one more does not fit.
    await expectRejection(journal.commit([{ key: 'a', value: new Uint8Array(4012) }]), 'full');
    await journal.commit([{ key: 'a', value: new Uint8Array(4011).fill(5) }]);
    expect((await reopen(flash)).get('a')).toEqual(new Uint8Array(4011).fill(5));
  });

  it('bounds the keys and the commits that wait', async () => {
    const journal = await open(new MockFlash({ sectorSize: 65_536 }));
    await journal.commit(Array.from({ length: MAX_KEYS }, (_, i) => set(`k${i}`, 1)));
    await expectRejection(journal.commit([set('one more', 1)]), 'full');
    await journal.commit([remove('k0'), set('one more', 1)]);
    const waiting = Array.from({ length: MAX_WAITING }, () => journal.commit([set('k1', 2)]));
    await expectRejection(journal.commit([set('k1', 3)]), 'full');
    await Promise.all(waiting);
    await journal.commit([set('k1', 4)]);
    expect(journal.get('k1')).toEqual(Uint8Array.of(4));
  });

  it('refuses a medium out of range, and one that was written with other sectors', async () => {
    await expect(open(new MockFlash({ sectorSize: 2048 }))).rejects.toThrow(RangeError);
    await expect(open(new MockFlash({ sectorSize: 4100 }))).rejects.toThrow(RangeError);
    await expect(open(new MockFlash({ sectorCount: 1 }))).rejects.toThrow(RangeError);
    await expect(open(new MockFlash({ sectorCount: 65 }))).rejects.toThrow(RangeError);
    const flash = new MockFlash({ sectorSize: 8192, sectorCount: 2 });
    await (await open(flash)).commit([set('a', 1)]);
    await expectRejection(open(new MockFlash({ sectorSize: 4096, sectorCount: 4, image: flash.image() })), 'io');
  });

  it.each([
    [4096, 2],
    [4096, 64],
    [262_144, 2],
  ])('works with sectors of %i bytes, %i of them', async (sectorSize, sectorCount) => {
    const flash = new MockFlash({ sectorSize, sectorCount });
    const journal = await open(flash);
    const entropy = new SeededEntropy(sectorSize + sectorCount);
    let model: Contents = new Map();
    for (let i = 0; i < 150; i++) {
      const changes = randomChanges(entropy, 400);
      await journal.commit(changes);
      model = applied(model, changes);
    }
    expect(contents(await reopen(flash))).toEqual(model);
  });
});

describe('journal: wear', () => {
  it('spreads the erase cycles to within one, over restarts too', async () => {
    const flash = new MockFlash({ sectorCount: 5 });
    let journal = await open(flash);
    for (let i = 0; i < 400; i++) {
      await journal.commit([{ key: `k${i % 3}`, value: new Uint8Array(200) }]);
      if (i % 50 !== 49) continue;
      await journal.close();
      flash.powerUp();
      journal = await open(flash);
    }
    expect(Math.max(...flash.erases)).toBeGreaterThan(4);
    expect(Math.max(...flash.erases) - Math.min(...flash.erases)).toBeLessThanOrEqual(1);
    // A sector never used has no header to count in; it is taken for as worn as the most worn one.
    for (const [sector, erases] of flash.erases.entries()) expect(Math.abs((journal.erases[sector] ?? -9) - erases)).toBeLessThanOrEqual(1);
  });

  it('writes a last record without seal anew at boot: it was cut, and its cells may be weak', async () => {
    const flash = new MockFlash();
    const journal = await open(flash);
    flash.cutAt(flash.operations + 2);
    await journal.commit([set('a', 1)]);
    await journal.commit([]);
    flash.powerUp();
    expect((await open(flash)).get('a')).toEqual(Uint8Array.of(1));
    expect(flash.erases).toEqual([1, 1]);
    expect((await reopen(flash)).keys()).toEqual(['a']);
    expect(flash.erases).toEqual([1, 1]);
  });

  it('does not write at a boot after a clean end', async () => {
    const flash = new MockFlash();
    const journal = await open(flash);
    await journal.commit([set('a', 1)]);
    await journal.close();
    flash.powerUp();
    const before = flash.image();
    expect((await open(flash)).get('a')).toEqual(Uint8Array.of(1));
    expect(flash.image()).toEqual(before);
    expect(flash.erases).toEqual([1, 0]);
  });
});

describe('journal: close', () => {
  it('lets queued commits end, then refuses; values stay readable; idempotent', async () => {
    const flash = new MockFlash();
    const journal = await open(flash);
    const done = journal.commit([set('a', 1)]);
    await Promise.all([journal.close(), journal.close()]);
    await done;
    await expectRejection(journal.commit([set('a', 2)]), 'closed');
    await expectRejection(journal.factoryReset([]), 'closed');
    expect(journal.get('a')).toEqual(Uint8Array.of(1));
    await expect(flash.read(0, 1)).rejects.toThrow('after close');
  });

  it('is disposable', async () => {
    const flash = new MockFlash();
    {
      await using journal = await open(flash);
      await journal.commit([set('a', 1)]);
    }
    await expect(flash.sync()).rejects.toThrow('after close');
  });
});
