import { webcrypto } from 'node:crypto';
import { toHex } from '../codec/hex.js';
import { utf8Length } from '../codec/utf8.js';
import type { DialectName } from '../dialect/messages.js';
import { ConfigError } from '../errors.js';
import { nodeKeyPem } from '../node/keys.js';
import { parseCertificate } from '../pki/certificate.js';
import { CertificateError } from '../pki/certificate-error.js';
import { randomSerial } from '../pki/certificate-writer.js';
import { parseCsr } from '../pki/csr.js';
import { deviceIdOfKey, sameId, zoneIdOfCa } from '../pki/identities.js';
import { commonName, type RelativeName, writeName } from '../pki/name.js';
import { OID } from '../pki/oid.js';
import { encodeSpki, keyIdentifier } from '../pki/spki.js';
import type { Crypto, PrivateKey } from '../platform.js';
import * as x509 from './x509.js';
import { type ControllerZone, ZONE_KINDS, type ZoneKind } from './zone.js';

const DAY = 86_400;
const YEAR = 365 * DAY;
/** commissioning-pase §4.4: notBefore is five minutes ago, for clocks that lag behind. */
const SKEW = 300;
const DEVICE_PURPOSES = [OID.serverAuth, OID.clientAuth];
const { digitalSignature, keyEncipherment, keyCertSign, cRLSign } = x509.KeyUsageFlags;

export interface NewZoneOptions {
  readonly kind: ZoneKind;
  /** 1–48 bytes; not `GRID`, `LOCAL` or `TEST`, which would read as a second zone type (protocol.md §3). */
  readonly name: string;
  /** 1…4. */
  readonly priority: number;
  /** The Zone CA of the reference dialect lives 20 years, that of the draft 10. */
  readonly dialect: DialectName;
  /** Unix seconds. */
  readonly now: number;
}

/** What the zone's owner writes into a device's certificate besides its key. */
export interface DeviceCertificateOptions {
  readonly dialect: DialectName;
  /** Unix seconds. */
  readonly now: number;
  /** Reference dialect: OU `V<vid>` and `P<pid>`, where the label told them. */
  readonly vendorId?: number | undefined;
  readonly productId?: number | undefined;
}

export interface IssuedCertificate {
  readonly certificate: Uint8Array;
  /** CN of the certificate. */
  readonly deviceId: string;
}

/** Makes a Zone CA and the controller's certificate. Throws ConfigError for a name that cannot be one. */
export async function createZone(crypto: Crypto, options: NewZoneOptions): Promise<ControllerZone> {
  checkZoneName(options.name);
  const { kind, name, priority, now } = options;
  const caKey = crypto.generateKey();
  const subject = writeName([
    [{ type: OID.organization, value: 'MASH Zone' }],
    [
      { type: OID.organizationalUnit, value: ZONE_KINDS[kind].reference },
      { type: OID.organizationalUnit, value: name },
    ],
    [{ type: OID.commonName, value: `MASH Zone CA - ${name}` }],
  ]);
  const caCertificate = await issue(crypto, caKey, {
    issuer: subject,
    subject,
    publicKey: caKey.publicKey,
    notBefore: now - SKEW,
    notAfter: now + (options.dialect === 'reference' ? 20 : 10) * YEAR,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      subjectKeyId(crypto, caKey.publicKey),
    ],
  });
  const controllerKey = crypto.generateKey();
  const zone = { kind, name, priority, createdAt: now, id: zoneIdOfCa(crypto, caCertificate), caCertificate, caKey, controllerKey };
  return { ...zone, controllerCertificate: await issueController(crypto, zone, now) };
}

/** The zone with a new controller certificate, one year from now; the key stays. */
export async function renewController(crypto: Crypto, zone: ControllerZone, now: number): Promise<ControllerZone> {
  return { ...zone, controllerCertificate: await issueController(crypto, zone, now) };
}

/**
 * The operational certificate for a CSR: its signature is verified and its key taken; subject and usages are ours (protocol.md §1: a device
 * must not name itself a controller). Throws CertificateError for a CSR that does not hold.
 */
export async function issueDeviceCertificate(
  crypto: Crypto,
  zone: ControllerZone,
  csr: Uint8Array,
  options: DeviceCertificateOptions,
): Promise<IssuedCertificate> {
  const { publicKey } = parseCsr(crypto, csr);
  const upper = deviceIdOfKey(crypto, publicKey);
  const deviceId = options.dialect === 'reference' ? upper.toLowerCase() : upper;
  const subject = writeName(deviceSubject(zone, deviceId, options));
  return { certificate: await issueDevice(crypto, zone, { subject, publicKey, deviceId, ...options }), deviceId };
}

/**
 * The same for the CSR of a renewal: the subject stays that of the certificate it replaces, and with it the device id (protocol.md §2.15).
 * Throws CertificateError for a CSR that does not hold, or that names another device.
 */
export function renewDeviceCertificate(
  crypto: Crypto,
  zone: ControllerZone,
  csr: Uint8Array,
  options: Pick<DeviceCertificateOptions, 'dialect' | 'now'> & { readonly replaces: Uint8Array },
): Promise<Uint8Array> {
  const request = parseCsr(crypto, csr);
  const { subject } = parseCertificate(crypto, options.replaces);
  const deviceId = commonName(subject) ?? '';
  if (!sameId(commonName(request.subject) ?? '', deviceId))
    throw new CertificateError('wrong-device-id', `CSR: common name is not ${deviceId}`);
  return issueDevice(crypto, zone, { subject: subject.raw, publicKey: request.publicKey, deviceId, ...options });
}

interface DeviceFields extends Pick<DeviceCertificateOptions, 'dialect' | 'now'> {
  /** DER of the name. */
  readonly subject: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly deviceId: string;
}

function issueDevice(
  crypto: Crypto,
  zone: ControllerZone,
  { subject, publicKey, deviceId, dialect, now }: DeviceFields,
): Promise<Uint8Array> {
  const alternative: { type: 'dns' | 'url'; value: string } =
    dialect === 'reference' ? { type: 'dns', value: deviceId } : { type: 'url', value: `mash://device/${deviceId}` };
  return issueUnder(crypto, zone, {
    subject,
    publicKey,
    now,
    purposes: DEVICE_PURPOSES,
    usages: digitalSignature | keyEncipherment,
    more: [new x509.SubjectAlternativeNameExtension([alternative])],
  });
}

function deviceSubject(zone: ControllerZone, deviceId: string, options: DeviceCertificateOptions): readonly RelativeName[] {
  const id = [{ type: OID.commonName, value: deviceId }];
  if (options.dialect === 'draft')
    return [[{ type: OID.organization, value: zone.name }], [{ type: OID.organizationalUnit, value: 'MASH Device' }], id];
  const units = [
    ...(options.vendorId === undefined ? [] : [{ type: OID.organizationalUnit, value: `V${options.vendorId}` }]),
    ...(options.productId === undefined ? [] : [{ type: OID.organizationalUnit, value: `P${options.productId}` }]),
  ];
  return [[{ type: OID.organization, value: 'MASH Device' }], ...(units.length === 0 ? [] : [units]), id];
}

/** O=`MASH Controller`, CN=`controller-<zone>`; a client and nothing else. */
function issueController(
  crypto: Crypto,
  zone: Pick<ControllerZone, 'name' | 'caCertificate' | 'caKey' | 'controllerKey'>,
  now: number,
): Promise<Uint8Array> {
  return issueUnder(crypto, zone, {
    subject: writeName([
      [{ type: OID.organization, value: 'MASH Controller' }],
      [{ type: OID.commonName, value: `controller-${zone.name}` }],
    ]),
    publicKey: zone.controllerKey.publicKey,
    now,
    purposes: [OID.clientAuth],
    usages: digitalSignature,
    more: [],
  });
}

interface LeafFields {
  readonly subject: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly now: number;
  readonly purposes: string[];
  readonly usages: x509.KeyUsageFlags;
  readonly more: readonly x509.Extension[];
}

function issueUnder(crypto: Crypto, zone: Pick<ControllerZone, 'caCertificate' | 'caKey'>, leaf: LeafFields): Promise<Uint8Array> {
  const ca = parseCertificate(crypto, zone.caCertificate);
  return issue(crypto, zone.caKey, {
    issuer: ca.subject.raw,
    subject: leaf.subject,
    publicKey: leaf.publicKey,
    notBefore: leaf.now - SKEW,
    notAfter: Math.min(leaf.now + YEAR, ca.notAfter),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(leaf.usages, true),
      new x509.ExtendedKeyUsageExtension(leaf.purposes),
      subjectKeyId(crypto, leaf.publicKey),
      new x509.AuthorityKeyIdentifierExtension(toHex(keyIdentifier(crypto, ca.publicKey))),
      ...leaf.more,
    ],
  });
}

interface CertificateContent {
  /** DER of the names. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: readonly x509.Extension[];
}

async function issue(crypto: Crypto, signer: PrivateKey, content: CertificateContent): Promise<Uint8Array> {
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: toHex(randomSerial(crypto)),
      issuer: new x509.Name(content.issuer),
      subject: new x509.Name(content.subject),
      notBefore: new Date(content.notBefore * 1000),
      notAfter: new Date(content.notAfter * 1000),
      publicKey: encodeSpki(content.publicKey),
      signingKey: await webKey(signer),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [...content.extensions],
    },
    webcrypto,
  );
  return new Uint8Array(certificate.rawData);
}

/** A signing key inside WebCrypto, which does not give it out again. */
function webKey(key: PrivateKey): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(nodeKeyPem(key).replaceAll(/-----[A-Z ]+-----/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
}

function subjectKeyId(crypto: Crypto, publicKey: Uint8Array): x509.SubjectKeyIdentifierExtension {
  return new x509.SubjectKeyIdentifierExtension(toHex(keyIdentifier(crypto, publicKey)));
}

/** RFC 5280 ub-common-name is 64; `MASH Zone CA - ` takes 15 of them. */
const NAME_MAXIMUM = 48;

function checkZoneName(name: string): void {
  const length = utf8Length(name);
  if (length === 0 || length > NAME_MAXIMUM) throw new ConfigError('zone name', `1…${NAME_MAXIMUM} bytes are due, not ${length}`);
  for (const character of name)
    if (character < ' ' || character === '\x7f') throw new ConfigError('zone name', 'contains control characters');
  if (['GRID', 'LOCAL', 'TEST'].includes(name)) throw new ConfigError('zone name', `'${name}' is the name of a zone type`);
}
