import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/codec/hex.js';
import { createZone, issueDeviceCertificate, renewController } from '../../src/controller/zone-authority.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { type Certificate, parseCertificate } from '../../src/pki/certificate.js';
import { createCsr } from '../../src/pki/csr.js';
import { deviceIdOfKey, zoneIdOfCa } from '../../src/pki/identities.js';
import { attributeValues } from '../../src/pki/name.js';
import { KEY_USAGE, OID } from '../../src/pki/oid.js';
import { keyIdentifier } from '../../src/pki/spki.js';
import { checkControllerCertificate, checkDeviceCertificate, checkDevicePeer, checkZoneCa } from '../../src/pki/verify.js';
import { hasOpenssl, openssl, opensslNote } from '../pki/oracles.js';
import { WORLD_NOW as NOW, YEAR } from '../world/certificates.js';

const crypto = nodeCrypto();
const time = { quality: 'synchronised', now: NOW } as const;
const zone = await createZone(crypto, { kind: 'home', name: 'Grüne Villa', priority: 3, dialect: 'draft', now: NOW });
const ca = parseCertificate(crypto, zone.caCertificate);
const key = crypto.generateKey();
const csr = createCsr(crypto, { key, vendorId: 4660, productId: 1 });

/** Type and value of every attribute, one list a relative name. */
function subjectOf(certificate: Certificate): readonly (readonly string[])[] {
  const short = new Map<string, string>([
    [OID.commonName, 'CN'],
    [OID.organization, 'O'],
    [OID.organizationalUnit, 'OU'],
  ]);
  return certificate.subject.relativeNames.map((names) => names.map(({ type, value }) => `${short.get(type)}=${value}`));
}

describe('the Zone CA', () => {
  it('is what a device installs, and node:crypto agrees', () => {
    expect(() => checkZoneCa(crypto, ca, time)).not.toThrow();
    expect(new X509Certificate(zone.caCertificate).verify(new X509Certificate(zone.caCertificate).publicKey)).toBe(true);
  });

  it('says what protocol.md §3 says', () => {
    expect(subjectOf(ca)).toEqual([['O=MASH Zone'], ['OU=LOCAL', 'OU=Grüne Villa'], ['CN=MASH Zone CA - Grüne Villa']]);
    expect(ca.issuer.raw).toEqual(ca.subject.raw);
    expect(ca.extensions.basicConstraints).toEqual({ ca: true, pathLength: 0 });
    expect(ca.extensions.keyUsage).toBe(KEY_USAGE.keyCertSign | KEY_USAGE.crlSign);
    expect(ca.extensions.subjectKeyId).toEqual(keyIdentifier(crypto, zone.caKey.publicKey));
    expect([ca.notBefore, ca.notAfter]).toEqual([NOW - 300, NOW + 10 * YEAR]);
    expect(zone.id).toBe(zoneIdOfCa(crypto, zone.caCertificate));
  });

  it.each([
    ['grid', 'GRID'],
    ['building', 'LOCAL'],
    ['user', 'LOCAL'],
    ['test', 'TEST'],
  ] as const)('of type %s has the OU %s and lives 20 years in the reference dialect', async (kind, unit) => {
    const made = await createZone(crypto, { kind, name: 'Z', priority: 1, dialect: 'reference', now: NOW });
    const certificate = parseCertificate(crypto, made.caCertificate);
    expect(attributeValues(certificate.subject, OID.organizationalUnit)).toContain(unit);
    expect(certificate.notAfter).toBe(NOW + 20 * YEAR);
  });

  it.each(['', 'x'.repeat(49), 'ä'.repeat(25), 'GRID', 'TEST', 'a\nb'])('refuses the name %j', async (name) => {
    await expect(createZone(crypto, { kind: 'home', name, priority: 3, dialect: 'draft', now: NOW })).rejects.toThrow(/zone name/);
  });

  it('has a random positive serial of 128 bits', async () => {
    const other = parseCertificate(crypto, (await createZone(crypto, { ...zone, dialect: 'draft', now: NOW })).caCertificate);
    expect(toHex(other.serial)).not.toBe(toHex(ca.serial));
    expect([ca.serial.length, other.serial.length]).toEqual([16, 16]);
  });
});

describe('the controller certificate', () => {
  const certificate = parseCertificate(crypto, zone.controllerCertificate);

  it('is taken by a device as that of its zone', () => {
    const zones = [{ zoneId: zone.id, ca }];
    expect(checkControllerCertificate(crypto, { certificate, zones, time })).toBe(zones[0]);
  });

  it('is a client and nothing else', () => {
    expect(subjectOf(certificate)).toEqual([['O=MASH Controller'], ['CN=controller-Grüne Villa']]);
    expect(certificate.extensions.extKeyUsage).toEqual([OID.clientAuth]);
    expect(certificate.extensions.keyUsage).toBe(KEY_USAGE.digitalSignature);
    expect(certificate.extensions.basicConstraints?.ca).toBe(false);
    expect(certificate.publicKey).toEqual(zone.controllerKey.publicKey);
    expect(certificate.extensions.authorityKeyId).toEqual(ca.extensions.subjectKeyId);
  });

  it('is renewed with the same key, never beyond the end of its Zone CA', async () => {
    const later = ca.notAfter - 1000;
    const renewed = parseCertificate(crypto, (await renewController(crypto, zone, later)).controllerCertificate);
    expect(renewed.publicKey).toEqual(certificate.publicKey);
    expect([renewed.notBefore, renewed.notAfter]).toEqual([later - 300, ca.notAfter]);
  });
});

describe('a device certificate', () => {
  it('of the draft dialect: commissioning-pase §4.4 and §9.1', async () => {
    const issued = await issueDeviceCertificate(crypto, zone, csr, { dialect: 'draft', now: NOW });
    const certificate = parseCertificate(crypto, issued.certificate);
    const id = deviceIdOfKey(crypto, key.publicKey);
    expect(issued.deviceId).toBe(id);
    expect(subjectOf(certificate)).toEqual([['O=Grüne Villa'], ['OU=MASH Device'], [`CN=${id}`]]);
    expect(certificate.extensions.subjectAltName).toEqual({ dnsNames: [], uris: [`mash://device/${id}`] });
    expect(certificate.extensions.extKeyUsage).toEqual([OID.serverAuth, OID.clientAuth]);
    expect(certificate.extensions.keyUsage).toBe(KEY_USAGE.digitalSignature | KEY_USAGE.keyEncipherment);
    expect(certificate.extensions.subjectKeyId).toEqual(keyIdentifier(crypto, key.publicKey));
    expect(certificate.extensions.authorityKeyId).toEqual(ca.extensions.subjectKeyId);
    expect([certificate.notBefore, certificate.notAfter]).toEqual([NOW - 300, NOW + YEAR]);
    expect(() => checkDeviceCertificate(crypto, { certificate, ca, expectedPublicKey: key.publicKey, time })).not.toThrow();
    expect(() => checkDevicePeer(crypto, { certificate, ca, expectedDeviceId: id, time })).not.toThrow();
  });

  it('of the reference dialect: O, OU of the label, the id in lower case as CN and dNSName', async () => {
    const options = { dialect: 'reference', now: NOW, vendorId: 4660, productId: 1 } as const;
    const issued = await issueDeviceCertificate(crypto, zone, csr, options);
    const certificate = parseCertificate(crypto, issued.certificate);
    const id = deviceIdOfKey(crypto, key.publicKey).toLowerCase();
    expect(subjectOf(certificate)).toEqual([['O=MASH Device'], ['OU=P1', 'OU=V4660'], [`CN=${id}`]]);
    expect(certificate.extensions.subjectAltName).toEqual({ dnsNames: [id], uris: [] });
    expect(() => checkDeviceCertificate(crypto, { certificate, ca, expectedPublicKey: key.publicKey, time })).not.toThrow();
    const unlabelled = await issueDeviceCertificate(crypto, zone, csr, { dialect: 'reference', now: NOW });
    expect(subjectOf(parseCertificate(crypto, unlabelled.certificate))).toEqual([['O=MASH Device'], [`CN=${id}`]]);
  });

  it('takes nothing but the key from the CSR', async () => {
    const boastful = createCsr(crypto, { key, vendorId: 1, productId: 2, commonName: 'controller-Grüne Villa' });
    const issued = await issueDeviceCertificate(crypto, zone, boastful, { dialect: 'draft', now: NOW });
    expect(subjectOf(parseCertificate(crypto, issued.certificate)).flat()).not.toContain('CN=controller-Grüne Villa');
  });

  it('is not issued for a CSR whose signature does not hold', async () => {
    const spoilt = csr.slice();
    spoilt[spoilt.length - 1] = (spoilt.at(-1) ?? 0) ^ 1;
    await expect(issueDeviceCertificate(crypto, zone, spoilt, { dialect: 'draft', now: NOW })).rejects.toThrow(/signature/);
  });

  it.runIf(hasOpenssl)(`is printed by openssl as it is read here${opensslNote}`, async () => {
    const issued = await issueDeviceCertificate(crypto, zone, csr, { dialect: 'draft', now: NOW });
    const text = openssl(issued.certificate, 'x509', '-inform', 'der', '-noout', '-subject', '-ext', 'subjectAltName,extendedKeyUsage');
    expect(text).toContain(`URI:mash://device/${issued.deviceId}`);
    expect(text).toContain('TLS Web Server Authentication, TLS Web Client Authentication');
    expect(text).toMatch(/OU ?= ?MASH Device/);
  });
});
