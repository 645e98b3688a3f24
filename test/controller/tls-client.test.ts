import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeTransport } from '../../src/controller/tls-client.js';
import { nodeCrypto, nodeKeyPem } from '../../src/node/crypto.js';
import { createCommissioningCertificate } from '../../src/pki/self-signed.js';
import { WORLD_NOW } from '../world/certificates.js';
import { VirtualClock } from '../world/clock.js';
import { pem } from '../world/peer.js';

const crypto = nodeCrypto();
const key = crypto.generateKey();
const der = createCommissioningCertificate(crypto, { key, discriminator: 7, now: WORLD_NOW, validity: 86_400 });
const commissioning = { kind: 'commissioning' } as const;

let clock: VirtualClock;
let server: net.Server | undefined;
const accepted: net.Socket[] = [];
beforeEach(() => {
  clock = new VirtualClock();
});
afterEach(() => {
  for (const socket of accepted.splice(0)) socket.destroy();
  server?.close();
  server = undefined;
});

async function listen(made: net.Server): Promise<{ host: string; port: number }> {
  server = made;
  made.on('connection', (socket: net.Socket) => accepted.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => made.listen(0, '::1', resolve));
  return { host: '::1', port: (made.address() as net.AddressInfo).port };
}

function tlsServer(options: tls.TlsOptions): net.Server {
  return tls.createServer({ cert: pem(der), key: nodeKeyPem(key), ...options }).on('tlsClientError', () => {});
}

/** Waits for real sockets. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('nodeTransport', () => {
  it('offers mash-comm/1, TLS 1.3, no server name and no certificate; hands over certificate and exporter', async () => {
    let seen: { alpn: string | false | null; name: unknown; version: string | null; exporter: string } | undefined;
    const made = tlsServer({ ALPNProtocols: ['mash-comm/1'], requestCert: true, rejectUnauthorized: false });
    made.on('secureConnection', (socket: tls.TLSSocket) => {
      const exporter = socket.exportKeyingMaterial(32, 'EXPORTER-MASH-PASE', Buffer.alloc(0)).toString('hex');
      seen = { alpn: socket.alpnProtocol, name: socket.servername, version: socket.getProtocol(), exporter };
      expect(socket.getPeerX509Certificate()).toBeUndefined();
    });
    const address = await listen(made);
    const { stream, certificate } = await nodeTransport(clock).connect(address, commissioning, new AbortController().signal);
    await until(() => seen !== undefined);
    expect(certificate).toEqual(der);
    expect(Buffer.from(stream.exporter('EXPORTER-MASH-PASE', 32)).toString('hex')).toBe(seen?.exporter);
    expect(seen).toMatchObject({ alpn: 'mash-comm/1', name: false, version: 'TLSv1.3' });
    expect(clock.pending()).toEqual([]);
    stream.destroy();
  });

  it('refuses a server without TLS 1.3 or without ALPN', async () => {
    const old = await listen(tlsServer({ ALPNProtocols: ['mash-comm/1'], maxVersion: 'TLSv1.2' }));
    await expect(nodeTransport(clock).connect(old, commissioning, new AbortController().signal)).rejects.toMatchObject({
      code: 'NOT_TRUSTED',
      message: expect.stringContaining(`[::1]:${old.port}: TLS failed: ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION`),
    });
    server?.close();
    const plain = await listen(tlsServer({}));
    await expect(nodeTransport(clock).connect(plain, commissioning, new AbortController().signal)).rejects.toMatchObject({
      code: 'PROTOCOL',
    });
  });

  it('tells a device without an open window by its alert', async () => {
    const address = await listen(tlsServer({ ALPNProtocols: ['mash/1'] }));
    await expect(nodeTransport(clock).connect(address, commissioning, new AbortController().signal)).rejects.toMatchObject({
      code: 'WINDOW_CLOSED',
    });
  });

  it('gives a silent peer 5 s', async () => {
    const address = await listen(net.createServer());
    let failed: unknown;
    nodeTransport(clock)
      .connect(address, commissioning, new AbortController().signal)
      .catch((error: unknown) => {
        failed = error;
      });
    await until(() => accepted.length === 1);
    await clock.advance(4999);
    expect(failed).toBeUndefined();
    await clock.advance(1);
    await until(() => failed !== undefined);
    expect(failed).toMatchObject({ name: 'NetworkError', message: expect.stringContaining('no answer within 5 s') });
  });

  it('ends at once when it is given up', async () => {
    const address = await listen(net.createServer());
    const abort = new AbortController();
    const connecting = nodeTransport(clock).connect(address, commissioning, abort.signal);
    const expected = expect(connecting).rejects.toMatchObject({ message: expect.stringContaining('given up') });
    await until(() => accepted.length === 1);
    abort.abort();
    await expected;
    await expect(nodeTransport(clock).connect(address, commissioning, abort.signal)).rejects.toThrow(/given up/);
    expect(clock.pending()).toEqual([]);
  });

  it('tells a refused connection, and a peer that hangs up', async () => {
    const address = await listen(net.createServer((socket) => socket.destroy()));
    await expect(nodeTransport(clock).connect(address, commissioning, new AbortController().signal)).rejects.toMatchObject({
      name: 'NetworkError',
    });
    await new Promise((resolve) => server?.close(resolve));
    await expect(nodeTransport(clock).connect(address, commissioning, new AbortController().signal)).rejects.toThrow(/ECONNREFUSED/);
  });
});
