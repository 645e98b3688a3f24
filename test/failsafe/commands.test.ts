import { describe, expect, test } from 'vitest';
import { EnergyWorld, GRID, HOME, settle } from './world.js';

const HOUR = 3_600_000;
const phases = (...entries: [number, number | null][]) => new Map(entries);
const both = () => {
  const world = new EnergyWorld();
  world.connect(GRID, HOME);
  return world;
};

describe('TC-ZONE-LIMIT', () => {
  test('1, 2: the least of all zones for all, my* for the zone that asks', async () => {
    const world = both();
    expect(await world.limit(GRID, 6_000_000)).toMatchObject({ effective: [6_000_000, null] });
    expect(await world.limit(HOME, 5_000_000)).toMatchObject({ effective: [5_000_000, null] });
    expect([world.read(20), world.read(21, GRID), world.read(21, HOME)]).toEqual([5_000_000, 6_000_000, 5_000_000]);
  });

  test('3, 4, 5, 10: a zone clears its own alone', async () => {
    const world = both();
    await world.limit(GRID, 5_000_000);
    await world.limit(HOME, 5_000_000);
    await world.run(GRID, { name: 'clearLimit', sides: [0, 1] });
    expect([world.read(20), world.read(21, GRID)]).toEqual([5_000_000, null]);
    await world.run(HOME, { name: 'clearLimit', sides: [0, 1] });
    expect(world.read(20)).toBeNull();
  });

  test('6: a duration ends with its value, to the millisecond', async () => {
    const world = both();
    await world.limit(GRID, 5_000_000, { duration: 60 });
    await world.advance(59_999);
    expect(world.read(20)).toBe(5_000_000);
    await world.advance(1);
    expect([world.read(20), world.read(21), world.control]).toEqual([null, null, 1]);
  });

  test('6a, 6b: each command that names it replaces the timer', async () => {
    const world = both();
    await world.limit(GRID, 5_000_000, { duration: 60 });
    await world.advance(10_000);
    await world.limit(GRID, 5_000_000);
    await world.advance(HOUR);
    expect(world.read(20)).toBe(5_000_000);
    await world.limit(GRID, 5_000_000, { duration: 5 });
    await world.advance(5000);
    expect(world.read(20)).toBeNull();
  });

  test('7: changes reach everyone, my* its own zone, and nothing is told twice', async () => {
    const world = both();
    await settle();
    world.changes.length = 0;
    await world.limit(GRID, 5_000_000);
    await world.limit(GRID, 5_000_000);
    expect(world.changes).toEqual([
      { ids: [2, 20], zone: undefined },
      { ids: [21], zone: GRID.id },
    ]);
  });

  test('8: zero is a limit', async () => {
    const world = both();
    await world.limit(GRID, 0, { cause: 0 });
    expect([world.read(20), world.core.target.ceiling[0]]).toEqual([0, 0]);
  });
});

describe('features.md §3, SetLimit in order', () => {
  test('key absent: that direction and its timer unchanged; null: cleared; both absent: both cleared', async () => {
    const world = both();
    await world.run(GRID, { name: 'setLimit', values: [5_000_000, 4_000_000], duration: 60, cause: 1 });
    await world.run(GRID, { name: 'setLimit', values: [6_000_000, undefined], cause: 1 });
    await world.advance(60_000);
    expect([world.read(21), world.read(23)]).toEqual([6_000_000, null]);
    await world.run(GRID, { name: 'setLimit', values: [null, 1], cause: 1 });
    expect([world.read(21), world.read(23)]).toEqual([null, 1]);
    await world.run(GRID, { name: 'setLimit', values: [undefined, undefined], cause: 1 });
    expect(world.read(23)).toBeNull();
  });

  test('no limits accepted: reason 4, before anything else; ClearLimit and 70–72: status 10', async () => {
    const world = new EnergyWorld({ config: { acceptsLimits: false } });
    expect(await world.limit(GRID, -1)).toMatchObject({ applied: false, rejectReason: 4 });
    expect(await world.status(GRID, { name: 'clearLimit', sides: [0] })).toBe(10);
    expect(await world.write(GRID, { 72: 1 })).toBe(10);
  });

  test('negative: reason 2, before the rating of the other direction', async () => {
    const world = both();
    expect(await world.run(GRID, { name: 'setLimit', values: [-1, 99_000_000], cause: 1 })).toMatchObject({
      applied: false,
      rejectReason: 2,
    });
    expect(world.read(21)).toBeNull();
  });

  test('above the rating of the board: 11, also in OVERRIDE; 0 is unchecked; the rating itself is accepted', async () => {
    const world = both();
    world.event({ type: 'press' });
    expect(await world.status(GRID, { name: 'setLimit', values: [11_040_001, undefined], cause: 1 })).toBe(11);
    world.event({ type: 'press' });
    expect(await world.limit(GRID, 11_040_000)).toMatchObject({ applied: true });
    const unchecked = new EnergyWorld({ config: { boardRating: [0, 0] } });
    unchecked.connect(GRID);
    expect(await unchecked.limit(GRID, 99_000_000)).toMatchObject({ applied: true });
  });

  test.each([86_400, 86_401])('duration %i', async (duration) => {
    const world = both();
    expect(await world.status(GRID, { name: 'setLimit', values: [1, undefined], duration, cause: 1 })).toBe(duration > 86_400 ? 11 : 0);
  });

  test.each([
    [1, GRID, true],
    [1, HOME, false],
    [2, GRID, false],
    [2, HOME, true],
    [3, GRID, false],
    [0, HOME, true],
  ] as const)('opt-out %i, zone %j: applied %s; protective causes always', async (optOut, zone, applied) => {
    const world = both();
    await world.write(GRID, { 3: optOut });
    expect(await world.limit(zone, 1)).toMatchObject({ applied, rejectReason: applied ? undefined : 3 });
    expect(await world.limit(zone, 2, { cause: 2 })).toMatchObject({ applied: true });
    expect(await world.status(zone, { name: 'setSetpoint', values: [1, undefined], cause: 0 })).toBe(applied ? 0 : 8);
    expect(await world.status(zone, { name: 'setCurrentLimits', phases: phases([0, 1]), sides: [0], cause: 1 })).toBe(applied ? 0 : 8);
    expect(await world.status(zone, { name: 'setCurrentLimits', phases: phases([0, 1]), sides: [0], cause: 0 })).toBe(0);
  });
});

describe('features.md §3, phases and setpoints', () => {
  test('phases merge; null clears one; a command replaces the timer of all of them', async () => {
    const world = both();
    await world.run(GRID, { name: 'setCurrentLimits', phases: phases([0, 10_000], [1, 8000]), sides: [0, 1], cause: 1 });
    await world.run(GRID, { name: 'setCurrentLimits', phases: phases([0, null], [2, 6000]), sides: [0], cause: 1, duration: 5 });
    expect([world.read(31), world.read(33)]).toEqual([phases([1, 8000], [2, 6000]), phases([0, 10_000], [1, 8000])]);
    await world.advance(5000);
    expect([world.read(31), world.read(30), world.read(32)]).toEqual([null, null, phases([0, 10_000], [1, 8000])]);
  });

  test('the least for each phase; the ceiling is their sum at the nominal voltage, all at the least without asymmetry', async () => {
    const world = both();
    await world.run(GRID, { name: 'setCurrentLimits', phases: phases([0, 10_000], [1, 9000]), sides: [0], cause: 1 });
    await world.run(HOME, { name: 'setCurrentLimits', phases: phases([0, 12_000], [1, 8000]), sides: [0], cause: 1 });
    expect(world.read(30)).toEqual(phases([0, 10_000], [1, 8000]));
    expect(world.core.target.ceiling[0]).toBe(3 * 8000 * 230);
    world.event({ type: 'ratings', ratings: { ...world.core.state.ratings, asymmetric: [true, false] } });
    expect(world.core.target.ceiling[0]).toBe((10_000 + 8000 + 16_000) * 230);
  });

  test.each([
    [phases([0, -1]), 11],
    [phases([0, 16_001]), 11],
    [phases([3, 1]), 11],
    [phases([2, 16_000]), 0],
  ])('phases %j: %i', async (given, status) => {
    const world = both();
    expect(await world.status(GRID, { name: 'setCurrentLimits', phases: given, sides: [0], cause: 1 })).toBe(status);
    expect(await world.status(GRID, { name: 'setCurrentSetpoints', phases: given, sides: [0], cause: 1 })).toBe(status);
  });

  test('setpoints: the highest priority, whenever it came; within one the latest; capped at the stage alone', async () => {
    const second = { id: 'e5', type: 2, priority: 3 };
    const world = new EnergyWorld({ zones: [GRID, HOME, second] });
    world.connect(GRID, HOME, second);
    await world.run(HOME, { name: 'setSetpoint', values: [5_000_000, undefined], cause: 1 });
    await world.run(second, { name: 'setSetpoint', values: [6_000_000, undefined], cause: 1 });
    expect(world.read(40)).toBe(6_000_000);
    await world.run(GRID, { name: 'setSetpoint', values: [99_000_000, undefined], cause: 0, duration: 30 });
    await world.limit(HOME, 4_000_000);
    expect([world.read(40), world.core.target.setpoint[0]]).toEqual([99_000_000, 4_000_000]);
    await world.advance(30_000);
    expect(world.read(40)).toBe(6_000_000);
    world.lose(second);
    expect(world.read(40)).toBe(5_000_000);
  });

  test('a setpoint of a phase binds the stage below its ceiling; all phases at the least where they cannot differ', async () => {
    const world = both();
    await world.run(HOME, { name: 'setCurrentSetpoints', phases: phases([0, 12_000], [1, 8000]), sides: [0], cause: 1 });
    expect([world.read(50), world.core.target.phaseSetpoint[0]]).toEqual([
      phases([0, 12_000], [1, 8000]),
      phases([0, 8000], [1, 8000], [2, 8000]),
    ]);
    world.event({ type: 'ratings', ratings: { ...world.core.state.ratings, asymmetric: [true, true] } });
    await world.run(GRID, { name: 'setCurrentLimits', phases: phases([0, 10_000]), sides: [0], cause: 1 });
    expect(world.core.target.phaseSetpoint[0]).toEqual(phases([0, 10_000], [1, 8000]));
    world.event({ type: 'press' });
    expect(world.core.target.phaseSetpoint[0]).toBeNull();
  });

  test('on one phase: the others do not exist, in either direction; the sum is that of the one', async () => {
    const world = new EnergyWorld({ ratings: { phaseCount: 1, power: [3_680_000, 3_680_000] } });
    world.connect(GRID, HOME);
    for (const name of ['setCurrentLimits', 'setCurrentSetpoints'] as const)
      for (const given of [phases([0, 6000], [1, 6000]), phases([1, null])])
        expect(await world.status(GRID, { name, phases: given, sides: [0, 1], cause: 1 })).toBe(11);
    await world.run(GRID, { name: 'setCurrentLimits', phases: phases([0, 10_000]), sides: [1], cause: 1 });
    await world.run(HOME, { name: 'setLimit', values: [undefined, 2_000_000], cause: 1 });
    expect([world.read(30), world.read(32), world.core.target.ceiling]).toEqual([null, phases([0, 10_000]), [3_680_000, 2_000_000]]);
    await world.run(HOME, { name: 'clearLimit', sides: [1] });
    expect(world.core.target.ceiling).toEqual([3_680_000, 2_300_000]);
    await world.run(HOME, { name: 'setSetpoint', values: [undefined, 3_000_000], cause: 1 });
    expect([world.read(42), world.core.target.setpoint]).toEqual([3_000_000, [null, 2_300_000]]);
  });

  test.each([
    [[-1, undefined], 11],
    [[1, 1], 11],
    [[1, 0], 0],
  ] as const)('SetSetpoint %j: %i', async (values, status) => {
    expect(await both().status(GRID, { name: 'setSetpoint', values, cause: 1 })).toBe(status);
  });

  test('without the capability: 10', async () => {
    const world = new EnergyWorld({ config: { acceptsCurrentLimits: false, acceptsSetpoints: false, acceptsCurrentSetpoints: false } });
    expect(await world.status(GRID, { name: 'setSetpoint', values: [-1, 0], cause: 0 })).toBe(10);
    expect(await world.status(GRID, { name: 'clearCurrentLimits', sides: [0] })).toBe(10);
    expect(await world.status(GRID, { name: 'setCurrentSetpoints', phases: phases(), sides: [0], cause: 0 })).toBe(10);
  });
});

describe('features.md §3, writes', () => {
  test('my*: as the command, a refusal is 11, null clears', async () => {
    const world = both();
    expect(await world.write(GRID, { 21: 5_000_000, 43: 1 })).toBe(0);
    expect([world.read(20), world.read(42)]).toEqual([5_000_000, 1]);
    expect(await world.write(GRID, { 21: null, 23: -1 })).toBe(11);
    expect(world.read(21)).toBe(5_000_000);
    world.event({ type: 'press' });
    expect(await world.write(GRID, { 21: 1 })).toBe(11);
    world.event({ type: 'press' });
    await world.write(GRID, { 3: 3 });
    expect(await world.write(GRID, { 41: 1 })).toBe(11);
  });

  test('70–72: by the highest priority stored, within their ranges; the lowest failing id decides', async () => {
    const world = both();
    expect(await world.write(HOME, { 72: 7200 })).toBe(8);
    expect(await world.write(GRID, { 70: null })).toBe(11);
    expect(await world.write(GRID, { 71: 11_040_001 })).toBe(11);
    expect(await world.write(GRID, { 72: 7199 })).toBe(11);
    expect(await world.write(HOME, { 21: -1, 72: 7200 })).toBe(11);
    expect(await world.write(GRID, { 70: 1_000_000, 72: 86_400 })).toBe(0);
    world.restart();
    expect([world.read(70), world.read(72)]).toEqual([1_000_000, 86_400]);
    expect(await new EnergyWorld({ config: { variant: 'r' } }).write(HOME, { 72: 7200 })).toBe(0);
  });

  test('70 acts at once in FAILSAFE, 72 at the next entry', async () => {
    const world = new EnergyWorld();
    await world.write(GRID, { 70: 1_000_000, 72: 14_400 });
    expect(world.read(20)).toBe(1_000_000);
    await world.advance(2 * HOUR);
    expect(world.control).toBe(0);
  });

  test('optOutState: nobody refuses a zone ranked above itself; journalled', async () => {
    const world = both();
    expect(await world.write(HOME, { 3: 2 })).toBe(8);
    expect(await world.write(HOME, { 3: 1 })).toBe(0);
    world.restart();
    expect(world.read(3)).toBe(1);
  });

  test('anything else is read-only', async () => {
    expect(await both().write(GRID, { 2: 2 })).toBe(6);
  });
});

describe('features.md §4, what lasts', () => {
  test('own connection lost: timers run on, setpoints end; own handshake: timed limits and Pause end, the rest stays', async () => {
    const world = both();
    world.event({ type: 'process', event: { type: 'demanded' } });
    await world.limit(GRID, 5_000_000);
    await world.run(GRID, { name: 'setLimit', values: [undefined, 3_000_000], duration: 60, cause: 1 });
    await world.run(GRID, { name: 'setSetpoint', values: [1, undefined], cause: 1 });
    await world.run(GRID, { name: 'pause', duration: 60 });
    world.lose(GRID);
    expect([world.read(21), world.read(23), world.read(41), world.read(80)]).toEqual([5_000_000, 3_000_000, null, 4]);
    world.connect(GRID);
    expect([world.read(21), world.read(23), world.read(80)]).toEqual([5_000_000, null, 3]);
  });

  test('restart: limits without a duration alone', async () => {
    const world = both();
    await world.limit(GRID, 5_000_000, { cause: 2 });
    await world.run(GRID, { name: 'setCurrentLimits', phases: phases([2, 7000]), sides: [1], cause: 0 });
    await world.run(HOME, { name: 'setLimit', values: [1, 1], duration: 60, cause: 1 });
    world.event({ type: 'constraint', zoneId: HOME.id, limits: [2_000_000, null] });
    expect(world.read(20)).toBe(1);
    world.restart();
    world.connect(GRID, HOME);
    expect([world.read(20), world.read(22), world.read(33), world.read(21, HOME)]).toEqual([5_000_000, null, phases([2, 7000]), null]);
    world.event({ type: 'press' });
    expect(world.core.target.ceiling[0]).toBe(5_000_000);
  });

  test('own zone removed: everything of it ends, an untimed Pause too; a restart finds nothing', async () => {
    const world = both();
    world.event({ type: 'process', event: { type: 'demanded' } });
    await world.limit(GRID, 5_000_000);
    await world.run(GRID, { name: 'pause' });
    world.event({ type: 'constraint', zoneId: GRID.id, limits: [1, 1] });
    world.remove(GRID);
    expect([world.read(20), world.read(80)]).toEqual([null, 3]);
    await settle();
    world.restart();
    world.connect(HOME);
    expect(world.read(20)).toBeNull();
  });

  test('a constraint slot that ends or begins while its zone is suspended waits with it', async () => {
    const world = both();
    world.event({ type: 'constraint', zoneId: GRID.id, limits: [2_500_000, null] });
    world.lose(GRID, HOME);
    await world.advance(2 * HOUR);
    world.event({ type: 'constraint', zoneId: GRID.id, limits: [1_500_000, null] });
    expect([world.control, world.read(20)]).toEqual([0, null]);
    world.connect(HOME);
    expect([world.control, world.read(20)]).toEqual([1, null]);
    world.event({ type: 'constraint', zoneId: GRID.id, limits: [null, null] });
    world.connect(GRID);
    expect([world.control, world.read(20)]).toEqual([1, null]);
  });

  test('a timed limit that runs out in failsafe is gone at the return, its timer ran on; one that is suspended too', async () => {
    const world = both();
    await world.limit(GRID, 1_000_000, { duration: 3600 });
    await world.limit(HOME, 5_000_000, { duration: 86_400 });
    world.lose(GRID, HOME);
    expect(world.read(20)).toBe(1_000_000);
    await world.advance(HOUR);
    expect([world.control, world.read(20), world.read(21, GRID)]).toEqual([3, 3_000_000, null]);
    await world.advance(HOUR);
    expect([world.control, world.read(20), world.read(21, HOME)]).toEqual([0, null, 5_000_000]);
    await world.advance(22 * HOUR);
    expect(world.read(21, HOME)).toBeNull();
  });

  test("the last connected zone is removed in the user's override above failsafe, and before it", async () => {
    const world = both();
    world.event({ type: 'press' });
    world.lose(HOME);
    world.remove(GRID);
    // Failsafe ends the user's override, by whatever cause it is entered.
    expect([world.control, world.core.target.ceiling[0]]).toEqual([3, 3_000_000]);
    world.event({ type: 'press' });
    await world.advance(HOUR);
    expect([world.control, world.core.target.ceiling[0]]).toEqual([4, 3_000_000]);
    world.remove(HOME);
    expect([world.control, world.core.target.ceiling[0]]).toEqual([0, 11_040_000]);
    await world.advance(24 * HOUR);
    expect(world.control).toBe(0);
  });

  test('constraint slots count, stay while their zone is away, and are suspended with it', async () => {
    const world = both();
    world.event({ type: 'constraint', zoneId: GRID.id, limits: [2_500_000, null] });
    world.lose(GRID);
    expect([world.read(20), world.control]).toEqual([2_500_000, 2]);
    world.lose(HOME);
    await world.advance(2 * HOUR);
    world.connect(HOME);
    expect(world.read(20)).toBeNull();
    world.connect(GRID);
    expect(world.read(20)).toBe(2_500_000);
  });
});

describe('commit, then speak', () => {
  test('a limit holds and is answered when it is durable; its duration counts from receipt', async () => {
    const world = both();
    await settle();
    world.journal.slow = true;
    const answer = world.limit(GRID, 5_000_000);
    const timed = world.run(GRID, { name: 'setLimit', values: [undefined, 4_000_000], duration: 10, cause: 1 });
    await world.advance(2000);
    expect(world.read(20)).toBeNull();
    world.journal.release();
    await answer;
    await timed;
    expect([world.read(20), world.read(22)]).toEqual([5_000_000, 4_000_000]);
    await world.advance(7999);
    expect(world.read(22)).toBe(4_000_000);
    await world.advance(1);
    expect(world.read(22)).toBeNull();
  });

  test('a medium that refuses: the command is rejected and nothing changed; events hold all the same, and the next commit writes again', async () => {
    const world = both();
    await settle();
    world.journal.failing = true;
    await expect(world.limit(GRID, 5_000_000)).rejects.toThrow('medium refuses');
    expect([world.read(20), world.control]).toEqual([null, 1]);
    world.lose(GRID, HOME);
    await settle();
    expect(world.control).toBe(3);
    // Each event tries again what the one before could not store.
    expect(world.log.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
    world.journal.failing = false;
    world.event({ type: 'press' });
    await settle();
    expect(world.journal.values.has('energy/1/failsafe')).toBe(true);
  });

  test('a limit and the loss of the last connection in one turn: the limit is stored, FAILSAFE holds, a setpoint is gone', async () => {
    const world = both();
    world.lose(HOME);
    await settle();
    world.journal.slow = true;
    const limit = world.limit(GRID, 1_000_000);
    const timed = world.run(GRID, { name: 'setLimit', values: [undefined, 500_000], duration: 10, cause: 1 });
    const setpoint = world.run(GRID, { name: 'setSetpoint', values: [200_000, undefined], cause: 1 });
    world.lose(GRID);
    world.journal.release();
    await Promise.all([limit, timed, setpoint]);
    await settle();
    expect([world.control, world.read(20), world.read(22), world.read(40)]).toEqual([3, 1_000_000, 500_000, null]);
    world.restart();
    expect([world.read(20), world.read(21)]).toEqual([1_000_000, 1_000_000]);
  });

  test('what a medium refused is written again a minute later, though nothing happens', async () => {
    const world = both();
    await settle();
    world.journal.failing = true;
    world.lose(GRID, HOME);
    world.connect(GRID, HOME);
    expect(await world.status(GRID, { name: 'setLimit', values: [5_000_000, undefined], cause: 1 })).toBeUndefined();
    world.journal.failing = false;
    // Nobody knows what the medium holds.
    world.journal.values.set('energy/1/failsafe', new Uint8Array([0xa2, 0x00, 0x01, 0x01, 0x00]));
    await world.advance(59_999);
    expect(world.journal.values.size).toBe(1);
    await world.advance(1);
    expect(world.journal.values.size).toBe(0);
    expect(world.clock.pending()).toEqual([]);
  });

  test('timed limits and setpoints cost no commit', async () => {
    const world = both();
    await settle();
    const before = world.journal.commits;
    await world.limit(GRID, 1, { duration: 5 });
    await world.run(GRID, { name: 'setSetpoint', values: [1, 0], cause: 0 });
    expect(world.journal.commits).toBe(before);
  });

  test('a record that does not decode counts as absent and is reported', async () => {
    const world = new EnergyWorld({ zones: [GRID] });
    world.journal.values.set('energy/1/failsafe', new Uint8Array([0x01]));
    world.journal.values.set('energy/1/limits', new Uint8Array([0xa1, 0x00, 0x01]));
    world.restart();
    expect(world.journal.quarantined).toEqual(['energy/1/limits', 'energy/1/failsafe']);
    expect(world.control).toBe(3);
  });

  test('too many waiting: busy; after close: closed', async () => {
    const world = both();
    await settle();
    world.journal.slow = true;
    const first = world.limit(GRID, 5_000_000);
    const waiting = Array.from({ length: 64 }, () => world.status(HOME, { name: 'clearLimit', sides: [0] }));
    expect(await world.status(HOME, { name: 'clearLimit', sides: [0] })).toBe(9);
    world.journal.release();
    await first;
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([0]));
    world.core.close();
    await expect(world.limit(GRID, 1)).rejects.toMatchObject({ code: 'closed' });
    expect(world.clock.pending()).toEqual([]);
  });
});
