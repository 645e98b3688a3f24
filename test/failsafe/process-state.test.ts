import { describe, expect, test } from 'vitest';
import {
  NO_PROCESS,
  nextProcess,
  Process,
  type ProcessEvent,
  type ProcessLimits,
  type ProcessState,
} from '../../src/failsafe/process-state.js';

const { NONE, AVAILABLE, SCHEDULED, RUNNING, PAUSED, COMPLETED, ABORTED } = Process;
const ALL = [NONE, AVAILABLE, SCHEDULED, RUNNING, PAUSED, COMPLETED, ABORTED] as const;
const LIMITS: ProcessLimits = { minRunDuration: null, minPauseDuration: null, maxPauseDuration: null, fromAnyState: false };
const BY = { id: 'a1', priority: 1 };
const at = (name: Process): ProcessState => ({ ...NO_PROCESS, name, startAt: name === SCHEDULED ? 5000 : undefined });

/** features.md §2, row by row: event, from, to. */
const ROWS: readonly [ProcessEvent, readonly Process[], Process][] = [
  [{ type: 'offered' }, [NONE, COMPLETED, ABORTED], AVAILABLE],
  [{ type: 'withdrawn' }, [AVAILABLE], NONE],
  [{ type: 'demanded' }, [NONE], RUNNING],
  [{ type: 'schedule', by: BY, startAt: 9000 }, [AVAILABLE, SCHEDULED], SCHEDULED],
  [{ type: 'schedule', by: BY, startAt: 1000 }, [AVAILABLE, SCHEDULED], RUNNING],
  [{ type: 'adjust', startAt: 9000 }, [SCHEDULED], SCHEDULED],
  [{ type: 'pause', by: BY, duration: undefined }, [RUNNING, PAUSED], PAUSED],
  [{ type: 'resume' }, [PAUSED, RUNNING], RUNNING],
  [{ type: 'stop' }, [SCHEDULED, RUNNING, PAUSED], ABORTED],
  [{ type: 'cancel' }, [AVAILABLE, SCHEDULED, RUNNING, PAUSED], ABORTED],
  [{ type: 'finished' }, [RUNNING], COMPLETED],
  [{ type: 'cleared' }, [COMPLETED, ABORTED], NONE],
  [{ type: 'reset' }, ALL, NONE],
];

describe('features.md §2', () => {
  for (const [event, from, to] of ROWS)
    for (const state of ALL)
      test(`${event.type} ${JSON.stringify(event)} in ${state}`, () => {
        const next = nextProcess(LIMITS, at(state), event, 1000);
        if (from.includes(state)) expect(next?.name).toBe(to);
        else expect(next).toBeUndefined();
      });

  test.each([
    ['pause', PAUSED],
    ['resume', RUNNING],
    ['stop', ABORTED],
  ] as const)('profile reference: %s from any state', (type, to) => {
    for (const state of ALL) {
      const event: ProcessEvent = type === 'pause' ? { type, by: BY, duration: undefined } : { type };
      expect(nextProcess({ ...LIMITS, fromAnyState: true }, at(state), event, 1000)?.name).toBe(to);
    }
  });

  test.each(ALL)('time alone moves no state that waits for nothing: %i', (state) => {
    const waiting = { ...NO_PROCESS, name: state };
    expect(nextProcess(LIMITS, waiting, { type: 'time' }, 1e12)).toBe(waiting);
  });

  test('the start is reached to the millisecond', () => {
    expect(nextProcess(LIMITS, at(SCHEDULED), { type: 'time' }, 4999)?.name).toBe(SCHEDULED);
    expect(nextProcess(LIMITS, at(SCHEDULED), { type: 'time' }, 5000)?.name).toBe(RUNNING);
  });

  test('a pause ends with its duration, anew with the next, and never after maxPauseDuration', () => {
    const limits = { ...LIMITS, maxPauseDuration: 100 };
    const pause = (state: ProcessState, duration: number | undefined, now: number) =>
      nextProcess(limits, state, { type: 'pause', by: BY, duration }, now) as ProcessState;
    const first = pause(at(RUNNING), 10_000, 0);
    expect(first.pause?.until).toBe(10_000);
    const second = pause(first, 30_000, 5000);
    expect(second.pause?.until).toBe(35_000);
    expect(pause(second, undefined, 6000).pause?.until).toBe(100_000);
    expect(nextProcess(limits, second, { type: 'time' }, 34_999)?.name).toBe(PAUSED);
    expect(nextProcess(limits, second, { type: 'time' }, 35_000)?.name).toBe(RUNNING);
  });

  test('a weaker zone that prolongs a pause does not take it over', () => {
    const strong = nextProcess(LIMITS, at(RUNNING), { type: 'pause', by: BY, duration: undefined }, 0) as ProcessState;
    const weaker = nextProcess(LIMITS, strong, { type: 'pause', by: { id: 'c3', priority: 4 }, duration: undefined }, 0);
    expect(weaker?.pause?.by).toEqual(BY);
  });
});
