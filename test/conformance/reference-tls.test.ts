import type tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { type CborMap, encodeCbor } from '../../src/codec/cbor.js';
import { fromHex } from '../../src/codec/hex.js';
import { parseCertificate } from '../../src/pki/certificate.js';
import { commonName } from '../../src/pki/name.js';
import { OID } from '../../src/pki/oid.js';
import { type CertificateOptions, DAY, issueController, makeZoneCa, WORLD_NOW, YEAR } from '../world/certificates.js';
import { mapOf, readAll } from '../world/controller.js';
import { handshakeError, type Peer } from '../world/peer.js';
import { map, opcode, READ, ReferenceWorld, Trigger, zoneOf } from '../world/reference-world.js';
import type { ZonePeer } from '../world/zone-peer.js';

let world: ReferenceWorld;
afterEach(() => world.close());

const LIFE = 20 * 365 * DAY;

describe('§4.1 TLS: what is negotiated', () => {
  it('TC-TLS-COMM-001, TC-TLS-CIPHER-001: self-signed CN=MASH-<D> of 20 years, AES-128-GCM, no client certificate asked for', async () => {
    world = await ReferenceWorld.plain();
    const peer = await world.device.connect();
    const { subject, issuer, notBefore, notAfter } = parseCertificate(world.device.crypto, peer.serverCertificate);
    expect([commonName(subject), commonName(issuer)]).toEqual(['MASH-1234', 'MASH-1234']);
    expect(notAfter - notBefore).toBeGreaterThanOrEqual(LIFE);
    expect([peer.socket.getProtocol(), peer.socket.getCipher().standardName]).toEqual(['TLSv1.3', 'TLS_AES_128_GCM_SHA256']);
    expect(peer.socket.alpnProtocol).toBe('mash-comm/1');
  });

  it('protocol.md, row "commissioning certificate": made once: the same after the first zone and after a restart', async () => {
    world = await ReferenceWorld.plain();
    const before = (await world.device.connect()).serverCertificate;
    const zone = await world.join('GRID');
    await world.device.press();
    expect((await world.device.connect()).serverCertificate).toEqual(before);
    zone.peer.destroy();
    world.device.flash.powerOff();
    await world.device.close();
    world.device.flash.powerUp();
    await world.device.boot();
    await world.device.press();
    expect((await world.device.connect()).serverCertificate).toEqual(before);
  });

  it.each(['P-256', 'X25519'])('KX-001, KX-002: a client of %s alone', async (ecdhCurve) => {
    world = await ReferenceWorld.plain();
    expect((await world.device.connect({ tls: { ecdhCurve } })).socket.getProtocol()).toBe('TLSv1.3');
  });

  it('TC-TLS-VERSION-002, TC-TLS-ALPN-002: TLS 1.2 alone is alert 70, another protocol or none alert 120; the window closed refuses mash-comm/1', async () => {
    world = await ReferenceWorld.start();
    const { port } = world.device;
    const code = async (options: Omit<Parameters<typeof handshakeError>[0], 'port'>): Promise<string | undefined> =>
      (await handshakeError({ port, ...options }))?.code;
    expect(await code({ tls: { maxVersion: 'TLSv1.2' } })).toContain('PROTOCOL_VERSION');
    expect(await code({ alpn: ['http/1.1'] })).toContain('NO_APPLICATION_PROTOCOL');
    expect(await code({ alpn: [] })).toContain('NO_APPLICATION_PROTOCOL');
    const test = await world.join('TEST');
    await world.trigger(test, Trigger.EXIT);
    expect(await code({})).toBeDefined();
  });
});

describe('§4.1 the client certificate is judged after the handshake, before any message', () => {
  let zone: ZonePeer;
  const dial = (certificate?: {
    der: Uint8Array;
    key: ZonePeer['zone']['controller']['key'];
    chain?: readonly Uint8Array[];
  }): Promise<Peer> =>
    world.device.connect({ alpn: ['mash/1'], serverName: zone.deviceId, ...(certificate === undefined ? {} : { certificate }) });
  const begin = async (): Promise<void> => {
    world = await ReferenceWorld.start();
    zone = await world.join('LOCAL');
  };

  /** The handshake completes either way; a refused one is closed without a byte, and no time of ours passes (500 ms are allowed). */
  async function accepted(peer: Peer): Promise<boolean> {
    const before = world.device.clock.now();
    peer.send(readAll(5));
    const answer = await peer.next();
    expect(world.device.clock.now()).toBe(before);
    return answer !== undefined && mapOf(answer).get(2) === 0;
  }

  it('TC-TLS-COMM-002, TC-TLS-COMM-003: none: the handshake completes with mash/1, then the end', async () => {
    await begin();
    const peer = await dial();
    expect(peer.socket.alpnProtocol).toBe('mash/1');
    expect(await accepted(peer)).toBe(false);
  });

  it.each<readonly [string, CertificateOptions, boolean]>([
    ['VAL-CTRL-001: valid', {}, true],
    ['VAL-CTRL-002: expired a day ago', { notBefore: WORLD_NOW - YEAR, notAfter: WORLD_NOW - DAY }, false],
    ['TLS-CTRL-008: valid from tomorrow on', { notBefore: WORLD_NOW + DAY, notAfter: WORLD_NOW + YEAR }, false],
    ['VAL-CTRL-005: −200 s', { notBefore: WORLD_NOW - YEAR, notAfter: WORLD_NOW - 200 }, true],
    ['VAL-CTRL-006: −400 s', { notBefore: WORLD_NOW - YEAR, notAfter: WORLD_NOW - 400 }, false],
    ['TLS-CTRL-005: without clientAuth', { extKeyUsage: [OID.serverAuth] }, false],
    ['ALERT-002: a damaged signature', { corruptSignature: true }, false],
  ])('%s', async (_what, options, due) => {
    await begin();
    expect(await accepted(await dial(issueController(zone.zone.ca, options)))).toBe(due);
    if (!due) expect((await zone.ask(READ, [12])).status).toBe(0);
  });

  it('VAL-CTRL-003, VAL-CTRL-004, TLS-CTRL-006: another Zone CA, self-signed, a CA as leaf; leaf and Zone CA are accepted', async () => {
    await begin();
    expect(await accepted(await dial(zoneOf('LOCAL').controller))).toBe(false);
    const own = makeZoneCa({ ca: false });
    expect(await accepted(await dial({ der: own.der, key: own.key }))).toBe(false);
    const { ca, controller } = zone.zone;
    expect(await accepted(await dial({ der: ca.der, key: ca.key }))).toBe(false);
    expect(await accepted(await dial({ ...controller, chain: [ca.der] }))).toBe(true);
  });

  it('AdjustClock moves that judgement alone: +400 s refuses what ended 200 s ago; the next PASE takes it back', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    zone = test;
    const recent = issueController(test.zone.ca, { notBefore: WORLD_NOW - YEAR, notAfter: WORLD_NOW - 100 });
    expect(await accepted(await dial(recent))).toBe(true);
    await test.connect();
    await world.trigger(test, opcode(1, 400, 1));
    expect(await accepted(await dial(recent))).toBe(false);
    expect((await world.state(test))['clock_offset_s']).toBe(400);
    await world.join('LOCAL');
    expect((await world.state(test))['clock_offset_s']).toBe(0);
    expect(await accepted(await dial(recent))).toBe(true);
  });

  it('SNI in any case names the certificate; without it the newest zone’s; a removed zone’s is never shown', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    zone = test;
    const first = test.peer.serverCertificate;
    const grid = await world.join('GRID');
    const shown = async (serverName?: string): Promise<Uint8Array> =>
      (
        await world.device.connect({
          alpn: ['mash/1'],
          certificate: grid.zone.controller,
          ...(serverName === undefined ? {} : { serverName }),
        })
      ).serverCertificate;
    const own = grid.peer.serverCertificate;
    expect(await shown(grid.deviceId.toUpperCase())).toEqual(own);
    expect(await shown(test.deviceId)).toEqual(first);
    expect(await shown()).toEqual(own);
    expect((await world.invoke(test, 16, { zoneId: grid.zoneId }, 1, 0)).status).toBe(0);
    for (const name of [grid.deviceId, undefined]) expect(await shown(name)).toEqual(first);
  });

  it('TC-TLS-ALERT-001: a half-close is answered with close_notify, not with a bare FIN', async () => {
    await begin();
    const peer = await world.device.connect({
      alpn: ['mash/1'],
      serverName: zone.deviceId,
      certificate: zone.zone.controller,
      tls: { allowHalfOpen: true } as tls.ConnectionOptions,
    });
    peer.send(readAll(5));
    await peer.receive();
    const ended = new Promise<void>((resolve) => peer.socket.once('end', resolve));
    peer.socket.end();
    await ended;
    expect(peer.error).toBeUndefined();
  });
});

describe('§4.2 framing', () => {
  const MAXIMUM = 8192;
  /** A Read whose frame has so many bytes. */
  const padded = (length: number): Uint8Array => {
    const frame = (extra: number): Uint8Array =>
      encodeCbor(map([1, 7], [2, READ], [3, 0], [4, 1], [5, [12]], [99, new Uint8Array(extra)]) as CborMap);
    return frame(length - frame(0).length - (length > 300 ? 2 : 1));
  };
  const begin = async (): Promise<ZonePeer> => {
    world = await ReferenceWorld.start();
    return world.join('LOCAL');
  };

  it('FRAME-003: 8192 bytes are taken, 8193 and 65 537 close, what was due is flushed first', async () => {
    const zone = await begin();
    expect(padded(MAXIMUM)).toHaveLength(MAXIMUM);
    zone.peer.sendPayload(padded(MAXIMUM));
    expect(mapOf(await zone.peer.receive()).get(2)).toBe(0);
    zone.peer.send(readAll(8));
    zone.peer.sendPayload(padded(MAXIMUM + 1));
    expect(mapOf(await zone.peer.receive()).get(1)).toBe(8);
    await zone.peer.end();
    await zone.connect();
    zone.peer.sendRaw(fromHex('00010001'));
    await zone.peer.end();
  });

  it('FRAME-001: 256 bytes that read endpoint 0, feature 0 with a byte string: status 2', async () => {
    const zone = await begin();
    const build = (extra: number): Uint8Array => encodeCbor(map([1, 7], [2, READ], [3, 0], [4, 0], [5, new Uint8Array(extra)]));
    const payload = build(256 - build(200).length + 200);
    expect(payload).toHaveLength(256);
    zone.peer.sendPayload(payload);
    expect(mapOf(await zone.peer.receive()).get(2)).toBe(2);
  });

  it('FRAME-004: length 0 closes', async () => {
    const zone = await begin();
    zone.peer.sendRaw(fromHex('00000000'));
    await zone.peer.end();
  });

  it('FRAME-005: part of a prefix, then part of a payload, then the rest: waited for', async () => {
    const zone = await begin();
    const payload = encodeCbor(readAll(9));
    zone.peer.sendRaw(Uint8Array.of(0, 0));
    await world.device.clock.advance(60_000);
    zone.peer.sendRaw(Uint8Array.of(0, payload.length, ...payload.subarray(0, 3)));
    await world.device.clock.advance(60_000);
    zone.peer.sendRaw(payload.subarray(3));
    expect(mapOf(await zone.peer.receive()).get(1)).toBe(9);
  });

  it('FRAME-006: a frame of garbage is answered (id 0, status 5) before the zero length behind it closes', async () => {
    const zone = await begin();
    zone.peer.sendRaw(Uint8Array.of(0, 0, 0, 16, 0, 0, 0, 0, 0));
    zone.peer.sendPayload(new Uint8Array(11));
    const answer = mapOf(await zone.peer.receive());
    expect([answer.get(1), answer.get(2)]).toEqual([0, 5]);
    await zone.peer.end();
  });

  it('a commissioning connection takes no more than 8192 bytes either', async () => {
    world = await ReferenceWorld.start();
    const peer = await world.device.connect();
    peer.sendRaw(fromHex('00002001'));
    await peer.end();
    expect(peer.pendingFrames).toBe(0);
  });
});
