import { beforeEach, describe, expect, it } from 'vitest';
import type { CborKey, CborValue } from '../../src/codec/cbor.js';
import { PROBE_DELAY, STALE } from '../../src/interaction/grid-meter.js';
import { GridMeters } from '../../src/interaction/grid-meters.js';
import type { Zone } from '../../src/zones/zone.js';
import { settle } from '../world/clock.js';
import { FramePeer, type StreamPair } from '../world/stream-pair.js';
import { DuplexWorld, zone } from './duplex-world.js';

let world: DuplexWorld;
let meters: GridMeters;
let changes: number;
beforeEach(() => {
  world = new DuplexWorld();
  changes = 0;
  meters = new GridMeters({
    clock: world.clock,
    log: world.log,
    onMeasured: () => {
      changes += 1;
    },
  });
});

function connect(of: Zone = zone()): StreamPair {
  const pair = world.pair();
  world.device(pair, (link) => meters.open(of, link));
  return pair;
}
const map = (...entries: [CborKey, CborValue][]): CborValue => new Map(entries);

/** A controller that the test speaks for. */
function scripted(of?: Zone): FramePeer {
  return new FramePeer(connect(of).peer);
}
const PROBE = map([1, 1000], [2, 1], [3, 0], [4, 1], [5, map([1, [20]])]);
const SUBSCRIBE = map([1, 1001], [2, 3], [3, 1], [4, 4], [5, map([1, [1]], [2, 1000], [3, 10_000])]);
const ENDPOINTS = map([20, [map([1, 1], [2, 1], [4, [4]])]]);
const report = (value: CborValue, subscription = 9): CborValue => map([1, 0], [2, subscription], [3, 1], [4, 4], [5, map([1, value])]);

async function followed(of?: Zone): Promise<FramePeer> {
  meters.want(true);
  const peer = scripted(of);
  await world.clock.advance(PROBE_DELAY);
  expect(peer.take()).toEqual([PROBE]);
  peer.send(map([1, 1000], [2, 0], [3, ENDPOINTS]));
  await settle();
  expect(peer.take()).toEqual([SUBSCRIBE]);
  peer.send(map([1, 1001], [2, 0], [3, map([1, 9], [2, map([1, -4_000_000])])]));
  await settle();
  return peer;
}

describe('both directions: the device reads a grid meter that its controller exposes', () => {
  it('protocol.md §3: over the same connection, while the controller reads the device; every change arrives', async () => {
    meters.want(true);
    const { session, meter } = world.controller(connect(), -3_500_000);
    await world.clock.advance(PROBE_DELAY);
    await world.clock.advance(0);
    expect(meters.power).toBe(-3_500_000);
    // Both number their requests from 1000: told apart by direction and by what is pending.
    expect((await session.read(0, 1)).get(4)).toBe('SIM-1');
    meter.power = 1_200_000;
    await world.clock.advance(1000);
    expect([meters.power, changes]).toEqual([1_200_000, 2]);
    meter.power = undefined;
    await world.clock.advance(1000);
    expect([meters.power, changes]).toEqual([null, 3]);
  });

  it('asks nobody until something wants a meter', async () => {
    const peer = scripted();
    await world.clock.advance(600_000);
    expect(peer.take()).toEqual([]);
    meters.want(true);
    await settle();
    expect(peer.take()).toEqual([PROBE]);
  });

  it('lets the first requests of a controller go before its own', async () => {
    meters.want(true);
    const peer = scripted();
    await world.clock.advance(PROBE_DELAY - 1);
    expect(peer.take()).toEqual([]);
    peer.send(map([1, 1], [2, 1], [3, 0], [4, 1]));
    await world.clock.advance(1);
    expect(peer.take().map((frame) => (frame as Map<CborKey, CborValue>).get(1))).toEqual([1, 1000]);
  });

  it('asks neither reference zones, whose controllers read one frame for an answer, nor TEST zones', async () => {
    meters.want(true);
    const peers = [scripted(zone({ dialect: 'reference' })), scripted(zone({ type: 0 }))];
    await world.clock.advance(600_000);
    for (const peer of peers) expect(peer.take()).toEqual([]);
  });

  it.each<[string, CborValue | undefined]>([
    ['refuses', map([1, 1000], [2, 10], [3, map([1, 'a controller has no attributes'])])],
    ['does not answer', undefined],
    ['answers without values', map([1, 1000], [2, 0])],
    ['answers another attribute', map([1, 1000], [2, 0], [3, map([4, 'x'])])],
    ['exposes no grid meter', map([1, 1000], [2, 0], [3, map([20, [map([1, 1], [2, 5], [4, [4]])]])])],
  ])('costs a controller that %s one request a connection', async (_name, answer) => {
    meters.want(true);
    const peer = scripted();
    await world.clock.advance(PROBE_DELAY);
    expect(peer.take()).toEqual([PROBE]);
    if (answer !== undefined) peer.send(answer);
    await world.clock.advance(600_000);
    meters.want(false);
    meters.want(true);
    await world.clock.advance(600_000);
    expect(peer.take()).toEqual([]);
    expect(peer.closed).toBeUndefined();
    expect([meters.power, changes]).toEqual([null, 0]);
  });

  it('hears a notification in the very frame behind the answer to its subscription', async () => {
    meters.want(true);
    const peer = scripted();
    await world.clock.advance(PROBE_DELAY);
    peer.send(map([1, 1000], [2, 0], [3, ENDPOINTS]));
    await settle();
    peer.send(map([1, 1001], [2, 0], [3, map([1, 9], [2, map([1, 1])])]));
    peer.send(report(2));
    await settle();
    expect(meters.power).toBe(2);
  });

  it('ignores notifications of what it has not subscribed, and those of the wrong shape', async () => {
    const peer = await followed();
    peer.send(report(7, 8));
    peer.send(map([1, 0], [2, 9], [3, 2], [4, 4], [5, map([1, 7])]));
    peer.send(map([1, 0], [2, 9], [3, 1], [4, 4], [5, 'x']));
    peer.send(map([1, 0], [2, 'x'], [3, 1], [4, 4], [5, map([1, 7])]));
    await settle();
    expect(meters.power).toBe(-4_000_000);
    expect(peer.take()).toEqual([]);
    expect(peer.closed).toBeUndefined();
    peer.send(report('much'));
    await settle();
    expect(meters.power).toBeNull();
  });

  it('forgets a value that nothing confirms: an old surplus is none', async () => {
    const peer = await followed();
    await world.clock.advance(STALE - 1);
    expect(meters.power).toBe(-4_000_000);
    await world.clock.advance(1);
    expect([meters.power, changes]).toEqual([null, 2]);
    peer.send(report(5));
    await settle();
    expect(meters.power).toBe(5);
  });

  it('tells each report of the meter, also of the same value: what is drawn beside it may have changed', async () => {
    const peer = await followed();
    expect(changes).toBe(1);
    peer.send(report(-4_000_000));
    peer.send(map([1, 0], [2, 9], [3, 1], [4, 4], [5, map([2, 7])]));
    await settle();
    expect(changes).toBe(2);
  });

  it('gives its subscription up when nothing wants it, and makes it again without another probe', async () => {
    const peer = await followed();
    meters.want(false);
    await settle();
    expect(meters.power).toBeNull();
    expect(peer.take()).toEqual([map([1, 1002], [2, 3], [3, 0], [4, 0], [5, map([1, 9])])]);
    peer.send(report(5));
    await settle();
    expect(meters.power).toBeNull();
    meters.want(true);
    await settle();
    expect(peer.take()).toMatchObject([map([1, 1003], [2, 3], [3, 1], [4, 4], [5, map([1, [1]], [2, 1000], [3, 10_000])])]);
  });

  it('ends with the connection, whatever is under way, and begins anew on the next', async () => {
    const peer = await followed();
    peer.stream.destroy();
    await settle();
    expect([meters.power, world.clock.pending()]).toEqual([null, []]);
    const second = scripted();
    await world.clock.advance(PROBE_DELAY);
    expect(second.take()).toEqual([PROBE]);
    second.stream.destroy();
    await settle();
    expect(world.clock.pending()).toEqual([]);
  });

  it('believes the highest-ranking zone that tells, and the next one where it does not', async () => {
    meters.want(true);
    const home = world.controller(connect(zone({ id: 'H', type: 3 })), 1);
    const grid = world.controller(connect(zone({ id: 'G', type: 1 })), 2);
    await world.clock.advance(PROBE_DELAY);
    await world.clock.advance(0);
    expect(meters.power).toBe(2);
    grid.meter.power = undefined;
    await world.clock.advance(1000);
    expect(meters.power).toBe(1);
    const closing = home.session.close();
    await world.clock.advance(0);
    await closing;
    expect(meters.power).toBeNull();
  });
});
