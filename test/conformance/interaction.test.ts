import { afterEach, describe, expect, it } from 'vitest';
import type { CborKey, CborValue } from '../../src/codec/cbor.js';
import { decodeMessage } from '../../src/discovery/message.js';
import { nameText } from '../../src/discovery/name.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld, type WorldOptions } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const READ = 1;
const WRITE = 2;
const SUBSCRIBE = 3;
const INVOKE = 4;
const LOCATION = 30;
const LABEL = 31;

let world: DeviceWorld;
afterEach(() => world.close());

function map(...entries: readonly (readonly [CborKey, CborValue])[]): ReadonlyMap<CborKey, CborValue> {
  return new Map(entries);
}
const removeZone = (zoneId: CborValue) => map([1, 16], [2, map(['zoneId', zoneId])]);
const LIST = map([1, 17]);

async function home(options: WorldOptions = {}): Promise<ZonePeer> {
  // Nobody here answers pings.
  world = await DeviceWorld.start({ ...options, set: { 'session.liveness': 'tcp', ...options.set } });
  return ZonePeer.commission(world, 'draft', makeZone('Home', 3));
}

/** A zone of a higher rank beside the first. */
async function grid(first: ZonePeer): Promise<ZonePeer> {
  await first.world.clock.advance(20_000);
  await first.world.press();
  return ZonePeer.commission(first.world, 'draft', makeZone('Grid', 1));
}

describe('statuses over TLS', () => {
  it('write: what the table says, all or nothing, and kept over a restart', async () => {
    const zone = await home();
    const status = async (payload: CborValue) => (await zone.ask(WRITE, payload)).status;
    expect(await zone.ask(WRITE, map([LOCATION, 'garage'], [LABEL, 'ä'.repeat(32)]))).toEqual({
      status: 0,
      payload: map([LOCATION, 'garage'], [LABEL, 'ä'.repeat(32)]),
    });
    expect(await status(map([LOCATION, 'cellar'], [LABEL, 'x'.repeat(65)]))).toBe(11);
    expect(await status(map([LOCATION, 'cellar'], [4, 'S2']))).toBe(6);
    expect(await status(map([LOCATION, 'cellar'], [99, 1]))).toBe(3);
    expect(await status(map([LOCATION, 5]))).toBe(5);
    expect(await status('text')).toBe(5);
    await world.close();
    world.flash.powerUp();
    await world.boot();
    await zone.connect();
    expect((await zone.ask(READ, [LOCATION, LABEL])).payload).toEqual(map([LOCATION, 'garage'], [LABEL, 'ä'.repeat(32)]));
    expect(await status(map([LABEL, null]))).toBe(0);
    expect((await zone.ask(READ, [LOCATION, LABEL])).payload).toEqual(map([LOCATION, 'garage'], [LABEL, null]));
  });

  it('invoke: 1, 2, 4, 5; text keys and positions', async () => {
    const zone = await home();
    const status = async (payload: CborValue | undefined, feature = 1, endpoint = 0) =>
      (await zone.ask(INVOKE, payload, feature, endpoint)).status;
    expect(await status(LIST, 1, 9)).toBe(1);
    expect(await status(LIST, 9)).toBe(2);
    expect(await status(map([1, 99]))).toBe(4);
    expect(await status(LIST, 4, 1)).toBe(4);
    expect(await status(undefined)).toBe(5);
    expect(await status(map([1, 16]))).toBe(5);
    expect(await status(removeZone(5))).toBe(5);
    expect(await status(map([1, 16], [2, map([1, 'no such zone'])]))).toBe(4);
    expect(await status(LIST)).toBe(0);
  });

  it('the charger measures: no load, 230 V, 50 Hz, and lists what the specification says of it', async () => {
    const zone = await home();
    const measured = await zone.ask(READ, undefined, 4, 1);
    expect(measured.payload.get(0xfffb)).toEqual([1, 2, 3, 10, 20, 21, 23, 24, 30, 0xfffa, 0xfffb, 0xfffc]);
    expect([1, 23, 24, 30].map((id) => measured.payload.get(id))).toEqual([0, 50_000, 1000, 0]);
    const electrical = await zone.ask(READ, [0xfffb, 10], 3, 1);
    expect(electrical.payload.get(0xfffb)).toEqual([1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 20, 0xfffa, 0xfffb, 0xfffc]);
    expect((await zone.ask(READ, [1], 2, 1)).payload).toEqual(map([1, 2]));
    expect((await zone.ask(READ, [0xfffa])).payload).toEqual(map([0xfffa, [16, 17]]));
  });
});

describe('subscriptions over TLS', () => {
  it('TC-SUB-1, TC-SUB-2, TC-SUB-6, TC-SUB-8: priming in the response, changes, the end with the connection', async () => {
    const zone = await home();
    const subscribed = await zone.ask(SUBSCRIBE, map([1, [LABEL, 32]]));
    expect(subscribed.payload).toEqual(map([1, 1], [2, map([LABEL, null], [32, 1])]));
    await world.clock.advance(1000);
    await zone.ask(WRITE, map([LABEL, 'car']));
    expect(await zone.notification()).toEqual([1, { [LABEL]: 'car' }]);
    await zone.connect();
    await world.clock.advance(120_000);
    await zone.ask(WRITE, map([LABEL, 'bike']));
    expect((await zone.ask(SUBSCRIBE, map([1, [LABEL]]))).payload.get(1)).toBe(1);
    expect((await zone.ask(SUBSCRIBE, map([1, 1]), 0)).status).toBe(0);
    expect((await zone.ask(SUBSCRIBE, map([1, 1]), 0)).status).toBe(5);
    await world.clock.advance(120_000);
    await zone.ask(WRITE, map([LABEL, 'boat']));
    await zone.ask(READ);
    expect(zone.notified).toHaveLength(1);
  });

  it('the other zone is told before the writer is answered; on the writer’s connection the response comes first', async () => {
    const first = await home();
    const second = await grid(first);
    for (const zone of [first, second]) await zone.ask(SUBSCRIBE, map([1, [LABEL]]));
    await world.clock.advance(1000);
    const order: string[] = [];
    first.peer.socket.prependListener('data', () => order.push('told'));
    second.peer.socket.prependListener('data', () => order.push('answered'));
    // One turn of the device for both frames; the answer is the first of the writer's own two.
    expect((await second.ask(WRITE, map([LABEL, 'new']))).status).toBe(0);
    expect(second.notified).toEqual([]);
    expect(await first.notification()).toEqual([1, { [LABEL]: 'new' }]);
    expect(await second.notification()).toEqual([1, { [LABEL]: 'new' }]);
    expect(order[0]).toBe('told');
  });

  it('TC-SUB-4, TC-SUB-5: minInterval and maxInterval to the millisecond, bounce-back untold', async () => {
    const first = await home();
    const second = await grid(first);
    await first.ask(SUBSCRIBE, map([1, [LABEL]], [2, 2000], [3, 5000]));
    for (const label of ['a', 'b', 'c']) {
      await world.clock.advance(200);
      await second.ask(WRITE, map([LABEL, label]));
    }
    await world.clock.advance(1399);
    await first.ask(READ);
    expect(first.notified).toEqual([]);
    await world.clock.advance(1);
    expect(await first.notification()).toEqual([1, { [LABEL]: 'c' }]);
    await second.ask(WRITE, map([LABEL, 'd']));
    await second.ask(WRITE, map([LABEL, 'c']));
    await world.clock.advance(4999);
    await first.ask(READ);
    expect(first.notified).toHaveLength(1);
    await world.clock.advance(1);
    expect(await first.notification()).toEqual([1, { [LABEL]: 'c' }]);
  });

  it('TC-SUB-9, TC-SUB-10: refusals, and fifty of them', async () => {
    const zone = await home();
    expect((await zone.ask(SUBSCRIBE, map([2, 60_000], [3, 1000]))).status).toBe(11);
    expect((await zone.ask(SUBSCRIBE, map([1, [99]]))).status).toBe(3);
    expect((await zone.ask(SUBSCRIBE, map([1, [1]]), 9)).status).toBe(2);
    for (let i = 1; i <= 50; i++) expect((await zone.ask(SUBSCRIBE, map([1, [LABEL]]))).payload.get(1)).toBe(i);
    expect((await zone.ask(SUBSCRIBE, map([1, [LABEL]]))).status).toBe(13);
    await world.clock.advance(1000);
    await zone.ask(WRITE, map([LABEL, 'x']));
    for (let i = 1; i <= 50; i++) expect(await zone.notification()).toEqual([i, { [LABEL]: 'x' }]);
  });

  it('a slow reader is closed at the send deadline; what waits for it does not grow', async () => {
    const first = await home({ set: { 'session.sendDeadline': '10000' } });
    const second = await grid(first);
    for (let i = 0; i < 50; i++) await first.ask(SUBSCRIBE, map([1, [LOCATION, LABEL]], [2, 1]));
    first.peer.socket.pause();
    const pending = () => world.clock.pending().filter(({ name }) => name === 'send').length;
    let writes = 0;
    for (; pending() === 0 && writes < 5000; writes++) {
      await world.clock.advance(1);
      await second.ask(WRITE, map([LABEL, `${writes}`.padStart(64, '.')]));
    }
    expect(pending()).toBe(1);
    const before = process.memoryUsage();
    for (let i = 0; i < 500; i++) await second.ask(WRITE, map([LABEL, `${i}`.padStart(64, '-')]));
    const after = process.memoryUsage();
    expect(after.external + after.arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(4 << 20);
    expect(world.device.status.zones.map(({ connected }) => connected)).toEqual([true, true]);
    await world.clock.advance(10_000);
    expect(world.device.status.zones.map(({ connected }) => connected)).toEqual([false, true]);
    expect(world.log.lines.some(({ fields }) => fields.reason === 'the peer does not read')).toBe(true);
    expect((await second.ask(READ)).status).toBe(0);
  });

  it('nothing of DeviceInfo notifies in profile reference', async () => {
    world = await DeviceWorld.start({ profile: 'reference' });
    const zone = await ZonePeer.commission(world, 'reference', makeZone('Home', 3, 3, 'LOCAL'));
    expect((await zone.ask(SUBSCRIBE)).status).toBe(0);
    await zone.ask(WRITE, map([LABEL, 'car']));
    await world.clock.advance(300_000);
    await zone.ask(READ);
    expect(zone.notified).toEqual([]);
  });
});

describe('zones by command', () => {
  const entry = (zone: ZonePeer, type: number, connected: boolean) =>
    map(['zoneId', zone.zoneId], ['zoneType', type], ['priority', type], ['connected', connected]);

  it('ListZones: by both zones, connected or not, also after a restart', async () => {
    const first = await home();
    const second = await grid(first);
    const both = [entry(first, 3, true), entry(second, 1, true)];
    for (const zone of [first, second]) expect((await zone.ask(INVOKE, LIST)).payload.get('zones')).toEqual(both);
    await world.close();
    world.flash.powerUp();
    await world.boot();
    await second.connect();
    expect((await second.ask(INVOKE, LIST)).payload.get('zones')).toEqual([entry(first, 3, false), entry(second, 1, true)]);
  });

  it('RemoveZone by the zone itself: the response, then the close; the other stays; gone after a restart', async () => {
    const first = await home();
    const second = await grid(first);
    expect((await first.ask(INVOKE, removeZone(second.zoneId))).status).toBe(11);
    expect(await first.ask(INVOKE, removeZone(first.zoneId.toLowerCase()))).toEqual({ status: 0, payload: map(['removed', true]) });
    expect(await first.peer.receive()).toEqual(map(['type', 'close'], ['reason', 'the zone was removed']));
    first.peer.send(map(['type', 'close_ack']));
    await first.peer.end();
    const since = world.clock.now();
    await world.clock.advance(1500);
    const goodbyes = world.link.packets
      .filter(({ at }) => at >= since)
      .flatMap(({ packet }) => decodeMessage(packet).answers)
      .filter(({ type, ttl, name }) => type === 'SRV' && ttl === 0 && nameText(name).includes('._mash._tcp'));
    const instance = `${first.zoneId}-${first.deviceId}._mash._tcp.local`;
    expect(new Set(goodbyes.map(({ name }) => nameText(name).toLowerCase()))).toEqual(new Set([instance.toLowerCase()]));
    expect((await second.ask(READ, [32])).payload).toEqual(map([32, 1]));
    await world.close();
    world.flash.powerUp();
    await world.boot();
    await second.connect();
    expect((await second.ask(INVOKE, LIST)).payload.get('zones')).toEqual([entry(second, 1, true)]);
    await first.connect().then(
      () => first.peer.end(),
      () => undefined,
    );
    expect(world.device.status.zones.map(({ connected }) => connected)).toEqual([true]);
  });

  it('forced removal: a higher zone removes a lower one, and not the other way', async () => {
    const first = await home();
    const second = await grid(first);
    await first.ask(SUBSCRIBE);
    const label = second.send(WRITE, map([LABEL, 'x']));
    expect(label).toBeGreaterThan(0);
    await second.peer.receive();
    expect(await second.ask(INVOKE, removeZone(first.zoneId))).toEqual({ status: 0, payload: map(['removed', true]) });
    await world.clock.advance(5000);
    await first.peer.end();
    expect((await second.ask(INVOKE, removeZone(first.zoneId))).status).toBe(4);
    expect(world.log.lines.filter(({ message }) => message === 'zone removed')).toHaveLength(1);
  });

  it('what was sent behind the removal of its own zone is not carried out', async () => {
    const first = await home();
    const second = await grid(first);
    first.send(INVOKE, removeZone(first.zoneId));
    first.send(WRITE, map([LABEL, 'too late']));
    expect(await first.peer.receive()).toEqual(map([1, 2], [2, 0], [3, map(['removed', true])]));
    expect(await first.peer.receive()).toEqual(map(['type', 'close'], ['reason', 'the zone was removed']));
    expect((await second.ask(READ, [LABEL])).payload).toEqual(map([LABEL, null]));
  });

  it('profile reference: no forced removal, and the window opens again after a removal', async () => {
    world = await DeviceWorld.start({ profile: 'reference' });
    const local = await ZonePeer.commission(world, 'reference', makeZone('Home', 3, 3, 'LOCAL'));
    await world.clock.advance(1000);
    await world.press();
    const operator = await ZonePeer.commission(world, 'reference', makeZone('Grid', 1, 1, 'GRID'));
    expect((await operator.ask(INVOKE, removeZone(local.zoneId))).status).toBe(11);
    expect(world.device.status.qr).toBeUndefined();
    expect((await local.ask(INVOKE, removeZone(local.zoneId))).status).toBe(0);
    await world.until(() => world.device.status.qr !== undefined, 'the window');
    expect((await operator.ask(INVOKE, removeZone(operator.zoneId))).status).toBe(0);
    await world.until(() => world.device.status.zones.length === 0, 'no zone');
  });

  it('profile draft: after the last removal the device waits for its button', async () => {
    const zone = await home();
    expect((await zone.ask(INVOKE, removeZone(zone.zoneId))).status).toBe(0);
    await world.until(() => world.device.status.zones.length === 0, 'no zone');
    expect(world.device.status.qr).toBeUndefined();
    await world.clock.advance(20_000);
    await world.press();
    expect(world.device.status.qr).toBeDefined();
  });
});
