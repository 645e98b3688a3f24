import { describe, expect, it } from 'vitest';
import { MockFlash } from '../../hal/mock/flash.js';
import { Journal } from '../../src/store/journal.js';
import { SeededEntropy } from '../world/entropy.js';
import { MemoryLog } from '../world/log.js';
import { applied, type Contents, contents, observed, randomChanges, sameContents } from './model.js';

const COMMITS = 200;
const GEOMETRY = { sectorSize: 4096, sectorCount: 3 };
const MARKER = { key: 'after', value: Uint8Array.of(1, 2, 3) };

type Chance = ((bound: number) => number) | undefined;

/** Boots what a cut left, checks it against the two contents it may have, and that it takes a further commit. */
async function checkBoot(flash: MockFlash, allowed: readonly Contents[], chance: Chance): Promise<void> {
  const journal = await Journal.open(flash, new MemoryLog());
  const found = contents(journal);
  if (!allowed.some((one) => sameContents(found, one))) expect(found).toEqual(allowed[0]);
  expect(journal.quarantined).toEqual([]);
  expect(journal.damaged).toBe(false);
  await journal.commit([MARKER]);
  const again = flash.fork(chance);
  again.powerOff();
  again.powerUp();
  expect(contents(await Journal.open(again, new MemoryLog()))).toEqual(applied(found, [MARKER]));
}

/** Cuts the recovery itself at each of its operations. */
async function checkRecovery(flash: MockFlash, allowed: readonly Contents[], chance: Chance): Promise<void> {
  for (let operation = 0; ; operation++) {
    const torn = flash.fork(chance);
    torn.cutAt(operation);
    const whole = await Journal.open(torn, new MemoryLog()).then(
      () => true,
      () => false,
    );
    if (whole) return;
    torn.powerUp();
    await checkBoot(torn, allowed, chance);
  }
}

/** The process dies and starts again, the medium keeps its power: what this boot shows must survive a power cut right after it. */
async function checkRestart(flash: MockFlash, allowed: readonly Contents[]): Promise<void> {
  const found = contents(await Journal.open(flash, new MemoryLog()));
  expect(allowed.some((one) => sameContents(found, one))).toBe(true);
  flash.powerOff();
  flash.powerUp();
  expect(contents(await Journal.open(flash, new MemoryLog()))).toEqual(found);
}

/** Runs `COMMITS` random commits and cuts the power at every program, erase and sync of the run. Returns how many cuts were tried. */
async function cutEverywhere(seed: number, cached: boolean): Promise<{ cuts: number; rewrites: number }> {
  const entropy = new SeededEntropy(seed);
  const fate = new SeededEntropy(seed + 1000);
  const chance = cached ? (bound: number) => fate.below(bound) : undefined;
  const flash = new MockFlash({ ...GEOMETRY, ...(chance && { chance }) });
  let journal: Journal | undefined;
  let inFlight: (before: Contents) => Contents = (before) => before;
  let cuts = 0;

  const medium = observed(flash, async (operation, bytes) => {
    const acknowledged: Contents = journal === undefined ? new Map() : contents(journal);
    const allowed = [acknowledged, inFlight(acknowledged)];
    const points = cached ? [undefined, undefined, undefined] : bytes === 0 ? [0] : [0, 1 + fate.below(bytes - 1), bytes];
    await checkRestart(flash.fork(chance), allowed);
    for (const point of points) {
      const torn = flash.fork(chance);
      torn.cutAt(0, point);
      await expect(operation(torn)).rejects.toThrow('power cut');
      torn.powerUp();
      if (cuts++ % 8 === 0) await checkRecovery(torn, allowed, chance);
      await checkBoot(torn, allowed, chance);
    }
  });

  journal = await Journal.open(medium, new MemoryLog());
  let model: Contents = new Map();
  for (let i = 0; i < COMMITS; i++) {
    const changes = randomChanges(entropy, 300);
    // A factory reset among them, which keeps two keys.
    const reset = i % 80 === 79;
    const keep = ['zone/1', 'zone/2'];
    inFlight = (before) => (reset ? new Map([...before].filter(([key]) => keep.includes(key))) : applied(before, changes));
    model = inFlight(model);
    await (reset ? journal.factoryReset(keep) : journal.commit(changes));
    expect(contents(journal)).toEqual(model);
    inFlight = (before) => before;
  }
  return { cuts, rewrites: flash.erases.reduce((sum, erases) => sum + erases, 0) };
}

describe('journal: power cut at every operation of 200 commits', () => {
  it.each([1, 2, 3])('flash that is durable at once, torn at a byte, seed %i', async (seed) => {
    const { cuts, rewrites } = await cutEverywhere(seed, false);
    expect(cuts).toBeGreaterThan(1000);
    expect(rewrites).toBeGreaterThan(15);
  });

  it.each([11, 12, 13])('medium that may lose or tear whatever no sync followed, seed %i', async (seed) => {
    const { cuts, rewrites } = await cutEverywhere(seed, true);
    expect(cuts).toBeGreaterThan(1000);
    expect(rewrites).toBeGreaterThan(15);
  });
});
