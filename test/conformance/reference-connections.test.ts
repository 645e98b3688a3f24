import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { StepController } from '../world/controller.js';
import { RawPeer } from '../world/peer.js';
import { map, READ, ReferenceWorld, zoneOf } from '../world/reference-world.js';

let world: ReferenceWorld;
const raws: RawPeer[] = [];
afterEach(async () => {
  for (const raw of raws.splice(0)) raw.socket.destroy();
  await world.close();
});

/** zones.slots + 1 (DEC: `${MASH.S.ZONE.MAX + 1}`). */
const CAP = 3;

async function raw(): Promise<RawPeer> {
  const peer = await RawPeer.connect(world.device.port);
  raws.push(peer);
  return peer;
}

/** As many as the cap lets in, each held open. */
async function full(): Promise<readonly RawPeer[]> {
  const held = [];
  for (let i = 0; i < CAP; i++) held.push(await raw());
  await world.device.untilPending('CLIENT_HELLO', CAP);
  return held;
}

/** Whether the device keeps a new connection. */
async function admitted(): Promise<boolean> {
  const before = world.device.clock.pending().filter(({ name }) => name === 'CLIENT_HELLO').length;
  const peer = await raw();
  const waits = (): number => world.device.clock.pending().filter(({ name }) => name === 'CLIENT_HELLO').length;
  await world.device.until(() => peer.closed || waits() > before, 'accepted or closed');
  return !peer.closed;
}

describe('§4.5 the cap of pre-operational connections', () => {
  it('REAP-003: three are held, the fourth is closed at accept, before TLS', async () => {
    world = await ReferenceWorld.start();
    const held = await full();
    const fourth = await raw();
    await fourth.end();
    expect(fourth.bytes.length).toBe(0);
    expect(held.map(({ closed }) => closed)).toEqual([false, false, false]);
  });

  it('SEC-CONN-005: of a flood of 500 within 5 s exactly three are accepted; a commissioning right after it succeeds', async () => {
    world = await ReferenceWorld.start();
    const held = await full();
    for (let second = 0; second < 5; second++) {
      const flood = await Promise.all(Array.from({ length: 100 }, () => raw()));
      await Promise.all(flood.map((peer) => peer.end()));
      await world.device.clock.advance(999);
    }
    expect(held.filter(({ closed }) => !closed)).toHaveLength(CAP);
    for (const peer of held) peer.socket.destroy();
    await world.device.until(() => world.device.clock.pending().every(({ name }) => name !== 'CLIENT_HELLO'), 'free slots');
    const steps = new StepController(await world.device.connect(), 'reference', zoneOf('LOCAL'));
    expect(await world.pumped(steps.run())).toMatchObject({ type: 'certAck', status: 0 });
  });

  it('CAP-001: a slot is free as soon as its connection is closed; no deadline of ours has to pass (≤ 200 ms)', async () => {
    world = await ReferenceWorld.start();
    const [first] = await full();
    expect(await admitted()).toBe(false);
    const { clock } = world.device;
    const before = clock.now();
    first?.socket.destroy();
    await world.device.until(() => clock.pending().filter(({ name }) => name === 'CLIENT_HELLO').length < CAP, 'a free slot');
    expect([await admitted(), clock.now() - before]).toEqual([true, 0]);
  });

  it('CAP-003: a handshake that fails frees its slot at once', async () => {
    world = await ReferenceWorld.start();
    const [first] = await full();
    first?.socket.write('GET / HTTP/1.1\r\n\r\n');
    await first?.end();
    expect(await admitted()).toBe(true);
  });

  it('CAP-004: TLS 1.2 alone, and no known protocol, free their slots too', async () => {
    world = await ReferenceWorld.start();
    for (let i = 0; i < 2 * CAP; i++) {
      await expect(world.device.connect({ tls: { maxVersion: 'TLSv1.2' } })).rejects.toThrow();
      await expect(world.device.connect({ alpn: ['http/1.1'] })).rejects.toThrow();
    }
    await full();
  });

  it('an operational connection does not count from its client certificate on', async () => {
    world = await ReferenceWorld.start();
    const zone = await world.join('LOCAL');
    await full();
    expect((await zone.ask(READ, [12])).status).toBe(0);
    expect(await admitted()).toBe(false);
  });
});

describe('§4.5 the reaper', () => {
  it('REAP-001: every 10 s what is pre-operational for 90 s is closed; operational connections stay', async () => {
    world = await ReferenceWorld.start({ set: { 'commissioning.firstMessage': '300000' } });
    const zone = await world.join('LOCAL');
    await world.cool();
    const idle = await world.device.connect();
    await world.device.untilPending('PASE_WAIT_X');
    await world.device.clock.advance(89_000);
    expect(idle.closed).toBe(false);
    await world.device.clock.advance(11_100);
    await idle.end();
    expect((await zone.ask(READ, [12])).status).toBe(0);
  });
});

describe('§4.1, §4.2 connections of one zone', () => {
  it('FRAME-005: a new connection replaces one that is left inside a frame; the zone stays connected', async () => {
    world = await ReferenceWorld.start();
    const zone = await world.join('LOCAL');
    const former = zone.peer;
    former.sendRaw(Uint8Array.of(0, 0, 1, 5));
    await zone.connect();
    await former.end();
    expect(world.device.device.status.zones.map(({ connected }) => connected)).toEqual([true]);
    expect((await zone.ask(READ, [12])).status).toBe(0);
  });

  it('protocol.md, row "liveness": 35 s, 10 min of silence end nothing, and no request of the device comes (PROTO-004)', async () => {
    world = await ReferenceWorld.start();
    const zone = await world.join('LOCAL');
    zone.peer.send(map([1, 900], [2, READ], [3, 0], [4, 1]));
    await world.device.clock.advance(35_000);
    await world.device.clock.advance(600_000);
    expect((await zone.peer.receive()) instanceof Map).toBe(true);
    expect((await zone.ask(READ, [12])).status).toBe(0);
    expect(zone.peer.pendingFrames).toBe(0);
  });
});

describe('protocol.md, row "IPv4"', () => {
  const reachable = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = net.connect({ host: '127.0.0.1', port });
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });

  it('the listener is dual-stack, and IPv6 alone with discovery.ipv4=off', async () => {
    world = await ReferenceWorld.plain();
    expect(await reachable(world.device.port)).toBe(true);
    await world.close();
    world = await ReferenceWorld.plain({ set: { 'discovery.ipv4': 'off' } });
    expect(await reachable(world.device.port)).toBe(false);
  });
});
