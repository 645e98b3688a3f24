import { afterEach, describe, expect, it } from 'vitest';
import type { DialectName } from '../../src/dialect/messages.js';
import { decodeMessage } from '../../src/discovery/message.js';
import { nameText } from '../../src/discovery/name.js';
import type { DnsRecord } from '../../src/discovery/records.js';
import { makeZone, mapOf, readAll, StepController, type TestZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';

let world: DeviceWorld;
afterEach(() => world.close());

interface Seen {
  readonly at: number;
  readonly records: readonly DnsRecord[];
}

/** Everything the device sent on the link from that time on, the first `skip` packets left out. */
function sent(since = 0, skip = 0): readonly Seen[] {
  return world.link.packets
    .slice(skip)
    .filter((packet) => packet.at >= since)
    .map(({ at, packet }) => {
      const message = decodeMessage(packet);
      return { at, records: [...message.answers, ...message.additionals] };
    });
}

function recordsOf(seen: readonly Seen[], type: string, owner: (name: string) => boolean): { at: number; record: DnsRecord }[] {
  return seen.flatMap(({ at, records }) =>
    records.filter((record) => record.type === type && owner(nameText(record.name))).map((record) => ({ at, record })),
  );
}

async function commission(dialect: DialectName, zone: TestZone): Promise<StepController> {
  const steps = new StepController(await world.connect(), dialect, zone);
  expect(await steps.run()).toMatchObject({ type: 'certAck', status: 0 });
  return steps;
}

async function reads(zone: TestZone, serverName: string): Promise<unknown> {
  const peer = await world.connect({ alpn: ['mash/1'], serverName, certificate: zone.controller });
  peer.send(readAll(7));
  return mapOf(await peer.receive()).get(2);
}

describe('TC-MDNS-REC: records of a whole device', () => {
  it('TC-MDNS-REC-1: SRV present: the bound port, a host of our own', async () => {
    world = await DeviceWorld.start();
    await world.clock.advance(1000);
    const services = recordsOf(sent(), 'SRV', (name) => name.startsWith('MASH-1234.'));
    expect(services.map(({ record }) => nameText(record.name)).sort()).toEqual([
      'MASH-1234._mash-comm._tcp.local',
      'MASH-1234._mashc._udp.local',
    ]);
    for (const { record } of services) {
      if (record.type !== 'SRV') continue;
      expect(nameText(record.target)).toMatch(/^mash-[0-9a-f]{8}\.local$/);
      expect(record.port).toBeGreaterThan(0);
      expect(record.port).not.toBe(world.port);
    }
  });

  it('TC-MDNS-REC-2, TC-MDNS-REC-3: AAAA present, ULA and link-local, with TTL 120 in every announcement', async () => {
    world = await DeviceWorld.start();
    await world.clock.advance(5000);
    const announcements = sent().filter(({ records }) =>
      records.some((record) => record.type === 'SRV' && nameText(record.name).includes('_mash-comm')),
    );
    const first = announcements[0]?.at ?? 0;
    // RFC 6762 §8.1: 0…250 ms, then three probes 250 ms apart.
    expect(first).toBeLessThanOrEqual(1000);
    expect(announcements.map(({ at }) => Math.round(at - first))).toEqual([0, 1000, 3000]);
    for (const { records } of announcements) {
      const addresses = records.filter((record) => record.type === 'AAAA');
      expect(addresses).toHaveLength(2);
      for (const record of addresses) expect(record.ttl).toBe(120);
    }
  });
});

describe.each<DialectName>(['draft', 'reference'])('TC-TRANS, %s dialect', (dialect) => {
  it('TC-TRANS-1: close, reconnect, mutual TLS', async () => {
    world = await DeviceWorld.start();
    const zone = makeZone('Home');
    const steps = await commission(dialect, zone);
    await steps.finish();
    expect(await reads(zone, steps.deviceId)).toBe(0);
  });

  it('TC-TRANS-2, TC-TRANS-3: within 1 s the commissionable records are withdrawn and <zone-id>-<device-id>._mash._tcp is announced', async () => {
    world = await DeviceWorld.start();
    await world.clock.advance(5000);
    const steps = await commission(dialect, makeZone('Home'));
    const since = world.clock.now();
    await world.clock.advance(1000);
    const seen = sent(since);
    for (const type of ['_mash-comm._tcp', '_mashc._udp']) {
      const goodbye = recordsOf(seen, 'PTR', (name) => name === `${type}.local`);
      expect(goodbye.length, type).toBeGreaterThan(0);
      for (const { record } of goodbye) expect(record.ttl).toBe(0);
    }
    const instance = `${steps.zoneId}-${steps.deviceId}._mash._tcp.local`;
    const announced = recordsOf(seen, 'SRV', (name) => name.toLowerCase() === instance.toLowerCase());
    expect(announced.length).toBeGreaterThan(0);
    expect(announced[0]?.record).toMatchObject({ ttl: 4500, port: world.port });
    const text = recordsOf(seen, 'TXT', (name) => name.toLowerCase() === instance.toLowerCase());
    expect(text.length).toBeGreaterThan(0);
  });

  it('TC-TRANS-4: a controller that reconnects only after 10 s, or after a minute, is still served', async () => {
    world = await DeviceWorld.start();
    const zone = makeZone('Home');
    const steps = await commission(dialect, zone);
    await steps.finish();
    await world.clock.advance(10_000);
    expect(await reads(zone, steps.deviceId)).toBe(0);
    await world.clock.advance(60_000);
    expect(world.device.status.zones).toHaveLength(1);
    expect(await reads(zone, steps.deviceId)).toBe(0);
  });
});

describe.each<DialectName>(['draft', 'reference'])('TC-E2E, %s dialect', (dialect) => {
  it('TC-E2E-1, TC-E2E-2, TC-E2E-3, TC-E2E-4: commissioning, reconnection without PASE, a second zone, a restart', async () => {
    world = await DeviceWorld.start();
    const first = makeZone('One');
    const one = await commission(dialect, first);
    await one.finish();
    expect(await reads(first, one.deviceId)).toBe(0);
    expect(await reads(first, one.deviceId)).toBe(0);
    await world.clock.advance(10_000);
    await world.press();
    const second = makeZone('Two', 1);
    const two = await commission(dialect, second);
    await two.finish();
    expect(await reads(second, two.deviceId)).toBe(0);
    // The power goes: nothing is closed, the flash keeps what was synced.
    world.flash.powerOff();
    await world.close();
    world.flash.powerUp();
    await world.boot();
    expect(world.device.status.zones).toMatchObject([
      { id: one.zoneId, type: 3, name: 'One' },
      { id: two.zoneId, type: dialect === 'draft' ? 1 : 3, name: 'Two' },
    ]);
    expect(world.device.status.qr).toBeUndefined();
    expect(await reads(first, one.deviceId)).toBe(0);
    expect(await reads(second, two.deviceId)).toBe(0);
  });
});

describe('parts and stop', () => {
  it('holds the relay safe from the first moment to the last, and stops within two seconds', async () => {
    world = await DeviceWorld.start();
    const zone = makeZone('Home');
    await world.clock.advance(1000);
    const steps = await commission('draft', zone);
    await steps.finish();
    const peer = await world.connect({ alpn: ['mash/1'], serverName: steps.deviceId, certificate: zone.controller });
    peer.send(readAll(5));
    await peer.receive();
    const began = world.clock.now();
    const before = world.link.packets.length;
    const closing = world.device.close();
    expect(mapOf(await peer.receive()).get('type')).toBe('close');
    peer.send(new Map([['type', 'close_ack']]));
    await peer.end();
    await world.close();
    await closing;
    expect(world.clock.now() - began).toBeLessThanOrEqual(2000);
    expect(world.relay.history.every((closed) => !closed)).toBe(true);
    expect(world.relay.owned).toBe(false);
    expect(world.display.shown.kind).toBe('blank');
    const goodbyes = sent(began, before).flatMap(({ records }) => records);
    expect(goodbyes.length).toBeGreaterThan(0);
    for (const record of goodbyes) expect(record.ttl).toBe(0);
  });

  it('a clock that was never set does not lock the device out, and the proved Zone CA sets it', async () => {
    world = await DeviceWorld.start({ wall: 0 });
    const zone = makeZone('Home');
    const steps = await commission('draft', zone);
    await steps.finish();
    expect(await reads(zone, steps.deviceId)).toBe(0);
    await world.close();
    world.flash.powerUp();
    world.clock.setWall(0);
    await world.boot();
    expect(await reads(zone, steps.deviceId)).toBe(0);
    // The floor is known now: what had expired before it is refused.
    const { issueController, WORLD_NOW, DAY } = await import('../world/certificates.js');
    const expired = issueController(zone.ca, { notBefore: WORLD_NOW - 30 * DAY, notAfter: WORLD_NOW - 20 * DAY });
    const peer = await world.connect({ alpn: ['mash/1'], serverName: steps.deviceId, certificate: expired });
    await peer.end();
    expect(peer.pendingFrames).toBe(0);
  });
});
