import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.js';
import { CertificateError, type CertificateReason } from '../../src/pki/certificate-error.js';
import { derSequence } from '../../src/pki/der-writer.js';
import { deviceIdOfKey, sameId, zoneIdOfCa } from '../../src/pki/identities.js';
import { KEY_USAGE, OID } from '../../src/pki/oid.js';
import { keyIdentifier } from '../../src/pki/spki.js';
import type { TimeReading } from '../../src/pki/trusted-time.js';
import {
  checkControllerCertificate,
  checkDeviceCertificate,
  checkDevicePeer,
  checkZoneCa,
  checkZoneIdFree,
  type DeviceCertificateCheck,
} from '../../src/pki/verify.js';
import {
  type CertificateOptions,
  DAY,
  deviceSubject,
  issueController,
  issueDeviceCertificate,
  makeZoneCa,
  WORLD_NOW,
  YEAR,
  type ZoneCaOptions,
} from '../world/certificates.js';
import { fixedScalar, REFERENCE, seededCrypto } from './vectors.js';

const crypto = seededCrypto(11);
const caKey = crypto.importKey(fixedScalar(1));
const otherCaKey = crypto.importKey(fixedScalar(2));
const deviceKey = crypto.importKey(fixedScalar(3));
const otherKey = crypto.importKey(fixedScalar(4));
const ca = makeZoneCa({ crypto, key: caKey });
/** Same subject, another key. */
const twin = makeZoneCa({ crypto, key: otherCaKey });
const foreign = makeZoneCa({ crypto, key: otherCaKey, zoneName: 'Next Door' });
const unknownCritical = { id: '1.3.6.1.4.1.99999.1', critical: true, value: derSequence() };

function at(now: number): TimeReading {
  return { quality: 'synchronised', now };
}
const time = at(WORLD_NOW);
const id = deviceIdOfKey(crypto, deviceKey.publicKey);
const mixedCase = id.slice(0, 8).toLowerCase() + id.slice(8);

/** The reason of the refusal; undefined where the check accepts. */
function reasonOf(check: () => unknown): CertificateReason | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof CertificateError) return error.reason;
    throw error;
  }
}

type Row<Options> = readonly [what: string, options: Options, expected: CertificateReason | undefined];

describe('the Zone CA that is installed (protocol.md §2.11)', () => {
  const rows: readonly Row<ZoneCaOptions>[] = [
    ['as it should be', {}, undefined],
    ['pathlen 1 (commissioning-pase §9.2)', { pathLength: 1 }, undefined],
    ['issuer is another name', { issuer: deviceSubject('x') }, 'not-self-signed'],
    ['signed by another key', { signingKey: otherKey }, 'bad-signature'],
    ['signature spoilt', { corruptSignature: true }, 'bad-signature'],
    ['CA:FALSE', { ca: false }, 'not-a-ca'],
    ['no basicConstraints', { ca: null }, 'not-a-ca'],
    ['keyUsage without keyCertSign', { keyUsage: KEY_USAGE.crlSign | KEY_USAGE.digitalSignature }, 'key-usage'],
    ['no keyUsage', { keyUsage: null }, 'key-usage'],
    ['expired by 301 s', { notAfter: WORLD_NOW - 301 }, 'expired'],
    ['expired by 300 s', { notAfter: WORLD_NOW - 300 }, undefined],
    ['valid in 301 s', { notBefore: WORLD_NOW + 301 }, 'not-yet-valid'],
    ['valid in 300 s', { notBefore: WORLD_NOW + 300 }, undefined],
    ['a critical extension nobody knows', { moreExtensions: [unknownCritical] }, 'unknown-critical-extension'],
    ['an extension nobody knows, not critical', { moreExtensions: [{ ...unknownCritical, critical: false }] }, undefined],
  ];
  it.each(rows)('%s', (_what, options, expected) => {
    const { certificate } = makeZoneCa({ crypto, key: caKey, ...options });
    expect(reasonOf(() => checkZoneCa(crypto, certificate, time))).toBe(expected);
  });

  it('no other Zone CA holds the same zone id', () => {
    const zone = { zoneId: 'ABCDEF0123456789', ca: ca.certificate };
    const held = { zoneId: 'abcdef0123456789', ca: twin.certificate };
    expect(reasonOf(() => checkZoneIdFree(zone, [held]))).toBe('zone-id-taken');
    expect(reasonOf(() => checkZoneIdFree(zone, [{ ...held, zoneId: 'ABCDEF0123456780' }]))).toBeUndefined();
    expect(reasonOf(() => checkZoneIdFree(zone, [{ ...held, ca: ca.certificate }]))).toBeUndefined();
  });
});

describe('the device certificate that is installed (protocol.md §2.11)', () => {
  type Changed = { readonly certificate?: CertificateOptions; readonly check?: Partial<DeviceCertificateCheck> };
  const changed = (certificate: CertificateOptions): Changed => ({ certificate });
  const rows: readonly Row<Changed>[] = [
    ['as it should be', {}, undefined],
    ['common name in lower case', changed({ subject: deviceSubject(id.toLowerCase()) }), undefined],
    ['common name in mixed case', changed({ subject: deviceSubject(mixedCase) }), 'wrong-device-id'],
    ['common name of another key', changed({ subject: deviceSubject(deviceIdOfKey(crypto, otherKey.publicKey)) }), 'wrong-device-id'],
    ['no common name', changed({ subject: deviceSubject(id).slice(0, 2) }), 'wrong-device-id'],
    ['two common names', changed({ subject: [...deviceSubject(id), [{ type: OID.commonName, value: id }]] }), 'wrong-device-id'],
    ['key of another CSR', { check: { expectedPublicKey: otherKey.publicKey } }, 'wrong-key'],
    ['signed by another Zone CA of the same name', changed({ signingKey: otherCaKey }), 'bad-signature'],
    ['signature spoilt', changed({ corruptSignature: true }), 'bad-signature'],
    ['issuer is not the subject of the Zone CA', changed({ issuer: deviceSubject('x') }), 'unknown-issuer'],
    ['the Zone CA is another', { check: { ca: foreign.certificate } }, 'unknown-issuer'],
    [
      'authority key identifier of another Zone CA',
      changed({ authorityKeyId: keyIdentifier(crypto, otherCaKey.publicKey) }),
      'authority-key',
    ],
    ['no authority key identifier', changed({ authorityKeyId: null }), undefined],
    ['CA:TRUE', changed({ ca: true }), 'is-a-ca'],
    ['no basicConstraints', changed({ ca: null }), undefined],
    ['extKeyUsage with serverAuth alone', changed({ extKeyUsage: [OID.serverAuth] }), undefined],
    ['extKeyUsage without serverAuth', changed({ extKeyUsage: [OID.clientAuth] }), 'key-usage'],
    ['extKeyUsage any', changed({ extKeyUsage: ['2.5.29.37.0'] }), 'key-usage'],
    ['no extKeyUsage', changed({ extKeyUsage: null }), undefined],
    ['keyUsage without digitalSignature', changed({ keyUsage: KEY_USAGE.keyEncipherment }), 'key-usage'],
    ['no keyUsage', changed({ keyUsage: null }), undefined],
    ['expired by 301 s', changed({ notAfter: WORLD_NOW - 301 }), 'expired'],
    ['expired by 300 s', changed({ notAfter: WORLD_NOW - 300 }), undefined],
    ['valid in 301 s', changed({ notBefore: WORLD_NOW + 301 }), 'not-yet-valid'],
    ['valid in 300 s', changed({ notBefore: WORLD_NOW + 300 }), undefined],
    ['one day', changed({ notAfter: WORLD_NOW + DAY }), undefined],
    ['ten years (commissioning-pase §4.4), three leap days', changed({ notAfter: WORLD_NOW + 10 * YEAR + 3 * DAY }), undefined],
    ['longer than ten years: §2.11 sets no upper bound', changed({ notAfter: WORLD_NOW + 25 * YEAR }), undefined],
    ['without an end (9999)', changed({ notAfter: 253_402_300_799 }), undefined],
    ['a critical extension nobody knows', changed({ moreExtensions: [unknownCritical] }), 'unknown-critical-extension'],
    [
      'renewal: the common name stays though the key is new',
      { certificate: { subject: deviceSubject('00112233AABBCCDD') }, check: { expectedCommonName: '00112233aabbccdd' } },
      undefined,
    ],
    ['renewal: the common name changes to that of the new key', { check: { expectedCommonName: '00112233aabbccdd' } }, 'wrong-device-id'],
    ['renewal: no common name', { certificate: { subject: [] }, check: { expectedCommonName: '00112233aabbccdd' } }, 'wrong-device-id'],
  ];
  it.each(rows)('%s', (_what, options, expected) => {
    const { certificate } = issueDeviceCertificate(ca, deviceKey.publicKey, options.certificate);
    const check = { certificate, ca: ca.certificate, expectedPublicKey: deviceKey.publicKey, time, ...options.check };
    expect(reasonOf(() => checkDeviceCertificate(crypto, check))).toBe(expected);
  });

  it('a Zone CA without subject key identifier cannot be the one an authority key identifier names', () => {
    const bare = makeZoneCa({ crypto, key: caKey, subjectKeyId: null });
    const expectedPublicKey = deviceKey.publicKey;
    const named = issueDeviceCertificate(bare, expectedPublicKey, { authorityKeyId: keyIdentifier(crypto, caKey.publicKey) }).certificate;
    const unnamed = issueDeviceCertificate(bare, expectedPublicKey).certificate;
    expect(reasonOf(() => checkDeviceCertificate(crypto, { certificate: named, ca: bare.certificate, expectedPublicKey, time }))).toBe(
      'authority-key',
    );
    expect(reasonOf(() => checkDeviceCertificate(crypto, { certificate: unnamed, ca: bare.certificate, expectedPublicKey, time }))).toBe(
      undefined,
    );
  });
});

describe('the client certificate of a controller (protocol.md §1)', () => {
  const zones = [
    { zoneId: 'foreign', ca: foreign.certificate },
    { zoneId: 'home', ca: ca.certificate },
  ];
  const subject = (type: string, value: string): CertificateOptions => ({
    subject: [[{ type: OID.commonName, value: 'controller-1' }], [{ type, value }]],
  });
  const rows: readonly Row<CertificateOptions>[] = [
    ['as it should be', {}, undefined],
    ['server and client', { extKeyUsage: [OID.serverAuth, OID.clientAuth] }, undefined],
    ['no extKeyUsage', { extKeyUsage: null }, undefined],
    ['extKeyUsage without clientAuth', { extKeyUsage: [OID.serverAuth] }, 'key-usage'],
    ['keyUsage without digitalSignature', { keyUsage: KEY_USAGE.keyAgreement }, 'key-usage'],
    ['no keyUsage', { keyUsage: null }, 'key-usage'],
    ['CA:TRUE', { ca: true }, 'is-a-ca'],
    ['no basicConstraints', { ca: null }, undefined],
    ['issuer of no zone', { issuer: deviceSubject('x') }, 'unknown-issuer'],
    ['authority key identifier of another', { authorityKeyId: Uint8Array.of(1, 2) }, 'authority-key'],
    ['no authority key identifier', { authorityKeyId: null }, undefined],
    ['signed by another key', { signingKey: otherKey }, 'bad-signature'],
    ['signature spoilt', { corruptSignature: true }, 'bad-signature'],
    ['expired by 301 s', { notAfter: WORLD_NOW - 301 }, 'expired'],
    ['expired by 300 s', { notAfter: WORLD_NOW - 300 }, undefined],
    ['valid in 301 s', { notBefore: WORLD_NOW + 301 }, 'not-yet-valid'],
    ['valid in 300 s', { notBefore: WORLD_NOW + 300 }, undefined],
    ['a device by its organization', subject(OID.organization, 'MASH Device'), 'device-certificate'],
    ['a device by its organizational unit', subject(OID.organizationalUnit, 'MASH Device'), 'device-certificate'],
    ['a device in other letters', subject(OID.organization, 'mash DEVICE'), 'device-certificate'],
    ['a name that only resembles', subject(OID.organization, 'MASH Devices'), undefined],
    ['a critical extension nobody knows', { moreExtensions: [unknownCritical] }, 'unknown-critical-extension'],
  ];
  it.each(rows)('%s', (_what, options, expected) => {
    const { certificate } = issueController(ca, { key: otherKey, ...options });
    let zoneId: string | undefined;
    const reason = reasonOf(() => {
      zoneId = checkControllerCertificate(crypto, { certificate, zones, time }).zoneId;
    });
    expect(reason).toBe(expected);
    expect(zoneId).toBe(expected === undefined ? 'home' : undefined);
  });

  it('the Zone CA itself is no leaf', () => {
    expect(reasonOf(() => checkControllerCertificate(crypto, { certificate: ca.certificate, zones, time }))).toBe('is-a-ca');
  });

  it('a leaf under an intermediate needs more than leaf and Zone CA', () => {
    const issuer = ca.certificate.subject.relativeNames;
    const intermediate = makeZoneCa({ crypto, key: otherKey, zoneName: 'between', issuer, signingKey: caKey });
    const { certificate } = issueController(intermediate, { key: deviceKey });
    expect(reasonOf(() => checkControllerCertificate(crypto, { certificate, zones, time }))).toBe('unknown-issuer');
  });

  it('an expired Zone CA vouches for nobody', () => {
    const old = makeZoneCa({ crypto, key: caKey, notAfter: WORLD_NOW - 301 });
    const { certificate } = issueController(old, { key: otherKey });
    const check = { certificate, zones: [{ zoneId: 'old', ca: old.certificate }], time };
    expect(reasonOf(() => checkControllerCertificate(crypto, check))).toBe('expired');
  });

  it('the reason is that of the zone whose Zone CA has the name, in either order', () => {
    const { certificate } = issueController(ca, { key: otherKey, corruptSignature: true });
    for (const order of [zones, [...zones].reverse()])
      expect(reasonOf(() => checkControllerCertificate(crypto, { certificate, zones: order, time }))).toBe('bad-signature');
  });

  it('without a zone every controller is unknown', () => {
    const { certificate } = issueController(ca, { key: otherKey });
    expect(reasonOf(() => checkControllerCertificate(crypto, { certificate, zones: [], time }))).toBe('unknown-issuer');
  });

  it.each([
    ['with', {}],
    ['without', { authorityKeyId: null }],
  ] as const)(
    'two Zone CAs of one subject, %s authority key identifier: the one that signed is found, in either order',
    (_what, options) => {
      const both = [
        { zoneId: 'one', ca: ca.certificate },
        { zoneId: 'two', ca: twin.certificate },
      ];
      for (const order of [both, [...both].reverse()]) {
        const one = issueController(ca, { key: otherKey, ...options }).certificate;
        const two = issueController(twin, { key: otherKey, ...options }).certificate;
        expect(checkControllerCertificate(crypto, { certificate: one, zones: order, time }).zoneId).toBe('one');
        expect(checkControllerCertificate(crypto, { certificate: two, zones: order, time }).zoneId).toBe('two');
      }
    },
  );

  it('a clock that was never set refuses nobody for the time, and nothing else changes', () => {
    const unset = { quality: 'unset', now: 0 } as const;
    const floor = { quality: 'floor', now: WORLD_NOW } as const;
    const future = issueController(ca, { key: otherKey, notBefore: WORLD_NOW + YEAR, notAfter: WORLD_NOW + 2 * YEAR }).certificate;
    const past = issueController(ca, { key: otherKey, notBefore: WORLD_NOW - 3 * YEAR, notAfter: WORLD_NOW - 2 * YEAR }).certificate;
    const spoilt = issueController(ca, { key: otherKey, corruptSignature: true }).certificate;
    const reason = (certificate: typeof future, reading: TimeReading): CertificateReason | undefined =>
      reasonOf(() => checkControllerCertificate(crypto, { certificate, zones, time: reading }));
    expect([reason(future, unset), reason(past, unset), reason(spoilt, unset)]).toEqual([undefined, undefined, 'bad-signature']);
    expect([reason(future, floor), reason(past, floor)]).toEqual([undefined, 'expired']);
  });
});

describe('the server certificate of a device, as the controller sees it (connection-establishment §5.2)', () => {
  const rows: readonly Row<CertificateOptions>[] = [
    ['as it should be', {}, undefined],
    ['issuer is another', { issuer: deviceSubject('x') }, 'unknown-issuer'],
    ['authority key identifier of another', { authorityKeyId: Uint8Array.of(1) }, 'authority-key'],
    ['signed by another key', { signingKey: otherKey }, 'bad-signature'],
    ['CA:TRUE', { ca: true }, 'is-a-ca'],
    ['no keyUsage', { keyUsage: null }, 'key-usage'],
    ['keyUsage without digitalSignature', { keyUsage: KEY_USAGE.keyEncipherment }, 'key-usage'],
    ['no extKeyUsage', { extKeyUsage: null }, undefined],
    ['extKeyUsage without serverAuth', { extKeyUsage: [OID.clientAuth] }, 'key-usage'],
    ['expired', { notAfter: WORLD_NOW - 301 }, 'expired'],
    ['not yet valid', { notBefore: WORLD_NOW + 301 }, 'not-yet-valid'],
    ['another device', { subject: deviceSubject('0011223344556677') }, 'wrong-device-id'],
    ['no common name', { subject: [] }, 'wrong-device-id'],
    ['a critical extension nobody knows', { moreExtensions: [unknownCritical] }, 'unknown-critical-extension'],
  ];
  it.each(rows)('%s', (_what, options, expected) => {
    const { certificate } = issueDeviceCertificate(ca, deviceKey.publicKey, options);
    const check = { certificate, ca: ca.certificate, expectedDeviceId: mixedCase, time };
    expect(reasonOf(() => checkDevicePeer(crypto, check))).toBe(expected);
  });

  it('without an expected device id any device of the zone will do', () => {
    const { certificate } = issueDeviceCertificate(ca, deviceKey.publicKey, { subject: deviceSubject('0011223344556677') });
    expect(reasonOf(() => checkDevicePeer(crypto, { certificate, ca: ca.certificate, time }))).toBeUndefined();
  });
});

describe('test cases of the specification, on certificates', () => {
  const device = (options: CertificateOptions = {}, now = WORLD_NOW, authority = ca.certificate): CertificateReason | undefined => {
    const { certificate } = issueDeviceCertificate(ca, deviceKey.publicKey, options);
    return reasonOf(() => checkDevicePeer(crypto, { certificate, ca: authority, expectedDeviceId: id, time: at(now) }));
  };
  const controller = (options: CertificateOptions = {}, now = WORLD_NOW, signer = ca): CertificateReason | undefined => {
    const { certificate } = issueController(signer, { key: otherKey, ...options });
    const zones = [{ zoneId: ca.zoneId, ca: ca.certificate }];
    return reasonOf(() => checkControllerCertificate(crypto, { certificate, zones, time: at(now) }));
  };
  const installed = (options: CertificateOptions = {}, authority = ca.certificate): CertificateReason | undefined => {
    const { certificate } = issueDeviceCertificate(ca, deviceKey.publicKey, options);
    return reasonOf(() => {
      checkZoneCa(crypto, authority, time);
      checkDeviceCertificate(crypto, { certificate, ca: authority, expectedPublicKey: deviceKey.publicKey, time });
    });
  };
  const fresh = { notBefore: WORLD_NOW, notAfter: WORLD_NOW + YEAR };

  it('TC-CERT-1: valid chain accepted', () => expect(installed()).toBeUndefined());
  it('TC-CERT-3: broken chain refused', () => {
    expect(installed({}, foreign.certificate)).toBe('unknown-issuer');
    expect(installed({}, twin.certificate)).toBe('authority-key');
    expect(installed({ authorityKeyId: null }, twin.certificate)).toBe('bad-signature');
  });
  it('TC-CERT-4: expired operational certificate refused', () => expect(installed({ notAfter: WORLD_NOW - DAY })).toBe('expired'));

  it('TC-CERT-VAL-1: valid certificate accepted', () => expect(device()).toBeUndefined());
  it('TC-CERT-VAL-2: expired certificate refused', () => expect(device({ notAfter: WORLD_NOW - DAY })).toBe('expired'));
  it('TC-CERT-VAL-3: wrong Zone CA refused', () => {
    expect(device({}, WORLD_NOW, foreign.certificate)).toBe('unknown-issuer');
    expect(device({ authorityKeyId: null }, WORLD_NOW, twin.certificate)).toBe('bad-signature');
  });
  it('TC-CERT-VAL-4: clock skew 200 s accepted', () => {
    expect(device(fresh, fresh.notBefore - 200)).toBeUndefined();
    expect(device(fresh, fresh.notAfter + 200)).toBeUndefined();
  });
  it('TC-CERT-VAL-5: clock skew 400 s refused', () => {
    expect(device(fresh, fresh.notBefore - 400)).toBe('not-yet-valid');
    expect(device(fresh, fresh.notAfter + 400)).toBe('expired');
  });

  it('TC-CERT-VAL-CTRL-1: valid controller certificate accepted', () => expect(controller()).toBeUndefined());
  it('TC-CERT-VAL-CTRL-2: expired controller certificate refused', () => expect(controller({ notAfter: WORLD_NOW - DAY })).toBe('expired'));
  it('TC-CERT-VAL-CTRL-3: controller of the wrong Zone CA refused', () => {
    expect(controller({}, WORLD_NOW, foreign)).toBe('unknown-issuer');
    expect(controller({}, WORLD_NOW, twin)).toBe('authority-key');
    expect(controller({ authorityKeyId: null }, WORLD_NOW, twin)).toBe('bad-signature');
  });
  it('TC-CERT-VAL-CTRL-4: self-signed controller certificate refused', () => {
    const name = [[{ type: OID.commonName, value: 'controller-Home Energy' }]];
    expect(controller({ subject: name, issuer: name, signingKey: otherKey })).toBe('unknown-issuer');
  });
  it('TC-CERT-VAL-CTRL-5: controller clock skew 200 s accepted', () => {
    expect(controller(fresh, fresh.notBefore - 200)).toBeUndefined();
    expect(controller(fresh, fresh.notAfter + 200)).toBeUndefined();
  });
  it('TC-CERT-VAL-CTRL-6: controller clock skew 400 s refused', () => {
    expect(controller(fresh, fresh.notBefore - 400)).toBe('not-yet-valid');
    expect(controller(fresh, fresh.notAfter + 400)).toBe('expired');
  });
});

describe('identities (protocol.md §2.15, §3)', () => {
  const device = parseCertificate(crypto, REFERENCE.device);

  it('device id and key identifier are those of the Go reference', () => {
    expect(deviceIdOfKey(crypto, device.publicKey)).toBe('A66A8E4255CC3C8E');
    expect(keyIdentifier(crypto, device.publicKey)).toEqual(device.extensions.subjectKeyId);
  });

  it('the zone id is upper-case hex of SHA-256(Zone CA DER)[0:8]', () => {
    // openssl dgst -sha256 of the certificate.
    expect(zoneIdOfCa(crypto, REFERENCE.zoneCa)).toBe('17D151151B671CF1');
  });

  it('ids compare without regard to case', () => {
    expect(sameId('a66a8e4255cc3c8e', 'A66A8E4255CC3C8E')).toBe(true);
    expect(sameId('a66a8e4255cc3c8e', 'a66a8e4255cc3c8f')).toBe(false);
  });
});
