import { afterEach, describe, expect, it } from 'vitest';
import { type FollowEvent, follow } from '../../src/controller/follow.js';
import { openZone } from '../../src/controller/open-zone.js';
import { findSession } from '../../src/controller/operational.js';
import type { Transport } from '../../src/controller/transport.js';
import type { ControllerZone, DeviceRecord } from '../../src/controller/zone.js';
import { decodeMessage } from '../../src/discovery/message.js';
import { NetworkError } from '../../src/errors.js';
import type { SecureStream } from '../../src/platform.js';
import { collectGarbage } from '../world/memory.js';
import { ControllerWorld } from './world.js';

let world: ControllerWorld;
afterEach(() => world.close());

async function commissioned(): Promise<{ zone: ControllerZone; record: DeviceRecord }> {
  world = await ControllerWorld.start();
  const { device } = await world.commission();
  const zone = await openZone(world.parts);
  if (zone === undefined) throw new Error('no zone');
  world.connections.length = 0;
  return { zone, record: device };
}

/** Queries of the controller since a time. */
function queries(since: number): number {
  return world.device.link.packets.filter(({ at, from, packet }) => at >= since && from === 'fe80::c' && !decodeMessage(packet).response)
    .length;
}

describe('where a device is looked for (connection-establishment §7.4)', () => {
  it('TC-MULTIIF-8: at its address of the last 30 s first, without a question', async () => {
    const { zone, record } = await commissioned();
    await world.device.clock.advance(1);
    const since = world.device.clock.now();
    const { session, address } = await world.drive(findSession(world.parts, zone, record, record.addresses.slice(0, 1)));
    expect(address).toEqual(record.addresses[0]);
    expect([queries(since), world.connections.length]).toEqual([0, 1]);
    await session.close();
  });

  it('TC-MULTIIF-9: where it is announced now, when it is there no more', async () => {
    const { zone, record } = await commissioned();
    await world.device.clock.advance(1);
    const since = world.device.clock.now();
    const gone = { host: 'fd77::99', port: 1 };
    const { session, address } = await world.drive(findSession(world.parts, zone, { ...record, addresses: [gone] }, [gone]));
    expect(address).toEqual({ host: 'fd77::1', port: world.device.port });
    expect(queries(since)).toBeGreaterThan(0);
    await session.close();
  });

  it('a first connection asks, whatever the record remembers', async () => {
    const { zone, record } = await commissioned();
    await world.device.clock.advance(1);
    const since = world.device.clock.now();
    const { session } = await world.drive(findSession(world.parts, zone, record));
    expect(queries(since)).toBeGreaterThan(0);
    await session.close();
  });

  it('TC-MULTIIF-5: a device that is nowhere is "Device unreachable", or not on the network; one that is another is not trusted', async () => {
    const { zone, record } = await commissioned();
    const { parts } = world;
    const dead = { ...parts, transport: { connect: () => Promise.reject(new NetworkError('ECONNREFUSED')) } };
    await expect(world.drive(findSession(dead, zone, record))).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringMatching(/^Device unreachable/),
    });
    await expect(world.drive(findSession(dead, zone, { ...record, zoneId: '0000000000000000' }))).rejects.toMatchObject({
      code: 'NO_DEVICES_FOUND',
    });
    await expect(world.drive(findSession(parts, zone, { ...record, id: '0123456789ABCDEF' }))).rejects.toMatchObject({
      code: 'NOT_TRUSTED',
      message: expect.stringMatching(/^Device authentication failed/),
    });
  });
});

it('a follower that reconnects again and again keeps nothing of the connections that ended', async () => {
  const { zone, record } = await commissioned();
  const events: FollowEvent[] = [];
  const streams: WeakRef<SecureStream>[] = [];
  const connect: Transport['connect'] = async (...to) => {
    const connection = await world.parts.transport.connect(...to);
    streams.push(new WeakRef(connection.stream));
    return connection;
  };
  const stop = new AbortController();
  const watched = [{ endpoint: undefined, feature: 1 }];
  const tell = (event: FollowEvent): number => events.push(event);
  const following = follow({ ...world.parts, transport: { connect } }, { zone, record, watched, tell }, stop.signal);
  const told = (count: number, event: string) => world.until(() => events.filter((one) => one.event === event).length >= count);
  await told(1, 'priming');
  for (let times = 1; times <= 5; times++) {
    // A zone has one connection: another command of it ends the follower's.
    const { session } = await world.drive(findSession(world.parts, zone, record, record.addresses));
    await told(times, 'lost');
    await world.drive(session.close());
    await world.device.clock.advance(1300);
    await told(times + 1, 'priming');
  }
  const held = (): number => {
    collectGarbage();
    return streams.filter((stream) => stream.deref() !== undefined).length;
  };
  await world.until(() => held() <= 2);
  expect(streams).toHaveLength(6);
  stop.abort();
  await world.drive(following);
});

describe('continuous session and monitoring (§7.2, §7.4)', () => {
  it('a device that is announced again is reached a second after its loss, not after the whole back-off', async () => {
    const { zone, record } = await commissioned();
    const events: FollowEvent[] = [];
    const stop = new AbortController();
    const watched = [{ endpoint: undefined, feature: 1 }];
    const following = follow(world.parts, { zone, record, watched, tell: (event) => events.push(event) }, stop.signal);
    const told = (count: number, event: string) => world.until(() => events.filter((one) => one.event === event).length >= count);
    await told(1, 'priming');
    await world.device.clock.advance(5000);
    world.device.flash.powerOff();
    await world.device.close();
    world.device.flash.powerUp();
    await told(1, 'lost');
    // Each reconnection in vain waits twice as long.
    for (let losses = 2; losses <= 4; losses++) {
      await world.device.clock.advance(10_000);
      await told(losses, 'lost');
    }
    const last = events.at(-1);
    expect(last?.event === 'lost' && last.retryIn).toBeGreaterThanOrEqual(6000);
    await world.device.boot();
    const begun = world.device.clock.now();
    await world.device.clock.advance(1300);
    await told(2, 'connected');
    expect(world.device.clock.now() - begun).toBeLessThanOrEqual(3000);
    stop.abort();
    await world.drive(following);
  });
});
