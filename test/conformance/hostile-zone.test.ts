import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CborKey, type CborValue, encodeCbor, WideInteger } from '../../src/codec/cbor.js';
import { makeZone, mapOf } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { collectGarbage } from '../world/memory.js';
import { ZonePeer } from '../world/zone-peer.js';

const READ = 1;
const WRITE = 2;
const SUBSCRIBE = 3;
const INVOKE = 4;
const DEVICE_INFO = 1;
const ENERGY_CONTROL = 5;
const CHARGING_SESSION = 6;
const SET_LIMIT = 1;
/** What a connection may leave unread, and some room for the heap of the test itself. */
const BOUND = 6 * 1024 * 1024;

function map(...entries: readonly (readonly [CborKey, CborValue])[]): ReadonlyMap<CborKey, CborValue> {
  return new Map(entries);
}
const command = (id: number, ...parameters: readonly (readonly [string, CborValue])[]): CborValue => map([1, id], [2, map(...parameters)]);

/** Bytes in use once the garbage is gone: a queue that grows is in them. */
function inUse(): number {
  collectGarbage();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

let world: DeviceWorld;
let hostile: ZonePeer;
let good: ZonePeer;
beforeEach(async () => {
  world = await DeviceWorld.start({ powerStage: true, set: { 'session.liveness': 'tcp' } });
  hostile = await ZonePeer.commission(world, 'draft', makeZone('App', 4));
  await world.clock.advance(20_000);
  await world.press();
  good = await ZonePeer.commission(world, 'draft', makeZone('Grid', 1));
  expect((await good.ask(INVOKE, command(SET_LIMIT, ['consumptionLimit', 6_000_000], ['cause', 0]), ENERGY_CONTROL, 1)).status).toBe(0);
});
afterEach(() => world.close());

/** What the good zone sees and may do, whatever the other has done. */
async function undisturbed(): Promise<void> {
  const values = (await good.ask(READ, [2, 20, 21], ENERGY_CONTROL, 1)).payload;
  expect(Object.fromEntries(values as ReadonlyMap<number, CborValue>)).toEqual({ 2: 2, 20: 6_000_000, 21: 6_000_000 });
  const again = await good.ask(INVOKE, command(SET_LIMIT, ['consumptionLimit', 6_000_000], ['cause', 0]), ENERGY_CONTROL, 1);
  expect(again.payload.get('applied')).toBe(true);
}

describe('protocol.md §2, each wrong request its own status, and nothing changes', () => {
  const HUGE = new WideInteger(false, 0xffff_ffff, 0xffff_ffff);
  const rows: readonly (readonly [string, number, number, number, CborValue | undefined, number])[] = [
    ['an endpoint that is not there', READ, 9, DEVICE_INFO, undefined, 1],
    ['a feature that is not there', READ, 1, 99, undefined, 2],
    ['an attribute that is not there', READ, 1, ENERGY_CONTROL, [999], 3],
    ['an unknown command', INVOKE, 1, ENERGY_CONTROL, command(99), 4],
    ['a command id of 64 bits', INVOKE, 1, ENERGY_CONTROL, map([1, HUGE]), 5],
    ['a command id that is text', INVOKE, 1, ENERGY_CONTROL, map([1, 'setLimit']), 5],
    ['no command', INVOKE, 1, ENERGY_CONTROL, undefined, 5],
    ['parameters that are a number', INVOKE, 1, ENERGY_CONTROL, map([1, SET_LIMIT], [2, 7]), 5],
    ['a limit that is text', INVOKE, 1, ENERGY_CONTROL, command(SET_LIMIT, ['consumptionLimit', '1'], ['cause', 0]), 5],
    ['a limit of 64 bits', INVOKE, 1, ENERGY_CONTROL, command(SET_LIMIT, ['consumptionLimit', HUGE], ['cause', 0]), 5],
    ['a limit without its cause', INVOKE, 1, ENERGY_CONTROL, command(SET_LIMIT, ['consumptionLimit', 1]), 5],
    ['no such cause', INVOKE, 1, ENERGY_CONTROL, command(SET_LIMIT, ['consumptionLimit', 1], ['cause', 250]), 5],
    ['a limit above the rating', INVOKE, 1, ENERGY_CONTROL, command(SET_LIMIT, ['consumptionLimit', 11_040_001], ['cause', 0]), 11],
    [
      'a duration of a day and a second',
      INVOKE,
      1,
      ENERGY_CONTROL,
      command(SET_LIMIT, ['consumptionLimit', 1], ['cause', 0], ['duration', 86_401]),
      11,
    ],
    ['a delay of an hour and a second', INVOKE, 1, CHARGING_SESSION, command(1, ['mode', 0], ['startDelay', 3601]), 11],
    ['a write of what is read-only', WRITE, 1, ENERGY_CONTROL, map([20, 1]), 6],
    ['a write of the wrong type', WRITE, 1, ENERGY_CONTROL, map([21, 'x']), 5],
    ['a write above the rating', WRITE, 1, ENERGY_CONTROL, map([21, 11_040_001]), 11],
    ['a write that only the highest priority may', WRITE, 1, ENERGY_CONTROL, map([70, 1_000_000]), 8],
    ['a write of which one of two is wrong', WRITE, 1, ENERGY_CONTROL, map([21, 1], [20, 1]), 6],
    ['a write of nothing', WRITE, 1, ENERGY_CONTROL, undefined, 5],
    ['a subscription to what is not there', SUBSCRIBE, 1, ENERGY_CONTROL, map([1, [999]]), 3],
    ['a minInterval above an hour', SUBSCRIBE, 1, ENERGY_CONTROL, map([1, [20]], [2, 3_600_001]), 11],
    ['101 attributes', SUBSCRIBE, 1, ENERGY_CONTROL, map([1, Array.from({ length: 101 }, () => 20)]), 13],
    ['an unsubscription from nothing', SUBSCRIBE, 0, 0, map([1, 77]), 5],
    ['an operation that is not there', 6, 1, ENERGY_CONTROL, undefined, 10],
  ];

  it('all of them, one after the other on one connection', async () => {
    const said: (readonly [string, CborValue])[] = [];
    for (const [what, operation, endpoint, feature, payload] of rows)
      said.push([what, (await hostile.ask(operation, payload, feature, endpoint)).status]);
    expect(said).toEqual(rows.map(([what, , , , , status]) => [what, status]));
    expect((await hostile.ask(READ, [21, 23], ENERGY_CONTROL, 1)).payload).toEqual(map([21, null], [23, null]));
    await undisturbed();
  });
});

describe('floods of one zone', () => {
  it('10,000 requests without reading an answer: bounded, then closed; the other zone is answered all the while', async () => {
    const before = inUse();
    hostile.peer.socket.pause();
    const connected = (): boolean => world.device.status.zones.every((zone) => zone.connected);
    let most = 0;
    // Some megabytes of answers fit into the sockets' own buffers: it goes on until the device has had enough.
    for (let sent = 0; sent < 10_000 || (connected() && sent < 200_000); sent++) {
      hostile.send(READ, undefined, ENERGY_CONTROL, 1);
      if (sent % 1000 !== 999) continue;
      await undisturbed();
      most = Math.max(most, inUse() - before);
    }
    expect(connected()).toBe(false);
    expect(most).toBeLessThan(BOUND);
    expect(world.log.lines.some(({ fields }) => fields.reason === 'the peer does not read')).toBe(true);
    await undisturbed();
  });

  it('10,000 pings without reading a pong: the same', async () => {
    const before = inUse();
    hostile.peer.socket.pause();
    // A ping fits into 13 bytes: so many that their pongs are above what may stay unread.
    const ping = encodeCbor(map(['type', 'ping'], ['seq', 1]));
    const frame = Uint8Array.of(0, 0, 0, ping.length, ...ping);
    const many = new Uint8Array(frame.length * 10_000);
    for (let i = 0; i < 10_000; i++) many.set(frame, i * frame.length);
    let most = 0;
    for (let i = 0; i < 40 && world.device.status.zones.every(({ connected }) => connected); i++) {
      hostile.peer.sendRaw(many);
      await undisturbed();
      most = Math.max(most, inUse() - before);
    }
    expect(most).toBeLessThan(BOUND + 40 * many.length);
    await undisturbed();
  });

  it('10,000 commands at once: 32 wait, the others are busy (9), all are answered', async () => {
    const statuses = new Map<CborValue, number>();
    for (let i = 0; i < 10_000; i++)
      hostile.send(INVOKE, command(SET_LIMIT, ['consumptionLimit', 6_000_000 + i], ['cause', 0]), ENERGY_CONTROL, 1);
    for (let i = 0; i < 10_000; i++) {
      const status = mapOf(await hostile.peer.receive()).get(2) ?? null;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect([...statuses.keys()].filter((status) => status !== 0 && status !== 9)).toEqual([]);
    expect(statuses.get(0)).toBeGreaterThan(32);
    await undisturbed();
  });

  it('10,000 subscriptions: fifty, then 13 to each; the other zone still makes its own', async () => {
    const all = Array.from({ length: 20 }, () => map([1, [2, 20, 22, 70, 71, 72]], [2, 1000]));
    const before = inUse();
    const statuses: CborValue[] = [];
    for (let round = 0; round < 500; round++) {
      for (const payload of all) hostile.send(SUBSCRIBE, payload, ENERGY_CONTROL, 1);
      for (const _ of all) statuses.push(mapOf(await hostile.peer.receive()).get(2) ?? null);
    }
    expect(statuses.slice(0, 50).every((status) => status === 0)).toBe(true);
    expect(new Set(statuses.slice(50))).toEqual(new Set([13]));
    expect(inUse() - before).toBeLessThan(BOUND);
    expect((await good.ask(SUBSCRIBE, map([1, [20]]), ENERGY_CONTROL, 1)).status).toBe(0);
    await undisturbed();
  });
});
