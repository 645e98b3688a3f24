import { beforeEach, describe, expect, it } from 'vitest';
import { ceilingAt, knownChanges } from '../../src/failsafe/energy-outlook.js';
import type { Pair } from '../../src/zones/timed-values.js';
import { EnergyWorld, GRID, HOME, RATINGS, TEST } from './world.js';

let world: EnergyWorld;
beforeEach(() => {
  world = new EnergyWorld({ zones: [GRID, HOME, TEST] });
  world.connect(GRID, HOME);
});
const at = (seconds: number, ...constraints: readonly (readonly [string, Pair<number | null>])[]): number | null =>
  ceilingAt(world.core.state, new Map(constraints), seconds * 1000);

describe('what may be drawn at a later moment', () => {
  it('the ratings, less what limits leave; a timed limit until its end', async () => {
    expect(at(0)).toBe(RATINGS.power[0]);
    await world.limit(HOME, 7_000_000);
    await world.limit(GRID, 5_000_000, { duration: 60 });
    expect([at(59), at(60), at(90_000)]).toEqual([5_000_000, 7_000_000, 7_000_000]);
    expect(knownChanges(world.core.state)).toEqual([60_000]);
  });

  it('constraint slots of that moment, TEST aside', async () => {
    await world.limit(HOME, 7_000_000);
    expect(at(5, [GRID.id, [4_000_000, null]], [TEST.id, [1, null]])).toBe(4_000_000);
    expect(at(5, [GRID.id, [null, 1]])).toBe(7_000_000);
  });

  it('nothing while the process rests: Pause until its end, Stop for good, a schedule until its start', async () => {
    world.event({ type: 'process', event: { type: 'demanded' } });
    await world.run(HOME, { name: 'pause', duration: 30 });
    expect([at(29), at(30), knownChanges(world.core.state)]).toEqual([0, RATINGS.power[0], [30_000]]);
    await world.run(HOME, { name: 'pause' });
    expect(at(1_000_000)).toBe(0);
    await world.run(HOME, { name: 'stop' });
    expect(at(1_000_000)).toBe(0);
    world.event({ type: 'process', event: { type: 'offered' } });
    await world.run(HOME, { name: 'scheduleProcess', startsIn: 50_000 });
    expect([at(49), at(50)]).toEqual([0, RATINGS.power[0]]);
  });

  it('in failsafe no more than its limit', () => {
    world.lose(GRID, HOME);
    expect(at(100)).toBe(3_000_000);
  });
});
