import { describe, expect, it } from 'vitest';
import { ceiling, phaseCeilings, type Ratings, ranksAbove, refusesZone, target } from '../../src/zones/resolution.js';

const RATINGS: Ratings = { power: [11_040_000, 0], currentPerPhase: 16_000, phaseCount: 3, voltage: 230, asymmetric: [true, false] };
const limits = new Map([
  [0, 10_000],
  [2, 6000],
]);

describe('features.md §3, the ceiling', () => {
  it.each([
    [null, null, 11_040_000],
    [5_000_000, null, 5_000_000],
    [99_000_000, null, 11_040_000],
    [null, limits, (10_000 + 16_000 + 6000) * 230],
    [7_000_000, limits, 7_000_000],
    [0, limits, 0],
  ])('of limit %s and phases %j is %i mW', (limit, phases, expected) => expect(ceiling(limit, phases, RATINGS, 0)).toBe(expected));

  it('has all phases at the least where the endpoint cannot tell them apart', () => {
    expect([...(phaseCeilings(limits, RATINGS, 1)?.values() ?? [])]).toEqual([6000, 6000, 6000]);
    expect(ceiling(null, limits, RATINGS, 1)).toBe(3 * 6000 * 230);
  });

  it('is open where nothing is known', () => {
    const unknown = { ...RATINGS, power: [0, 0], currentPerPhase: 0 } as const;
    expect(ceiling(null, null, unknown, 0)).toBeNull();
    expect(ceiling(null, limits, unknown, 0)).toBeNull();
    expect(phaseCeilings(null, unknown, 0)).toBeNull();
  });

  it('caps the setpoint', () => {
    expect([target(null, 5), target(9, 5), target(3, 5), target(9, null)]).toEqual([null, 5, 3, 9]);
  });
});

describe('features.md §3, opt-out', () => {
  it.each([
    [0, [false, false, false, false]],
    [1, [false, true, true, true]],
    [2, [true, false, false, false]],
    [3, [true, true, true, true]],
  ])('%i refuses of types 1–4: %j', (optOut, expected) => {
    expect([1, 2, 3, 4].map((type) => refusesZone(optOut, { id: 'a', type, priority: 1 }))).toEqual(expected);
  });

  it('ranks by type, then by priority', () => {
    const zone = (type: number, priority: number) => ({ id: 'a', type, priority });
    expect(ranksAbove(zone(1, 4), zone(2, 1))).toBe(true);
    expect(ranksAbove(zone(2, 1), zone(2, 2))).toBe(true);
    expect(ranksAbove(zone(2, 2), zone(2, 2))).toBe(false);
  });
});
