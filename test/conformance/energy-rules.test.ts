import { afterEach, describe, expect, it } from 'vitest';
import { WideInteger } from '../../src/codec/cbor.js';
import type { DeviceWorld } from '../world/device-world.js';
import { A, boardWith, C, command, ENERGY, INVOKE, invoke, L, map, pair, read, status, subscribe, write } from '../world/energy-peer.js';

const HUGE = new WideInteger(false, 0x7fff_ffff, 0);

let world: DeviceWorld;
afterEach(() => world.close());

async function start(...given: Parameters<typeof pair>): ReturnType<typeof pair> {
  const started = await pair(...given);
  world = started.world;
  return started;
}

describe.each(['draft', 'reference'] as const)('features.md §3 over TLS, profile %s', (profile) => {
  const draft = profile === 'draft';

  it('"Forms": 1, 2, 4; capability 10; shape 5; authority 8; values 11', async () => {
    const { grid, home } = await start(profile);
    expect((await home.ask(INVOKE, command(1), ENERGY, 9)).status).toBe(1);
    expect((await home.ask(INVOKE, command(1), 99, 1)).status).toBe(2);
    expect(await status(home, 99)).toBe(4);
    // Not in 0xFFFA: 10, whatever its parameters are.
    expect(await status(home, 7, { phases: 'x' })).toBe(10);
    expect(await status(home, 14)).toBe(10);
    expect(await status(home, 5, { consumptionSetpoint: -1 })).toBe(5);
    expect(await status(home, 5, { consumptionSetpoint: -1, cause: 9 })).toBe(5);
    expect(await status(home, 3, { phases: map([3, 1]), direction: 0, cause: 1 })).toBe(5);
    for (const consumptionSetpoint of [-1, HUGE]) expect(await status(home, 5, { consumptionSetpoint, cause: 1 })).toBe(11);
    expect(await status(home, 9, { duration: 86_401 })).toBe(11);
    expect(await write(grid, [3, 1])).toBe(0);
    expect(await status(home, 5, { consumptionSetpoint: HUGE })).toBe(5);
    for (const consumptionSetpoint of [-1, HUGE]) expect(await status(home, 5, { consumptionSetpoint, cause: 1 })).toBe(8);
    for (const id of [9, 10, 11]) expect(await status(home, id)).toBe(8);
    expect(await status(home, 3, { phases: map([0, HUGE]), direction: 0, cause: 1 })).toBe(8);
    // Causes 0 and 2 outlast the opt-out: their values are judged.
    expect(await status(home, 3, { phases: map([0, HUGE]), direction: 0, cause: 2 })).toBe(11);
    expect(await status(home, 3, { phases: map(['C', 6000]), direction: 2, cause: 0 })).toBe(0);
    expect(await read(home, 31, 33, 30)).toEqual([map([2, 6000]), map([2, 6000]), map([2, 6000])]);
    expect((await invoke(home, 1, { consumptionLimit: 1, cause: 1 })).payload.get('rejectReason')).toBe(3);
    expect((await invoke(home, 1, { consumptionLimit: 5_000_000, cause: 0 })).payload).toEqual(
      map(['applied', true], ['controlState', draft ? L : C], ['effectiveConsumptionLimit', 5_000_000]),
    );
    expect(await status(home, 2)).toBe(0);
    expect(await status(grid, 5, { consumptionSetpoint: 1, cause: 0 })).toBe(0);
  });

  it('70–72: authority before range, and all of a write or nothing, the lowest failing id deciding', async () => {
    const { grid, home } = await start(profile);
    for (const [id, value] of [
      [70, null],
      [71, -1],
      [72, 7199],
      [72, null],
      [70, HUGE],
    ] as const)
      expect(await write(home, [id, value])).toBe(draft ? 8 : 11);
    expect(await write(home, [72, 'x'])).toBe(5);
    expect(await write(grid, [72, 86_401])).toBe(11);
    expect(await write(grid, [70, 11_040_001])).toBe(11);
    for (const values of [
      [
        [21, 5_000_000],
        [72, 1],
      ],
      [
        [21, 11_040_001],
        [23, 1],
      ],
      [
        [23, 1],
        [43, -1],
      ],
      [
        [41, 1],
        [99, 1],
      ],
    ] as const)
      expect(await write(grid, ...values)).toBe(values[1][0] === 99 ? 3 : 11);
    expect(await write(grid, [2, 0], [21, -1])).toBe(6);
    // Each is judged after the lower ones: the opt-out that comes first refuses the limit, or lets it through.
    expect(await write(grid, [3, 3], [21, 5_000_000])).toBe(11);
    expect(await write(grid, [3, 3])).toBe(0);
    expect(await write(grid, [3, 0], [21, 5_000_000])).toBe(0);
    expect(await write(grid, [21, null])).toBe(0);
    expect(await write(grid, [21, -1], [99, 0])).toBe(11);
    expect(await read(grid, 21, 23, 41, 43, 72)).toEqual([null, null, null, null, draft ? 14_400 : 7200]);
    expect(await write(grid, [21, 5_000_000], [41, 3_000_000], [70, 2_000_000], [72, 86_400])).toBe(0);
    expect(await read(home, 20, 21, 40, 41, 70, 72)).toEqual([5_000_000, null, 3_000_000, null, 2_000_000, 86_400]);
  });

  it('a board that accepts no limits answers a write of 70–72 with 10, of 21 with 11, before any range', async () => {
    const board = boardWith(({ accepts }) => ({ accepts: { ...accepts, acceptsLimits: false } }));
    const { grid } = await start(profile, board);
    for (const [id, value] of [
      [70, null],
      [71, -1],
      [72, 1],
    ] as const)
      expect(await write(grid, [id, value])).toBe(10);
    expect(await write(grid, [21, 1])).toBe(11);
    expect((await invoke(grid, 1, { consumptionLimit: -1, duration: 86_401, cause: 1 })).payload).toEqual(
      map(['applied', false], ['controlState', draft ? C : A], ['rejectReason', 4]),
    );
  });

  it('one phase, production too: every direction has its own limits, and the other phases do not exist', async () => {
    const board = boardWith(
      ({ accepts }) => ({ accepts: { ...accepts, acceptsCurrentSetpoints: true } }),
      0,
      (ratings) => ({ ...ratings, phaseCount: 1, directions: 2, maxConsumption: 3_680_000, maxProduction: 3_680_000 }),
    );
    const { grid, home } = await start(profile, board);
    for (const id of [3, 7]) expect(await status(home, id, { phases: map(['A', 6000], ['B', 6000]), direction: 2, cause: 1 })).toBe(11);
    expect(await status(home, 3, { phases: map(['A', 16_001]), direction: 1, cause: 1 })).toBe(11);
    expect(await status(home, 3, { phases: map(['A', 10_000]), direction: 1, cause: 1 })).toBe(0);
    expect(await status(grid, 7, { phases: map([0, 12_000]), direction: 1, cause: 0 })).toBe(0);
    expect(await status(grid, 1, { productionLimit: 3_680_001, cause: 1 })).toBe(11);
    expect(await status(grid, 1, { productionLimit: 3_000_000, cause: 1 })).toBe(0);
    expect(await status(home, 5, { productionSetpoint: 9_000_000, cause: 1 })).toBe(0);
    expect(await status(home, 5, { productionSetpoint: 1, consumptionSetpoint: 1, cause: 1 })).toBe(11);
    expect(await read(grid, 2, 20, 22, 30, 32, 33, 40, 42, 50, 52, 53)).toEqual([
      ...[draft ? L : C, null, 3_000_000, null, map([0, 10_000]), null, null, 9_000_000, null, map([0, 12_000]), map([0, 12_000])],
    ]);
    expect(await write(grid, [71, 3_680_001])).toBe(11);
    expect(await status(home, 4, { direction: 0 })).toBe(0);
    expect(await read(home, 33)).toEqual([map([0, 10_000])]);
    expect(await status(home, 3, { phases: map([0, null]), direction: 1, cause: 1 })).toBe(0);
    expect(await read(home, 32, 33)).toEqual([null, null]);
  });

  it('my*: of the asking zone in reads, priming and notifications; the rest to every subscriber', async () => {
    const { grid, home } = await start(profile);
    await invoke(home, 1, { consumptionLimit: 6_000_000, cause: 1 });
    expect(await subscribe(grid, 2, 20, 21)).toEqual(map([2, draft ? L : C], [20, 6_000_000], [21, null]));
    expect(await subscribe(home, 20, 21)).toEqual(map([20, 6_000_000], [21, 6_000_000]));
    await invoke(grid, 1, { consumptionLimit: 5_000_000, cause: 1 });
    await world.clock.advance(1000);
    expect((await home.notification())[1]).toEqual({ 20: 5_000_000 });
    expect((await grid.notification())[1]).toEqual({ 20: 5_000_000, 21: 5_000_000 });
    await invoke(home, 1, { consumptionLimit: 7_000_000, cause: 1 });
    await world.clock.advance(1000);
    expect((await home.notification())[1]).toEqual({ 21: 7_000_000 });
    await invoke(grid, 2);
    await world.clock.advance(1000);
    expect((await grid.notification())[1]).toEqual({ 20: 7_000_000, 21: null });
  });

  it('§2: schedule, owner, retry and process ids', async () => {
    const process = { optional: true, minRunDuration: 60, minPauseDuration: 30, maxRunDuration: null, maxPauseDuration: 300, power: null };
    const board = boardWith(({ accepts }) => ({ process, accepts: { ...accepts, isShiftable: true } }), 0x80);
    const { grid, home } = await start(profile, board);
    expect(await read(home, 80)).toEqual([0]);
    for (const id of [12, 13]) expect(await status(home, id)).toBe(11);
    expect(await status(home, 14, { requestedStart: 1 })).toBe(11);
    // Profile `reference` pauses and resumes from any state.
    expect([await status(home, 9), await status(home, 9, { duration: 60 })]).toEqual(draft ? [11, 11] : [0, 0]);
    if (draft) return;
    expect(await read(home, 80)).toEqual([4]);
    expect(await status(home, 13, { processId: 2 })).toBe(11);
    expect((await invoke(home, 10)).payload).toEqual(map(['success', false], ['applied', false], ['retryAfter', 30]));
    await world.clock.advance(30_000);
    expect(await status(grid, 9)).toBe(0);
    expect(await status(home, 10)).toBe(8);
    expect(await status(grid, 10)).toBe(0);
    expect((await invoke(home, 11)).payload.get('retryAfter')).toBe(60);
    await world.clock.advance(60_000);
    expect(await status(home, 11)).toBe(0);
    expect(await read(home, 80)).toEqual([6]);
  });
});
