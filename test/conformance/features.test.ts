import { afterEach, describe, expect, it } from 'vitest';
import { SIMULATED_CAR } from '../../boards/sim/charger-stage.js';
import type { CborKey, CborMap, CborValue } from '../../src/codec/cbor.js';
import { WORLD_NOW } from '../world/certificates.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld, type WorldOptions } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const [READ, WRITE, SUBSCRIBE, INVOKE] = [1, 2, 3, 4];
const [DEVICE_INFO, ENERGY_CONTROL, SESSION, SIGNALS, PLAN] = [1, 5, 6, 8, 9];
const RATING = 11_040_000;

type Fields = Readonly<Record<string, CborValue>>;

let world: DeviceWorld;
let zone: ZonePeer;
afterEach(() => world.close());

const map = (...entries: readonly (readonly [CborKey, CborValue])[]): CborMap => new Map(entries);
const named = (fields: Fields): CborMap => new Map(Object.entries(fields));
const invoke = (feature: number, command: number, parameters: Fields, by = zone) =>
  by.ask(INVOKE, map([1, command], [2, named(parameters)]), feature, 1);
const read = async (feature: number, ...ids: readonly number[]): Promise<CborValue[]> => {
  const { payload } = await zone.ask(READ, ids, feature, feature === DEVICE_INFO ? 0 : 1);
  return ids.map((id) => payload.get(id) ?? null);
};

describe.each(['draft', 'reference'] as const)('features.md §5 over TLS, profile %s', (profile) => {
  const start = async (options: WorldOptions = {}): Promise<void> => {
    world = await DeviceWorld.start({ profile, powerStage: true, ...options, set: { 'session.liveness': 'tcp', ...options.set } });
    zone = await ZonePeer.commission(world, profile, makeZone('Home', 3, undefined, 'LOCAL'));
  };
  const second = async (): Promise<ZonePeer> => {
    await world.clock.advance(20_000);
    await world.press();
    return ZonePeer.commission(world, profile, makeZone('Grid', 1, undefined, 'GRID'));
  };

  it('ChargingSession: from the car that is there at start to the next one, one frame a step', async () => {
    await start();
    const stage = world.stage ?? expect.fail('no stage');
    const now = (): number => Math.floor(world.clock.wall() / 1000);
    const ids = [1, 3, 4, 10, 11, 20, 30, 31, 32, 33, 40, 41, 42, 43];
    const [state, begun, ended] = await read(SESSION, ...ids);
    expect([state, begun, ended]).toEqual([3, WORLD_NOW, null]);
    expect((await read(SESSION, 20, 30, 31, 32, 33, 40)).every((value) => value !== null)).toBe(true);
    await zone.ask(SUBSCRIBE, map([1, [1]], [2, 1], [3, 3_600_000]), SESSION, 1);
    const states: CborValue[] = [];
    const step = async (change: () => unknown): Promise<void> => {
      await change();
      await world.clock.advance(1000);
      await zone.ask(READ, [1], SESSION, 1);
      for (const [, values] of zone.notified.splice(0)) states.push(values[1] ?? null);
    };
    await step(() => invoke(ENERGY_CONTROL, 1, { consumptionLimit: 1_000_000, cause: 1 }));
    await step(() => invoke(ENERGY_CONTROL, 2, {}));
    await step(() => invoke(ENERGY_CONTROL, 9, {}));
    await step(() => invoke(ENERGY_CONTROL, 10, {}));
    await step(() => stage.simulate((charger) => charger.setDemand(false)));
    await step(() => stage.simulate((charger) => charger.setDemand(true)));
    await step(() => stage.simulate((charger) => Object.assign(charger, { fault: true })));
    await step(() => stage.simulate((charger) => Object.assign(charger, { fault: false })));
    expect(states.splice(0)).toEqual([2, 3, 2, 3, 1, 3, 6, 3]);
    await world.clock.advance(60_000);
    await step(() => stage.simulate((charger) => charger.unplug()));
    expect(states.splice(0)).toEqual([0]);
    const [, , end, charged] = await read(SESSION, 1, 3, 4, 10);
    expect([end, charged]).toEqual([now() - 1, expect.any(Number)]);
    expect(charged).toBeGreaterThan(0);
    expect(await read(SESSION, 20, 30, 31, 32, 33, 41, 42, 43, 44, 60, 61, 62, 40)).toEqual([...Array.from({ length: 12 }, () => null), 0]);
    expect((await zone.ask(READ, [2], SESSION, 1)).status).toBe(3);
    await world.clock.advance(60_000);
    await step(() => stage.simulate((charger) => charger.plug({ ...SIMULATED_CAR, stateOfCharge: 90 })));
    expect(await read(SESSION, 1, 3, 4, 10, 43)).toEqual([5, now() - 1, null, 0, -6_000_000]);
  });

  it('SetChargingMode: modes, thresholds and delays, each with its answer', async () => {
    await start();
    const answer = async (parameters: Fields): Promise<unknown> => {
      const { status, payload } = await invoke(SESSION, 1, parameters);
      return status === 0 ? Object.fromEntries(payload) : status;
    };
    expect(await read(SESSION, 71)).toEqual([[0, 1, 2, 3, 4]]);
    expect(await answer({ mode: 2 })).toEqual({ success: false, activeMode: 0, reason: expect.any(String) });
    expect(await answer({ mode: 2, surplusThreshold: 2_000_000, startDelay: 3600, stopDelay: 0 })).toEqual({
      success: true,
      activeMode: 2,
    });
    expect(await read(SESSION, 70, 72, 80, 81)).toEqual([2, 2_000_000, 3600, 0]);
    expect(await answer({ mode: 2 })).toEqual({ success: false, activeMode: 2, reason: expect.any(String) });
    for (const wrong of [{ startDelay: 3601 }, { stopDelay: 3601 }, { startDelay: 0xffff_ffff }])
      expect(await answer({ mode: 0, ...wrong })).toBe(11);
    for (const wrong of [{ mode: 5 }, { mode: -1 }, {}, { mode: 0, startDelay: -1 }, { mode: 0, startDelay: 2 ** 32 }])
      expect(await answer(wrong)).toBe(5);
    expect(await read(SESSION, 70, 72, 80, 81)).toEqual([2, 2_000_000, 3600, 0]);
    expect(await answer({ mode: 0 })).toEqual({ success: true, activeMode: 0 });
    expect(await read(SESSION, 70, 72, 80, 81)).toEqual([0, null, 3600, 0]);
  });

  it('Signals: everything that is 11, and nothing of it is shown', async () => {
    await start();
    const price = named({ duration: 60, price: 1 });
    const send = async (command: number, parameters: Fields): Promise<CborValue> =>
      (await invoke(SIGNALS, command, { source: 3, startTime: 0, slots: [price], ...parameters })).status;
    const slot = (fields: Fields): Fields => ({ slots: [named({ duration: 60, ...fields })] });
    const priced = (fields: Fields): Fields => slot({ price: 1, ...fields });
    const now = Math.floor(world.clock.wall() / 1000);
    const violations: readonly (readonly [number, Fields])[] = [
      [1, { slots: [] }],
      [1, { slots: Array.from({ length: 97 }, () => price) }],
      [1, priced({ duration: 0 })],
      [1, priced({ priceLevel: 11 })],
      [1, priced({ renewablePercent: 101 })],
      ...['consumptionMax', 'consumptionMin', 'productionMax', 'productionMin'].map((bound) => [2, slot({ [bound]: -1 })] as const),
      [2, slot({ consumptionMin: 2, consumptionMax: 1 })],
      [2, slot({ productionMin: 2, productionMax: 1 })],
      [1, { startTime: now + 10, validUntil: now + 10 }],
      [1, { validUntil: now }],
      [1, { startTime: now - 60 }],
      [1, { startTime: now - 1000, validUntil: now - 500 }],
    ];
    for (const [command, wrong] of violations) expect([wrong, await send(command, wrong)]).toEqual([wrong, 11]);
    for (const wrong of [{ source: 4 }, { slots: [price, 5] }, priced({ price: null }), slot({}), { startTime: -1 }, { slots: null }])
      expect([wrong, await send(1, wrong)]).toEqual([wrong, 5]);
    expect(await read(SIGNALS, 1, 2, 3, 10, 20, 30)).toEqual([null, null, null, null, null, null]);
    for (const right of [
      { slots: Array.from({ length: 96 }, () => price) },
      priced({ priceLevel: 10, renewablePercent: 100, co2Intensity: null }),
    ])
      expect(await send(1, right)).toBe(0);
    expect(await read(SIGNALS, 10)).toEqual([[named({ duration: 60, price: 1, priceLevel: 10, renewablePercent: 100 })]]);
  });

  it('Signals: one per zone and kind; shown by priority, then the latest; ClearSignals takes back its own', async () => {
    await start();
    const grid = await second();
    const send = (by: ZonePeer, command: number, source: number, fields: Fields) =>
      invoke(SIGNALS, command, { source, startTime: 0, slots: [named({ duration: 600, ...fields })] }, by);
    await send(grid, 1, 0, { price: 1 });
    await send(zone, 1, 3, { price: 2 });
    await send(zone, 3, 2, { forecastPower: -5 });
    const shown = async (): Promise<unknown> => {
      const [source, ...slots] = await read(SIGNALS, 1, 10, 20, 30);
      return [source, ...slots.map((kind) => (Array.isArray(kind) ? Object.fromEntries(kind[0] as ReadonlyMap<string, CborValue>) : null))];
    };
    expect(await shown()).toEqual([2, { duration: 600, price: 1 }, null, { duration: 600, forecastPower: -5 }]);
    await send(grid, 1, 1, { price: 3 });
    expect(await shown()).toEqual([1, { duration: 600, price: 3 }, null, { duration: 600, forecastPower: -5 }]);
    expect((await invoke(SIGNALS, 4, { signalType: 'prices' }, grid)).status).toBe(5);
    expect((await invoke(SIGNALS, 4, { signalType: 'constraint' }, grid)).payload).toEqual(named({ cleared: 0 }));
    expect((await invoke(SIGNALS, 4, {}, grid)).payload).toEqual(named({ cleared: 1 }));
    expect(await shown()).toEqual([2, { duration: 600, price: 2 }, null, { duration: 600, forecastPower: -5 }]);
    expect((await invoke(SIGNALS, 4, { signalType: null })).payload).toEqual(named({ cleared: 2 }));
    expect(await shown()).toEqual([null, null, null, null]);
  });

  it('a clock that was never set: signals and plans begin now, and no time is told', async () => {
    await start({ wall: 1000 });
    const send = async (more: Fields): Promise<CborValue> =>
      (await invoke(SIGNALS, 2, { source: 0, startTime: 0, slots: [named({ duration: 60, consumptionMax: 5_000_000 })], ...more })).status;
    expect([await send({ startTime: 1 }), await send({ startTime: WORLD_NOW }), await send({ validUntil: WORLD_NOW })]).toEqual([
      11, 11, 11,
    ]);
    expect([await send({}), await send({ validUntil: null })]).toEqual([0, 0]);
    expect(await read(SIGNALS, 1, 2, 3)).toEqual([0, null, null]);
    expect(await read(ENERGY_CONTROL, 20)).toEqual([5_000_000]);
    await world.clock.advance(60_000);
    expect(await read(ENERGY_CONTROL, 20)).toEqual([null]);
    expect((await invoke(PLAN, 1, { startTime: WORLD_NOW })).status).toBe(11);
    expect((await invoke(PLAN, 1, {})).payload).toEqual(named({ planId: 1 }));
    expect(await read(PLAN, 1, 2, 3, 10, 11)).toEqual([1, 1, 0, null, null]);
    world.stage?.simulate((charger) => charger.unplug());
    world.stage?.simulate((charger) => charger.plug(SIMULATED_CAR));
    expect(await read(SESSION, 3, 4)).toEqual([null, null]);
  });

  it('Plan: ids, versions, acceptance, execution', async () => {
    await start();
    expect(await read(PLAN, 1, 2, 3, 10, 11, 20, 40)).toEqual([0, 0, 0, null, null, null, null]);
    const accept = async (planId: number, planVersion: number): Promise<unknown> => {
      const { status, payload } = await invoke(PLAN, 2, { planId, planVersion });
      return status === 0 ? payload.get('newCommitment') : status;
    };
    expect(await accept(0, 0)).toBe(11);
    expect((await invoke(PLAN, 1, { duration: 604_801 })).status).toBe(11);
    expect((await invoke(PLAN, 1, { duration: 604_800 })).payload).toEqual(named({ planId: 1 }));
    const now = Math.floor(world.clock.wall() / 1000);
    expect((await invoke(PLAN, 1, { startTime: now + 600, duration: 3600 })).payload).toEqual(named({ planId: 2 }));
    expect(await read(PLAN, 1, 2, 3, 10, 11, 20)).toEqual([2, 1, 0, now + 600, now + 4200, RATING]);
    expect([await accept(1, 1), await accept(2, 2), await accept(2, 1)]).toEqual([11, 11, 2]);
    await world.clock.advance(600_000);
    expect(await read(PLAN, 2, 3)).toEqual([1, 3]);
    await invoke(ENERGY_CONTROL, 1, { consumptionLimit: 5_000_000, cause: 1 });
    await world.clock.advance(1000);
    const [version, commitment, slots] = await read(PLAN, 2, 3, 40);
    expect([version, commitment]).toEqual([2, 0]);
    expect((slots as readonly ReadonlyMap<string, CborValue>[])[0]?.get('plannedPower')).toBe(5_000_000);
    expect(await accept(2, 1)).toBe(11);
    expect(await accept(2, 2)).toBe(3);
    await invoke(ENERGY_CONTROL, 1, { consumptionLimit: 5_000_000, cause: 2 });
    await world.clock.advance(1000);
    expect(await read(PLAN, 2, 3)).toEqual([2, 3]);
  });

  it('DeviceInfo 30, 31: 64 bytes or null; zoneCount counts, and no change of it is told', async () => {
    await start();
    const write = async (id: number, value: CborValue): Promise<CborValue> => (await zone.ask(WRITE, map([id, value]))).status;
    await zone.ask(SUBSCRIBE, map([1, [31, 32]], [2, 1]));
    for (const id of [30, 31]) {
      expect([await write(id, 'ä'.repeat(32)), await write(id, `${'ä'.repeat(32)}x`), await write(id, 5)]).toEqual([0, 11, 5]);
      expect(await read(DEVICE_INFO, id)).toEqual(['ä'.repeat(32)]);
    }
    await world.clock.advance(1000);
    await second();
    await world.clock.advance(1000);
    expect(await read(DEVICE_INFO, 32)).toEqual([2]);
    expect(zone.notified.map(([, values]) => Object.keys(values))).toEqual(profile === 'draft' ? [['31']] : []);
  });
});
