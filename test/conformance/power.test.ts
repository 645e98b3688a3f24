import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SIMULATED_CAR } from '../../boards/sim/charger-stage.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const ENERGY_CONTROL = 5;
const MEASUREMENT = 4;
const SESSION = 6;
const STATUS = 2;
const INVOKE = 4;
const READ = 1;

let world: DeviceWorld;
let zone: ZonePeer;
beforeEach(async () => {
  world = await DeviceWorld.start({ powerStage: true });
  zone = await ZonePeer.commission(world, 'draft', makeZone('Home'));
  await world.clock.advance(1000);
});
afterEach(() => world.close());

const read = async (feature: number, id: number): Promise<unknown> => {
  const { payload } = await zone.ask(READ, [id], feature, 1);
  return (payload.get(id) ?? null) as unknown;
};
const invoke = (command: number, parameters: Record<string, number | null>) =>
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
});
