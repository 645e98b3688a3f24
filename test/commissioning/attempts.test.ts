import { describe, expect, it } from 'vitest';
import { type Pace, Tiers, TokenBucket } from '../../src/commissioning/attempts.js';
import { SeededEntropy } from '../world/entropy.js';

/** Guesses as fast as the pace allows from `start` until `end`; the times of the guesses. */
function guess(pace: Pace, start: number, end: number): number[] {
  const times: number[] = [];
  for (let now = start; ; ) {
    now += pace.delay(now);
    if (now > end) return times;
    pace.begin(now);
    times.push(now);
  }
}

describe('TokenBucket (protocol.md §2.8)', () => {
  it('lets ten pass at once, then one a second', () => {
    const times = guess(new TokenBucket(), 5000, 12_000);
    expect(times).toEqual([...Array.from({ length: 10 }, () => 5000), 6000, 7000, 8000, 9000, 10_000, 11_000, 12_000]);
  });

  it('lets about 130 guesses into a window of 120 s', () => {
    expect(guess(new TokenBucket(), 0, 120_000)).toHaveLength(130);
  });

  it('lets no 1,000 guesses through faster than 10 + 1/s, whatever their rhythm', () => {
    const entropy = new SeededEntropy(28);
    for (let round = 0; round < 20; round++) {
      const bucket = new TokenBucket();
      let now = entropy.below(1_000_000);
      const times: number[] = [];
      while (times.length < 1000) {
        now += Math.max(bucket.delay(now), entropy.below(4) === 0 ? entropy.below(5000) : 0);
        expect(bucket.delay(now)).toBe(0);
        bucket.begin(now);
        times.push(now);
      }
      for (let i = 10; i < times.length; i++) {
        // Ten and one more never fit into less than a second, twenty and one more never into less than eleven.
        for (const back of [10, 20, 100, 500])
          if (i >= back) expect((times[i] ?? 0) - (times[i - back] ?? 0)).toBeGreaterThanOrEqual((back - 9) * 1000);
      }
    }
  });

  it('waits at most one second for the next answer', () => {
    const bucket = new TokenBucket();
    guess(bucket, 0, 0);
    expect(bucket.delay(0)).toBe(1000);
    expect(bucket.delay(999)).toBe(1);
    expect(bucket.delay(1000)).toBe(0);
    // Asking takes nothing.
    expect(bucket.delay(1000)).toBe(0);
  });

  it('counts the time since the last token, whenever it is asked', () => {
    const bucket = new TokenBucket();
    guess(bucket, 0, 0);
    expect(bucket.delay(1500)).toBe(0);
    bucket.begin(1500);
    expect(bucket.delay(1500)).toBe(500);
    expect(guess(bucket, 1500, 5000)).toEqual([2000, 3000, 4000, 5000]);
  });

  it('refills to ten and no further', () => {
    const bucket = new TokenBucket();
    guess(bucket, 0, 0);
    expect(guess(bucket, 1_000_000, 1_000_000)).toHaveLength(10);
  });

  it('does not save up time before the first attempt', () => {
    const bucket = new TokenBucket();
    expect(guess(bucket, 10_000_000, 10_000_000)).toHaveLength(10);
    expect(bucket.delay(10_000_000)).toBe(1000);
  });

  it('persists across windows', () => {
    const bucket = new TokenBucket();
    guess(bucket, 0, 0);
    bucket.windowChanged();
    expect(bucket.delay(500)).toBe(500);
  });

  it('gives the token of a success back, and never more than ten', () => {
    const bucket = new TokenBucket();
    guess(bucket, 0, 0);
    bucket.succeeded();
    expect(guess(bucket, 0, 0)).toHaveLength(1);
    const full = new TokenBucket();
    full.succeeded();
    expect(guess(full, 0, 0)).toHaveLength(10);
  });

  it('any number of successes in a row is free', () => {
    const bucket = new TokenBucket();
    for (let i = 0; i < 100; i++) {
      expect(bucket.delay(0)).toBe(0);
      bucket.begin(0);
      bucket.succeeded();
    }
    expect(guess(bucket, 0, 0)).toHaveLength(10);
  });
});

describe('Tiers (profile reference)', () => {
  /** protocol.md: before answering attempt n+1: n ≤ 2: 0, 3–5: 1 s, 6–9: 3 s, ≥ 10: 10 s. */
  const DELAYS = [0, 0, 0, 1000, 1000, 1000, 3000, 3000, 3000, 3000, 10_000, 10_000, 10_000];

  it('slows down by the number of failed attempts', () => {
    const tiers = new Tiers();
    const delays = DELAYS.map(() => {
      const delay = tiers.delay();
      tiers.begin();
      return delay;
    });
    expect(delays).toEqual(DELAYS);
    for (let i = 0; i < 1000; i++) tiers.begin();
    expect(tiers.delay()).toBe(10_000);
  });

  it.each(['succeeded', 'windowChanged'] as const)('is reset when it %s', (event) => {
    const tiers = new Tiers();
    for (let i = 0; i < 20; i++) tiers.begin();
    tiers[event]();
    expect(
      [1, 2, 3, 4].map(() => {
        const delay = tiers.delay();
        tiers.begin();
        return delay;
      }),
    ).toEqual([0, 0, 0, 1000]);
  });
});
