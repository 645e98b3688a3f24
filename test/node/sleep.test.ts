import { expect, it } from 'vitest';
import { SleepWatch } from '../../src/node/sleep.js';

it('a sleep is what the uptime counts and the clock of the process does not; once for each', () => {
  let [up, now] = [1_000_000, 5000];
  const watch = new SleepWatch(
    () => up,
    () => now,
  );
  const pass = (awake: number, asleep = 0): boolean => {
    now += awake;
    up += awake + asleep;
    return watch.slept();
  };
  expect([pass(30_000), pass(3_600_000), pass(10, 3), pass(1000, 8 * 3_600_000), pass(1000), pass(0, 6000)]).toEqual([
    false,
    false,
    false,
    true,
    false,
    true,
  ]);
  // Clocks that differ by little, again and again.
  for (let i = 0; i < 100; i++) expect(pass(1000, 100)).toBe(false);
});

it('this machine is awake', () => {
  const watch = new SleepWatch();
  for (let i = 0; i < 10; i++) expect(watch.slept()).toBe(false);
});
