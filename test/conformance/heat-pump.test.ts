import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HEAT_PUMP_RATING } from '../../boards/sim/heat-pump-stage.js';
import type { CborValue } from '../../src/codec/cbor.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const STATUS = 2;
const ELECTRICAL = 3;
const MEASUREMENT = 4;
const ENERGY_CONTROL = 5;
const TARIFF = 7;
const SIGNALS = 8;
const PLAN = 9;
const READ = 1;
const SUBSCRIBE = 3;
const INVOKE = 4;
const [SET_LIMIT, CLEAR_LIMIT, PAUSE, RESUME, STOP, SCHEDULE, CANCEL, ADJUST] = [1, 2, 9, 10, 11, 12, 13, 14];
const LOWEST = HEAT_PUMP_RATING.steps[0] ?? 0;

let world: DeviceWorld;
let zone: ZonePeer;
beforeEach(async () => {
  // Hours pass on the virtual clock while the peer's socket lives in real time.
  world = await DeviceWorld.start({ board: 'sim-heat-pump', powerStage: true, set: { 'session.liveness': 'tcp' } });
  zone = await ZonePeer.commission(world, 'draft', makeZone('Home'));
});
afterEach(() => world.close());

async function read(feature: number, ...ids: number[]): Promise<CborValue[]> {
  const { payload } = await zone.ask(READ, ids, feature, 1);
  return ids.map((id) => payload.get(id) ?? null);
}
async function invoke(command: number | undefined, parameters: Record<string, number | null> = {}) {
  const request = new Map<number, CborValue>([
    [1, command ?? 0],
    [2, new Map(Object.entries(parameters))],
  ]);
  return zone.ask(INVOKE, request, ENERGY_CONTROL, 1);
}
/** The buffer is warm: the thermostat is content, storing is on offer, and the compressor may stop and start again. */
async function warmUp(): Promise<void> {
  await world.clock.advance(1_300_000);
  expect(world.device.status.power).toBe(0);
}

describe('sim-heat-pump (issue: boards; features.md §1, §2, §5)', () => {
  it('lists what a heat pump has: temperature, process attributes, no ChargingSession', async () => {
    const { payload } = await zone.ask(READ, [20], 1, 0);
    expect((payload.get(20) as readonly ReadonlyMap<number, CborValue>[])[1]?.get(4)).toEqual([
      STATUS,
      ELECTRICAL,
      MEASUREMENT,
      ENERGY_CONTROL,
      TARIFF,
      SIGNALS,
      PLAN,
    ]);
    const [attributes] = await read(ENERGY_CONTROL, 0xfffb);
    expect(attributes).toEqual(expect.arrayContaining([80, 81, 82, 83, 84, 85, 86]));
    expect(await read(ENERGY_CONTROL, 1, 81, 82, 83, 84, 85, 86)).toEqual([1, true, 600, 300, null, 7200, 6_000_000]);
    expect(await read(ENERGY_CONTROL, 0xfffa, 0xfffc)).toEqual([[1, 2, 9, 10, 11, 12, 13, 14], 0x1f3]);
    expect(await read(MEASUREMENT, 1, 60)).toEqual([6_000_000, expect.any(Number)]);
    expect(await read(STATUS, 1, 2, 3, 4)).toEqual([4, null, null, null]);
    expect(world.relay.level).toBe(true);
  });

  it('steps down to what a limit leaves, in the same turn, and up again', async () => {
    await invoke(SET_LIMIT, { consumptionLimit: 4_200_000, cause: 1 });
    expect(await read(MEASUREMENT, 1)).toEqual([3_600_000]);
    expect(await read(ENERGY_CONTROL, 2, 20)).toEqual([2, 4_200_000]);
    await invoke(CLEAR_LIMIT);
    expect(await read(MEASUREMENT, 1)).toEqual([6_000_000]);
  });

  it('in failsafe it steps down to the failsafe limit', async () => {
    zone.peer.destroy();
    await world.until(() => world.device.status.zones[0]?.connected === false, 'the loss');
    await world.clock.advance(1000);
    expect([world.device.status.energy[0]?.controlState, world.device.status.power]).toEqual([3, 3_600_000]);
  });

  it('below the minimum within minRunDuration: OVERRIDE, reason SELF_PROTECTION, until the compressor may stop', async () => {
    await invoke(SET_LIMIT, { consumptionLimit: 0, cause: 3 });
    expect(await read(ENERGY_CONTROL, 2, 75, 76)).toEqual([4, 0, 0]);
    expect(await read(MEASUREMENT, 1)).toEqual([LOWEST]);
    const { payload } = await invoke(SET_LIMIT, { consumptionLimit: 2_000_000, cause: 3 });
    expect([payload.get('applied'), payload.get('rejectReason')]).toEqual([false, 3]);
    await world.clock.advance(601_000);
    expect(await read(ENERGY_CONTROL, 2, 20, 75, 76)).toEqual([2, 0, null, null]);
    expect([...(await read(MEASUREMENT, 1)), ...(await read(STATUS, 1)), world.relay.level]).toEqual([0, 2, false]);
    await invoke(CLEAR_LIMIT);
    await world.clock.advance(298_000);
    expect(await read(MEASUREMENT, 1)).toEqual([0]);
    await world.clock.advance(2000);
    expect(await read(MEASUREMENT, 1)).toEqual([6_000_000]);
  });

  it('a limit and the override that answers it reach the other zone in one frame', async () => {
    await world.clock.advance(20_000);
    await world.press();
    const grid = await ZonePeer.commission(world, 'draft', makeZone('Grid', 1));
    await grid.ask(SUBSCRIBE, new Map<number, CborValue>([[1, [2, 20, 75, 76]]]), ENERGY_CONTROL, 1);
    await world.clock.advance(2000);
    await invoke(SET_LIMIT, { consumptionLimit: 0, cause: 3 });
    expect((await grid.notification())[1]).toEqual({ 2: 4, 20: 0, 75: 0, 76: 0 });
  });

  it('the override ends at once when the limit does', async () => {
    await invoke(SET_LIMIT, { consumptionLimit: 0, cause: 3 });
    await invoke(CLEAR_LIMIT);
    expect(await read(ENERGY_CONTROL, 2, 75)).toEqual([1, null]);
    expect(await read(MEASUREMENT, 1)).toEqual([6_000_000]);
  });

  it('a defrost is OVERRIDE, reason SAFETY, where the limit leaves less than it takes, and subscribers are told', async () => {
    await zone.ask(SUBSCRIBE, new Map<number, CborValue>([[1, [2, 75, 76]]]), ENERGY_CONTROL, 1);
    await invoke(SET_LIMIT, { consumptionLimit: 0, cause: 3 });
    await world.clock.advance(601_000);
    world.pump?.simulate((pump) => pump.startDefrost());
    expect(await read(ENERGY_CONTROL, 2, 75, 76)).toEqual([4, 1, 0]);
    await world.clock.advance(1000);
    await read(ENERGY_CONTROL, 2);
    expect(zone.notified.some(([, values]) => values['75'] === 1)).toBe(true);
    await world.clock.advance(300_000);
    // It was started for the ice: its minimum run goes on.
    expect(await read(ENERGY_CONTROL, 2, 75)).toEqual([4, 0]);
    await world.clock.advance(300_000);
    expect(await read(ENERGY_CONTROL, 2, 75)).toEqual([2, null]);
    expect(await read(MEASUREMENT, 1)).toEqual([0]);
  });

  it('offers to store heat, is scheduled, shifted, runs, and is done when the buffer is full', async () => {
    await warmUp();
    expect(await read(ENERGY_CONTROL, 80)).toEqual([1]);
    const now = Math.floor(world.clock.wall() / 1000);
    expect((await invoke(SCHEDULE, { requestedStart: now + 60, processId: 1 })).payload.get('newState')).toBe(2);
    expect((await invoke(ADJUST, { requestedStart: now + 120 })).payload.get('actualStart')).toBe(now + 120);
    await world.clock.advance(100_000);
    expect(await read(ENERGY_CONTROL, 80)).toEqual([2]);
    await world.clock.advance(25_000);
    expect(await read(ENERGY_CONTROL, 80)).toEqual([3]);
    expect(await read(MEASUREMENT, 1)).toEqual([6_000_000]);
    for (let i = 0; i < 60 && (await read(ENERGY_CONTROL, 80))[0] === 3; i++) await world.clock.advance(60_000);
    expect([...(await read(ENERGY_CONTROL, 80)), ...(await read(MEASUREMENT, 1))]).toEqual([5, 0]);
    expect((await read(MEASUREMENT, 60))[0]).toBeGreaterThanOrEqual(5400);
    await world.clock.advance(3_600_000);
    expect(await read(ENERGY_CONTROL, 80)).toEqual([1]);
  });

  it('Pause before minRunDuration and Resume before minPauseDuration tell how long to wait', async () => {
    await warmUp();
    await invoke(SCHEDULE);
    await world.clock.advance(100_000);
    expect((await invoke(PAUSE)).payload).toEqual(
      new Map<CborValue, CborValue>([
        ['success', false],
        ['applied', false],
        ['retryAfter', 500],
      ]),
    );
    await world.clock.advance(501_000);
    await invoke(PAUSE);
    expect([...(await read(ENERGY_CONTROL, 80)), ...(await read(MEASUREMENT, 1)), ...(await read(STATUS, 1))]).toEqual([4, 0, 5]);
    expect((await invoke(RESUME)).payload.get('retryAfter')).toBe(300);
    await world.clock.advance(300_000);
    await invoke(RESUME);
    expect([...(await read(ENERGY_CONTROL, 80)), ...(await read(MEASUREMENT, 1))]).toEqual([3, 6_000_000]);
  });

  it('Stop and CancelProcess end the storing, not the heating of the house', async () => {
    await warmUp();
    await invoke(SCHEDULE);
    expect((await invoke(STOP)).payload.get('retryAfter')).toBe(600);
    await invoke(CANCEL);
    expect(await read(ENERGY_CONTROL, 80)).toEqual([6]);
    await world.clock.advance(600_000);
    expect(await read(MEASUREMENT, 1)).toEqual([0]);
    let [heated, offered] = [false, false];
    for (let i = 0; i < 60 && !(heated && offered); i++) {
      await world.clock.advance(120_000);
      heated ||= (world.device.status.power ?? 0) > 0;
      offered ||= heated && (await read(ENERGY_CONTROL, 80))[0] === 1;
    }
    expect([heated, offered]).toEqual([true, true]);
  });

  it('a fault: Status FAULT with code and message, nothing flows; without it 2–4 are null again', async () => {
    world.pump?.simulate((pump) => {
      pump.fault = true;
    });
    expect(await read(STATUS, 1, 2, 3, 4)).toEqual([7, null, 1, 'simulated fault']);
    expect([...(await read(MEASUREMENT, 1)), world.relay.level]).toEqual([0, false]);
    world.pump?.simulate((pump) => {
      pump.fault = false;
    });
    expect(await read(STATUS, 1, 2, 3, 4)).toEqual([2, null, null, null]);
    await world.clock.advance(300_000);
    expect(await read(STATUS, 1)).toEqual([4]);
  });
});
