import { describe, expect, it } from 'vitest';
import { MockFlash } from '../../hal/mock/flash.js';
import { toHex } from '../../src/codec/hex.js';
import { utf8Encode } from '../../src/codec/utf8.js';
import { type Change, Journal } from '../../src/store/journal.js';
import { MemoryLog } from '../world/log.js';
import { expectRejection } from './model.js';

const SECRET = 'a private key of a zone';
const set = (key: string, text: string): Change => ({ key, value: utf8Encode(text) });
const open = (flash: MockFlash) => Journal.open(flash, new MemoryLog());

/** A medium of three sectors that all hold the secret. */
async function used(): Promise<{ flash: MockFlash; journal: Journal }> {
  const flash = new MockFlash({ sectorCount: 3 });
  const journal = await open(flash);
  await journal.commit([set('identity', 'kept'), set('zone/1', SECRET)]);
  while (Math.min(...flash.erases) === 0) await journal.commit([{ key: 'zone/2', value: new Uint8Array(1000) }]);
  // The seal of the last commit.
  await journal.commit([]);
  return { flash, journal };
}

const holdsSecret = (flash: MockFlash) => toHex(flash.image()).includes(toHex(utf8Encode(SECRET)));

describe('journal: factory reset', () => {
  it('leaves the kept keys, and nothing else on any sector', async () => {
    const { flash, journal } = await used();
    expect(holdsSecret(flash)).toBe(true);
    await journal.factoryReset(['identity', 'never there']);
    expect(journal.keys()).toEqual(['identity']);
    expect(holdsSecret(flash)).toBe(false);
    flash.powerOff();
    flash.powerUp();
    const again = await open(flash);
    expect(again.keys()).toEqual(['identity']);
    await again.commit([set('zone/1', 'anew')]);
    expect(again.keys()).toEqual(['identity', 'zone/1']);
  });

  it('cut at any operation is done or not done, and once begun to hold leaves nothing after the next boot', async () => {
    const { flash: before, journal } = await used();
    let outcomes = '';
    for (let operation = 0; ; operation++) {
      const flash = before.fork();
      const one = await open(flash);
      flash.cutAt(flash.operations + operation);
      const done = await one.factoryReset(['identity']).then(
        () => true,
        () => false,
      );
      if (done) break;
      flash.powerUp();
      const again = await open(flash);
      outcomes += again.keys().length === 1 ? 'n' : 'o';
      expect(again.keys()).toEqual(again.keys().length === 1 ? ['identity'] : ['identity', 'zone/1', 'zone/2']);
      expect(holdsSecret(flash)).toBe(again.keys().length > 1);
    }
    expect(outcomes).toMatch(/^o{3,}n{3,}$/);
    expect(journal.keys()).toHaveLength(3);
  });

  it('that cannot erase an old sector holds, says so, and is finished at the next boot', async () => {
    const { flash, journal } = await used();
    // erase, base, sync, header, header, sync, mark, then the first erase of an old sector.
    flash.failAt(flash.operations + 7, new Error('worn out'));
    await expectRejection(journal.factoryReset(['identity']), 'io');
    expect(journal.keys()).toEqual(['identity']);
    expect(holdsSecret(flash)).toBe(true);
    await journal.commit([set('zone/1', 'anew')]);
    flash.powerOff();
    flash.powerUp();
    expect((await open(flash)).keys()).toEqual(['identity', 'zone/1']);
    expect(holdsSecret(flash)).toBe(false);
  });
});
