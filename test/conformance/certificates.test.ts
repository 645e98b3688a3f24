import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DialectName } from '../../src/dialect/messages.js';
import { KEY_USAGE, OID } from '../../src/pki/oid.js';
import {
  type CertificateOptions,
  DAY,
  issueController,
  issueDeviceCertificate,
  makeZoneCa,
  type TestCertificate,
  WORLD_NOW,
  YEAR,
} from '../world/certificates.js';
import { makeZone, mapOf, readAll, StepController, type StepOptions, type TestZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import type { Peer } from '../world/peer.js';

let world: DeviceWorld;
beforeEach(async () => {
  world = await DeviceWorld.start();
});
afterEach(() => world.close());

const attempt = async (dialect: DialectName, zone: TestZone, options: StepOptions) =>
  new StepController(await world.connect(), dialect, zone, options).run();

describe.each<DialectName>(['draft', 'reference'])('TC-CERT, %s dialect', (dialect) => {
  const invalid = { type: 'certAck', status: dialect === 'draft' ? 5 : 3 };

  it('TC-CERT-1: a valid chain is installed; ten years are accepted', async () => {
    const notAfter = WORLD_NOW + 10 * YEAR;
    expect(await attempt(dialect, makeZone('Home'), { certificate: { notAfter } })).toMatchObject({ type: 'certAck', status: 0 });
  });

  it('TC-CERT-2: a device without attestation is commissioned; attestation is answered empty', async () => {
    const steps = new StepController(await world.connect(), dialect, makeZone('Home'), { attestation: true });
    for (const step of steps.steps) {
      step();
      const answer = await steps.receive();
      if (answer.type === 'attestationRsp') expect(answer).toEqual({ type: 'attestationRsp', certificate: new Uint8Array(0), chain: [] });
      steps.take(answer);
    }
    expect(world.device.status.zones).toHaveLength(1);
  });

  it('TC-CERT-3: a broken chain is INVALID_CERT', async () => {
    const zone = makeZone('Home');
    const other = makeZoneCa({ zoneName: 'Home' });
    expect(await attempt(dialect, zone, { installCa: other.der })).toMatchObject(invalid);
    expect(world.device.status.zones).toEqual([]);
  });

  it('TC-CERT-4: an expired operational certificate is INVALID_CERT', async () => {
    const certificate = { notBefore: WORLD_NOW - 2 * DAY, notAfter: WORLD_NOW - 301 };
    expect(await attempt(dialect, makeZone('Home'), { certificate })).toMatchObject(invalid);
    expect(world.device.status.zones).toEqual([]);
  });

  it('certificates of nearly 8 KiB each are refused as what cannot be stored, and nothing is left behind', async () => {
    const filled = (length: number) => [`${'x'.repeat(8192 - 48 - length)}.org`];
    const ca = makeZoneCa({ dnsNames: filled(makeZoneCa().der.length) });
    const dnsNames = filled(issueDeviceCertificate(ca, ca.certificate.publicKey).der.length);
    const zone = { ca, controller: issueController(ca), type: 3, priority: 3 };
    expect(await attempt(dialect, zone, { certificate: { dnsNames } })).toMatchObject({
      type: 'certAck',
      status: dialect === 'draft' ? 6 : 2,
    });
    expect(world.device.status.zones).toEqual([]);
    await world.clock.advance(1000);
    expect(await attempt(dialect, makeZone('Home'), {})).toMatchObject({ type: 'certAck', status: 0 });
  });

  it('protocol.md §2.11: every rule refuses on its own, and nothing is left behind', async () => {
    const zone = makeZone('Home');
    const stranger = world.crypto.generateKey();
    const leaf: [string, StepOptions, object?][] = [
      ['CA:TRUE', { certificate: { ca: true } }],
      ['EKU without serverAuth', { certificate: { extKeyUsage: [OID.clientAuth] } }],
      ['a common name that is not the device id', { certificate: { subject: [[{ type: OID.commonName, value: '0011223344556677' }]] } }],
      ['an issuer that is not the Zone CA', { certificate: { issuer: [[{ type: OID.commonName, value: 'Somebody' }]] } }],
      ['a bad signature', { certificate: { corruptSignature: true } }],
      ['not valid yet', { certificate: { notBefore: WORLD_NOW + 400, notAfter: WORLD_NOW + YEAR } }],
      [
        'the key of another CSR',
        { installCertificate: issueDeviceCertificate(zone.ca, stranger.publicKey).der },
        { type: 'certAck', status: dialect === 'draft' ? 5 : 4 },
      ],
    ];
    for (const [what, options, answer] of leaf) {
      expect(await attempt(dialect, zone, options), what).toMatchObject(answer ?? invalid);
      expect(world.device.status.zones, what).toEqual([]);
      await world.clock.advance(1000);
    }
    const refused = dialect === 'draft' ? { type: 'certAck', status: 5 } : { type: 'error', code: 4 };
    const authorities: [string, CertificateOptions & { corruptSignature?: boolean }][] = [
      ['CA:FALSE', { ca: false }],
      ['no keyCertSign', { keyUsage: KEY_USAGE.digitalSignature }],
      ['expired', { notBefore: WORLD_NOW - 2 * DAY, notAfter: WORLD_NOW - DAY }],
      ['not self-signed', { corruptSignature: true }],
    ];
    for (const [what, options] of authorities) {
      const ca = makeZoneCa(options);
      const bad = { ca, controller: issueController(ca), type: 3, priority: 3 };
      expect(await attempt(dialect, bad, {}), what).toMatchObject(refused);
      expect(world.device.status.zones, what).toEqual([]);
      await world.clock.advance(1000);
    }
    expect(await attempt(dialect, zone, {})).toMatchObject({ type: 'certAck', status: 0 });
  });
});

describe('TC-CERT-VAL-CTRL: the device judges the controller', () => {
  let zone: TestZone;
  let deviceId: string;
  let deviceKeyHolder: StepController;

  beforeEach(async () => {
    zone = makeZone('Home');
    deviceKeyHolder = new StepController(await world.connect(), 'draft', zone);
    await deviceKeyHolder.run();
    await deviceKeyHolder.finish();
    deviceId = deviceKeyHolder.deviceId;
  });

  const dial = (certificate?: { der: Uint8Array; key: TestZone['controller']['key']; chain?: readonly Uint8Array[] }): Promise<Peer> =>
    world.connect({ alpn: ['mash/1'], serverName: deviceId, ...(certificate === undefined ? {} : { certificate }) });

  async function accepted(peer: Peer): Promise<boolean> {
    peer.send(readAll(5));
    const answer = await peer.next();
    if (answer !== undefined) return mapOf(answer).get(2) === 0;
    expect(peer.closed).toBe(true);
    return false;
  }

  async function judged(options: CertificateOptions): Promise<boolean> {
    const controller = issueController(zone.ca, options);
    return accepted(await dial(controller));
  }

  it('TC-CERT-VAL-CTRL-1: a valid controller certificate establishes the session, with or without its Zone CA', async () => {
    expect(await accepted(await dial(zone.controller))).toBe(true);
    expect(await accepted(await dial({ ...zone.controller, chain: [zone.ca.der] }))).toBe(true);
  });

  it('TC-CERT-VAL-CTRL-2: an expired controller certificate is refused', async () => {
    expect(await judged({ notBefore: WORLD_NOW - YEAR, notAfter: WORLD_NOW - DAY })).toBe(false);
  });

  it('TC-CERT-VAL-CTRL-3: a certificate of another Zone CA is refused, even of the same name', async () => {
    const other = makeZone('Home');
    expect(await accepted(await dial(other.controller))).toBe(false);
  });

  it('TC-CERT-VAL-CTRL-4: a self-signed controller certificate is refused', async () => {
    const ca = makeZoneCa({ ca: false, keyUsage: KEY_USAGE.digitalSignature });
    expect(await accepted(await dial({ der: ca.der, key: ca.key }))).toBe(false);
  });

  it('TC-CERT-VAL-CTRL-5: 200 s of clock skew are accepted, either way', async () => {
    expect(await judged({ notBefore: WORLD_NOW + 200, notAfter: WORLD_NOW + YEAR })).toBe(true);
    expect(await judged({ notBefore: WORLD_NOW - YEAR, notAfter: WORLD_NOW - 200 })).toBe(true);
  });

  it('TC-CERT-VAL-CTRL-6: 400 s of clock skew are refused, either way', async () => {
    expect(await judged({ notBefore: WORLD_NOW + 400, notAfter: WORLD_NOW + YEAR })).toBe(false);
    expect(await judged({ notBefore: WORLD_NOW - YEAR, notAfter: WORLD_NOW - 400 })).toBe(false);
  });

  it('protocol.md §1: no certificate, a CA as leaf, no clientAuth, a longer chain: destroyed before any MASH message', async () => {
    expect(await accepted(await dial())).toBe(false);
    expect(await accepted(await dial({ der: zone.ca.der, key: zone.ca.key }))).toBe(false);
    expect(await judged({ extKeyUsage: [OID.serverAuth] })).toBe(false);
    expect(await judged({ corruptSignature: true })).toBe(false);
    const between: TestCertificate & { key: TestZone['ca']['key'] } = issueController(zone.ca, {
      ca: true,
      keyUsage: KEY_USAGE.digitalSignature | KEY_USAGE.keyCertSign,
      subject: [[{ type: OID.commonName, value: 'between' }]],
    });
    const leaf = issueController({ ...zone.ca, ...between }, {});
    expect(await accepted(await dial({ ...leaf, chain: [between.der, zone.ca.der] }))).toBe(false);
  });

  it("protocol.md §1: a device is not a controller: the device's own operational certificate is refused", async () => {
    const key = world.crypto.generateKey();
    const device = issueDeviceCertificate(zone.ca, key.publicKey);
    expect(await accepted(await dial({ der: device.der, key }))).toBe(false);
    expect(await judged({ subject: [[{ type: OID.organizationalUnit, value: 'MASH Device' }]] })).toBe(false);
    expect(await accepted(await dial(zone.controller))).toBe(true);
  });

  it('protocol.md §1: a second connection of the same zone replaces the first, other zones never notice', async () => {
    const first = await dial(zone.controller);
    expect(await accepted(first)).toBe(true);
    const second = await dial(zone.controller);
    expect(await accepted(second)).toBe(true);
    await first.end();
    second.send(readAll(8));
    expect(mapOf(await second.receive()).get(1)).toBe(8);
    expect(world.device.status.zones).toMatchObject([{ connected: true }]);
  });
});
