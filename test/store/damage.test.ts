import { describe, expect, it } from 'vitest';
import { MockFlash } from '../../hal/mock/flash.js';
import { type Change, Journal } from '../../src/store/journal.js';
import { CONTENT_AT, ENTRY_HEADER_BYTES, RECORD_HEADER_BYTES, SECTOR_HEADER_BYTES } from '../../src/store/layout.js';
import { decodeEntry, decodeRecordHeader, encodeRecord } from '../../src/store/record.js';
import { MemoryLog } from '../world/log.js';

const SECTOR = 4096;
const set = (key: string, length: number, fill: number): Change => ({ key, value: new Uint8Array(length).fill(fill) });
const open = (flash: MockFlash) => Journal.open(flash, new MemoryLog());

async function restart(flash: MockFlash): Promise<Journal> {
  flash.powerOff();
  flash.powerUp();
  return open(flash);
}

/** A closed journal of these commits in sector 0; the address of each record. */
async function write(...commits: (readonly Change[])[]): Promise<{ flash: MockFlash; at: readonly number[] }> {
  const flash = new MockFlash({ sectorSize: SECTOR });
  const journal = await open(flash);
  const at: number[] = [];
  for (const changes of commits) {
    const before = flash.image();
    await journal.commit(changes);
    at.push(flash.image().findIndex((byte, index) => byte !== before[index]));
  }
  await journal.close();
  flash.powerUp();
  return { flash, at };
}

/** Overwrites a range with zeros, whatever it holds. */
function destroy(flash: MockFlash, from: number, to: number): MockFlash {
  const image = flash.image();
  image.fill(0, from, to);
  return new MockFlash({ sectorSize: SECTOR, image });
}

const valueAt = (record: number, key: string) => record + RECORD_HEADER_BYTES + ENTRY_HEADER_BYTES + key.length;

describe('journal: a damaged record', () => {
  it('keeps the last good value of its key and says so', async () => {
    const { flash, at } = await write([set('a', 40, 1)], [set('a', 40, 2)], [set('b', 4, 3)]);
    flash.flipBit(valueAt(at[1] as number, 'a') + 7, 3);
    const log = new MemoryLog();
    const journal = await Journal.open(flash, log);
    expect(journal.get('a')).toEqual(new Uint8Array(40).fill(1));
    expect(journal.isDamaged('a')).toBe(true);
    expect(journal.isDamaged('b')).toBe(false);
    expect(journal.damaged).toBe(true);
    expect(journal.quarantined).toEqual([{ key: 'a', reason: 'value damaged', at: (at[1] as number) + RECORD_HEADER_BYTES }]);
    expect(log.lines.filter((line) => line.level === 'error')).toHaveLength(1);
  });

  it('is not absent when no older value exists, over rewrites and restarts, until the key is committed again', async () => {
    const { flash, at } = await write([set('a', 40, 1)], [set('b', 4, 3)]);
    flash.flipBit(valueAt(at[0] as number, 'a'), 0);
    let journal = await open(flash);
    expect(journal.get('a')).toBeUndefined();
    expect(journal.keys()).toEqual(['b']);
    expect(journal.isDamaged('a')).toBe(true);
    for (let i = 0; i < 40; i++) await journal.commit([set('b', 200, i)]);
    expect(Math.min(...flash.erases)).toBeGreaterThan(0);
    journal = await restart(flash);
    expect(journal.isDamaged('a')).toBe(true);
    expect(journal.quarantined).toEqual([{ key: 'a', reason: 'damaged since an earlier boot', at: undefined }]);
    await journal.commit([set('a', 1, 9)]);
    expect(journal.damaged).toBe(false);
    journal = await restart(flash);
    expect(journal.get('a')).toEqual(Uint8Array.of(9));
    expect(journal.damaged).toBe(false);
    expect(journal.quarantined).toEqual([]);
  });

  it('keeps an older value with its mark over a rewrite', async () => {
    const { flash, at } = await write([set('a', 40, 1)], [set('a', 40, 2)]);
    flash.flipBit(valueAt(at[1] as number, 'a'), 0);
    for (let boot = 0; boot < 3; boot++) {
      const journal = await restart(flash);
      expect(journal.get('a')).toEqual(new Uint8Array(40).fill(1));
      expect(journal.isDamaged('a')).toBe(true);
    }
  });

  it('costs nothing but a report when only its header is hit: the entries are found behind it', async () => {
    const { flash, at } = await write([set('a', 5, 1)], [set('a', 9, 2), set('b', 6, 3)], [set('c', 7, 4)]);
    for (const record of [0, 1, 2]) {
      const hit = destroy(flash, at[record] as number, (at[record] as number) + 16);
      const journal = await open(hit);
      expect([journal.get('a'), journal.get('b'), journal.get('c')].map((value) => value?.length)).toEqual([9, 6, 7]);
      expect(journal.quarantined).toEqual([{ key: undefined, reason: 'record header damaged', at: at[record] }]);
      expect(journal.damaged).toBe(false);
    }
  });

  it('loses only the entry that is hit, and remembers that one is lost whose key nobody can tell', async () => {
    const { flash, at } = await write([set('a', 5, 1), set('b', 6, 3), set('c', 7, 4)]);
    flash.flipBit((at[0] as number) + RECORD_HEADER_BYTES, 7);
    let journal = await open(flash);
    expect(journal.keys()).toEqual(['b', 'c']);
    expect(journal.damaged).toBe(true);
    expect(journal.quarantined.map(({ key, reason }) => [key, reason])).toEqual([[undefined, 'entry damaged']]);
    for (let i = 0; i < 40; i++) await journal.commit([set('b', 200, i)]);
    journal = await restart(flash);
    expect(journal.damaged).toBe(true);
    expect(journal.quarantined).toEqual([{ key: undefined, reason: 'records lost at an earlier boot', at: undefined }]);
    await journal.factoryReset([]);
    expect(journal.damaged).toBe(false);
    expect((await restart(flash)).damaged).toBe(false);
  });

  it('is told from a torn one by its seal, or by a record behind it', async () => {
    const { flash, at } = await write([set('a', 5, 1)], [set('b', 60, 2)]);
    const [, last] = at as [number, number];
    const sealed = destroy(flash, valueAt(last, 'b'), valueAt(last, 'b') + 30);
    expect((await open(sealed)).isDamaged('b')).toBe(true);

    const image = flash.image();
    image.fill(0xff, last + 16, last + RECORD_HEADER_BYTES);
    image.fill(0xff, valueAt(last, 'b') + 10, last + 120);
    const torn = await open(new MockFlash({ sectorSize: SECTOR, image }));
    expect(torn.damaged).toBe(false);
    expect(torn.keys()).toEqual(['a']);

    const first = flash.image();
    first.fill(0xff, at[0] as number, (at[0] as number) + 40);
    const followed = await open(new MockFlash({ sectorSize: SECTOR, image: first }));
    expect(followed.damaged).toBe(true);
    expect(followed.keys()).toEqual(['b']);
  });

  it('never takes a value for a record that looks like one', async () => {
    const place = { generation: 1, sector: 0 };
    const forged = encodeRecord([{ key: 'a', value: Uint8Array.of(66), damaged: false }], 99, place, 1000);
    const { flash, at } = await write([{ key: 'bait', value: forged }], [set('b', 1, 1)]);
    const journal = await open(destroy(flash, at[0] as number, (at[0] as number) + RECORD_HEADER_BYTES + 12));
    expect(journal.get('a')).toBeUndefined();
    expect(journal.keys()).toEqual(['b']);
    expect(journal.damaged).toBe(true);
  });

  it('of another generation or another address is none', () => {
    const place = { generation: 7, sector: SECTOR };
    const bytes = new Uint8Array(SECTOR).fill(0xff);
    bytes.set(encodeRecord([{ key: 'a', value: Uint8Array.of(1), damaged: false }], 3, place, 64), 64);
    bytes.copyWithin(128, 64, 64 + 48);
    expect(decodeRecordHeader(bytes, 64, SECTOR, place)).toEqual({ sequence: 3, length: 16 });
    expect(decodeEntry(bytes, 64 + RECORD_HEADER_BYTES, SECTOR, place)?.entry.key).toBe('a');
    for (const other of [
      { ...place, generation: 6 },
      { ...place, sector: 0 },
    ]) {
      expect(decodeRecordHeader(bytes, 64, SECTOR, other)).toBeUndefined();
      expect(decodeEntry(bytes, 64 + RECORD_HEADER_BYTES, SECTOR, other)).toBeUndefined();
    }
    expect(decodeRecordHeader(bytes, 128, SECTOR, place)).toBeUndefined();
    expect(decodeEntry(bytes, 128 + RECORD_HEADER_BYTES, SECTOR, place)).toBeUndefined();
  });
});

describe('journal: a damaged sector header', () => {
  it('is covered by its copy at the other end, and made whole again', async () => {
    const { flash } = await write([set('a', 5, 1)]);
    for (const from of [0, SECTOR - SECTOR_HEADER_BYTES]) {
      const hit = destroy(flash, from, from + SECTOR_HEADER_BYTES);
      const journal = await open(hit);
      expect(journal.keys()).toEqual(['a']);
      expect(journal.damaged).toBe(false);
      expect(hit.erases).toEqual([0, 1]);
    }
  });

  it('in both copies of the newest sector: the replaced one serves, and that is reported', async () => {
    const flash = new MockFlash({ sectorSize: SECTOR });
    const journal = await open(flash);
    await journal.commit([set('old', 1000, 1)]);
    for (let i = 0; i < 4; i++) await journal.commit([set('new', 1000, i)]);
    expect(flash.erases).toEqual([1, 1]);
    await journal.close();
    let hit = destroy(flash, SECTOR, SECTOR + SECTOR_HEADER_BYTES);
    hit = destroy(hit, 2 * SECTOR - SECTOR_HEADER_BYTES, 2 * SECTOR);
    for (let boot = 0; boot < 2; boot++) {
      const again = await restart(hit);
      expect(again.get('old')).toEqual(new Uint8Array(1000).fill(1));
      expect(again.damaged).toBe(true);
      expect(again.quarantined).toHaveLength(1);
      await again.commit([set(`boot${boot}`, 1, boot)]);
    }
    expect((await restart(hit)).keys()).toEqual(['boot0', 'boot1', 'new', 'old']);
  });

  it('in all sectors is no new device', async () => {
    const { flash } = await write([set('a', 5, 1)]);
    let hit = destroy(flash, 0, CONTENT_AT);
    hit = destroy(hit, SECTOR - SECTOR_HEADER_BYTES, SECTOR);
    for (let boot = 0; boot < 2; boot++) {
      const journal = await restart(hit);
      expect(journal.keys()).toEqual([]);
      expect(journal.damaged).toBe(true);
    }
  });

  it('torn in the very first boot is a new device', async () => {
    for (let operation = 0; operation < 5; operation++)
      for (const bytes of [0, 17, 40]) {
        const flash = new MockFlash({ sectorSize: SECTOR });
        flash.cutAt(operation, bytes);
        await expect(open(flash)).rejects.toMatchObject({ code: 'io' });
        flash.powerUp();
        expect((await open(flash)).damaged).toBe(false);
      }
  });

  it('keeps a base that lost all its bytes from looking empty', async () => {
    const flash = new MockFlash({ sectorSize: SECTOR });
    const journal = await open(flash);
    await journal.commit([set('a', 3000, 1)]);
    await journal.commit([set('a', 3000, 2)]);
    await journal.close();
    const image = flash.image();
    image.fill(0xff, SECTOR + CONTENT_AT, 2 * SECTOR - SECTOR_HEADER_BYTES);
    const again = await open(new MockFlash({ sectorSize: SECTOR, image }));
    expect(again.keys()).toEqual([]);
    expect(again.damaged).toBe(true);
  });
});
