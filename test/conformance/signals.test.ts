import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SIMULATED_CAR } from '../../boards/sim/charger-stage.js';
import type { CborValue } from '../../src/codec/cbor.js';
import { WORLD_NOW } from '../world/certificates.js';
import { makeZone, mapOf } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const MEASUREMENT = 4;
const ENERGY_CONTROL = 5;
const SESSION = 6;
const SIGNALS = 8;
const PLAN = 9;
const READ = 1;
const WRITE = 2;
const SUBSCRIBE = 3;
const INVOKE = 4;
const RATING = 11_040_000;

type Fields = Readonly<Record<string, CborValue>>;

let world: DeviceWorld;
let zone: ZonePeer;
beforeEach(async () => {
  world = await DeviceWorld.start({ powerStage: true, surplusMeter: true, set: { 'session.ping': '3600000' } });
  zone = await ZonePeer.commission(world, 'draft', makeZone('Home'));
  await world.clock.advance(1000);
});
afterEach(() => world.close());

const map2 = (...entries: [number, CborValue][]): CborValue => new Map(entries);
const map = (fields: Fields): CborValue => new Map(Object.entries(fields));
const read = async (feature: number, id: number): Promise<unknown> => {
  const { payload } = await zone.ask(READ, [id], feature, 1);
  return (payload.get(id) ?? null) as unknown;
};
const invoke = (feature: number, command: number, parameters: Fields) =>
  zone.ask(
    INVOKE,
    new Map<number, CborValue>([
      [1, command],
      [2, map(parameters)],
    ]),
    feature,
    1,
  );
const send = (command: number, slots: readonly Fields[], startTime = 0) =>
  invoke(SIGNALS, command, { source: 3, startTime, slots: slots.map(map) });
const mode = (value: number, more: Fields = {}) => invoke(SESSION, 1, { mode: value, ...more });
const unix = (): number => Math.floor(world.clock.wall() / 1000);
const drawn = (): number | undefined => world.device.status.power;
const effective = (): number | null | undefined => world.device.status.energy[0]?.effectiveConsumptionLimit;
const lose = async (): Promise<void> => {
  zone.peer.destroy();
  await world.until(() => world.device.status.zones[0]?.connected === false, 'the loss');
};

describe('constraint slots cap the charger (features.md §3, §5)', () => {
  it('within a second of each slot change; they end, and the effective limit returns', async () => {
    await invoke(ENERGY_CONTROL, 1, { consumptionLimit: 9_000_000, cause: 1 });
    const { status } = await send(
      2,
      [
        { duration: 60, consumptionMax: 5_000_000 },
        { duration: 60, consumptionMax: 10_000_000 },
        { duration: 60, consumptionMax: 1_000_000 },
      ],
      unix() + 10,
    );
    expect([status, effective()]).toEqual([0, 9_000_000]);
    // One second after the start, then one slot after the other.
    const seen: [number | null | undefined, boolean][] = [];
    for (const [seconds, ceiling] of [
      [11, 5_000_000],
      [60, 9_000_000],
      [60, 1_000_000],
      [60, 9_000_000],
    ] as const) {
      await world.clock.advance(seconds * 1000);
      seen.push([effective(), (drawn() as number) <= ceiling]);
    }
    expect(seen).toEqual([
      [5_000_000, true],
      [9_000_000, true],
      [1_000_000, true],
      [9_000_000, true],
    ]);
    expect([await read(SIGNALS, 20), drawn()]).toEqual([null, 8_999_670]);
  });

  it('subscribers see the effective limit and the signal change, maps whole', async () => {
    await zone.ask(SUBSCRIBE, new Map([[1, [20]]]), ENERGY_CONTROL, 1);
    await zone.ask(SUBSCRIBE, new Map([[1, [1, 20]]]), SIGNALS, 1);
    await world.clock.advance(2000);
    const slots = [{ duration: 60, consumptionMax: 5_000_000 }];
    await send(2, slots);
    const told = [await zone.notification(), await zone.notification()].map(([, values]) => values);
    expect(told).toEqual(expect.arrayContaining([{ 20: 5_000_000 }, { 1: 3, 20: slots.map(map) }]));
  });

  describe('what lasts (features.md §4, constraint and price)', () => {
    const PRICES = [map({ duration: 86_400, price: 1 })];
    const shown = async (): Promise<unknown> => [effective(), await read(SIGNALS, 10)];
    beforeEach(async () => {
      await send(2, [{ duration: 86_400, consumptionMax: 3_000_000 }]);
      await send(1, [{ duration: 86_400, price: 1 }]);
      expect(await shown()).toEqual([3_000_000, PRICES]);
    });

    it('own connection lost, own handshake: they stay, and bind in failsafe beside its limit', async () => {
      await lose();
      expect(world.device.status.energy[0]).toMatchObject({ controlState: 3, effectiveConsumptionLimit: 3_000_000 });
      await zone.connect();
      expect(await shown()).toEqual([3_000_000, PRICES]);
      expect(world.device.status.energy[0]?.controlState).toBe(2);
    });

    it('expiry: they end', async () => {
      await lose();
      await world.clock.advance(86_400_000);
      await zone.connect();
      expect(await shown()).toEqual([null, null]);
    });

    it('failsafe over: suspended until the zone returns', async () => {
      await lose();
      await world.clock.advance(14_400_000);
      expect(world.device.status.energy[0]).toMatchObject({ controlState: 0, effectiveConsumptionLimit: null });
      await zone.connect();
      expect(await shown()).toEqual([3_000_000, PRICES]);
    });

    it("failsafe over with another zone back: the absent one's stay suspended", async () => {
      await world.clock.advance(10_000);
      await world.press();
      const other = await ZonePeer.commission(world, 'draft', makeZone('Other'));
      await lose();
      other.peer.destroy();
      await world.until(() => world.device.status.zones.every(({ connected }) => !connected), 'the loss');
      await world.clock.advance(14_400_000);
      await other.connect();
      expect(effective()).toBeNull();
      expect((await other.ask(READ, [10], SIGNALS, 1)).payload.get(10)).toBeNull();
    });

    it('restart: they end; the charging mode stays, and starts like any other time', async () => {
      await mode(1, { startDelay: 5, stopDelay: 3600 });
      await world.close();
      world.flash.powerUp();
      await world.boot();
      await zone.connect();
      expect(await shown()).toEqual([null, null]);
      expect([await read(SESSION, 70), await read(SESSION, 80), drawn()]).toEqual([1, 5, 0]);
    });

    it('own zone removed: they end', async () => {
      await world.clock.advance(10_000);
      await world.press();
      const other = await ZonePeer.commission(world, 'draft', makeZone('Other'));
      const remove = new Map<number, CborValue>([
        [1, 16],
        [2, map({ zoneId: zone.zoneId })],
      ]);
      expect((await zone.ask(INVOKE, remove)).status).toBe(0);
      expect(effective()).toBeNull();
      expect((await other.ask(READ, [10], SIGNALS, 1)).payload.get(10)).toBeNull();
    });
  });

  it('opted out: 8, what is in force stays', async () => {
    await send(2, [{ duration: 86_400, consumptionMax: 3_000_000 }]);
    expect((await zone.ask(WRITE, new Map([[3, 3]]), ENERGY_CONTROL, 1)).status).toBe(0);
    expect((await send(2, [{ duration: 1, consumptionMax: 1 }])).status).toBe(8);
    expect((await mode(0)).status).toBe(8);
    expect(effective()).toBe(3_000_000);
  });
});

describe('charging modes steer the charger (features.md §5)', () => {
  it("declares them, and with Signals and Plan the recorded session's six use cases", async () => {
    expect(await read(SESSION, 71)).toEqual([0, 1, 2, 3, 4]);
    const { payload } = await zone.ask(READ, [21]);
    expect((payload.get(21) as readonly ReadonlyMap<number, number>[]).map((useCase) => useCase.get(2))).toEqual([1, 2, 3, 6, 8, 9]);
  });

  it('PV_SURPLUS_ONLY: follows the surplus, stops without', async () => {
    await mode(1);
    expect([drawn(), await read(SESSION, 1)]).toEqual([0, 2]);
    world.surplus = 6_900_000;
    await world.clock.advance(1000);
    expect([drawn(), await read(SESSION, 1)]).toEqual([6_900_000, 3]);
    world.surplus = null;
    await world.clock.advance(1000);
    expect(drawn()).toBe(0);
    await mode(0);
    expect(drawn()).toBe(RATING);
  });

  it('delays hold back starts and stops of the mode to the millisecond, never a limit or a Pause', async () => {
    const [sun, least] = [2_300_000, 1_380_000];
    world.stage?.simulate((charger) => charger.plug({ ...SIMULATED_CAR, phases: 1 }));
    world.surplus = sun;
    await mode(1, { startDelay: 30, stopDelay: 60 });
    await world.clock.advance(1000);
    expect(drawn()).toBe(sun);
    await invoke(ENERGY_CONTROL, 1, { consumptionLimit: 0, cause: 1 });
    expect(drawn()).toBe(0);
    await invoke(ENERGY_CONTROL, 2, {});
    expect(drawn()).toBe(sun);
    await invoke(ENERGY_CONTROL, 9, {});
    await world.clock.advance(5000);
    expect(drawn()).toBe(0);
    await invoke(ENERGY_CONTROL, 10, {});
    expect(drawn()).toBe(sun);
    const over = async (milliseconds: number): Promise<number | undefined> => {
      await world.clock.advance(milliseconds);
      return drawn();
    };
    world.surplus = 0;
    expect([await over(1000), await over(59_999), await over(1)]).toEqual([least, least, 0]);
    world.surplus = sun;
    expect([await over(1000), await over(29_999), await over(1)]).toEqual([0, 0, sun]);
    // A cloud shorter than the delay, and a gap in the clouds.
    world.surplus = 0;
    expect(await over(59_000)).toBe(least);
    world.surplus = sun;
    expect(await over(1000)).toBe(sun);
  });

  it('PRICE_OPTIMIZED: the cheap hours; without prices as OFF', async () => {
    await mode(3);
    expect(drawn()).toBe(RATING);
    await send(1, [
      { duration: 1800, price: 4000 },
      { duration: 10_800, price: 1000 },
    ]);
    expect(drawn()).toBe(0);
    await world.clock.advance(1_800_000);
    expect(drawn()).toBe(RATING);
    await invoke(SIGNALS, 4, {});
    expect(drawn()).toBe(RATING);
  });

  it('PRICE_OPTIMIZED: a limit that holds the charge is no stop of the mode', async () => {
    await mode(3, { startDelay: 600 });
    await send(1, [{ duration: 36_000, price: 1000 }]);
    expect(drawn()).toBe(RATING);
    await invoke(ENERGY_CONTROL, 1, { consumptionLimit: 0, cause: 1 });
    await world.clock.advance(5000);
    await invoke(ENERGY_CONTROL, 2, {});
    expect(drawn()).toBe(RATING);
  });

  it('SCHEDULED: the plan that was made of limits and prices', async () => {
    await mode(4);
    await send(1, [
      { duration: 1800, price: 4000 },
      { duration: 10_800, price: 1000 },
    ]);
    expect(drawn()).toBe(RATING);
    const { payload } = await invoke(PLAN, 1, { duration: 14_400 });
    expect(payload.get('planId')).toBe(1);
    await world.clock.advance(1000);
    expect([drawn(), await read(PLAN, 10)]).toEqual([0, WORLD_NOW + 1]);
    expect((await invoke(PLAN, 2, { planId: 1, planVersion: 1 })).payload.get('newCommitment')).toBe(3);
    await world.clock.advance(1_800_000);
    expect(drawn()).toBe(RATING);
  });

  it('SCHEDULED: what a limit or a Pause held goes on at once when it ends, whatever the delays', async () => {
    await mode(4, { startDelay: 600, stopDelay: 600 });
    await invoke(PLAN, 1, { duration: 14_400 });
    await world.clock.advance(5000);
    expect(drawn()).toBe(RATING);
    await invoke(ENERGY_CONTROL, 1, { consumptionLimit: 0, cause: 1 });
    expect(drawn()).toBe(0);
    await world.clock.advance(700_000);
    await invoke(ENERGY_CONTROL, 2, {});
    expect(drawn()).toBe(RATING);
    await invoke(ENERGY_CONTROL, 9, {});
    await world.clock.advance(700_000);
    expect(drawn()).toBe(0);
    await invoke(ENERGY_CONTROL, 10, {});
    expect(drawn()).toBe(RATING);
  });

  it("the user's override lets the mode wait", async () => {
    await mode(1);
    expect(drawn()).toBe(0);
    world.button.press();
    await world.clock.advance(3100);
    world.button.release();
    await world.clock.advance(1000);
    expect([world.device.status.energy[0]?.controlState, drawn()]).toEqual([4, RATING]);
  });

  it('below its minimum state of charge the car charges as soon as possible', async () => {
    await mode(1);
    world.stage?.simulate((charger) =>
      charger.plug({ capacity: 60_000_000, stateOfCharge: 10, target: 80, maximumCurrent: 16_000, phases: 3 }),
    );
    await world.clock.advance(1000);
    expect(drawn()).toBe(RATING);
  });
});

describe('a controller that exposes a grid meter (protocol.md §3)', () => {
  const METER = map2([20, [map2([1, 1], [2, 1], [4, [4]])]]);
  let meter: ZonePeer;
  beforeEach(async () => {
    await world.close();
    world = await DeviceWorld.start({ powerStage: true, set: { 'session.ping': '3600000' } });
    meter = await ZonePeer.commission(world, 'draft', makeZone('Home'));
    await world.clock.advance(3000);
  });
  const answer = (id: number, payload: CborValue): void => meter.peer.send(map2([1, id], [2, 0], [3, payload]));
  const tell = (power: number): void => meter.peer.send(map2([1, 0], [2, 9], [3, 1], [4, 4], [5, map2([1, power])]));
  const setMode = (value: number) => meter.send(INVOKE, map2([1, 1], [2, map({ mode: value })]), SESSION, 1);

  it('PV_SURPLUS_ONLY: is asked when the mode needs it, and followed: what it tells plus what is drawn', async () => {
    const id = setMode(1);
    const frames = [mapOf(await meter.peer.receive()), mapOf(await meter.peer.receive())];
    expect(new Set(frames.map((frame) => frame.get(1)))).toEqual(new Set([id, 1000]));
    expect(drawn()).toBe(0);
    answer(1000, METER);
    expect(mapOf(await meter.peer.receive()).get(1)).toBe(1001);
    answer(1001, map2([1, 9], [2, map2([1, -6_900_000])]));
    await world.until(() => drawn() === 6_900_000, 'the surplus');
    // The charge takes all that was fed in: the same sun.
    tell(0);
    expect((await meter.ask(READ, [1], SESSION, 1)).payload.get(1)).toBe(3);
    await world.clock.advance(3000);
    expect(drawn()).toBe(6_900_000);
    tell(1_380_000);
    await world.until(() => drawn() === 5_520_000, 'a cloud');
    tell(20_000_000);
    await world.until(() => drawn() === 0, 'the night');
  });
});

describe('Plan of the charger', () => {
  it('covers the demand; a constraint that is told makes the next version', async () => {
    await invoke(PLAN, 1, { duration: 36_000 });
    expect(await read(PLAN, 20)).toBeGreaterThan(25_000_000);
    expect((await invoke(PLAN, 2, { planId: 1, planVersion: 1 })).status).toBe(0);
    await world.clock.advance(1_800_000);
    expect([await read(PLAN, 2), await read(PLAN, 3)]).toEqual([1, 3]);
    await send(2, [{ duration: 36_000, consumptionMax: 5_000_000 }]);
    await world.clock.advance(1000);
    expect([await read(PLAN, 2), await read(PLAN, 3)]).toEqual([2, 0]);
    const [first] = (await read(PLAN, 40)) as ReadonlyMap<string, number>[];
    expect([first?.get('plannedPower'), first?.get('maxPower')]).toEqual([5_000_000, 5_000_000]);
    expect(await read(MEASUREMENT, 1)).toBeLessThanOrEqual(5_000_000);
  });
});
