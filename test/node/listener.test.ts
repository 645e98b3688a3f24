import { afterEach, expect, it } from 'vitest';
import { nodeCrypto } from '../../src/node/crypto.js';
import { nodeListener } from '../../src/node/listener.js';
import { createCommissioningCertificate } from '../../src/pki/self-signed.js';
import type { BoundPort, ListenerHandlers } from '../../src/platform.js';
import { WORLD_NOW } from '../world/certificates.js';
import { VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';
import { Peer } from '../world/peer.js';

const crypto = nodeCrypto();
const key = crypto.generateKey();
const certificate = createCommissioningCertificate(crypto, { key, discriminator: 1, now: WORLD_NOW, validity: 86_400 });
const log = new MemoryLog();
let bound: BoundPort | undefined;
afterEach(() => void bound?.close());

async function listen(handlers: Partial<ListenerHandlers>): Promise<number> {
  bound = await nodeListener({ clock: new VirtualClock(), log, ipv4: false }).listen('operational', 0, {
    onAccept: () => true,
    onActivity: () => {},
    onGone: () => {},
    route: () => ({ kind: 'commissioning', identity: { certificate, key }, alpn: 'mash-comm/1' }),
    onSecure: () => {},
    ...handlers,
  });
  return bound.port;
}

it.each<[string, Partial<ListenerHandlers>]>([
  ['routing', { route: () => fail() }],
  ['a completed handshake', { onSecure: () => fail() }],
  ['data', { onSecure: (stream) => stream.start({ onData: () => fail(), onClose: () => {} }) }],
])('a bug of ours in %s ends that connection, is logged, and nothing else', async (_what, handlers) => {
  log.lines.length = 0;
  const port = await listen(handlers);
  const peer = await Peer.connect({ port }).catch(() => undefined);
  peer?.sendRaw(Uint8Array.of(1, 2, 3));
  await peer?.end();
  for (let i = 0; log.lines.length === 0 && i < 1000; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(log.lines).toMatchObject([{ level: 'error', message: 'a bug ended a connection' }]);
});

it('an identity of which no TLS context can be made is logged when it is prepared, and ends nothing', () => {
  log.lines.length = 0;
  nodeListener({ clock: new VirtualClock(), log, ipv4: false }).prepare({ certificate: new Uint8Array(9), key });
  expect(log.lines).toMatchObject([{ level: 'error', message: 'no TLS context can be made of a certificate' }]);
});

it('a port in use is a NetworkError that names it', async () => {
  const port = await listen({});
  const other = nodeListener({ clock: new VirtualClock(), log, ipv4: false });
  await expect(other.listen('commissioning', port, {} as ListenerHandlers)).rejects.toThrow(new RegExp(`${port}.*already in use`));
});

function fail(): never {
  throw new TypeError('planted');
}
