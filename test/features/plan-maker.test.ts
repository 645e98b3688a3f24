import { describe, expect, it } from 'vitest';
import { energyOf, makePlan, type Need, type Segment } from '../../src/features/plan-maker.js';

const HOUR = 3_600_000;
const NEED: Need = { energy: 10_000_000, power: 10_000_000, minPower: 1_000_000, byPrice: true };
/** Hours with their prices. */
const hours = (prices: readonly (number | null)[], ceiling = 20_000_000): Segment[] =>
  prices.map((price, hour) => ({ from: hour * HOUR, until: (hour + 1) * HOUR, ceiling, price }));
const powers = (outlook: readonly Segment[], need: Partial<Need> = {}): [number, number, number][] =>
  makePlan(outlook, { ...NEED, ...need }).map(({ from, until, power }) => [from / HOUR, until / HOUR, power / 1e6]);

describe("the device's own plan (features.md §5)", () => {
  it('takes the cheapest time that covers the need, the earlier of two alike', () => {
    expect(powers(hours([30, 10, 20, 10]), { energy: 15_000_000 })).toEqual([
      [0, 1, 0],
      [1, 2, 10],
      [2, 3, 0],
      [3, 3.5, 10],
      [3.5, 4, 0],
    ]);
  });

  it('without prices, or where they do not count: at once', () => {
    const expected = [
      [0, 1.5, 10],
      [1.5, 3, 0],
    ];
    expect(powers(hours([null, null, null]), { energy: 15_000_000 })).toEqual(expected);
    expect(powers(hours([30, 20, 10]), { energy: 15_000_000, byPrice: false })).toEqual(expected);
  });

  it('time of unknown price comes last', () => {
    expect(powers(hours([null, 900]))).toEqual([
      [0, 1, 0],
      [1, 2, 10],
    ]);
  });

  it('keeps below the ceiling, and does not run below its minimum', () => {
    const outlook = [
      { from: 0, until: HOUR, ceiling: 999_999, price: 1 },
      { from: HOUR, until: 2 * HOUR, ceiling: 4_000_000, price: 2 },
      { from: 2 * HOUR, until: 3 * HOUR, ceiling: 20_000_000, price: 3 },
    ];
    expect(powers(outlook)).toEqual([
      [0, 1, 0],
      [1, 2, 4],
      [2, 2.6, 10],
      [2.6, 3, 0],
    ]);
    expect(makePlan(outlook, NEED).map(({ maxPower }) => maxPower)).toEqual([999_999, 4_000_000, 20_000_000, 20_000_000]);
  });

  it('an unknown need: all of it, by price what costs no more than the average', () => {
    expect(powers(hours([30, 10]), { energy: null, byPrice: false })).toEqual([[0, 2, 10]]);
    expect(powers(hours([30, 10, 20, 20]), { energy: null })).toEqual([
      [0, 1, 0],
      [1, 4, 10],
    ]);
  });

  it('nothing wanted: nothing planned; no time: no slots', () => {
    expect(powers(hours([1, 2]), { energy: 0 })).toEqual([[0, 2, 0]]);
    expect(powers([])).toEqual([]);
  });

  it('at most 96 stretches without a gap, never above the least ceiling of their time', () => {
    const outlook = Array.from({ length: 500 }, (_, index) => ({
      from: index * 1000,
      until: (index + 1) * 1000,
      ceiling: 2_000_000 + (index % 7) * 1_000_000,
      price: index % 3 === 0 ? null : index % 11,
    }));
    const plan = makePlan(outlook, { ...NEED, energy: 200_000 });
    expect(plan.length).toBeLessThanOrEqual(96);
    expect([plan[0]?.from, plan.at(-1)?.until]).toEqual([0, 500_000]);
    plan.slice(1).forEach(({ from }, index) => void expect(from).toBe(plan[index]?.until));
    for (const { from, until, power } of plan)
      for (const segment of outlook) if (segment.from < until && segment.until > from) expect(power).toBeLessThanOrEqual(segment.ceiling);
    expect(energyOf(plan)).toBeGreaterThanOrEqual(200_000);
  });
});
