import { describe, expect, test } from 'vitest';
import { APP, EnergyWorld, GRID, HOME, TEST } from './world.js';

const [A, C, L, F, O] = [0, 1, 2, 3, 4];
const HOUR = 3_600_000;

describe('TC-STATE', () => {
  test('1: AUTONOMOUS without a zone', () => {
    expect(new EnergyWorld({ zones: [] }).control).toBe(A);
  });

  test('2: CONTROLLED on the first connection of a zone just commissioned, which alone changes nothing', () => {
    const world = new EnergyWorld({ zones: [] });
    world.event({ type: 'zoneAdded', zone: GRID });
    expect(world.control).toBe(A);
    world.connect(GRID);
    expect(world.control).toBe(C);
  });

  test('3, 4: LIMITED by any limit, CONTROLLED when the last is cleared', async () => {
    const world = new EnergyWorld();
    world.connect(GRID);
    expect(await world.limit(GRID, 5_000_000, { cause: 2 })).toEqual({
      kind: 'limit',
      applied: true,
      controlState: L,
      effective: [5_000_000, null],
      rejectReason: undefined,
    });
    expect(world.control).toBe(L);
    await world.run(GRID, { name: 'clearLimit', sides: [0, 1] });
    expect(world.control).toBe(C);
  });

  test('3, phase limits: in force too', async () => {
    const world = new EnergyWorld();
    world.connect(GRID);
    await world.run(GRID, { name: 'setCurrentLimits', phases: new Map([[1, 10_000]]), sides: [0], cause: 1 });
    expect(world.control).toBe(L);
  });

  test('profile reference: a limit or a setpoint makes CONTROLLED, none AUTONOMOUS; back from FAILSAFE it is CONTROLLED until limits change', async () => {
    const world = new EnergyWorld({ config: { variant: 'r' } });
    expect(world.control).toBe(F);
    world.connect(GRID);
    expect(world.control).toBe(C);
    await world.limit(GRID, 5_000_000);
    expect(world.control).toBe(C);
    await world.run(GRID, { name: 'clearLimit', sides: [0] });
    expect(world.control).toBe(A);
    await world.run(GRID, { name: 'setSetpoint', values: [1_000_000, undefined], cause: 0 });
    expect(world.control).toBe(C);
  });

  test('profile reference: what a TEST zone does, and a limit that was never there, is no change of limits', async () => {
    const world = new EnergyWorld({ config: { variant: 'r' }, zones: [GRID, HOME, TEST] });
    world.connect(GRID);
    world.connect(TEST);
    await world.limit(TEST, 5_000_000);
    await world.run(TEST, { name: 'clearLimit', sides: [0, 1] });
    await world.run(GRID, { name: 'clearLimit', sides: [0, 1] });
    world.connect(HOME);
    world.lose(TEST);
    world.remove(TEST);
    world.remove(HOME);
    expect(world.control).toBe(C);
    await world.limit(GRID, 5_000_000, { duration: 60 });
    await world.advance(60_000);
    expect(world.control).toBe(A);
  });

  test("profile reference: the end of another zone's timed limit at its handshake is a change of limits", async () => {
    const world = new EnergyWorld({ config: { variant: 'r' } });
    world.connect(GRID, HOME);
    await world.limit(HOME, 5_000_000, { duration: 3600 });
    world.lose(GRID, HOME);
    world.connect(GRID);
    expect([world.control, world.read(20)]).toEqual([C, 5_000_000]);
    world.connect(HOME);
    expect([world.control, world.read(20)]).toEqual([A, null]);
  });

  test('5, 6: FAILSAFE when the last connection is lost; the least of failsafe limit and stored limits', async () => {
    const world = new EnergyWorld();
    world.connect(GRID);
    await world.limit(GRID, 6_000_000);
    world.lose(GRID);
    expect([world.control, world.read(20), world.read(22)]).toEqual([F, 3_000_000, 2_000_000]);
    expect(world.core.target.ceiling).toEqual([3_000_000, 2_000_000]);
    world.connect(GRID);
    await world.limit(GRID, 1_000_000);
    world.lose(GRID);
    expect(world.read(20)).toBe(1_000_000);
  });

  test('7, 8: AUTONOMOUS at the end of its duration to the millisecond, stored limits suspended', async () => {
    const world = new EnergyWorld();
    world.connect(GRID);
    await world.limit(GRID, 5_000_000);
    world.lose(GRID);
    await world.advance(2 * HOUR - 1);
    expect(world.control).toBe(F);
    await world.advance(1);
    expect([world.control, world.read(20)]).toEqual([A, null]);
  });

  test('hold: FAILSAFE stays with everything, also after a restart', async () => {
    const world = new EnergyWorld({ config: { failsafe: { grace: 0, afterDuration: 'hold' } } });
    world.connect(GRID);
    await world.limit(GRID, 5_000_000);
    world.lose(GRID);
    await world.advance(3 * HOUR);
    expect([world.control, world.read(20)]).toEqual([F, 3_000_000]);
    world.restart();
    await world.advance(3 * HOUR);
    expect([world.control, world.read(20)]).toEqual([F, 3_000_000]);
    world.connect(GRID);
    expect([world.control, world.read(20)]).toEqual([L, 5_000_000]);
  });

  test('9: on return the stored limits hold at once and the failsafe limit goes in the same step', async () => {
    const world = new EnergyWorld();
    world.connect(GRID);
    await world.limit(GRID, 5_000_000);
    world.lose(GRID);
    world.targets.length = 0;
    world.connect(GRID);
    expect([world.control, world.read(20), world.read(21)]).toEqual([L, 5_000_000, 5_000_000]);
    expect(world.targets.map(({ ceiling }) => ceiling[0])).toEqual([5_000_000]);
  });

  test('10: back after its end, the limits of the zone that returned count again, the others wait', async () => {
    const world = new EnergyWorld();
    world.connect(GRID, HOME);
    await world.limit(GRID, 5_000_000);
    await world.limit(HOME, 4_000_000);
    world.lose(GRID, HOME);
    await world.advance(2 * HOUR);
    world.connect(GRID);
    expect([world.control, world.read(20)]).toEqual([L, 5_000_000]);
    world.connect(HOME);
    expect(world.read(20)).toBe(4_000_000);
  });

  test('11: a device-made OVERRIDE follows the ratings alone, shows its reason, and gives the state back', async () => {
    const world = new EnergyWorld();
    world.connect(GRID);
    await world.limit(GRID, 5_000_000, { cause: 0 });
    world.event({ type: 'deviceOverride', cause: { reason: 0, direction: 0 } });
    expect([world.control, world.read(20), world.read(75), world.read(76)]).toEqual([O, 5_000_000, 0, 0]);
    expect(world.core.target.ceiling[0]).toBe(11_040_000);
    world.event({ type: 'deviceOverride', cause: undefined });
    expect([world.control, world.read(75), world.core.target.ceiling[0]]).toEqual([L, null, 5_000_000]);
  });

  test('11: what would hold otherwise is still known to the stage, phases included', async () => {
    const world = new EnergyWorld();
    world.connect(GRID);
    await world.limit(GRID, 5_000_000);
    await world.run(GRID, { name: 'setCurrentLimits', phases: new Map([[0, 7000]]), sides: [0], cause: 1 });
    world.event({ type: 'deviceOverride', cause: { reason: 0, direction: 0 } });
    const { ceiling, beneath, phaseCeiling } = world.core.target;
    expect([ceiling[0], beneath[0], phaseCeiling[0]?.get(0)]).toEqual([11_040_000, 3 * 7000 * 230, 7000]);
  });

  test('13: a handshake one millisecond before the end wins, one at the end does not', async () => {
    for (const [wait, stays] of [
      [2 * HOUR - 1, L],
      [2 * HOUR, L],
    ] as const) {
      const world = new EnergyWorld();
      world.connect(GRID, HOME);
      await world.limit(HOME, 5_000_000);
      world.lose(GRID, HOME);
      await world.advance(wait);
      world.connect(GRID);
      // Failsafe that was not over leaves HOME's limit counting; one that was has suspended it.
      expect(world.control).toBe(wait < 2 * HOUR ? stays : C);
    }
  });

  test('14: not while another zone is connected; the limits of the lost one stay', async () => {
    const world = new EnergyWorld();
    world.connect(GRID, HOME);
    await world.limit(GRID, 5_000_000);
    await world.limit(HOME, 6_000_000);
    world.lose(GRID);
    expect([world.control, world.read(20)]).toEqual([L, 5_000_000]);
    world.lose(HOME);
    expect(world.control).toBe(F);
  });
});

describe('features.md §1, every other cause', () => {
  test('a boot with zones is FAILSAFE before the first accept', () => {
    const world = new EnergyWorld();
    expect([world.control, world.read(20)]).toEqual([F, 3_000_000]);
  });

  test('the last connection ends by removal while others are stored', () => {
    const world = new EnergyWorld();
    world.connect(GRID);
    world.remove(GRID);
    expect(world.control).toBe(F);
  });

  test('a zone that is stored and cannot be read is one: FAILSAFE at boot, AUTONOMOUS after it, and so at the next', async () => {
    const world = new EnergyWorld({ zones: [], lostZone: true });
    expect([world.control, world.read(20)]).toEqual([F, 3_000_000]);
    await world.advance(2 * HOUR);
    expect(world.control).toBe(A);
    world.restart();
    expect(world.control).toBe(A);
    world.add(GRID);
    world.connect(GRID);
    expect(world.control).toBe(C);
    world.restart();
    expect(world.control).toBe(F);
  });

  test.each([
    ['CONTROLLED', (world: EnergyWorld) => world.connect(GRID)],
    ['FAILSAFE', () => {}],
    ['OVERRIDE by the user', (world: EnergyWorld) => world.event({ type: 'press' })],
  ])('the last zone removed in %s gives AUTONOMOUS, timer and limits deleted', async (_name, prepare) => {
    const world = new EnergyWorld({ zones: [GRID] });
    prepare(world);
    world.remove(GRID);
    expect([world.control, world.read(20)]).toEqual([A, null]);
    await world.advance(0);
    expect([...world.journal.values.keys()]).toEqual([]);
  });

  test('a device-made override outlives the removal of the last zone', () => {
    const world = new EnergyWorld({ zones: [GRID] });
    world.event({ type: 'deviceOverride', cause: { reason: 1, direction: 2 } });
    world.remove(GRID);
    expect(world.control).toBe(O);
  });

  test('TEST counts nowhere: no connection, no limit, no setpoint, no failsafe', async () => {
    const world = new EnergyWorld({ zones: [GRID, TEST] });
    world.connect(TEST);
    expect(world.control).toBe(F);
    world.connect(GRID);
    await world.limit(TEST, 1_000_000);
    await world.run(TEST, { name: 'setSetpoint', values: [2, undefined], cause: 0 });
    expect([world.control, world.read(20), world.read(40), world.read(21, TEST), world.read(41, TEST)]).toEqual([
      C,
      null,
      null,
      1_000_000,
      2,
    ]);
    world.lose(GRID);
    expect(world.control).toBe(F);
    const alone = new EnergyWorld({ zones: [TEST] });
    expect(alone.control).toBe(A);
  });

  test('TEST is not away when failsafe is over: nothing of it is suspended', async () => {
    const world = new EnergyWorld({ zones: [GRID, TEST] });
    world.connect(TEST);
    await world.advance(2 * HOUR);
    expect([world.control, [...world.core.state.limits.suspended]]).toEqual([A, [GRID.id]]);
  });

  test('a jump of the wall clock in either direction changes nothing', async () => {
    const world = new EnergyWorld();
    await world.advance(HOUR);
    world.clock.setWall(0);
    world.clock.setWall(4e12);
    await world.advance(HOUR - 1);
    expect(world.control).toBe(F);
    await world.advance(1);
    expect(world.control).toBe(A);
  });

  test('the grace makes it longer', async () => {
    const world = new EnergyWorld({ config: { failsafe: { grace: 3_600_000, afterDuration: 'autonomous' } } });
    await world.advance(3 * HOUR - 1);
    expect(world.control).toBe(F);
    await world.advance(1);
    expect(world.control).toBe(A);
  });

  test('power cycles: the remainder goes on, its end is journalled, time without power does not count', async () => {
    const world = new EnergyWorld();
    await world.advance(HOUR);
    world.restart();
    world.clock.setWall(4e12);
    expect(world.control).toBe(F);
    await world.advance(HOUR - 1);
    expect(world.control).toBe(F);
    await world.advance(1);
    expect(world.control).toBe(A);
    world.restart();
    expect(world.control).toBe(A);
    world.connect(GRID);
    await world.advance(0);
    world.restart();
    await world.advance(2 * HOUR - 1);
    expect(world.control).toBe(F);
  });
});

describe("features.md §1, the user's override", () => {
  test('causes 0 and 2 still bind, the others are stored and shown without effect', async () => {
    const world = new EnergyWorld();
    world.connect(GRID, HOME);
    await world.limit(GRID, 5_000_000, { cause: 0 });
    await world.limit(HOME, 4_000_000, { cause: 3 });
    await world.run(HOME, { name: 'setCurrentLimits', phases: new Map([[0, 9000]]), sides: [0], cause: 2 });
    world.event({ type: 'press' });
    expect([world.control, world.read(20), world.read(75), world.read(76)]).toEqual([O, 4_000_000, null, null]);
    expect(world.core.target.ceiling[0]).toBe(5_000_000);
    expect(world.core.target.phaseCeiling[0]).toEqual(new Map([0, 1, 2].map((phase) => [phase, 9000])));
  });

  test('SetLimit of cause 0 or 2 acts at once, any other is refused with reason 3, Clear is allowed', async () => {
    const world = new EnergyWorld();
    world.connect(GRID);
    await world.limit(GRID, 9_000_000);
    world.event({ type: 'press' });
    expect(await world.limit(GRID, 5_000_000, { cause: 1 })).toMatchObject({ applied: false, rejectReason: 3, controlState: O });
    expect(world.read(21)).toBe(9_000_000);
    expect(await world.limit(GRID, 5_000_000, { cause: 2 })).toMatchObject({ applied: true, controlState: O });
    expect(world.core.target.ceiling[0]).toBe(5_000_000);
    expect(await world.status(GRID, { name: 'clearLimit', sides: [0, 1] })).toBe(0);
    expect(world.core.target.ceiling[0]).toBe(11_040_000);
  });

  test('over FAILSAFE: its limit binds, its timer runs on, AUTONOMOUS beneath at its end, F with the remainder when it ends before', async () => {
    const world = new EnergyWorld();
    world.event({ type: 'press' });
    expect([world.control, world.core.target.ceiling[0]]).toEqual([O, 3_000_000]);
    await world.advance(HOUR);
    world.event({ type: 'press' });
    expect(world.control).toBe(F);
    world.event({ type: 'press' });
    await world.advance(HOUR);
    expect([world.control, world.core.target.ceiling[0]]).toEqual([O, 11_040_000]);
    world.event({ type: 'press' });
    expect(world.control).toBe(A);
  });

  test('ends by itself after 4 h, by the loss of the last zone, and by a boot', async () => {
    const world = new EnergyWorld();
    world.connect(GRID);
    world.event({ type: 'press' });
    await world.advance(4 * HOUR - 1);
    expect(world.control).toBe(O);
    await world.advance(1);
    expect(world.control).toBe(C);
    world.event({ type: 'press' });
    world.lose(GRID);
    expect(world.control).toBe(F);
    world.connect(GRID);
    world.event({ type: 'press' });
    world.restart();
    expect(world.control).toBe(F);
  });

  test('a handshake leaves it, and the state beneath is the connected one', () => {
    const world = new EnergyWorld();
    world.event({ type: 'press' });
    world.connect(GRID);
    expect(world.control).toBe(O);
    world.event({ type: 'press' });
    expect(world.control).toBe(C);
  });

  test('several deadlines in one millisecond: override and failsafe end together', async () => {
    const world = new EnergyWorld({ config: { longestOverride: 2 * HOUR } });
    world.event({ type: 'press' });
    await world.advance(2 * HOUR);
    expect(world.control).toBe(A);
  });

  test('setpoints wait', async () => {
    const world = new EnergyWorld({ zones: [APP] });
    world.connect(APP);
    await world.run(APP, { name: 'setSetpoint', values: [2_000_000, undefined], cause: 4 });
    expect(world.core.target.setpoint[0]).toBe(2_000_000);
    world.event({ type: 'press' });
    expect([world.core.target.setpoint[0], world.read(40)]).toEqual([null, 2_000_000]);
  });
});
