import { afterEach, describe, expect, it } from 'vitest';
import type { CborMap, CborValue } from '../../src/codec/cbor.js';
import type { DialectName } from '../../src/dialect/messages.js';
import { parseCsr } from '../../src/pki/csr.js';
import { DAY, deviceSubject, issueController, issueDeviceCertificate, WORLD_NOW, YEAR } from '../world/certificates.js';
import { makeZone, mapOf, readAll, StepController, type TestZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import type { Peer } from '../world/peer.js';

let world: DeviceWorld;
afterEach(() => world.close());

const map = (...entries: readonly (readonly [number, CborValue])[]): CborMap => new Map(entries);

async function commission(dialect: DialectName, zone: TestZone, notAfter = WORLD_NOW + YEAR): Promise<string> {
  const steps = new StepController(await world.connect(), dialect, zone, { certificate: { notAfter } });
  expect(await steps.run()).toMatchObject({ type: 'certAck', status: 0 });
  await steps.finish();
  return steps.deviceId;
}

const open = (zone: TestZone, serverName: string): Promise<Peer> =>
  world.connect({ alpn: ['mash/1'], serverName, certificate: zone.controller });

async function reads(peer: Peer): Promise<unknown> {
  peer.send(readAll(7));
  return mapOf(await peer.receive()).get(2);
}

/** Messages 30 to 33; the certificate and the last answer. */
async function renew(peer: Peer, zone: TestZone, deviceId: string, notAfter = WORLD_NOW + YEAR) {
  const nonce = world.crypto.bytes(32);
  peer.send(map([1, 30], [2, nonce]));
  const asked = mapOf(await peer.receive());
  expect([asked.get(1), asked.get(3)]).toEqual([31, world.crypto.sha256(nonce).slice(0, 16)]);
  const { publicKey } = parseCsr(world.crypto, asked.get(2) as Uint8Array);
  const { der } = issueDeviceCertificate(zone.ca, publicKey, { subject: deviceSubject(deviceId), notAfter });
  peer.send(map([1, 32], [2, der], [3, 5]));
  return { certificate: der, answer: await peer.receive() };
}

describe.each<DialectName>(['draft', 'reference'])('in-session renewal, %s dialect', (dialect) => {
  it('TC-CERT-RENEW-1, TC-CERT-RENEW-2: the connection goes on, later ones and restarts show the new certificate, the records stay', async () => {
    world = await DeviceWorld.start();
    const zone = makeZone('Home');
    const deviceId = await commission(dialect, zone);
    const peer = await open(zone, deviceId);
    await world.clock.advance(5000);
    const packets = world.link.packets.length;
    const { certificate, answer } = await renew(peer, zone, deviceId);
    expect(answer).toEqual(map([1, 33], [2, 0], [3, 5]));
    expect(await reads(peer)).toBe(0);
    expect(peer.serverCertificate).not.toEqual(certificate);
    const second = await open(zone, deviceId);
    expect(second.serverCertificate).toEqual(certificate);
    expect(await reads(second)).toBe(0);
    expect(world.link.packets).toHaveLength(packets);
    world.flash.powerOff();
    await world.close();
    world.flash.powerUp();
    await world.boot();
    const third = await open(zone, deviceId);
    expect(third.serverCertificate).toEqual(certificate);
    expect(await reads(third)).toBe(0);
  });

  it('is refused word by word, and nothing has changed then', async () => {
    world = await DeviceWorld.start();
    const zone = makeZone('Home');
    const deviceId = await commission(dialect, zone);
    const peer = await open(zone, deviceId);
    const before = peer.serverCertificate;
    const say = async (message: CborMap): Promise<CborValue> => {
      peer.send(message);
      return peer.receive();
    };
    expect(await say(map([1, 32], [2, before], [3, 1]))).toEqual(map([1, 33], [2, 2], [3, 0]));
    expect(await say(map([1, 30], [2, new Uint8Array(16)]))).toEqual(map([1, 33], [2, 4], [3, 0]));
    expect(await say(map([1, 30], [2, new Uint8Array(32)], [3, makeZone('Other').ca.der]))).toEqual(map([1, 33], [2, 3], [3, 0]));
    expect(mapOf(await say(map([1, 30]))).get(2)).toBe(5);
    expect(mapOf(await say(map([1, 30], [2, new Uint8Array(32)], [3, zone.ca.der]))).get(1)).toBe(31);
    expect(await say(map([1, 32], [2, before], [3, 1]))).toEqual(map([1, 33], [2, 4], [3, 0]));
    expect(await say(map([1, 32], [2, new Uint8Array(9)], [3, 1]))).toEqual(map([1, 33], [2, 3], [3, 0]));
    peer.send(map([1, 33], [2, 0]));
    expect(await reads(peer)).toBe(0);
    const second = await open(zone, deviceId);
    expect(second.serverCertificate).toEqual(before);
    // The pending key died with its connection.
    second.send(map([1, 32], [2, before], [3, 1]));
    expect(await second.receive()).toEqual(map([1, 33], [2, 2], [3, 0]));
  });

  it('of a connection that ends before message 33 stays: both certificates are of this device', async () => {
    world = await DeviceWorld.start();
    const zone = makeZone('Home');
    const deviceId = await commission(dialect, zone);
    const peer = await open(zone, deviceId);
    peer.send(map([1, 30], [2, new Uint8Array(32)]));
    const { publicKey } = parseCsr(world.crypto, mapOf(await peer.receive()).get(2) as Uint8Array);
    const { der } = issueDeviceCertificate(zone.ca, publicKey, { subject: deviceSubject(deviceId) });
    peer.send(map([1, 32], [2, der], [3, 2]));
    peer.socket.end();
    await world.until(() => world.log.lines.some(({ message }) => message === 'certificate renewed'), 'the commit');
    const second = await open(zone, deviceId);
    expect(second.serverCertificate).toEqual(der);
    expect(await reads(second)).toBe(0);
  });
});

describe.each(['draft', 'reference'] as const)('expiry, profile %s', (profile) => {
  const END = WORLD_NOW + 20 * DAY;
  const GRACES: readonly [string, number, boolean][] = [
    ['7 days of grace', 7 * DAY, true],
    ['no grace', 0, false],
  ];
  let patient: TestZone;
  let zone: TestZone;
  let deviceId: string;
  const state = () => world.device.status.zones[0]?.certificate;

  /** A zone whose device certificate ends in 20 days, and its own much later. */
  async function begin(grace: number): Promise<void> {
    world = await DeviceWorld.start({ profile, set: { 'certificates.grace': String(grace * 1000), 'session.liveness': 'tcp' } });
    zone = makeZone('Home', 3);
    deviceId = await commission('draft', zone, END);
    patient = { ...zone, controller: issueController(zone.ca, { notAfter: WORLD_NOW + YEAR }) };
  }

  it('the renewal window is that of the profile: 30 days before the end, or 7', async () => {
    await begin(0);
    expect(state()).toBe(profile === 'draft' ? 'renewalDue' : 'valid');
    world.clock.setWall((END - 7 * DAY - 1) * 1000);
    expect(state()).toBe(profile === 'draft' ? 'renewalDue' : 'valid');
    world.clock.setWall((END - 7 * DAY) * 1000);
    expect(state()).toBe('expiring');
  });

  it.each(GRACES)(
    'TC-CERT-RENEW-4, TC-CERT-RENEW-5, while connected, with %s: the connection is kept, new ones are served in the grace alone',
    async (_what, grace, served) => {
      await begin(grace);
      const peer = await open(patient, deviceId);
      expect(await reads(peer)).toBe(0);
      world.clock.setWall((END + DAY) * 1000);
      expect(state()).toBe(served ? 'expiredInGrace' : 'expired');
      expect(await reads(peer)).toBe(0);
      const late = await open(patient, deviceId);
      if (served) expect(await reads(late)).toBe(0);
      else await late.end();
      // Whoever is connected renews, and all is well.
      const { answer } = await renew(served ? late : peer, zone, deviceId, END + YEAR);
      expect(answer).toEqual(map([1, 33], [2, 0], [3, 5]));
      expect(state()).toBe('valid');
      expect(await reads(await open(patient, deviceId))).toBe(0);
    },
  );

  it.each(GRACES)(
    'TC-CERT-RENEW-4, TC-CERT-RENEW-5, while away, over a restart, with %s: served and renewed in the grace, closed before any message after it',
    async (_what, grace, served) => {
      await begin(grace);
      const peer = await open(patient, deviceId);
      expect(await reads(peer)).toBe(0);
      world.flash.powerOff();
      await world.close();
      world.flash.powerUp();
      world.clock.setWall((END + DAY) * 1000);
      await world.boot();
      expect(state()).toBe(served ? 'expiredInGrace' : 'expired');
      const back = await open(patient, deviceId);
      if (served) {
        expect(await reads(back)).toBe(0);
        expect((await renew(back, zone, deviceId, END + YEAR)).answer).toEqual(map([1, 33], [2, 0], [3, 5]));
        expect(state()).toBe('valid');
        return;
      }
      back.send(readAll(7));
      expect(await back.next()).toBeUndefined();
      // The zone stays: what it set holds, and its owner sees where it went wrong.
      expect(world.device.status.zones).toMatchObject([{ id: zone.ca.zoneId, connected: false, certificate: 'expired' }]);
    },
  );

  it('the last moment of the grace is served, the next second is not', async () => {
    await begin(7 * DAY);
    world.clock.setWall((END + 7 * DAY + 300) * 1000);
    expect(await reads(await open(patient, deviceId))).toBe(0);
    world.clock.setWall((END + 7 * DAY + 301) * 1000);
    const late = await open(patient, deviceId);
    late.send(readAll(7));
    expect(await late.next()).toBeUndefined();
  });
});
