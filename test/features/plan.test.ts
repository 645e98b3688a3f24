import { beforeEach, describe, expect, it } from 'vitest';
import type { CborValue } from '../../src/codec/cbor.js';
import { Plan, type PlanBasis } from '../../src/features/plan.js';
import type { Segment } from '../../src/features/plan-maker.js';
import { VirtualClock } from '../world/clock.js';

const START = 1_790_000_000;
const HOUR = 3600;
const CALLER = { id: 'A', type: 3, priority: 3 };

let clock: VirtualClock;
let plan: Plan;
let clockSet: boolean;
let reports: (readonly number[])[];
/** mWh that the car wants from the start on; it draws 10 kW. */
let wanted: number;
let session: string;
/** Of the absolute hour from the start on. */
let ceilings: readonly number[];

function basis(from: number, until: number): PlanBasis {
  const cuts = [from, ...ceilings.map((_, hour) => hour * HOUR * 1000).filter((at) => at > from && at < until), until];
  const outlook: Segment[] = cuts.slice(1).map((end, index) => {
    const at = cuts[index] as number;
    const hour = Math.min(Math.floor(at / (HOUR * 1000)), ceilings.length - 1);
    return { from: at, until: end, ceiling: ceilings[hour] as number, price: null };
  });
  return {
    outlook,
    session,
    need: { energy: Math.max(0, wanted - (clock.now() / 3600) * 10_000), power: 10_000_000, minPower: 1_000_000, byPrice: false },
  };
}

beforeEach(() => {
  clock = new VirtualClock(START * 1000);
  clockSet = true;
  reports = [];
  wanted = 20_000_000;
  session = 'car';
  ceilings = [10_000_000];
  plan = new Plan({ clock, now: () => (clockSet ? clock.wall() / 1000 : undefined), basis });
  plan.attach((ids) => void reports.push(ids));
});

const run = (command: number, parameters: Readonly<Record<string, CborValue>> = {}) =>
  Object.fromEntries(plan.invoke(command, new Map(Object.entries(parameters)), CALLER).values ?? []);
const status = (command: number, parameters: Readonly<Record<string, CborValue>>): number => {
  try {
    run(command, parameters);
    return 0;
  } catch (error) {
    return (error as { status: number }).status;
  }
};
const accept = (planId: number, planVersion: number) => run(2, { planId, planVersion });
const read = (...ids: readonly number[]): CborValue[] => ids.map((id) => plan.read(id));
const slots = () =>
  (plan.read(40) as ReadonlyMap<string, number>[]).map((slot) => [
    slot.get('duration'),
    (slot.get('plannedPower') ?? 0) / 1e6,
    slot.get('maxPower'),
  ]);

describe('Plan (features.md §5)', () => {
  it('before any: 0, 0, PRELIMINARY, nulls; there is nothing to accept', () => {
    expect(read(1, 2, 3, 10, 11, 20, 40)).toEqual([0, 0, 0, null, null, null, null]);
    expect(status(2, { planId: 0, planVersion: 0 })).toBe(11);
    plan.reconsider();
    expect(clock.pending()).toEqual([]);
  });

  it('requestPlan: the next id, version 1, PRELIMINARY, a day from now', () => {
    expect(run(1)).toEqual({ planId: 1 });
    expect(read(1, 2, 3, 10, 11, 20)).toEqual([1, 1, 0, START, START + 86_400, 20_000_000]);
    expect(slots()).toEqual([
      [2 * HOUR, 10, 10_000_000],
      [22 * HOUR, 0, 10_000_000],
    ]);
    expect(run(1, { duration: HOUR })).toEqual({ planId: 2 });
    expect(read(2, 11, 20)).toEqual([1, START + HOUR, 10_000_000]);
    expect(reports).toEqual([
      [1, 2, 10, 11, 20, 40],
      [1, 11, 20, 40],
    ]);
  });

  it('duration 0 is the default, 604 800 the longest; a start that is past is now', () => {
    expect([status(1, { duration: 604_801 }), read(1)]).toEqual([11, [0]]);
    run(1, { duration: 604_800, startTime: START - 50 });
    expect(read(10, 11)).toEqual([START, START + 604_800]);
    run(1, { duration: 0 });
    expect(read(11)).toEqual([START + 86_400]);
  });

  it('a start that no clock reaches: 11, and the plan in force stays', () => {
    run(1, { duration: HOUR });
    for (const startTime of [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 86_400, 1e13])
      expect([startTime, status(1, { startTime })]).toEqual([startTime, 11]);
    expect(read(1, 10, 11)).toEqual([1, START, START + HOUR]);
    run(1, { startTime: 4e12 });
    expect(read(10, 11)).toEqual([4e12, 4e12 + 86_400]);
  });

  it('a clock that was never set: now alone, and no times', () => {
    clockSet = false;
    expect(status(1, { startTime: START + 5 })).toBe(11);
    run(1, { startTime: 0, duration: HOUR });
    expect([...read(1, 10, 11), slots().length]).toEqual([1, null, null, 1]);
  });

  it('acceptPlan: another id or version 11; COMMITTED, EXECUTING from its start, over at its end', async () => {
    run(1, { startTime: START + 600, duration: HOUR });
    expect([status(2, { planId: 2, planVersion: 1 }), status(2, { planId: 1, planVersion: 2 })]).toEqual([11, 11]);
    expect(accept(1, 1)).toEqual({ newCommitment: 2 });
    expect(accept(1, 1)).toEqual({ newCommitment: 2 });
    expect(plan.powerNow).toBe(0);
    await clock.advance(599_999);
    expect(read(3)).toEqual([2]);
    await clock.advance(1);
    expect([...read(3), plan.powerNow]).toEqual([3, 10_000_000]);
    await clock.advance(HOUR * 1000);
    expect(read(1, 2, 3, 10, 11, 20, 40)).toEqual([1, 1, 0, null, null, null, null]);
    expect([status(2, { planId: 1, planVersion: 1 }), plan.powerNow, clock.pending()]).toEqual([11, null, []]);
  });

  it('accepted after its start: EXECUTING at once; not accepted it stays PRELIMINARY', async () => {
    run(1);
    await clock.advance(1000);
    expect(read(3)).toEqual([0]);
    expect(accept(1, 1)).toEqual({ newCommitment: 3 });
  });

  it("other slots of the device's own make: version + 1, PRELIMINARY, from now to the same end", async () => {
    run(1, { duration: 4 * HOUR });
    accept(1, 1);
    await clock.advance(HOUR * 1000);
    ceilings = [5_000_000];
    plan.reconsider();
    await clock.advance(1000);
    expect(read(1, 2, 3, 10, 11)).toEqual([1, 2, 0, START + HOUR + 1, START + 4 * HOUR]);
    expect(slots()).toEqual([
      [2 * HOUR - 2, 5, 5_000_000],
      [HOUR + 1, 0, 5_000_000],
    ]);
  });

  it('energy that has flowed, and what happens without an effect on it, make no version', async () => {
    ceilings = [10_000_000, 10_000_000, 3_000_000];
    run(1, { duration: 3 * HOUR });
    accept(1, 1);
    reports.length = 0;
    await clock.advance(1_800_000);
    plan.reconsider();
    await clock.advance(2000);
    expect([...read(2, 3), reports]).toEqual([1, 3, []]);
  });

  it('a car that lags behind, and limits whose end has moved, show within a minute', async () => {
    run(1, { duration: 4 * HOUR });
    await clock.advance(HOUR * 1000);
    wanted += 900_000;
    await clock.advance(60_000);
    expect(read(2)).toEqual([1]);
    wanted += 200_000;
    await clock.advance(60_000);
    expect(read(2)).toEqual([2]);
    ceilings = [10_000_000, 5_000_000];
    await clock.advance(60_000);
    expect(read(2)).toEqual([3]);
  });

  it('a car that still wants when the plan has nothing left gets the rest', async () => {
    run(1, { duration: 4 * HOUR });
    wanted += 600_000;
    await clock.advance((2 * HOUR + 60) * 1000);
    expect(read(2)).toEqual([2]);
    expect(plan.read(20)).toBeGreaterThanOrEqual(600_000);
    expect(plan.powerNow).toBe(10_000_000);
  });

  it('another car is another need', async () => {
    run(1);
    session = 'other';
    wanted = 0;
    plan.reconsider();
    plan.reconsider();
    await clock.advance(1000);
    expect([...read(2, 20), slots().length]).toEqual([2, 0, 1]);
  });

  it('what is asked for the moment is up to date', () => {
    run(1);
    ceilings = [2_000_000];
    plan.reconsider();
    expect(plan.powerNow).toBe(2_000_000);
  });

  it('closes: no timer is left', () => {
    run(1, { startTime: START + 5 });
    plan.reconsider();
    plan.close();
    expect(clock.pending()).toEqual([]);
  });
});
