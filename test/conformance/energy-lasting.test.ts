import { afterEach, describe, expect, it } from 'vitest';
import { simEvse } from '../../boards/sim-evse.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { A, C, command, F, INVOKE, invoke, L, lose, map, O, pair, read, status, subscribe, write } from '../world/energy-peer.js';
import { ZonePeer } from '../world/zone-peer.js';

let world: DeviceWorld;
afterEach(() => world.close());

async function start(...given: Parameters<typeof pair>): ReturnType<typeof pair> {
  const started = await pair(...given);
  world = started.world;
  return started;
}

const state = () => world.device.status.energy[0]?.controlState;

describe.each(['draft', 'reference'] as const)('features.md §1, §4 over TLS, profile %s', (profile) => {
  const draft = profile === 'draft';

  it('§4: a second connection of the zone ends its timed limit and setpoint, keeps the other limits, and the others hear of it', async () => {
    const { grid, home } = await start(profile);
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
    const { grid, home } = await start(profile);
    await invoke(home, 1, { consumptionLimit: 3_000_000, duration: 10, cause: 1 });
    await invoke(home, 5, { consumptionSetpoint: 1_000_000, cause: 1 });
    await subscribe(grid, 2, 20, 40);
    await lose(world, home);
    await world.clock.advance(1000);
    expect((await grid.notification())[1]).toEqual({ 40: null });
    await world.clock.advance(8000);
    expect((await grid.notification())[1]).toEqual({ 2: draft ? C : A, 20: null });
  });

  it('§1: the last connection ends by its removal while another zone is stored: FAILSAFE; the last zone removed: AUTONOMOUS', async () => {
    const { grid, home } = await start(profile);
    await invoke(grid, 1, { consumptionLimit: 1_000_000, cause: 1 });
    await lose(world, home);
    expect((await grid.ask(INVOKE, command(16, { zoneId: grid.zoneId }))).status).toBe(0);
    expect(world.device.status.energy[0]).toMatchObject({ controlState: F, effectiveConsumptionLimit: 4_200_000 });
    await home.connect();
    expect(state()).toBe(C);
    expect((await home.ask(INVOKE, command(16, { zoneId: home.zoneId }))).status).toBe(0);
    expect(world.device.status.energy[0]).toMatchObject({ controlState: A, effectiveConsumptionLimit: null });
  });

  it('§1, §4: FAILSAFE to its end, suspended limits, the return of one zone after the other', async () => {
    const { grid, home } = await start(profile);
    await invoke(grid, 1, { consumptionLimit: 5_000_000, cause: 1 });
    await invoke(home, 1, { consumptionLimit: 3_000_000, cause: 1 });
    await lose(world, grid, home);
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

  it('§1: `hold`: FAILSAFE has no end, over a power cycle either, and at the return every stored limit counts', async () => {
    const { grid, home } = await start(profile, simEvse, { 'failsafe.afterDuration': 'hold' });
    await invoke(grid, 1, { consumptionLimit: 5_000_000, cause: 1 });
    await invoke(home, 1, { consumptionLimit: 4_500_000, cause: 1 });
    await lose(world, grid, home);
    const held = { controlState: F, effectiveConsumptionLimit: 4_200_000, failsafeUntil: undefined };
    await world.clock.advance(15_000_000);
    expect(world.device.status.energy[0]).toMatchObject(held);
    await world.close();
    world.flash.powerUp();
    await world.boot();
    await world.clock.advance(15_000_000);
    expect(world.device.status.energy[0]).toMatchObject(held);
    await grid.connect();
    expect(await read(grid, 2, 20)).toEqual([draft ? L : C, 4_500_000]);
  });

  it("§1: the user's override: Clear is allowed, SetLimit of cause 0 acts, 75 and 76 are null, and a loss ends it", async () => {
    const { grid, home } = await start(profile);
    await lose(world, home);
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
    await lose(world, grid);
    expect(state()).toBe(F);
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
    await lose(world, zones[0] as ZonePeer);
    expect(await read(test, 2, 20)).toEqual([L, 5_000_000]);
    await lose(world, ...zones.slice(1));
    expect(await read(test, 2, 20)).toEqual([F, 4_200_000]);
    await world.clock.advance(14_400_000);
    expect(await read(test, 2, 20, 21)).toEqual([A, null, 1_000_000]);
    await (zones[3] as ZonePeer).connect();
    expect(await read(test, 2, 20)).toEqual([L, 8_000_000]);
  });
});
