import { webcrypto, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../src/codec/hex.js';
import { isSignedBy, parseCertificate } from '../../src/pki/certificate.js';
import { KEY_USAGE, OID } from '../../src/pki/oid.js';
import { createCommissioningCertificate } from '../../src/pki/self-signed.js';
import { checkControllerCertificate, checkDeviceCertificate, checkDevicePeer, checkZoneCa } from '../../src/pki/verify.js';
import { DAY, issueController, issueDeviceCertificate, makeZoneCa, WORLD_NOW, YEAR } from '../world/certificates.js';
import { hasOpenssl, openssl, opensslNote, readByNode, readByOpenssl, readByPeculiar, readByUs, x509 } from './oracles.js';
import { fixedScalar, REFERENCE, seededCrypto } from './vectors.js';

const crypto = seededCrypto(5);
const key = crypto.importKey(fixedScalar(1));
const ca = makeZoneCa({ crypto, key, zoneName: 'Haus Süd' });
const deviceKey = crypto.importKey(fixedScalar(2));

const OURS: Readonly<Record<string, Uint8Array>> = {
  'our Zone CA': ca.der,
  'our device': issueDeviceCertificate(ca, deviceKey.publicKey, { uris: ['mash://device/1'] }).der,
  'our controller': issueController(ca, { key: crypto.importKey(fixedScalar(3)) }).der,
  'our commissioning certificate': createCommissioningCertificate(crypto, {
    key: deviceKey,
    discriminator: 7,
    now: WORLD_NOW,
    validity: DAY,
  }),
  'a commissioning certificate into 2046 and GeneralizedTime': createCommissioningCertificate(crypto, {
    key: deviceKey,
    discriminator: 4095,
    now: WORLD_NOW,
    validity: 30 * YEAR,
  }),
  'all of keyUsage, no other extension': issueDeviceCertificate(ca, deviceKey.publicKey, {
    keyUsage: 0x1ff,
    extKeyUsage: null,
    ca: null,
    subjectKeyId: null,
    authorityKeyId: null,
    dnsNames: [],
  }).der,
  'no extension at all, a serial of one byte': issueDeviceCertificate(ca, deviceKey.publicKey, {
    serial: Uint8Array.of(0x80),
    keyUsage: null,
    extKeyUsage: null,
    ca: null,
    subjectKeyId: null,
    authorityKeyId: null,
    dnsNames: [],
  }).der,
};
const GO: Readonly<Record<string, Uint8Array>> = {
  'Zone CA of mash-go': REFERENCE.zoneCa,
  'device of mash-go': REFERENCE.device,
  'renewed device of mash-go': REFERENCE.renewedDevice,
};

async function issueByPeculiar(): Promise<Record<string, Uint8Array>> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const [authority, leaf] = await Promise.all([keys(), keys()]);
  const validity = { notBefore: new Date(WORLD_NOW * 1000), notAfter: new Date((WORLD_NOW + YEAR) * 1000) };
  const zoneCa = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: '0a11',
    name: [{ O: ['MASH Zone'] }, { OU: ['GRID'] }, { CN: ['MASH Zone CA - P'] }],
    signingAlgorithm: algorithm,
    keys: authority,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  const device = await x509.X509CertificateGenerator.create({
    ...validity,
    subject: [{ O: ['MASH Device'] }, { OU: ['V4660', 'P1'] }, { CN: ['0123456789ABCDEF'] }],
    issuer: zoneCa.subjectName,
    signingAlgorithm: algorithm,
    signingKey: authority.privateKey,
    publicKey: leaf.publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.decipherOnly, true),
      new x509.ExtendedKeyUsageExtension([OID.serverAuth, OID.clientAuth]),
      await x509.SubjectKeyIdentifierExtension.create(leaf.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: '0123456789abcdef' },
        { type: 'url', value: 'mash://device/0123456789ABCDEF' },
        { type: 'ip', value: '192.0.2.1' },
      ]),
    ],
  });
  return { 'Zone CA of @peculiar/x509': new Uint8Array(zoneCa.rawData), 'device of @peculiar/x509': new Uint8Array(device.rawData) };
}

describe('every field as other readers see it', () => {
  let all: Record<string, Uint8Array> = {};
  beforeAll(async () => {
    all = { ...OURS, ...GO, ...(await issueByPeculiar()) };
  });
  const names = [...Object.keys(OURS), ...Object.keys(GO), 'Zone CA of @peculiar/x509', 'device of @peculiar/x509'];
  const get = (name: string): Uint8Array => all[name] ?? new Uint8Array(0);

  it.each(names)('%s: as node:crypto', (name) => {
    const {
      pathLength: _p,
      keyUsage: _k,
      subjectKeyId: _s,
      authorityKeyId: _a,
      signature: _g,
      ...ours
    } = readByUs(parseCertificate(crypto, get(name)));
    expect(ours).toEqual(readByNode(get(name)));
  });

  it.each(names)('%s: as @peculiar/x509', (name) => {
    expect(readByUs(parseCertificate(crypto, get(name)))).toEqual(readByPeculiar(get(name)));
  });

  it.runIf(hasOpenssl).each(names)(`%s: as openssl${opensslNote}`, (name) => {
    expect(readByUs(parseCertificate(crypto, get(name)))).toEqual(readByOpenssl(get(name)));
  });

  it('the two of @peculiar/x509 belong together', () => {
    const [authority, device] = ['Zone CA of @peculiar/x509', 'device of @peculiar/x509'].map((name) =>
      parseCertificate(crypto, get(name)),
    );
    if (authority === undefined || device === undefined) throw new Error('not issued');
    const time = { quality: 'synchronised', now: WORLD_NOW } as const;
    checkZoneCa(crypto, authority, time);
    checkDevicePeer(crypto, { certificate: device, ca: authority, expectedDeviceId: '0123456789abcdef', time });
    expect(device.extensions.authorityKeyId).toEqual(authority.extensions.subjectKeyId);
  });

  it('raw and tbs are the bytes themselves, and do not follow a later change of the input', () => {
    const input = Buffer.from(ca.der);
    const certificate = parseCertificate(crypto, input);
    input.fill(0);
    expect(toHex(certificate.raw)).toBe(toHex(ca.der));
    expect(toHex(certificate.raw)).toContain(toHex(certificate.tbs));
    expect(isSignedBy(crypto, certificate, certificate)).toBe(true);
  });
});

describe('the chain of the Go reference', () => {
  const zoneCa = parseCertificate(crypto, REFERENCE.zoneCa);
  const time = { quality: 'synchronised', now: REFERENCE.now } as const;

  it('passes the checks of a commissioning and of a renewal', () => {
    const first = parseCertificate(crypto, REFERENCE.device);
    const renewed = parseCertificate(crypto, REFERENCE.renewedDevice);
    checkZoneCa(crypto, zoneCa, time);
    checkDeviceCertificate(crypto, { certificate: first, ca: zoneCa, expectedPublicKey: first.publicKey, time });
    const renewal = { certificate: renewed, ca: zoneCa, expectedPublicKey: renewed.publicKey, time };
    checkDeviceCertificate(crypto, { ...renewal, expectedCommonName: 'A66A8E4255CC3C8E' });
    expect(() => checkDeviceCertificate(crypto, renewal)).toThrow(expect.objectContaining({ reason: 'wrong-device-id' }));
  });

  it('its device certificate is refused as a controller, clientAuth or not', () => {
    const certificate = parseCertificate(crypto, REFERENCE.device);
    const zones = [{ zoneId: '00', ca: zoneCa }];
    expect(() => checkControllerCertificate(crypto, { certificate, zones, time })).toThrow(
      expect.objectContaining({ reason: 'device-certificate' }),
    );
  });
});

describe('what we write, others verify', () => {
  it('node:crypto verifies leaf and Zone CA', () => {
    const authority = new X509Certificate(ca.der);
    for (const der of [ca.der, OURS['our device'], OURS['our controller']]) {
      const certificate = new X509Certificate(der ?? '');
      expect(certificate.verify(authority.publicKey)).toBe(true);
      expect(certificate.checkIssued(authority)).toBe(true);
    }
  });

  it.runIf(hasOpenssl)(`openssl parses each strictly, to the same bytes${opensslNote}`, () => {
    for (const der of Object.values(OURS)) {
      const pem = openssl(der, 'x509', '-inform', 'DER', '-outform', 'PEM');
      expect(Buffer.from(pem.replace(/-----[^-]*-----|\n/g, ''), 'base64').equals(der)).toBe(true);
    }
  });

  it('the commissioning certificate is the one of connection-establishment §3.2 in the reference form', () => {
    const certificate = parseCertificate(crypto, OURS['our commissioning certificate'] ?? new Uint8Array(0));
    const reading = readByUs(certificate);
    expect(reading.subject).toEqual([['O=MASH'], ['CN=MASH-7']]);
    expect(certificate.issuer.raw).toEqual(certificate.subject.raw);
    expect(isSignedBy(crypto, certificate, certificate)).toBe(true);
    expect(reading).toMatchObject({
      notBefore: WORLD_NOW - 300,
      notAfter: WORLD_NOW + DAY,
      keyUsage: KEY_USAGE.digitalSignature | KEY_USAGE.keyEncipherment,
      extKeyUsage: [OID.serverAuth],
      ca: false,
    });
    expect(certificate.serial).toHaveLength(16);
    expect(certificate.serial[0]).toBeLessThan(0x80);
  });

  it('a commissioning certificate is made with a clock that was never set', () => {
    const der = createCommissioningCertificate(crypto, { key: deviceKey, discriminator: 0, now: 0, validity: 20 * YEAR });
    expect(readByUs(parseCertificate(crypto, der))).toMatchObject({ notBefore: -300, notAfter: 20 * YEAR });
    expect(Date.parse(new X509Certificate(der).validFrom)).toBe(-300_000);
  });
});
