import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bootFailsafe,
  FAILSAFE_OFF,
  type FailsafeEvent,
  type FailsafeState,
  failsafeDeadline,
  inFailsafe,
  journalledRemainder,
  nextFailsafe,
} from '../../src/failsafe/failsafe.js';

const HOUR = 3_600_000;
const SETTINGS = { duration: 2 * HOUR, grace: 0, afterDuration: 'autonomous' } as const;
const HOLD = { ...SETTINGS, afterDuration: 'hold' } as const;
const RUNNING = nextFailsafe(SETTINGS, FAILSAFE_OFF, 'lost', 0);
const STATES: readonly FailsafeState[] = [FAILSAFE_OFF, RUNNING, { name: 'held' }, { name: 'over' }];
const EVENTS: readonly FailsafeEvent[] = ['lost', 'connected', 'unzoned', 'time'];

describe('features.md §1, the failsafe timer', () => {
  const documented: Readonly<Record<string, string>> = {
    'off lost': 'running',
    'running connected': 'off',
    'running unzoned': 'off',
    'running time': 'over',
    'held connected': 'off',
    'held unzoned': 'off',
    'over connected': 'off',
    'over unzoned': 'off',
  };

  for (const state of STATES)
    for (const event of EVENTS) {
      const next = documented[`${state.name} ${event}`];
      test(`${state.name}, ${event}: ${next ?? 'refused'}`, () => {
        const result = nextFailsafe(SETTINGS, state, event, 2 * HOUR);
        if (next === undefined) expect(result).toBe(state);
        else expect(result.name).toBe(next);
      });
    }

  test('hold keeps it in force after its duration', () => {
    expect(nextFailsafe(HOLD, nextFailsafe(HOLD, FAILSAFE_OFF, 'lost', 0), 'time', 2 * HOUR)).toEqual({ name: 'held' });
    expect(inFailsafe({ name: 'held' })).toBe(true);
  });

  test('the grace makes it longer', () => {
    const state = nextFailsafe({ ...SETTINGS, grace: 600_000 }, FAILSAFE_OFF, 'lost', 0);
    expect(nextFailsafe({ ...SETTINGS, grace: 600_000 }, state, 'time', 2 * HOUR).name).toBe('running');
    expect(nextFailsafe({ ...SETTINGS, grace: 600_000 }, state, 'time', 2 * HOUR + 600_000).name).toBe('over');
  });

  test('a millisecond before its end it still runs', () => {
    expect(nextFailsafe(SETTINGS, RUNNING, 'time', 2 * HOUR - 1).name).toBe('running');
  });
});

describe('the remainder in the journal', () => {
  test.each([
    [2 * HOUR, 60_000],
    [24 * HOUR, 432_000],
  ])('of %i ms is written every %i ms', (duration, step) => {
    let state = nextFailsafe({ ...SETTINGS, duration }, FAILSAFE_OFF, 'lost', 1000);
    expect(journalledRemainder(state)).toBe(duration);
    expect(failsafeDeadline(state)).toBe(1000 + step);
    state = nextFailsafe(SETTINGS, state, 'time', 1000 + step);
    expect(journalledRemainder(state)).toBe(duration - step);
    expect(failsafeDeadline(state)).toBe(1000 + 2 * step);
  });

  test('boot: no zone; full without a record; the remainder; what comes after it', () => {
    expect(bootFailsafe(SETTINGS, false, 1000, 5)).toEqual(FAILSAFE_OFF);
    expect(bootFailsafe(SETTINGS, true, undefined, 5)).toMatchObject({ name: 'running', until: 5 + 2 * HOUR });
    expect(bootFailsafe(SETTINGS, true, 1000, 5)).toMatchObject({ name: 'running', until: 1005 });
    expect(bootFailsafe(SETTINGS, true, 0, 5)).toEqual({ name: 'over' });
    expect(bootFailsafe(HOLD, true, 0, 5)).toEqual({ name: 'held' });
  });

  test('power cycles at any points resume it: never shorter than due, never longer than a step each', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: HOUR }), { maxLength: 6 }), (runs) => {
        let state = nextFailsafe(SETTINGS, FAILSAFE_OFF, 'lost', 0);
        let powered = 0;
        for (const run of runs) {
          for (let due = failsafeDeadline(state); due <= run; due = failsafeDeadline(state))
            state = nextFailsafe(SETTINGS, state, 'time', due);
          powered += run;
          const remainder = journalledRemainder(state);
          expect(remainder).toBeGreaterThanOrEqual(Math.max(0, SETTINGS.duration - powered));
          if (state.name === 'over') return;
          state = bootFailsafe(SETTINGS, true, remainder, 0);
          expect(inFailsafe(state)).toBe(true);
          powered = SETTINGS.duration - (remainder as number);
        }
      }),
    );
  });
});
