import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.js';
import { commonName } from '../../src/pki/name.js';
import { makeZone, mapOf, readAll, StepController } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { handshakeError, RawPeer } from '../world/peer.js';

let world: DeviceWorld;
afterEach(() => world.close());

async function commissioned(): Promise<StepController> {
  world = await DeviceWorld.start();
  const steps = new StepController(await world.connect(), 'draft', makeZone('Home'));
  await steps.run();
  await steps.finish();
  return steps;
}

describe('TC-TLS-COMM: TLS during commissioning', () => {
  it('TC-TLS-COMM-1: a self-signed certificate with CN=MASH-<D>, valid for a day', async () => {
    world = await DeviceWorld.start();
    const peer = await world.connect();
    const certificate = parseCertificate(world.crypto, peer.serverCertificate);
    expect(commonName(certificate.subject)).toBe('MASH-1234');
    expect(certificate.issuer.raw).toEqual(certificate.subject.raw);
    expect(world.crypto.verify(certificate.publicKey, certificate.tbs, certificate.signature)).toBe(true);
    expect(certificate.notAfter - Math.floor(world.clock.wall() / 1000)).toBe(86_400);
  });

  it('TC-TLS-COMM-3: no client certificate is asked for, and none is needed', async () => {
    world = await DeviceWorld.start();
    const peer = await world.connect();
    // OpenSSL reports the signature schemes of a CertificateRequest; there are none without one.
    expect(peer.socket.getSharedSigalgs()).toEqual([]);
    expect(await new StepController(peer, 'draft', makeZone('Home')).run()).toMatchObject({ status: 0 });
  });

  it('TC-TLS-COMM-4: ALPN mash/1 is selected where it leads to commissioning, mash-comm/1 where both are offered', async () => {
    world = await DeviceWorld.start();
    expect((await world.connect({ alpn: ['mash/1'] })).socket.alpnProtocol).toBe('mash/1');
    expect((await world.connect({ alpn: ['mash/1', 'mash-comm/1'] })).socket.alpnProtocol).toBe('mash-comm/1');
  });
});

describe('TLS profile (protocol.md §1)', () => {
  it.each([
    ['TLS_AES_128_GCM_SHA256', undefined],
    ['TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384'],
    ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
    ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256'],
  ])('negotiates %s when offered %s', async (expected, ciphers) => {
    world = await DeviceWorld.start();
    const peer = await world.connect({ tls: ciphers === undefined ? {} : { ciphers } });
    expect(peer.socket.getCipher().name).toBe(expected);
    expect(peer.socket.getProtocol()).toBe('TLSv1.3');
  });

  it.each(['P-256', 'X25519'])('accepts a client of group %s alone', async (group) => {
    world = await DeviceWorld.start();
    await world.connect({ tls: { ecdhCurve: group } });
  });

  it('refuses TLS 1.2 with alert 70, other or no ALPN with alert 120', async () => {
    world = await DeviceWorld.start();
    const { port } = world;
    expect((await handshakeError({ port, tls: { maxVersion: 'TLSv1.2' } }))?.code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    expect((await handshakeError({ port, alpn: ['http/1.1'] }))?.code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    expect((await handshakeError({ port, alpn: [] }))?.code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    await world.clock.advance(120_000);
    expect((await handshakeError({ port }))?.code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    expect((await handshakeError({ port, alpn: ['mash/1'] }))?.code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  });

  it('gives a full handshake to a client that offers a ticket', async () => {
    world = await DeviceWorld.start();
    const first = await world.connect();
    const session = await new Promise<Buffer | undefined>((resolve) => {
      first.socket.once('session', resolve);
      setTimeout(() => resolve(undefined), 200);
    });
    const offered = session ?? first.socket.getSession();
    const second = await world.connect({ tls: offered === undefined ? {} : { session: offered } });
    expect(offered).toBeDefined();
    expect(second.socket.isSessionReused()).toBe(false);
    expect(await new StepController(second, 'draft', makeZone('Home')).run()).toMatchObject({ status: 0 });
  });

  it('answers a half-close with its own close_notify', async () => {
    const steps = await commissioned();
    const { controller } = steps.zone;
    const peer = await world.connect({
      alpn: ['mash/1'],
      serverName: steps.deviceId,
      certificate: controller,
      tls: { allowHalfOpen: true } as tls.ConnectionOptions,
    });
    peer.send(readAll(5));
    await peer.receive();
    const ended = new Promise<void>((resolve) => peer.socket.once('end', resolve));
    peer.socket.end();
    await ended;
  });

  it('takes a ClientHello byte by byte and over several segments, and drops what is none', async () => {
    world = await DeviceWorld.start();
    const hello = await captureHello(['mash-comm/1']);
    const raw = await RawPeer.connect(world.port);
    for (const byte of hello) {
      raw.socket.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await world.until(() => raw.bytes.length > 100, 'a ServerHello');
    expect(raw.bytes[0]).toBe(22);
    raw.socket.destroy();
    for (const garbage of ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\xff\xff']) {
      const peer = await RawPeer.connect(world.port);
      peer.socket.write(Buffer.from(garbage, 'latin1'));
      await peer.end();
      expect(peer.bytes.length).toBe(0);
    }
    const silent = await RawPeer.connect(world.port);
    await world.untilPending('CLIENT_HELLO');
    await world.clock.advance(10_000);
    await silent.end();
  });

  it('presents the certificate that the SNI names, in any case and with .local; else that of the zone last connected from there', async () => {
    const first = await commissioned();
    await world.clock.advance(10_000);
    await world.press();
    const second = new StepController(await world.connect(), 'draft', makeZone('Two'));
    await second.run();
    await second.finish();
    const presented = async (serverName?: string) => {
      const { controller } = second.zone;
      const peer = await world.connect({ alpn: ['mash/1'], certificate: controller, ...(serverName === undefined ? {} : { serverName }) });
      const name = commonName(parseCertificate(world.crypto, peer.serverCertificate).subject);
      peer.send(readAll(5));
      expect(mapOf(await peer.receive()).get(2)).toBe(0);
      return name;
    };
    expect(await presented()).toBe(second.deviceId);
    expect(await presented(first.deviceId.toLowerCase())).toBe(first.deviceId);
    expect(await presented(`${first.deviceId}.local`)).toBe(first.deviceId);
    expect(await presented(second.deviceId)).toBe(second.deviceId);
    expect(await presented()).toBe(second.deviceId);
  });
});

async function captureHello(alpn: readonly string[]): Promise<Buffer> {
  const { Duplex } = await import('node:stream');
  return new Promise((resolve) => {
    const sink = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk);
        done();
      },
    });
    tls.connect({ socket: sink, ALPNProtocols: [...alpn], rejectUnauthorized: false }).on('error', () => {});
  });
}
