import { afterEach, describe, expect, it } from 'vitest';
import type { CborMap, CborValue } from '../../src/codec/cbor.js';
import { StepController } from '../world/controller.js';
import { handshakeError } from '../world/peer.js';
import { Feature, INVOKE, map, READ, ReferenceWorld, Trigger, zoneOf } from '../world/reference-world.js';
import type { ZonePeer } from '../world/zone-peer.js';

let world: ReferenceWorld;
afterEach(() => world.close());

const REMOVE_ZONE = 16;
const ZONE_COUNT = 32;

const remove = (by: ZonePeer, zoneId: CborValue) => world.invoke(by, REMOVE_ZONE, { zoneId }, Feature.DEVICE_INFO, 0);
const text = (answer: { payload: CborMap }): string => String(answer.payload.get(1));
const connected = (): readonly boolean[] => world.device.device.status.zones.map((zone) => zone.connected);

const windowLeft = (): number => (world.device.device.status.windowUntil ?? 0) - world.device.clock.now();

/** Breaks the connection; resolves when the device has seen it. */
async function leave(peer: ZonePeer): Promise<void> {
  const before = connected().filter(Boolean).length;
  peer.peer.destroy();
  await world.device.until(() => connected().filter(Boolean).length < before, 'the end of the connection');
}

/** Messages 1 and 30 of a zone of this type; what the device answers. */
async function attempt(type: 'GRID' | 'LOCAL' | 'TEST', name: string) {
  await world.cool();
  if (!world.windowOpen) await world.device.press();
  return world.pumped(new StepController(await world.device.connect(), 'reference', zoneOf(type, name)).run());
}

describe('§4.6 RemoveZone', () => {
  it('TC-ZONE-REMOVE-001: the response first, then the close of the removed zone alone; the window opens', async () => {
    world = await ReferenceWorld.plain();
    const grid = await world.join('GRID');
    const local = await world.join('LOCAL');
    expect(world.windowOpen).toBe(false);
    expect(await remove(local, local.zoneId)).toEqual({ status: 0, payload: new Map([['removed', true]]) });
    // protocol.md §3: its control message 3, then the end.
    expect(await local.peer.receive()).toEqual(map([1, 3]));
    local.peer.send(map([1, 3]));
    await local.peer.end();
    expect(world.windowOpen).toBe(true);
    expect(await world.read(grid, Feature.DEVICE_INFO, ZONE_COUNT, 0)).toBe(1);
  });

  it('another zone 11, an unknown one 4 "device not found", a missing or mistyped id 5', async () => {
    world = await ReferenceWorld.plain();
    const grid = await world.join('GRID');
    const local = await world.join('LOCAL');
    expect((await remove(local, grid.zoneId)).status).toBe(11);
    const unknown = await remove(local, '0123456789abcdef');
    expect([unknown.status, text(unknown)]).toEqual([4, expect.stringContaining('device not found')]);
    expect((await remove(local, 7)).status).toBe(5);
    expect((await local.ask(INVOKE, map([1, REMOVE_ZONE]))).status).toBe(5);
    expect(connected()).toEqual([true, true]);
  });

  it('TC-ZONE-REMOVE-003: a TEST zone removes any; limits and records of the zone end with it', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    const grid = await world.join('GRID');
    const limit = await world.invoke(grid, 1, { consumptionLimit: 3_000_000, cause: 3 }, Feature.ENERGY_CONTROL);
    expect(limit.payload.get('applied')).toBe(true);
    expect(await world.read(test, Feature.ENERGY_CONTROL, 20)).toBe(3_000_000);
    expect((await remove(test, grid.zoneId)).status).toBe(0);
    expect(await grid.peer.receive()).toEqual(map([1, 3]));
    expect(await world.read(test, Feature.ENERGY_CONTROL, 20)).toBeNull();
    expect(world.zoneIds).toEqual([test.zoneId]);
    const again = await world.device.connect({ alpn: ['mash/1'], serverName: grid.deviceId, certificate: grid.zone.controller });
    expect(await again.next()).toBeUndefined();
    expect(again.serverCertificate).not.toEqual(grid.peer.serverCertificate);
  });

  it('zoneCount counts every zone, TEST too, by a Read with a bare integer as well (verify_other_zone)', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    const local = await world.join('LOCAL');
    const all = await local.ask(READ, ZONE_COUNT);
    expect([all.status, all.payload.get(ZONE_COUNT), all.payload.size]).toEqual([0, 2, 17]);
    expect(await world.read(test, Feature.DEVICE_INFO, ZONE_COUNT, 0)).toBe(2);
  });
});

describe('§4.6 which zones fit', () => {
  it('TC-ZTYPE-004, TC-ZTYPE-005: GRID, LOCAL and TEST: closed and mash-comm/1 refused; open again when LOCAL has gone', async () => {
    world = await ReferenceWorld.start();
    await world.join('TEST');
    await world.join('GRID');
    const local = await world.join('LOCAL');
    expect(world.windowOpen).toBe(false);
    expect(await handshakeError({ port: world.device.port })).toBeDefined();
    await remove(local, local.zoneId);
    expect(world.windowOpen).toBe(true);
    const next = await attempt('LOCAL', 'Next');
    expect(next).toMatchObject({ type: 'certAck', status: 0 });
  });

  it('§3.5: with all three connected the fourth is turned away after message 1, whatever it would be', async () => {
    world = await ReferenceWorld.start();
    for (const type of ['TEST', 'GRID', 'LOCAL'] as const) await world.join(type);
    expect(await attempt('LOCAL', 'Fourth')).toEqual({ type: 'error', code: 5, text: 'zone slots full', retryAfter: 0 });
  });

  it('§3.5: a second TEST zone beside a connected one: code 10; one that is away is recycled', async () => {
    world = await ReferenceWorld.start();
    const first = await world.join('TEST');
    expect(await attempt('TEST', 'Second')).toMatchObject({ type: 'error', code: 10 });
    await leave(first);
    expect(await attempt('TEST', 'Third')).toMatchObject({ type: 'certAck', status: 0 });
    expect(world.device.device.status.zones).toHaveLength(1);
    expect(world.zoneIds).not.toContain(first.zoneId);
  });
});

describe('§3.5 test mode', () => {
  it('a first message evicts GRID and LOCAL that are away, before the device counts as full', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    const grid = await world.join('GRID');
    const local = await world.join('LOCAL');
    await leave(local);
    expect(world.zoneIds).toHaveLength(3);
    expect(await attempt('LOCAL', 'Next')).toMatchObject({ type: 'certAck', status: 0 });
    expect(world.zoneIds).toHaveLength(3);
    expect(world.zoneIds).toEqual(expect.arrayContaining([test.zoneId, grid.zoneId]));
    expect(world.zoneIds).not.toContain(local.zoneId);
  });

  it('without the key nobody is evicted: the type is taken', async () => {
    world = await ReferenceWorld.plain();
    const local = await world.join('LOCAL');
    await leave(local);
    expect(await attempt('LOCAL', 'Next')).toMatchObject({ type: 'error', code: 10 });
    expect(world.zoneIds).toEqual([local.zoneId]);
  });

  it('(a) the window opens when a new zone has come back, while GRID or LOCAL is free', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    expect(world.windowOpen).toBe(true);
    expect((await world.state(test))['auto_reentry']).toBe(true);
    await world.join('GRID');
    expect(world.windowOpen).toBe(true);
    await world.join('LOCAL');
    expect(world.windowOpen).toBe(false);
  });

  it('(b) and when all zones are away: at once, or 3 s after an explicit exit; Enter ends the wait', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    await world.device.clock.advance(901_000);
    expect(world.windowOpen).toBe(false);
    await leave(test);
    expect(world.windowOpen).toBe(true);
    await test.connect();
    await world.trigger(test, Trigger.EXIT);
    await leave(test);
    expect(world.windowOpen).toBe(false);
    await world.device.clock.advance(2900);
    expect(world.windowOpen).toBe(false);
    await world.device.clock.advance(200);
    expect(world.windowOpen).toBe(true);
  });

  it('reference-behaviour §3.5 (b): when GRID, LOCAL and TEST are all away, no slot free; one that is open begins anew', async () => {
    world = await ReferenceWorld.start();
    const zones = [await world.join('TEST'), await world.join('GRID'), await world.join('LOCAL')];
    await world.device.clock.advance(3100);
    for (const [i, zone] of zones.entries()) {
      expect([i, world.windowOpen]).toEqual([i, false]);
      await leave(zone);
    }
    expect(world.windowOpen).toBe(true);
    await world.device.clock.advance(600_000);
    await zones[0]?.connect();
    await leave(zones[0] as ZonePeer);
    expect(windowLeft()).toBe(900_000);
    expect(await attempt('LOCAL', 'Next')).toMatchObject({ type: 'certAck', status: 0 });
  });

  it('reference-behaviour §3.5 (a): a window that opens by itself ends the 3 s after an exit', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    await world.trigger(test, Trigger.EXIT);
    const grid = world.join('GRID');
    await world.pumped(grid);
    expect(world.windowOpen).toBe(true);
    await world.device.clock.advance(100);
    await leave(await grid);
    await leave(test);
    expect(windowLeft()).toBe(900_000);
  });

  it('reference-behaviour §4.6: a removal opens it while GRID or LOCAL is free, anew where it is open; that of TEST beside both does not', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    await world.join('GRID');
    const local = await world.join('LOCAL');
    await remove(test, test.zoneId);
    await world.device.until(() => world.zoneIds.length === 2, 'TEST is gone');
    expect(world.windowOpen).toBe(false);
    await remove(local, local.zoneId);
    expect(windowLeft()).toBe(900_000);
    const next = await world.join('LOCAL');
    await world.trigger(await world.join('TEST'), Trigger.ENTER);
    await world.device.clock.advance(600_000);
    await remove(next, next.zoneId);
    expect(windowLeft()).toBe(900_000);
  });

  it('(c) without a key, too, after every removal; after a commissioning only the button opens it', async () => {
    world = await ReferenceWorld.plain();
    const grid = await world.join('GRID');
    await world.device.clock.advance(10_000);
    expect(world.windowOpen).toBe(false);
    await remove(grid, grid.zoneId);
    expect(world.windowOpen).toBe(true);
  });

  it('Enter and Exit forget failed attempts; a commissioning that is under way goes on', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    await world.cool();
    const steps = new StepController(await world.device.connect(), 'reference', zoneOf('LOCAL'));
    steps.paseX();
    steps.take(await world.pumped(steps.receive()));
    await world.trigger(test, Trigger.EXIT);
    await world.trigger(test, Trigger.ENTER);
    const second = new StepController(await world.device.connect(), 'reference', zoneOf('LOCAL', 'Second'));
    second.paseX();
    expect(await world.pumped(second.receive())).toMatchObject({ code: 5, text: 'commissioning already in progress' });
    steps.paseVerify();
    expect(await world.pumped(steps.receive())).toMatchObject({ type: 'paseConfirm', status: 0 });
  });

  it('ResetTestState frees the lock: a handshake from before it cannot release a newer one', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    await world.cool();
    const stale = new StepController(await world.device.connect(), 'reference', zoneOf('LOCAL'));
    stale.paseX();
    stale.take(await world.pumped(stale.receive()));
    expect((await world.trigger(test, Trigger.RESET)).status).toBe(0);
    await stale.peer.end();
    const next = new StepController(await world.device.connect(), 'reference', zoneOf('LOCAL'));
    next.paseX();
    expect(await world.pumped(next.receive())).toMatchObject({ type: 'paseY' });
    const busy = new StepController(await world.device.connect(), 'reference', zoneOf('LOCAL', 'Busy'));
    busy.paseX();
    expect(await world.pumped(busy.receive())).toMatchObject({ code: 5, text: 'commissioning already in progress' });
  });

  it('ResetTestState answers within 5 s, with idle connections too, and the window has its full length again', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    await world.cool();
    await world.device.connect();
    const before = world.device.clock.now();
    expect((await world.trigger(test, Trigger.RESET)).status).toBe(0);
    expect(world.device.clock.now() - before).toBeLessThanOrEqual(500);
    expect(await world.state(test)).toMatchObject({ conn_tracker_count: 0, auto_reentry: false, commissioning_open: true });
    const left = (world.device.device.status.windowUntil ?? 0) - world.device.clock.now();
    expect(left).toBeGreaterThan(899_000);
  });

  it('the failsafe timers of getTestState: zone id → state, none for TEST; gone with its zone at a reset', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    const grid = await world.join('GRID');
    expect((await world.state(test))['failsafe_timers']).toEqual(new Map([[grid.zoneId, 'off']]));
    await leave(grid);
    expect((await world.state(test))['failsafe_timers']).toEqual(new Map([[grid.zoneId, 'running']]));
    await world.trigger(test, Trigger.RESET);
    expect((await world.state(test))['failsafe_timers']).toEqual(new Map());
    expect(world.zoneIds).toEqual([test.zoneId]);
  });
});
