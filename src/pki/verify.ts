import { sameBytes } from '../codec/bytes.js';
import type { Crypto } from '../platform.js';
import { type Certificate, isSignedBy } from './certificate.js';
import { CertificateError } from './certificate-error.js';
import { deviceIdOfKey, sameId } from './identities.js';
import { attributeValues, commonName, sameName } from './name.js';
import { KEY_USAGE, OID } from './oid.js';
import { judge, type TimeReading } from './trusted-time.js';

/** A zone as far as certificates go. `zoneId` compares without regard to case. */
export interface TrustedZone {
  readonly zoneId: string;
  readonly ca: Certificate;
}

/** The Zone CA of a commissioning (protocol.md §2.11): self-signed, CA:TRUE with keyCertSign, valid now. P-256 is the parser's. */
export function checkZoneCa(crypto: Crypto, ca: Certificate, time: TimeReading): void {
  checkCritical(ca);
  if (!sameName(ca.issuer, ca.subject)) throw new CertificateError('not-self-signed', 'Zone CA: issuer is not its subject');
  if (!isSignedBy(crypto, ca, ca)) throw new CertificateError('bad-signature', 'Zone CA: not signed by its own key');
  if (ca.extensions.basicConstraints?.ca !== true) throw new CertificateError('not-a-ca', 'Zone CA: not CA:TRUE');
  if (!allows(ca, KEY_USAGE.keyCertSign)) throw new CertificateError('key-usage', 'Zone CA: keyUsage lacks keyCertSign');
  checkTime(ca, time, 'Zone CA');
}

/** No other Zone CA may hold the same zone id (protocol.md §2.11); the same CA key in another DER is the same Zone CA (§2.10). */
export function checkZoneIdFree(zone: TrustedZone, zones: readonly TrustedZone[]): void {
  for (const other of zones) {
    if (sameId(other.zoneId, zone.zoneId) && !sameBytes(other.ca.publicKey, zone.ca.publicKey))
      throw new CertificateError('zone-id-taken', `zone id ${zone.zoneId}: held by another Zone CA`);
  }
}

export interface DeviceCertificateCheck {
  readonly certificate: Certificate;
  readonly ca: Certificate;
  /** The key of the CSR, 65 bytes. */
  readonly expectedPublicKey: Uint8Array;
  readonly time: TimeReading;
  /** The device id of the zone, in a renewal. Without it the common name must be that of a first certificate. */
  readonly expectedCommonName?: string;
}

/**
 * The operational certificate that is to be installed (protocol.md §2.11, §2.15). The key comes first, since a renewal answers it with a
 * status of its own (33/4). The length of the validity is not limited: ten years must be accepted, and §2.11 lists no upper bound.
 */
export function checkDeviceCertificate(crypto: Crypto, check: DeviceCertificateCheck): void {
  const { certificate, ca, time } = check;
  if (!sameBytes(certificate.publicKey, check.expectedPublicKey))
    throw new CertificateError('wrong-key', 'device certificate: its key is not that of the CSR');
  checkCritical(certificate);
  checkIssued(crypto, certificate, ca);
  checkLeaf(certificate);
  if (certificate.extensions.keyUsage !== undefined) checkDigitalSignature(certificate);
  checkPurpose(certificate, OID.serverAuth, 'serverAuth');
  checkTime(certificate, time, 'device certificate');
  const name = commonName(certificate.subject);
  const id = deviceIdOfKey(crypto, certificate.publicKey);
  const expected = check.expectedCommonName;
  const right = expected === undefined ? name === id || name === id.toLowerCase() : name !== undefined && sameId(name, expected);
  if (!right) throw new CertificateError('wrong-device-id', `device certificate: common name is not ${expected ?? id}`);
}

export interface ControllerCertificateCheck<Zone extends TrustedZone> {
  readonly certificate: Certificate;
  readonly zones: readonly Zone[];
  readonly time: TimeReading;
}

/**
 * The client certificate of an operational connection (protocol.md §1, connection-establishment §5.2). Returns the zone whose CA signed it.
 * keyUsage must be there; extKeyUsage is checked if present. Zone CAs may share a subject: each that fits is tried.
 */
export function checkControllerCertificate<Zone extends TrustedZone>(crypto: Crypto, check: ControllerCertificateCheck<Zone>): Zone {
  const { certificate, zones, time } = check;
  checkCritical(certificate);
  const zone = findIssuer(crypto, certificate, zones);
  checkLeaf(certificate);
  checkDigitalSignature(certificate);
  checkPurpose(certificate, OID.clientAuth, 'clientAuth');
  checkControllerTime(certificate, zone.ca, time);
  // protocol.md §1: a device is not a controller; device certificates carry clientAuth under the same Zone CA.
  const marks = [
    ...attributeValues(certificate.subject, OID.organization),
    ...attributeValues(certificate.subject, OID.organizationalUnit),
  ];
  if (marks.some((mark) => mark.toLowerCase() === 'mash device'))
    throw new CertificateError('device-certificate', 'controller certificate: it is that of a device');
  return zone;
}

/** The part of `checkControllerCertificate` that time can change: for a certificate that was accepted before, byte for byte. */
export function checkControllerTime(certificate: Certificate, ca: Certificate, time: TimeReading): void {
  checkTime(certificate, time, 'controller certificate');
  checkTime(ca, time, 'Zone CA');
}

export interface DevicePeerCheck {
  readonly certificate: Certificate;
  readonly ca: Certificate;
  /** The device id this connection is meant for. */
  readonly expectedDeviceId?: string;
  readonly time: TimeReading;
}

/** The server certificate of an operational connection, as the controller sees it (connection-establishment §5.2). */
export function checkDevicePeer(crypto: Crypto, check: DevicePeerCheck): void {
  const { certificate, ca, time, expectedDeviceId } = check;
  checkCritical(certificate);
  checkIssued(crypto, certificate, ca);
  checkLeaf(certificate);
  checkDigitalSignature(certificate);
  checkPurpose(certificate, OID.serverAuth, 'serverAuth');
  checkTime(certificate, time, 'device certificate');
  if (expectedDeviceId === undefined) return;
  const name = commonName(certificate.subject);
  if (name === undefined || !sameId(name, expectedDeviceId))
    throw new CertificateError('wrong-device-id', `device certificate: common name is not ${expectedDeviceId}`);
}

/** Signature, names and key identifiers of leaf and Zone CA; the first zone for which all hold. */
function findIssuer<Zone extends TrustedZone>(crypto: Crypto, certificate: Certificate, zones: readonly Zone[]): Zone {
  let failure = new CertificateError('unknown-issuer', 'controller certificate: no zone has a Zone CA of that name');
  for (const zone of zones) {
    const refused = whyNotIssued(crypto, certificate, zone.ca);
    if (refused === undefined) return zone;
    if (refused.reason !== 'unknown-issuer') failure = refused;
  }
  throw failure;
}

function checkIssued(crypto: Crypto, certificate: Certificate, ca: Certificate): void {
  const refused = whyNotIssued(crypto, certificate, ca);
  if (refused !== undefined) throw refused;
}

function whyNotIssued(crypto: Crypto, certificate: Certificate, ca: Certificate): CertificateError | undefined {
  if (!sameName(certificate.issuer, ca.subject)) return new CertificateError('unknown-issuer', 'issuer is not the subject of the Zone CA');
  const { authorityKeyId } = certificate.extensions;
  const { subjectKeyId } = ca.extensions;
  if (authorityKeyId !== undefined && (subjectKeyId === undefined || !sameBytes(authorityKeyId, subjectKeyId)))
    return new CertificateError('authority-key', 'authority key identifier is not the subject key identifier of the Zone CA');
  if (!isSignedBy(crypto, certificate, ca)) return new CertificateError('bad-signature', 'not signed by the Zone CA');
  return undefined;
}

/** RFC 5280 §4.2: a critical extension that is not understood refuses the certificate. */
export function checkCritical(certificate: Certificate): void {
  const [unknown] = certificate.extensions.unknownCritical;
  if (unknown !== undefined) throw new CertificateError('unknown-critical-extension', `critical extension ${unknown}`);
}

export function checkLeaf(certificate: Certificate): void {
  if (certificate.extensions.basicConstraints?.ca === true) throw new CertificateError('is-a-ca', 'a CA certificate used as a leaf');
}

export function allows(certificate: Certificate, usage: number): boolean {
  return ((certificate.extensions.keyUsage ?? 0) & usage) !== 0;
}

function checkDigitalSignature(certificate: Certificate): void {
  if (!allows(certificate, KEY_USAGE.digitalSignature)) throw new CertificateError('key-usage', 'keyUsage lacks digitalSignature');
}

/** extKeyUsage, if present, must name the purpose; anyExtendedKeyUsage does not. */
function checkPurpose(certificate: Certificate, purpose: string, what: string): void {
  const { extKeyUsage } = certificate.extensions;
  if (extKeyUsage !== undefined && !extKeyUsage.includes(purpose)) throw new CertificateError('key-usage', `extKeyUsage lacks ${what}`);
}

export function checkTime(certificate: Certificate, time: TimeReading, what: string): void {
  const verdict = judge(time, certificate.notBefore, certificate.notAfter);
  if (verdict === 'expired' || verdict === 'not-yet-valid') throw new CertificateError(verdict, `${what}: ${verdict}`);
}
