import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { COUNTER_INTERVAL, countersRecord, EnergyCounters, type EnergyCounts } from '../../src/device/counters.js';
import type { Journal } from '../../src/store/journal.js';
import { MemoryJournal } from '../failsafe/world.js';
import { VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';

let clock: VirtualClock;
let journal: MemoryJournal;
beforeEach(() => {
  clock = new VirtualClock();
  journal = new MemoryJournal();
});

const boot = (from: Pick<Journal, 'get' | 'quarantine' | 'commit'> = journal) =>
  new EnergyCounters({ journal: from, clock, log: new MemoryLog() });
const count = (consumed: number, produced = 0): EnergyCounts => new Map([[1, { consumed, produced }]]);
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('energy counters (features.md §5: energies never fall, journalled)', () => {
  it('are journalled at most once a minute, shown once they are, and not written while nothing flows', async () => {
    const counters = boot();
    for (let second = 1; second <= 3600; second++) {
      await clock.advance(1000);
      counters.observe(count(second * 10, second));
      await turn();
    }
    expect(journal.commits).toBe(60);
    expect(counters.shown(1)).toEqual({ consumed: 36_000, produced: 3600 });
    for (let second = 1; second <= 3600; second++) {
      await clock.advance(1000);
      counters.observe(count(36_000, 3600));
    }
    await turn();
    expect(journal.commits).toBe(60);
  });

  it('show what is in the journal, never what is on its way there', async () => {
    const counters = boot();
    journal.slow = true;
    await clock.advance(COUNTER_INTERVAL);
    counters.observe(count(500));
    await turn();
    expect(counters.shown(1).consumed).toBe(0);
    journal.release();
    await turn();
    expect([counters.shown(1).consumed, boot().shown(1).consumed]).toEqual([500, 500]);
  });

  it('go on after a stop exactly, after a cut from what was shown', async () => {
    const first = boot();
    await first.settle(count(12_345));
    const second = boot();
    expect(second.shown(1).consumed).toBe(12_345);
    await clock.advance(COUNTER_INTERVAL);
    second.observe(count(100));
    await turn();
    second.observe(count(180));
    expect(boot().shown(1).consumed).toBe(12_445);
  });

  it('a medium that refuses loses nothing: the next record makes up for it', async () => {
    const counters = boot();
    journal.failing = true;
    await clock.advance(COUNTER_INTERVAL);
    counters.observe(count(500));
    await turn();
    expect(counters.shown(1).consumed).toBe(0);
    journal.failing = false;
    await clock.advance(COUNTER_INTERVAL);
    counters.observe(count(700));
    await turn();
    expect(counters.shown(1).consumed).toBe(700);
  });

  it('a record that does not decode is quarantined and counts from nothing', async () => {
    for (const bytes of [Uint8Array.of(0xff), countersRecord.encode(count(-1)), Uint8Array.of(0xa1, 0x00, 0x02)]) {
      journal.values.set(countersRecord.key, bytes);
      expect(boot().shown(1).consumed).toBe(0);
    }
    expect(journal.quarantined).toHaveLength(3);
  });

  it('never fall, whatever is cut, refused or restarted, and stay within a minute of the meter without cuts', async () => {
    const step = fc.record({
      do: fc.constantFrom('flow', 'flow', 'flow', 'cut', 'stop', 'fail', 'mend'),
      seconds: fc.integer({ min: 1, max: 90 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        journal = new MemoryJournal();
        let counters = boot();
        let [meter, shown] = [0, 0];
        for (const { do: what, seconds } of steps) {
          if (what === 'fail' || what === 'mend') journal.failing = what === 'fail';
          if (what === 'stop') await counters.settle(count(meter));
          if (what === 'cut' || what === 'stop') {
            counters = boot();
            meter = 0;
          }
          meter += seconds * 3000;
          await clock.advance(seconds * 1000);
          counters.observe(count(meter));
          await turn();
          expect(counters.shown(1).consumed).toBeGreaterThanOrEqual(shown);
          shown = counters.shown(1).consumed;
        }
      }),
      { numRuns: 50 },
    );
  });

  it('a record takes 80 bytes of the journal at most (docs/journal.md: record 24, entry 12, key, value)', () => {
    const value = countersRecord.encode(count(987_654_321_012, 987_654_321_012));
    expect(24 + 12 + countersRecord.key.length + value.length).toBeLessThanOrEqual(80);
  });
});
