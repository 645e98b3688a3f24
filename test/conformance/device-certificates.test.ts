import { afterEach, describe, expect, it } from 'vitest';
import { openSession } from '../../src/controller/operational.js';
import { nodeTransport } from '../../src/controller/tls-client.js';
import type { ControllerZone } from '../../src/controller/zone.js';
import { ZoneStore } from '../../src/controller/zone-store.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { nodeListener } from '../../src/node/listener.js';
import { deviceIdOfKey } from '../../src/pki/identities.js';
import { KEY_USAGE, OID } from '../../src/pki/oid.js';
import type { BoundPort } from '../../src/platform.js';
import {
  type CertificateOptions,
  DAY,
  issueController,
  issueDeviceCertificate,
  makeZoneCa,
  WORLD_NOW,
  YEAR,
} from '../world/certificates.js';
import { VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';

const crypto = nodeCrypto();
const clock = new VirtualClock(WORLD_NOW * 1000);
const log = new MemoryLog();
const ca = makeZoneCa();
const controller = issueController(ca);
const zone = { caCertificate: ca.der, controllerCertificate: controller.der, controllerKey: controller.key } as ControllerZone;
let bound: BoundPort | undefined;
afterEach(() => void bound?.close());

/** A device with that certificate answers on a real socket; the controller's verdict, and whether a frame ever reached the device. */
async function verdict(options: CertificateOptions, authority = ca): Promise<string> {
  const key = crypto.generateKey();
  const certificate = issueDeviceCertificate(authority, key.publicKey, options).der;
  let frames = 0;
  bound = await nodeListener({ clock, log, ipv4: false }).listen('operational', 0, {
    onAccept: () => true,
    onActivity: () => {},
    onGone: () => {},
    route: () => ({ kind: 'operational', identity: { certificate, key }, alpn: 'mash/1' }),
    onSecure: (stream) => stream.start({ onData: () => frames++, onClose: () => {} }),
  });
  const parts = {
    crypto,
    clock,
    log,
    transport: nodeTransport(clock),
    store: new ZoneStore('unused', crypto),
    resolver: () => Promise.reject(new Error('no multicast here')),
  };
  const record = { id: deviceIdOfKey(crypto, key.publicKey), dialect: 'draft' } as const;
  try {
    const { session } = await openSession(parts, zone, record, [{ host: '::1', port: bound.port }]);
    const closing = session.close();
    await clock.advance(5000);
    await closing;
    return 'accepted';
  } catch (error) {
    expect(frames).toBe(0);
    return (error as { code?: string }).code ?? String(error);
  }
}

describe('TC-CERT-VAL: the controller judges the device, over real TLS', () => {
  it('TC-CERT-VAL-1: a valid certificate is accepted', async () => {
    expect(await verdict({})).toBe('accepted');
  });

  it('TC-CERT-VAL-2: an expired certificate is refused before any message', async () => {
    expect(await verdict({ notBefore: WORLD_NOW - YEAR, notAfter: WORLD_NOW - DAY })).toBe('NOT_TRUSTED');
  });

  it('TC-CERT-VAL-3: a certificate of another Zone CA is refused, even of the same name', async () => {
    expect(await verdict({}, makeZoneCa())).toBe('NOT_TRUSTED');
  });

  it('TC-CERT-VAL-4: 200 s of clock skew are accepted, either way', async () => {
    expect(await verdict({ notBefore: WORLD_NOW + 200, notAfter: WORLD_NOW + YEAR })).toBe('accepted');
    expect(await verdict({ notBefore: WORLD_NOW - YEAR, notAfter: WORLD_NOW - 200 })).toBe('accepted');
  });

  it('TC-CERT-VAL-5: 400 s of clock skew are refused, either way', async () => {
    expect(await verdict({ notBefore: WORLD_NOW + 400, notAfter: WORLD_NOW + YEAR })).toBe('NOT_TRUSTED');
    expect(await verdict({ notBefore: WORLD_NOW - YEAR, notAfter: WORLD_NOW - 400 })).toBe('NOT_TRUSTED');
  });

  it('connection-establishment §5.2: without digitalSignature, or with another extended usage, it is refused', async () => {
    expect(await verdict({ keyUsage: KEY_USAGE.keyEncipherment })).toBe('NOT_TRUSTED');
    expect(await verdict({ extKeyUsage: [OID.clientAuth] })).toBe('NOT_TRUSTED');
  });
});
