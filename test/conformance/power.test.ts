import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SIMULATED_CAR } from '../../boards/sim/charger-stage.js';
import { simEvse } from '../../boards/sim-evse.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const ENERGY_CONTROL = 5;
const ELECTRICAL = 3;
const MEASUREMENT = 4;
const SESSION = 6;
const STATUS = 2;
const INVOKE = 4;
const READ = 1;

let world: DeviceWorld;
let zone: ZonePeer;
beforeEach(async () => {
  // Time passes on the virtual clock while the peer's socket lives in real time.
  world = await DeviceWorld.start({ powerStage: true, set: { 'session.liveness': 'tcp' } });
  zone = await ZonePeer.commission(world, 'draft', makeZone('Home'));
  await world.clock.advance(1000);
});
afterEach(() => world.close());

const read = async (feature: number, id: number): Promise<unknown> => {
  const { payload } = await zone.ask(READ, [id], feature, 1);
  return (payload.get(id) ?? null) as unknown;
};
const invoke = (command: number, parameters: Record<string, number | null | ReadonlyMap<number, number>>) =>
  zone.ask(
    INVOKE,
    new Map<number, never>([
      [1, command as never],
      [2, new Map(Object.entries(parameters)) as never],
    ]),
    ENERGY_CONTROL,
    1,
  );

describe('the charger obeys (features.md §1, §3)', () => {
  it('charges its car at the rating while nothing limits it, contactor closed', async () => {
    expect(await read(MEASUREMENT, 1)).toBe(11_040_000);
    expect([await read(SESSION, 1), await read(STATUS, 1)]).toEqual([3, 4]);
    expect(world.relay.level).toBe(true);
  });

  it('a limit acts in the same turn, one below the minimum opens the contactor, clearing it goes on', async () => {
    const { payload } = await invoke(1, { consumptionLimit: 5_000_000, cause: 3 });
    expect(payload.get('applied')).toBe(true);
    const drawn = (await read(MEASUREMENT, 1)) as number;
    expect(drawn).toBeGreaterThan(4_900_000);
    expect(drawn).toBeLessThanOrEqual(5_000_000);
    await invoke(1, { consumptionLimit: 1_000_000, cause: 0 });
    expect([await read(MEASUREMENT, 1), await read(SESSION, 1), world.relay.level]).toEqual([0, 2, false]);
    await invoke(2, {});
    expect([await read(MEASUREMENT, 1), world.relay.level]).toEqual([11_040_000, true]);
  });

  it('in failsafe it draws no more than the failsafe limit, from the loss of the last zone on', async () => {
    zone.peer.destroy();
    await world.until(() => world.device.status.zones[0]?.connected === false, 'the loss');
    await world.clock.advance(1000);
    expect(world.device.status.energy[0]?.controlState).toBe(3);
    expect(world.device.status.power).toBeLessThanOrEqual(4_200_000);
    await zone.connect();
    expect(await read(ENERGY_CONTROL, 2)).not.toBe(3);
    expect(await read(MEASUREMENT, 1)).toBe(11_040_000);
  });

  it('Pause opens the contactor, Resume closes it', async () => {
    await invoke(9, {});
    const paused = [await read(MEASUREMENT, 1), world.relay.level];
    await invoke(10, {});
    expect([...paused, await read(MEASUREMENT, 1)]).toEqual([0, false, 11_040_000]);
  });

  it('Stop ends the charge for good; the car has to leave and come back', async () => {
    await invoke(11, {});
    expect([await read(ENERGY_CONTROL, 80), await read(MEASUREMENT, 1)]).toEqual([6, 0]);
    await world.clock.advance(20_000);
    expect(world.device.status.power).toBe(0);
    world.stage?.simulate((charger) => charger.unplug());
    world.stage?.simulate((charger) => charger.plug(SIMULATED_CAR));
    expect([await read(ENERGY_CONTROL, 80), await read(MEASUREMENT, 1)]).toEqual([3, 11_040_000]);
  });

  it('a car that leaves ends the session; nothing flows at boot before the journal was read', async () => {
    world.stage?.simulate((charger) => charger.unplug());
    expect([await read(SESSION, 1), await read(SESSION, 30), world.relay.level]).toEqual([0, null, false]);
    expect(world.relay.history[0]).toBe(false);
  });

  it('a full battery shows within a second: session 5, process COMPLETED, contactor open', async () => {
    // 0.01 % of 60 kWh at 11.04 kW: 1.96 s.
    world.stage?.simulate((charger) => charger.plug({ ...SIMULATED_CAR, stateOfCharge: 79.99 }));
    expect([await read(SESSION, 1), await read(ENERGY_CONTROL, 80)]).toEqual([3, 3]);
    await world.clock.advance(3000);
    expect([await read(SESSION, 1), await read(ENERGY_CONTROL, 80), await read(MEASUREMENT, 1), world.relay.level]).toEqual([
      5,
      5,
      0,
      false,
    ]);
  });

  it('Electrical 10, 12–14 are hardware ∩ car, EnergyControl judges by them, and the hardware alone is left when the car leaves (features.md §5)', async () => {
    const envelope = async () => [
      await read(ELECTRICAL, 10),
      await read(ELECTRICAL, 12),
      await read(ELECTRICAL, 13),
      await read(ELECTRICAL, 14),
    ];
    expect(await envelope()).toEqual([11_040_000, 4_140_000, 16_000, 6000]);
    world.stage?.simulate((charger) => charger.unplug());
    expect(await envelope()).toEqual([11_040_000, 1_380_000, 16_000, 6000]);
    world.stage?.simulate((charger) => charger.plug({ ...SIMULATED_CAR, phases: 1, maximumCurrent: 10_000 }));
    expect(await envelope()).toEqual([2_300_000, 1_380_000, 10_000, 6000]);
    expect(await read(MEASUREMENT, 1)).toBe(2_300_000);
    const phases = (current: number) => invoke(3, { phases: new Map([[0, current]]), direction: 0, cause: 3 });
    expect((await phases(10_001)).status).toBe(11);
    expect((await phases(10_000)).status).toBe(0);
    // SetLimit is judged by the board's rating, not the car's (features.md §3).
    expect((await invoke(1, { consumptionLimit: 11_040_000, cause: 3 })).status).toBe(0);
    expect((await invoke(1, { consumptionLimit: 11_040_001, cause: 3 })).status).toBe(11);
  });

  it('Electrical 11, 20 are listed with 0; the car that is there at start tells 20, 30–33 (features.md §5, useCases)', async () => {
    expect([await read(ELECTRICAL, 11), await read(ELECTRICAL, 20), await read(ENERGY_CONTROL, 73)]).toEqual([0, 0, null]);
    for (const id of [20, 30, 31, 32, 33]) expect(await read(SESSION, id)).not.toBeNull();
  });

  it('a fault: ChargingSession 6, Status FAULT with 3 and 4, nothing flows; null again when it is over', async () => {
    const status = async () => [await read(STATUS, 1), await read(STATUS, 2), await read(STATUS, 3), await read(STATUS, 4)];
    for (const plugged of [true, false]) {
      if (!plugged) world.stage?.simulate((charger) => charger.unplug());
      world.stage?.simulate((charger) => {
        charger.fault = true;
      });
      expect([await read(SESSION, 1), ...(await status()), await read(MEASUREMENT, 1)]).toEqual([6, 7, null, 1, 'simulated fault', 0]);
      world.stage?.simulate((charger) => {
        charger.fault = false;
      });
      expect([await read(SESSION, 1), ...(await status())]).toEqual(plugged ? [3, 4, null, null, null] : [0, 2, null, null, null]);
    }
  });
});

describe('energy counters over a restart (features.md §5)', () => {
  const restart = async (cut: boolean) => {
    if (cut) world.flash.powerOff();
    await world.close();
    world.flash.powerUp();
    await world.boot();
    await world.clock.advance(1000);
    await zone.connect();
  };

  it('a stop loses nothing, a power cut less than a minute, and they never fall', async () => {
    const first = (await read(MEASUREMENT, 30)) as number;
    await world.clock.advance(20_000);
    await restart(false);
    const stopped = (await read(MEASUREMENT, 30)) as number;
    // 11.04 kW for more than 20 s.
    expect(stopped).toBeGreaterThanOrEqual(first + (11_040_000 * 20) / 3600);
    for (let i = 0; i < 70; i++) {
      await world.clock.advance(1000);
      await read(MEASUREMENT, 30);
    }
    const shown = (await read(MEASUREMENT, 30)) as number;
    expect(shown).toBeGreaterThan(stopped);
    await restart(true);
    expect(await read(MEASUREMENT, 30)).toBe(shown);
  });
});

describe('a board that accepts no limits (features.md, "Forms")', () => {
  it('starts, does not list ClearLimit and answers 10 to it, and SetLimit with reason 4', async () => {
    await world.close();
    const endpoints = simEvse.endpoints.map(({ control, ...rest }) =>
      control === undefined ? rest : { ...rest, control: { ...control, accepts: { ...control.accepts, acceptsLimits: false } } },
    );
    world = await DeviceWorld.start({ powerStage: true, board: { ...simEvse, endpoints } });
    zone = await ZonePeer.commission(world, 'draft', makeZone('Home'));
    expect(await read(ENERGY_CONTROL, 0xfffa)).not.toContain(2);
    expect((await invoke(2, {})).status).toBe(10);
    const { payload } = await invoke(1, { consumptionLimit: 5_000_000, cause: 3 });
    expect([payload.get('applied'), payload.get('rejectReason')]).toEqual([false, 4]);
    expect(await read(MEASUREMENT, 1)).toBe(11_040_000);
  });
});
