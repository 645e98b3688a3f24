import { describe, expect, it } from 'vitest';
import { MockFlash } from '../../hal/mock/flash.js';
import { toHex } from '../../src/codec/hex.js';
import { type Change, Journal } from '../../src/store/journal.js';
import { SECTOR_HEADER_BYTES } from '../../src/store/layout.js';
import { SeededEntropy } from '../world/entropy.js';
import { MemoryLog } from '../world/log.js';
import { applied, type Contents, contents, randomChanges } from './model.js';

const SECTOR = 4096;

interface Written {
  readonly image: Uint8Array;
  readonly model: Contents;
  /** All values each key ever had. */
  readonly history: ReadonlyMap<string, ReadonlySet<string>>;
  /** Address of the last record. */
  readonly lastAt: number;
}

async function write(seed: number, commits: number): Promise<Written> {
  const entropy = new SeededEntropy(seed);
  const flash = new MockFlash({ sectorSize: SECTOR });
  const journal = await Journal.open(flash, new MemoryLog());
  let model: Contents = new Map();
  const history = new Map<string, Set<string>>();
  let lastAt = 0;
  for (let i = 0; i < commits; i++) {
    const changes = randomChanges(entropy, 120);
    const before = flash.image();
    await journal.commit(changes);
    lastAt = flash.image().findIndex((byte, at) => byte !== before[at]);
    model = applied(model, changes);
    for (const { key, value } of changes) {
      const values = history.get(key) ?? new Set();
      history.set(key, values.add(value === null ? 'absent' : toHex(value)));
    }
  }
  await journal.close();
  return { image: flash.image(), model, history, lastAt };
}

/** Boots a damaged image: every value is right, or an earlier one of its key and reported. Returns the journal. */
async function checkDamaged(flash: MockFlash, written: Written): Promise<Journal> {
  const journal = await Journal.open(flash, new MemoryLog());
  const found = contents(journal);
  for (const key of found.keys()) expect(written.history.has(key)).toBe(true);
  for (const [key, values] of written.history) {
    const value = found.get(key) ?? 'absent';
    if (value === (written.model.get(key) ?? 'absent')) continue;
    if (value !== 'absent') expect(values.has(value)).toBe(true);
    expect(journal.isDamaged(key) || journal.quarantined.some((damage) => damage.key === undefined)).toBe(true);
    expect(journal.damaged).toBe(true);
  }
  return journal;
}

describe('journal: flipped bits', () => {
  it.each([1, 2])('each single bit of both sectors: nothing wrong, nothing silently absent, and it goes on; seed %i', async (seed) => {
    const written = await write(seed, 45);
    const { image } = written;
    let reported = 0;
    // Every fifth bit: each byte of the medium is hit, and over five bytes each bit position.
    for (let bit = seed; bit < image.length * 8; bit += 5) {
      const flash = new MockFlash({ sectorSize: SECTOR, image });
      flash.flipBit(bit >> 3, bit & 7);
      const journal = await checkDamaged(flash, written);
      if (journal.damaged) reported++;
      if (bit % 64 === 0) {
        const change: Change = { key: 'zone/0', value: Uint8Array.of(bit & 0xff) };
        const before = contents(journal);
        await journal.commit([change]);
        flash.powerOff();
        flash.powerUp();
        const again = await Journal.open(flash, new MemoryLog());
        expect(contents(again)).toEqual(applied(before, [change]));
        expect(again.damaged).toBe(journal.damaged);
      }
    }
    expect(reported).toBeGreaterThan(500);
  });

  it('bursts of garbage anywhere but on the last record', async () => {
    const written = await write(3, 45);
    const entropy = new SeededEntropy(4);
    const end = written.image.length;
    for (let i = 0; i < 1500; i++) {
      const image = written.image.slice();
      const burst = entropy.bytes(1 + entropy.below(100));
      const at = entropy.below(end - burst.length);
      if (at + burst.length > written.lastAt && at < Math.floor(written.lastAt / SECTOR + 1) * SECTOR - SECTOR_HEADER_BYTES) continue;
      image.set(burst, at);
      await checkDamaged(new MockFlash({ sectorSize: SECTOR, image }), written);
    }
  });
});
