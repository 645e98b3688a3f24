import { afterEach, describe, expect, it } from 'vitest';
import { simEvse } from '../../boards/sim-evse.js';
import { type CborKey, type CborValue, WideInteger } from '../../src/codec/cbor.js';
import type { BoardDefinition, ControlAbilities } from '../../src/model/board.js';
import type { ProfileName } from '../../src/profile.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const READ = 1;
const WRITE = 2;
const SUBSCRIBE = 3;
const INVOKE = 4;
const ENERGY = 5;
const [A, C, L, F, O] = [0, 1, 2, 3, 4];
const HUGE = new WideInteger(false, 0x7fff_ffff, 0);

let world: DeviceWorld;
afterEach(() => world.close());

type Fields = Readonly<Record<string, CborValue>>;

function map(...entries: readonly (readonly [CborKey, CborValue])[]): ReadonlyMap<CborKey, CborValue> {
  return new Map(entries);
}
const command = (id: number, parameters: Fields = {}) => map([1, id], [2, map(...Object.entries(parameters))]);
const invoke = (zone: ZonePeer, id: number, parameters: Fields = {}) => zone.ask(INVOKE, command(id, parameters), ENERGY, 1);
const status = async (zone: ZonePeer, id: number, parameters: Fields = {}) => (await invoke(zone, id, parameters)).status;
const write = async (zone: ZonePeer, ...values: readonly (readonly [number, CborValue])[]) =>
  (await zone.ask(WRITE, map(...values), ENERGY, 1)).status;
async function read(zone: ZonePeer, ...ids: number[]): Promise<unknown[]> {
  const { payload } = await zone.ask(READ, ids, ENERGY, 1);
  return ids.map((id) => payload.get(id));
}
const subscribe = async (zone: ZonePeer, ...ids: number[]) => {
  const { payload } = await zone.ask(SUBSCRIBE, map([1, ids]), ENERGY, 1);
  // Past minInterval: what comes is told at once.
  await world.clock.advance(2000);
  return payload.get(2);
};
const state = () => world.device.status.energy[0]?.controlState;

function boardWith(control: (former: ControlAbilities) => Partial<ControlAbilities>, featureMap = 0): BoardDefinition {
  const endpoints = simEvse.endpoints.map((endpoint) =>
    endpoint.control === undefined
      ? endpoint
      : { ...endpoint, featureMap: endpoint.featureMap | featureMap, control: { ...endpoint.control, ...control(endpoint.control) } },
  );
  return { ...simEvse, endpoints };
}

async function pair(profile: ProfileName, board: BoardDefinition = simEvse): Promise<{ grid: ZonePeer; home: ZonePeer }> {
  // Nobody here answers pings.
  world = await DeviceWorld.start({ profile, board, set: { 'session.liveness': 'tcp' } });
  const home = await ZonePeer.commission(world, profile, makeZone('Home', 3, 3, 'LOCAL'));
  await world.clock.advance(20_000);
  await world.press();
  return { home, grid: await ZonePeer.commission(world, profile, makeZone('Grid', 1, 1, 'GRID')) };
}

async function lose(...zones: readonly ZonePeer[]): Promise<void> {
  const before = world.device.status.zones.filter(({ connected }) => connected).length;
  for (const zone of zones) zone.peer.destroy();
  await world.until(() => world.device.status.zones.filter(({ connected }) => connected).length === before - zones.length, 'the loss');
}

describe.each(['draft', 'reference'] as const)('features.md §3 over TLS, profile %s', (profile) => {
  const draft = profile === 'draft';

  it('"Forms": 1, 2, 4; capability 10; shape 5; authority 8; values 11', async () => {
    const { grid, home } = await pair(profile);
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
    const { grid, home } = await pair(profile);
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
    expect(await write(grid, [21, -1], [99, 0])).toBe(11);
    expect(await read(grid, 21, 23, 41, 43, 72)).toEqual([null, null, null, null, draft ? 14_400 : 7200]);
    expect(await write(grid, [21, 5_000_000], [41, 3_000_000], [70, 2_000_000], [72, 86_400])).toBe(0);
    expect(await read(home, 20, 21, 40, 41, 70, 72)).toEqual([5_000_000, null, 3_000_000, null, 2_000_000, 86_400]);
  });

  it('a board that accepts no limits answers a write of 70–72 with 10, of 21 with 11, before any range', async () => {
    const board = boardWith(({ accepts }) => ({ accepts: { ...accepts, acceptsLimits: false } }));
    const { grid } = await pair(profile, board);
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

  it('my*: of the asking zone in reads, priming and notifications; the rest to every subscriber', async () => {
    const { grid, home } = await pair(profile);
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

  it('§4: a second connection of the zone ends its timed limit and setpoint, keeps the other limits, and the others hear of it', async () => {
    const { grid, home } = await pair(profile);
    await invoke(home, 1, { consumptionLimit: 3_000_000, duration: 3600, cause: 1 });
    await invoke(home, 1, { productionLimit: 2_000_000, cause: 1 });
    await invoke(home, 5, { consumptionSetpoint: 1_000_000, cause: 1 });
    expect(await subscribe(grid, 2, 20, 22, 40)).toEqual(map([2, draft ? L : C], [20, 3_000_000], [22, 2_000_000], [40, 1_000_000]));
    await home.connect();
    await world.clock.advance(1000);
    expect((await grid.notification())[1]).toEqual({ 20: null, 40: null });
    expect(await read(home, 21, 23, 41)).toEqual([null, 2_000_000, null]);
    expect(state()).toBe(draft ? L : C);
  });

  it('§4: own connection lost: limits stay, the timer runs, setpoints end; §1: that is no change while another remains', async () => {
    const { grid, home } = await pair(profile);
    await invoke(home, 1, { consumptionLimit: 3_000_000, duration: 10, cause: 1 });
    await invoke(home, 5, { consumptionSetpoint: 1_000_000, cause: 1 });
    await subscribe(grid, 2, 20, 40);
    await lose(home);
    await world.clock.advance(1000);
    expect((await grid.notification())[1]).toEqual({ 40: null });
    await world.clock.advance(8000);
    expect((await grid.notification())[1]).toEqual({ 2: draft ? C : A, 20: null });
  });

  it('§1: the last connection ends by its removal while another zone is stored: FAILSAFE; the last zone removed: AUTONOMOUS', async () => {
    const { grid, home } = await pair(profile);
    await invoke(grid, 1, { consumptionLimit: 1_000_000, cause: 1 });
    await lose(home);
    expect((await grid.ask(INVOKE, command(16, { zoneId: grid.zoneId }))).status).toBe(0);
    expect(world.device.status.energy[0]).toMatchObject({ controlState: F, effectiveConsumptionLimit: 4_200_000 });
    await home.connect();
    expect(state()).toBe(C);
    expect((await home.ask(INVOKE, command(16, { zoneId: home.zoneId }))).status).toBe(0);
    expect(world.device.status.energy[0]).toMatchObject({ controlState: A, effectiveConsumptionLimit: null });
  });

  it('§1, §4: FAILSAFE to its end, suspended limits, the return of one zone after the other', async () => {
    const { grid, home } = await pair(profile);
    await invoke(grid, 1, { consumptionLimit: 5_000_000, cause: 1 });
    await invoke(home, 1, { consumptionLimit: 3_000_000, cause: 1 });
    await lose(grid, home);
    expect(world.device.status.energy[0]).toMatchObject({ controlState: F, effectiveConsumptionLimit: 3_000_000 });
    const duration = draft ? 14_400_000 : 7_200_000;
    await world.clock.advance(duration - 1);
    expect(state()).toBe(F);
    await world.clock.advance(1);
    expect(world.device.status.energy[0]).toMatchObject({ controlState: A, effectiveConsumptionLimit: null });
    await grid.connect();
    expect(await read(grid, 2, 20)).toEqual([draft ? L : C, 5_000_000]);
    await home.connect();
    expect(await read(home, 20, 21)).toEqual([3_000_000, 3_000_000]);
  });

  it("§1: the user's override: Clear is allowed, SetLimit of cause 0 acts, 75 and 76 are null, and a loss ends it", async () => {
    const { grid, home } = await pair(profile);
    await lose(home);
    await invoke(grid, 1, { consumptionLimit: 9_000_000, cause: 1 });
    world.button.press();
    await world.clock.advance(3100);
    world.button.release();
    await world.clock.advance(0);
    expect(await read(grid, 2, 20, 75, 76)).toEqual([O, 9_000_000, null, null]);
    expect(await write(grid, [21, null])).toBe(11);
    expect((await invoke(grid, 1, { consumptionLimit: 5_000_000, cause: 0 })).payload.get('applied')).toBe(true);
    expect(await status(grid, 2, { direction: 0 })).toBe(0);
    expect(await read(grid, 2, 20)).toEqual([O, null]);
    await lose(grid);
    expect(state()).toBe(F);
  });

  it('§2: schedule, owner, retry and process ids', async () => {
    const process = { optional: true, minRunDuration: 60, minPauseDuration: 30, maxRunDuration: null, maxPauseDuration: 300, power: null };
    const board = boardWith(({ accepts }) => ({ process, accepts: { ...accepts, isShiftable: true } }), 0x80);
    const { grid, home } = await pair(profile, board);
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

describe('features.md, head: TEST counts nowhere', () => {
  it('five zones and TEST: the least of the five, TEST’s own values its own, FAILSAFE though TEST stays', async () => {
    world = await DeviceWorld.start({ enableKey: '00112233445566778899aabbccddeeff', set: { 'session.liveness': 'tcp' } });
    const zones: ZonePeer[] = [];
    for (const [name, type, dialect, ou] of [
      ['Grid', 1, 'draft', undefined],
      ['Building', 2, 'draft', undefined],
      ['Home', 3, 'draft', undefined],
      ['App', 4, 'draft', undefined],
      ['Other', 3, 'reference', 'LOCAL'],
      ['Test', 1, 'reference', 'TEST'],
    ] as const) {
      if (zones.length > 0) await world.clock.advance(20_000);
      if (!world.device.status.windowUntil) await world.press();
      zones.push(await ZonePeer.commission(world, dialect, makeZone(name, type, type, ou)));
    }
    const test = zones.pop() as ZonePeer;
    for (const [index, zone] of zones.entries()) await invoke(zone, 1, { consumptionLimit: (5 + index) * 1_000_000, cause: 1 });
    await invoke(test, 1, { consumptionLimit: 1_000_000, cause: 0 });
    await invoke(test, 5, { consumptionSetpoint: 500_000, cause: 1 });
    expect(await read(test, 2, 20, 21, 40, 41)).toEqual([L, 5_000_000, 1_000_000, null, 500_000]);
    expect(await write(test, [70, 1])).toBe(8);
    expect(await write(test, [3, 3])).toBe(8);
    await lose(zones[0] as ZonePeer);
    expect(await read(test, 2, 20)).toEqual([L, 5_000_000]);
    await lose(...zones.slice(1));
    expect(await read(test, 2, 20)).toEqual([F, 4_200_000]);
    await world.clock.advance(14_400_000);
    expect(await read(test, 2, 20, 21)).toEqual([A, null, 1_000_000]);
    await (zones[3] as ZonePeer).connect();
    expect(await read(test, 2, 20)).toEqual([L, 8_000_000]);
  });
});
