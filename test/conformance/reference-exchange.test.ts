import { afterEach, describe, expect, it } from 'vitest';
import type { CborMap, CborValue } from '../../src/codec/cbor.js';
import type { DeviceMessage } from '../../src/dialect/messages.js';
import { parseCsr } from '../../src/pki/csr.js';
import { commonName } from '../../src/pki/name.js';
import { deviceSubject, issueDeviceCertificate } from '../world/certificates.js';
import { makeZone, mapOf, StepController, type TestZone } from '../world/controller.js';
import { map, READ, ReferenceWorld, zoneOf } from '../world/reference-world.js';
import type { ZonePeer } from '../world/zone-peer.js';

let world: ReferenceWorld;
afterEach(() => world.close());

/** Messages 1 to 4, then message 30; its answer. */
async function request(zone: TestZone, options: ConstructorParameters<typeof StepController>[3] = {}) {
  const steps = new StepController(await world.device.connect(), 'reference', zone, options);
  for (const step of steps.steps.slice(0, 2)) {
    step();
    steps.take(await world.pumped(steps.receive()));
  }
  steps.csrReq();
  const [answer, delay] = await world.timed(steps.receive());
  return { steps, answer, delay };
}

/** Messages 1 to 33 with this certificate in message 32. */
async function installed(certificate: (key: Uint8Array, zone: TestZone) => Uint8Array): Promise<DeviceMessage> {
  const zone = zoneOf('LOCAL');
  const { steps, answer } = await request(zone);
  if (answer.type !== 'csrRsp') throw new Error(answer.type);
  steps.take(answer);
  const { publicKey } = parseCsr(world.device.crypto, answer.csr);
  steps.send({ type: 'certInstall', certificate: certificate(publicKey, zone), sequence: 2 });
  return world.pumped(steps.receive());
}

describe('§4.4 the certificate exchange', () => {
  it('TC-COMM-002: message 31 has no nonce hash, its CSR no common name; zone id and device id as both sides derive them', async () => {
    world = await ReferenceWorld.plain();
    const zone = zoneOf('LOCAL');
    const { steps, answer } = await request(zone);
    expect(answer).toEqual({ type: 'csrRsp', csr: expect.any(Uint8Array) });
    if (answer.type !== 'csrRsp') return;
    expect(commonName(parseCsr(world.device.crypto, answer.csr).subject)).toBeUndefined();
    steps.take(answer);
    steps.certInstall();
    expect(await world.pumped(steps.receive())).toEqual({ type: 'certAck', status: 0, sequence: 2 });
    expect(world.zoneIds).toEqual([steps.zoneId]);
    expect(steps.zoneId).toMatch(/^[0-9a-f]{16}$/);
    expect(steps.deviceId).toMatch(/^[0-9a-f]{16}$/i);
    // DEC-066: the device closes.
    await world.pumped(steps.peer.end());
  });

  it('§4.0.3: everything is ready when message 33 is read: the controller dials in the same moment', async () => {
    world = await ReferenceWorld.plain();
    const zone = zoneOf('GRID');
    const steps = new StepController(await world.device.connect(), 'reference', zone);
    await world.pumped(steps.run());
    const peer = await world.device.connect({ alpn: ['mash/1'], serverName: steps.deviceId, certificate: zone.controller });
    peer.send(map([1, 1], [2, READ], [3, 0], [4, 1], [5, [12]]));
    expect(mapOf(await peer.receive()).get(2)).toBe(0);
    expect(peer.serverCertificate).toEqual(steps.certificate);
  });

  it('a zone of the same type: code 10 "zone type already exists", before a key is made', async () => {
    world = await ReferenceWorld.start();
    await world.join('LOCAL');
    await world.cool();
    await world.device.press();
    const { answer, delay } = await request(zoneOf('LOCAL', 'Other'));
    expect(answer).toEqual({ type: 'error', code: 10, text: 'zone type already exists', retryAfter: 0 });
    expect(delay).toBeGreaterThanOrEqual(200);
  });

  it('protocol.md §2.10: the same Zone CA key again: code 10', async () => {
    world = await ReferenceWorld.start();
    const zone = zoneOf('LOCAL');
    await world.join('LOCAL', zone);
    await world.cool();
    await world.device.press();
    expect((await request(zone)).answer).toMatchObject({ type: 'error', code: 10 });
  });

  it('§3.5: GRID and LOCAL are refused as full once the type is known: code 5 "zone slots full"', async () => {
    world = await ReferenceWorld.start({ set: { 'zones.slots': '1' } });
    await world.join('GRID');
    await world.cool();
    await world.device.press();
    const { answer } = await request(zoneOf('LOCAL'));
    expect(answer).toEqual({ type: 'error', code: 5, text: 'zone slots full', retryAfter: 0 });
  });

  it('protocol.md §3: two zone types among the OUs: code 4; none is LOCAL', async () => {
    world = await ReferenceWorld.start();
    expect((await request(makeZone('GRID', 3, 3, 'LOCAL'))).answer).toMatchObject({ type: 'error', code: 4 });
    await world.cool();
    const steps = new StepController(await world.device.connect(), 'reference', makeZone('Home'));
    await world.pumped(steps.run());
    // HOME_MANAGER, priority 3.
    expect(world.device.device.status.zones.map(({ type }) => type)).toEqual([3]);
  });

  it.each<readonly [string, (key: Uint8Array, zone: TestZone) => Uint8Array, number]>([
    ['no certificate: 3', () => new Uint8Array(40), 3],
    ['of another Zone CA: 3', (key) => issueDeviceCertificate(zoneOf('LOCAL').ca, key).der, 3],
    ["not the CSR's key: 4", (_key, zone) => issueDeviceCertificate(zone.ca, world.device.crypto.generateKey().publicKey).der, 4],
  ])('message 33 after a certificate that is %s; no zone is left', async (_what, certificate, status) => {
    world = await ReferenceWorld.start();
    expect(await installed(certificate)).toMatchObject({ type: 'certAck', status });
    expect(world.zoneIds).toEqual([]);
  });

  it('a Read behind message 33 is discarded (protocol.md §3)', async () => {
    world = await ReferenceWorld.start();
    const zone = zoneOf('GRID');
    const steps = new StepController(await world.device.connect(), 'reference', zone);
    await world.pumped(steps.run());
    steps.peer.send(map([1, 2], [2, READ], [3, 0], [4, 1], [5, [12]]));
    await world.pumped(steps.peer.end());
    expect(steps.peer.pendingFrames).toBe(0);
    expect(world.zoneIds).toEqual([steps.zoneId]);
  });
});

describe('§4.4 renewal over the operational session', () => {
  const say = async (peer: ZonePeer, message: CborMap): Promise<CborMap> => {
    peer.peer.send(message);
    return mapOf(await peer.peer.receive());
  };

  it('SEC-NONCE-002: statuses 2, 4, 3; the CSR carries the device id, the nonce is bound, the session stays', async () => {
    world = await ReferenceWorld.start();
    const { crypto } = world.device;
    const peer = await world.join('LOCAL');
    const install = (certificate: Uint8Array, sequence: number): Promise<CborMap> =>
      say(peer, map([1, 32], [2, certificate], [3, sequence]));
    const ask = async (): Promise<Uint8Array> => {
      const nonce = crypto.bytes(32);
      const answer = await say(peer, map([1, 30], [2, nonce]));
      expect([answer.get(1), answer.get(3)]).toEqual([31, crypto.sha256(nonce).slice(0, 16)]);
      const { subject, publicKey } = parseCsr(crypto, answer.get(2) as Uint8Array);
      expect(commonName(subject)).toBe(peer.deviceId);
      return publicKey;
    };
    const issue = (key: Uint8Array): Uint8Array => issueDeviceCertificate(peer.zone.ca, key, { subject: deviceSubject(peer.deviceId) }).der;
    expect(await install(peer.peer.serverCertificate, 3)).toEqual(map([1, 33], [2, 2], [3, 0]));
    const replaced = await ask();
    const pending = await ask();
    expect(pending).not.toEqual(replaced);
    expect((await install(issue(replaced), 3)).get(2)).toBe(4);
    expect((await install(Uint8Array.of(0x30, 0), 3)).get(2)).toBe(3);
    const renewed = issue(pending);
    const packets = world.device.link.packets.length;
    expect(await install(renewed, 3)).toEqual(map([1, 33], [2, 0], [3, 3]));
    const statusOf = async (payload: CborValue): Promise<CborValue> => (await peer.ask(READ, payload)).status;
    expect(await statusOf([12])).toBe(0);
    const again = await world.device.connect({ alpn: ['mash/1'], serverName: peer.deviceId, certificate: peer.zone.controller });
    expect(again.serverCertificate).toEqual(renewed);
    expect(world.device.link.packets).toHaveLength(packets);
  });
});
