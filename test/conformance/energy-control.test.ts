import { afterEach, describe, expect, it } from 'vitest';
import type { CborKey, CborValue } from '../../src/codec/cbor.js';
import { Journal } from '../../src/store/journal.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const READ = 1;
const WRITE = 2;
const SUBSCRIBE = 3;
const INVOKE = 4;
const ENERGY = 5;
const HOUR = 3_600_000;

let world: DeviceWorld;
afterEach(() => world.close());

function map(...entries: readonly (readonly [CborKey, CborValue])[]): ReadonlyMap<CborKey, CborValue> {
  return new Map(entries);
}
const setLimit = (...parameters: readonly (readonly [string, CborValue])[]) => map([1, 1], [2, map(...parameters)]);
const ask = (zone: ZonePeer, operation: number, payload: CborValue) => zone.ask(operation, payload, ENERGY, 1);
const read = async (zone: ZonePeer, id: number) => (await ask(zone, READ, [id])).payload.get(id);
const state = () => world.device.status.energy[0];

async function home(): Promise<ZonePeer> {
  // Nobody here answers pings.
  world = await DeviceWorld.start({ set: { 'session.liveness': 'tcp' } });
  return ZonePeer.commission(world, 'draft', makeZone('Home', 3));
}

async function lose(zone: ZonePeer): Promise<void> {
  zone.peer.destroy();
  await world.until(() => world.device.status.zones.every(({ connected }) => !connected), 'the loss');
}

describe('EnergyControl over TLS', () => {
  it('lists what the board accepts', async () => {
    const zone = await home();
    expect(await read(zone, 0xfffa)).toEqual([1, 2, 3, 4, 5, 6, 9, 10, 11]);
    expect(await read(zone, 0xfffb)).toEqual([
      ...[
        1, 2, 3, 10, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 30, 31, 32, 33, 40, 41, 42, 43, 70, 71, 72, 73, 75, 76, 80, 81, 82, 83, 84, 85,
        86,
      ],
      ...[0xfffa, 0xfffb, 0xfffc],
    ]);
    expect((await ask(zone, INVOKE, map([1, 12], [2, map()]))).status).toBe(10);
    expect(await read(zone, 73)).toBeNull();
    expect(await read(zone, 72)).toBe(14_400);
  });

  it('TC-ZONE-LIMIT-1, -2 with two zones: results, my*, and a notification to the other', async () => {
    const zone = await home();
    await world.clock.advance(20_000);
    await world.press();
    const grid = await ZonePeer.commission(world, 'draft', makeZone('Grid', 1));
    await ask(grid, SUBSCRIBE, map([1, [2, 20, 21]]));
    await world.clock.advance(2000);
    expect(await ask(zone, INVOKE, setLimit(['consumptionLimit', 6_000_000], ['cause', 3]))).toEqual({
      status: 0,
      payload: map(['applied', true], ['controlState', 2], ['effectiveConsumptionLimit', 6_000_000]),
    });
    expect((await grid.notification())[1]).toEqual({ 2: 2, 20: 6_000_000 });
    expect(await read(zone, 21)).toBe(6_000_000);
    expect(await read(grid, 21)).toBeNull();
    expect((await ask(zone, INVOKE, setLimit(['consumptionLimit', -1], ['cause', 3]))).payload.get('rejectReason')).toBe(2);
    expect((await ask(zone, INVOKE, setLimit(['consumptionLimit', 11_040_001], ['cause', 3]))).status).toBe(11);
    expect((await ask(zone, INVOKE, setLimit(['consumptionLimit', 1]))).status).toBe(5);
    expect((await ask(zone, WRITE, map([21, 5_000_000], [72, 7200]))).status).toBe(8);
    expect(await read(zone, 21)).toBe(6_000_000);
    expect((await ask(zone, WRITE, map([21, null]))).status).toBe(0);
    expect(state()).toMatchObject({ endpoint: 1, controlState: 1, effectiveConsumptionLimit: null });
  });

  it('a limit, the loss, a power cycle, the rest of the failsafe, and the return', async () => {
    const zone = await home();
    await ask(zone, INVOKE, setLimit(['consumptionLimit', 6_000_000], ['cause', 1]));
    await lose(zone);
    expect(state()).toMatchObject({ endpoint: 1, controlState: 3, effectiveConsumptionLimit: 4_200_000 });
    await world.clock.advance(HOUR);
    await world.close();
    world.flash.powerUp();
    await world.boot();
    expect(state()).toMatchObject({ endpoint: 1, controlState: 3, effectiveConsumptionLimit: 4_200_000 });
    await zone.connect();
    expect(state()).toMatchObject({ endpoint: 1, controlState: 2, effectiveConsumptionLimit: 6_000_000 });
    expect(await read(zone, 21)).toBe(6_000_000);
    expect(world.device.status.relayClosed).toBe(false);
  });

  it('after a power cycle the failsafe lasts its remainder', async () => {
    const zone = await home();
    await lose(zone);
    await world.clock.advance(HOUR);
    await world.close();
    const from = world.clock.now();
    world.flash.powerUp();
    await world.boot();
    while (state()?.controlState === 3) await world.clock.advance(60_000);
    const lasted = world.clock.now() - from;
    // Up to one step of 72 s was not journalled.
    expect(lasted).toBeGreaterThanOrEqual(3 * HOUR);
    expect(lasted).toBeLessThanOrEqual(3 * HOUR + 132_000);
  });

  it('a zone slot that cannot be read is a zone that cannot return: FAILSAFE at boot, AUTONOMOUS after it', async () => {
    const zone = await home();
    await ask(zone, INVOKE, setLimit(['consumptionLimit', 6_000_000], ['cause', 1]));
    await world.close();
    world.flash.powerUp();
    const journal = await Journal.open(world.flash, world.log);
    await journal.commit([{ key: 'zone/0', value: new Uint8Array([0xff]) }]);
    await journal.close();
    world.flash.powerUp();
    await world.boot();
    expect(world.device.status.zones).toEqual([]);
    expect(state()).toMatchObject({ endpoint: 1, controlState: 3, effectiveConsumptionLimit: 4_200_000 });
    await world.clock.advance(4 * HOUR);
    expect(state()).toMatchObject({ endpoint: 1, controlState: 0, effectiveConsumptionLimit: null });
  });

  it("the user's long press overrides, and the second gives it back", async () => {
    const zone = await home();
    await ask(zone, INVOKE, setLimit(['consumptionLimit', 6_000_000], ['cause', 1]));
    const press = async () => {
      world.button.press();
      await world.clock.advance(3100);
      world.button.release();
      await world.clock.advance(0);
    };
    await press();
    expect(await read(zone, 2)).toBe(4);
    expect((await ask(zone, INVOKE, setLimit(['consumptionLimit', 1], ['cause', 1]))).payload.get('rejectReason')).toBe(3);
    await press();
    expect(await read(zone, 2)).toBe(2);
  });

  it('removing the last zone gives AUTONOMOUS', async () => {
    const zone = await home();
    expect((await zone.ask(INVOKE, map([1, 16], [2, map(['zoneId', zone.zoneId])]))).status).toBe(0);
    expect(state()).toMatchObject({ endpoint: 1, controlState: 0, effectiveConsumptionLimit: null });
  });
});
