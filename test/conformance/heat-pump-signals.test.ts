import { afterEach, beforeEach, expect, it } from 'vitest';
import { HEAT_PUMP_RATING } from '../../boards/sim/heat-pump-stage.js';
import type { CborValue } from '../../src/codec/cbor.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const [TARIFF, SIGNALS, PLAN] = [7, 8, 9];
const [READ, INVOKE] = [1, 4];
const [LOWEST] = HEAT_PUMP_RATING.steps;

let world: DeviceWorld;
let zone: ZonePeer;
beforeEach(async () => {
  world = await DeviceWorld.start({ board: 'sim-heat-pump', powerStage: true, set: { 'session.liveness': 'tcp' } });
  zone = await ZonePeer.commission(world, 'draft', makeZone('Home'));
});
afterEach(() => world.close());

const map = (fields: Readonly<Record<string, CborValue>>): CborValue => new Map(Object.entries(fields));
const invoke = (feature: number, command: number, parameters: Readonly<Record<string, CborValue>>) =>
  zone.ask(
    INVOKE,
    new Map<number, CborValue>([
      [1, command],
      [2, map(parameters)],
    ]),
    feature,
    1,
  );
const read = async (feature: number, ...ids: number[]): Promise<CborValue[]> => {
  const { payload } = await zone.ask(READ, ids, feature, 1);
  return ids.map((id) => payload.get(id) ?? null);
};

it('features.md §5: a constraint slot makes the compressor step down, and up again after it', async () => {
  const before = world.device.status.power as number;
  const slots = [map({ duration: 900, consumptionMax: LOWEST as number })];
  expect((await invoke(SIGNALS, 2, { source: 0, startTime: 0, slots })).status).toBe(0);
  await world.clock.advance(1000);
  expect([world.device.status.power, world.device.status.energy[0]?.effectiveConsumptionLimit]).toEqual([LOWEST, LOWEST]);
  await world.clock.advance(900_000);
  expect([world.device.status.power, world.device.status.energy[0]?.effectiveConsumptionLimit]).toEqual([before, null]);
});

it('features.md §5: its plan goes on with what it draws, below what is told of the time ahead', async () => {
  const drawn = world.device.status.power as number;
  const slots = [map({ duration: 600 }), map({ duration: 600, consumptionMax: LOWEST as number })];
  await invoke(SIGNALS, 2, { source: 0, startTime: 0, slots });
  expect((await invoke(PLAN, 1, { duration: 1800 })).payload.get('planId')).toBe(1);
  const [plan] = (await read(PLAN, 40)) as (readonly ReadonlyMap<string, number>[])[];
  expect(plan?.map((slot) => slot.get('plannedPower'))).toEqual([drawn, LOWEST, drawn]);
  expect(plan?.reduce((sum, slot) => sum + (slot.get('duration') ?? 0), 0)).toBe(1800);
});

it("features.md §5: the tariff is the last writer's, and survives a restart", async () => {
  expect(await read(TARIFF, 1, 2, 3, 4)).toEqual([0, 'XXX', 0, null]);
  expect((await invoke(TARIFF, 1, { tariffId: 4, currency: 'EUR', description: 'Night' })).payload).toEqual(new Map([['success', true]]));
  expect((await invoke(TARIFF, 1, { tariffId: 5, currency: 'euro' })).status).toBe(11);
  await world.close();
  world.flash.powerUp();
  await world.boot();
  await zone.connect();
  expect(await read(TARIFF, 1, 2, 3, 4)).toEqual([4, 'EUR', 0, 'Night']);
});
