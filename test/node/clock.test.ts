import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nodeClock } from '../../src/node/clock.js';

interface Scheduled {
  readonly delay: number;
  readonly run: () => void;
  cleared: boolean;
}

/** setTimeout and CLOCK_MONOTONIC as the test says. */
let now = 1000.5;
let scheduled: Scheduled[] = [];

beforeEach(() => {
  now = 1000.5;
  scheduled = [];
  vi.spyOn(process, 'hrtime').mockImplementation(() => [Math.floor(now / 1000), Math.round((now % 1000) * 1e6)]);
  vi.stubGlobal('setTimeout', (run: () => void, delay: number) => {
    const entry = { run, delay, cleared: false };
    scheduled.push(entry);
    return entry;
  });
  vi.stubGlobal('clearTimeout', (entry: Scheduled) => {
    entry.cleared = true;
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('nodeClock', () => {
  it('does not call back before the delay has passed by its own now', () => {
    const callback = vi.fn();
    nodeClock().after('test', 10.2, callback);
    expect(scheduled.map(({ delay }) => delay)).toEqual([11]);
    now += 10;
    scheduled[0]?.run();
    expect(callback).not.toHaveBeenCalled();
    expect(scheduled.at(-1)?.delay).toBe(1);
    now += 0.3;
    scheduled[1]?.run();
    expect(callback).toHaveBeenCalledOnce();
  });

  it('chains delays beyond what setTimeout can hold', () => {
    const callback = vi.fn();
    const delay = 3 * 2 ** 31;
    nodeClock().after('test', delay, callback);
    for (let i = 0; i < 4 && callback.mock.calls.length === 0; i++) {
      const entry = scheduled[i];
      expect(entry?.delay).toBeLessThanOrEqual(2 ** 31 - 1);
      now += entry?.delay ?? 0;
      entry?.run();
    }
    expect(callback).toHaveBeenCalledOnce();
    expect(now).toBeGreaterThanOrEqual(1000.5 + delay);
    expect(scheduled).toHaveLength(4);
  });

  it('cancels also what was put off again', () => {
    const callback = vi.fn();
    const timer = nodeClock().after('test', 10, callback);
    scheduled[0]?.run();
    timer.cancel();
    timer.cancel();
    expect(scheduled.at(-1)?.cleared).toBe(true);
    expect(callback).not.toHaveBeenCalled();
  });

  it('runs a negative or zero delay in a later turn', () => {
    const callback = vi.fn();
    nodeClock().after('test', -5, callback);
    expect(callback).not.toHaveBeenCalled();
    expect(scheduled[0]?.delay).toBe(0);
    scheduled[0]?.run();
    expect(callback).toHaveBeenCalledOnce();
  });
});
