import { describe, expect, test } from 'vitest';
import { type Finish, JobQueue } from '../../src/failsafe/job-queue.js';
import { EnergyWorld, GRID, HOME, settle } from './world.js';

function queue() {
  const told: string[] = [];
  const commits: ((finish: Finish) => void)[] = [];
  const refusals: ((reason: unknown) => void)[] = [];
  const jobs = new JobQueue(() => told.push('idle'));
  const failed = (name: string) => (reason: unknown) => told.push(`${name} failed: ${String(reason)}`);
  return {
    told,
    jobs,
    /** Does what it does at once. */
    add: (name: string, also: () => void = () => {}) =>
      jobs.add({
        run: () => {
          told.push(name);
          also();
          return undefined;
        },
        failed: failed(name),
      }),
    /** Holds when `settleNext` says so. */
    commit: (name: string, also: () => void = () => {}) =>
      jobs.add({
        run: () =>
          new Promise<Finish>((resolve, reject) => {
            told.push(`${name} commits`);
            commits.push(resolve);
            refusals.push(reject);
          }).then((finish) => () => {
            told.push(`${name} holds`);
            also();
            finish();
          }),
        failed: failed(name),
      }),
    settleNext: async (refused?: string) => {
      const [resolve, reject] = [commits.shift(), refusals.shift()];
      if (refused === undefined) resolve?.(() => {});
      else reject?.(refused);
      await settle();
    },
  };
}

describe('commit, then speak: one step after the other', () => {
  test('without a commit each runs in its own turn', () => {
    const { told, add } = queue();
    add('a');
    add('b');
    expect(told).toEqual(['a', 'idle', 'b', 'idle']);
  });

  test('what a job gives rise to waits for its end', () => {
    const { told, add } = queue();
    add('a', () => {
      add('b');
      told.push('end of a');
    });
    expect(told).toEqual(['a', 'end of a', 'b', 'idle']);
  });

  test('nothing runs beside a commit, not even what its end gives rise to', async () => {
    const { told, add, commit, settleNext } = queue();
    commit('a', () => add('caused by a'));
    commit('b');
    commit('c');
    await settleNext();
    expect(told).toEqual(['a commits', 'a holds', 'b commits']);
    await settleNext();
    await settleNext();
    expect(told.slice(3)).toEqual(['b holds', 'c commits', 'c holds', 'caused by a', 'idle']);
  });

  test('a refused commit, and a step that throws at whichever end, end nothing else', async () => {
    const { told, add, commit, settleNext } = queue();
    commit('a');
    commit('b', () => {
      throw new Error('stage');
    });
    add('c', () => {
      throw new Error('table');
    });
    add('d');
    await settleNext('full');
    await settleNext();
    expect(told).toEqual([
      ...['a commits', 'a failed: full', 'b commits', 'b holds', 'b failed: Error: stage'],
      ...['c', 'c failed: Error: table', 'd', 'idle'],
    ]);
  });

  test('what waits at the end is rejected', () => {
    const { told, add, commit, jobs } = queue();
    commit('a');
    add('b');
    expect(jobs.waiting).toBe(1);
    jobs.clear('closed');
    expect(told).toEqual(['a commits', 'b failed: closed']);
  });
});

test('three limits behind one another, a power stage that overrides at the first: each that is acknowledged holds, and after a restart', async () => {
  const world = new EnergyWorld();
  world.connect(GRID, HOME);
  await settle();
  world.journal.slow = true;
  world.onTarget = () => {
    world.onTarget = undefined;
    world.event({ type: 'deviceOverride', cause: { reason: 0, direction: 0 } });
  };
  const limits = [
    world.limit(GRID, 0),
    world.limit(HOME, 1_000_000, { cause: 0 }),
    world.run(GRID, { name: 'setLimit', values: [undefined, 2_000_000], cause: 0 }),
  ];
  await settle();
  world.journal.release();
  for (const result of await Promise.all(limits)) expect(result).toMatchObject({ applied: true });
  const all = () => [world.read(21, GRID), world.read(21, HOME), world.read(23, GRID)];
  expect([world.control, ...all()]).toEqual([4, 0, 1_000_000, 2_000_000]);
  world.restart();
  expect(all()).toEqual([0, 1_000_000, 2_000_000]);
});
