import { utf8Encode } from '../../src/codec/utf8.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { type Certificate, parseCertificate } from '../../src/pki/certificate.js';
import {
  basicConstraints,
  type Extension,
  extKeyUsage,
  keyUsage,
  randomSerial,
  writeCertificate,
} from '../../src/pki/certificate-writer.js';
import { contextTag } from '../../src/pki/der-tag.js';
import { der, derOctetString, derSequence } from '../../src/pki/der-writer.js';
import { deviceIdOfKey, zoneIdOfCa } from '../../src/pki/identities.js';
import { type RelativeName, writeName } from '../../src/pki/name.js';
import { KEY_USAGE, OID } from '../../src/pki/oid.js';
import { keyIdentifier } from '../../src/pki/spki.js';
import type { Crypto, PrivateKey } from '../../src/platform.js';

/** Unix seconds at which the virtual clock starts. */
export const WORLD_NOW = 1_795_305_600;
export const DAY = 86_400;
export const YEAR = 365 * DAY;

/** What a certificate of the test world says. Everything can be made wrong; `null` leaves an extension out. */
export interface CertificateOptions {
  readonly subject?: readonly RelativeName[];
  readonly issuer?: readonly RelativeName[];
  readonly serial?: Uint8Array;
  /** Unix seconds. */
  readonly notBefore?: number;
  /** Unix seconds. */
  readonly notAfter?: number;
  /** basicConstraints cA. */
  readonly ca?: boolean | null;
  readonly pathLength?: number;
  /** Mask of KEY_USAGE. */
  readonly keyUsage?: number | null;
  readonly extKeyUsage?: readonly string[] | null;
  readonly subjectKeyId?: Uint8Array | null;
  readonly authorityKeyId?: Uint8Array | null;
  readonly dnsNames?: readonly string[];
  readonly uris?: readonly string[];
  /** Appended to the others. */
  readonly moreExtensions?: readonly Extension[];
  /** Signs in place of the issuer's key. */
  readonly signingKey?: PrivateKey;
  /** Spoils the signature after it was made. */
  readonly corruptSignature?: boolean;
}

export interface ZoneCaOptions extends CertificateOptions {
  /** Default node:crypto; whoever signs under this Zone CA uses the same. */
  readonly crypto?: Crypto;
  readonly key?: PrivateKey;
  /** Unix seconds, the moment around which validity is laid. Default: where the virtual clock starts. */
  readonly now?: number;
  readonly zoneName?: string;
  /** `GRID`, `LOCAL`, `TEST`. */
  readonly zoneType?: string;
}

export interface TestCertificate {
  readonly der: Uint8Array;
  readonly certificate: Certificate;
}

export interface TestZoneCa extends TestCertificate {
  readonly key: PrivateKey;
  readonly zoneId: string;
  readonly zoneName: string;
  readonly crypto: Crypto;
  readonly now: number;
}

export interface TestController extends TestCertificate {
  readonly key: PrivateKey;
}

/** O=`MASH Zone`, OU {type, zone}, CN=`MASH Zone CA - <zone>`, pathlen 0, ten years (protocol.md §3). */
export function makeZoneCa(options: ZoneCaOptions = {}): TestZoneCa {
  const crypto = options.crypto ?? nodeCrypto();
  const key = options.key ?? crypto.generateKey();
  const now = options.now ?? WORLD_NOW;
  const zoneName = options.zoneName ?? 'Home Energy';
  const subject = options.subject ?? [
    [{ type: OID.organization, value: 'MASH Zone' }],
    [
      { type: OID.organizationalUnit, value: options.zoneType ?? 'LOCAL' },
      { type: OID.organizationalUnit, value: zoneName },
    ],
    [{ type: OID.commonName, value: `MASH Zone CA - ${zoneName}` }],
  ];
  const issued = issue(crypto, key.publicKey, key, writeName(subject), {
    notBefore: beginning(now, options),
    notAfter: now + 10 * YEAR,
    ca: true,
    pathLength: 0,
    keyUsage: KEY_USAGE.keyCertSign | KEY_USAGE.crlSign,
    extKeyUsage: null,
    authorityKeyId: null,
    ...options,
    subject,
  });
  return { ...issued, key, zoneId: zoneIdOfCa(crypto, issued.der), zoneName, crypto, now };
}

/** O=`MASH Device`, OU {V4660, P1}, CN = dNSName = device id, client and server, one year. */
export function issueDeviceCertificate(ca: TestZoneCa, publicKey: Uint8Array, options: CertificateOptions = {}): TestCertificate {
  const id = deviceIdOfKey(ca.crypto, publicKey);
  return issueUnder(ca, publicKey, {
    subject: deviceSubject(id),
    extKeyUsage: [OID.clientAuth, OID.serverAuth],
    dnsNames: [id],
    ...options,
  });
}

/** O=`MASH Controller`, CN=`controller-<zone>`, clientAuth, one year, with a key of its own. */
export function issueController(ca: TestZoneCa, options: CertificateOptions & { readonly key?: PrivateKey } = {}): TestController {
  const key = options.key ?? ca.crypto.generateKey();
  const issued = issueUnder(ca, key.publicKey, {
    subject: [[{ type: OID.organization, value: 'MASH Controller' }], [{ type: OID.commonName, value: `controller-${ca.zoneName}` }]],
    extKeyUsage: [OID.clientAuth],
    ...options,
  });
  return { ...issued, key };
}

export function deviceSubject(id: string): readonly RelativeName[] {
  return [
    [{ type: OID.organization, value: 'MASH Device' }],
    [
      { type: OID.organizationalUnit, value: 'V4660' },
      { type: OID.organizationalUnit, value: 'P1' },
    ],
    [{ type: OID.commonName, value: id }],
  ];
}

/** Five minutes ago, or a day before an end in the past. */
function beginning(now: number, options: CertificateOptions): number {
  return Math.min(now - 300, (options.notAfter ?? Number.POSITIVE_INFINITY) - DAY);
}

function issueUnder(ca: TestZoneCa, publicKey: Uint8Array, options: CertificateOptions): TestCertificate {
  return issue(ca.crypto, publicKey, ca.key, ca.certificate.subject.raw, {
    notBefore: beginning(ca.now, options),
    notAfter: ca.now + YEAR,
    ca: false,
    keyUsage: KEY_USAGE.digitalSignature | KEY_USAGE.keyEncipherment,
    authorityKeyId: ca.certificate.extensions.subjectKeyId ?? null,
    ...options,
  });
}

function issue(
  crypto: Crypto,
  publicKey: Uint8Array,
  issuerKey: PrivateKey,
  issuerName: Uint8Array,
  options: CertificateOptions,
): TestCertificate {
  const bytes = writeCertificate(crypto, options.signingKey ?? issuerKey, {
    serial: options.serial ?? randomSerial(crypto),
    issuer: options.issuer === undefined ? issuerName : writeName(options.issuer),
    subject: writeName(options.subject ?? []),
    notBefore: options.notBefore ?? WORLD_NOW,
    notAfter: options.notAfter ?? WORLD_NOW,
    publicKey,
    extensions: extensionsOf(options, keyIdentifier(crypto, publicKey)),
  });
  // The last byte belongs to s.
  if (options.corruptSignature === true) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return { der: bytes, certificate: parseCertificate(crypto, bytes) };
}

function extensionsOf(options: CertificateOptions, ownKeyId: Uint8Array): readonly Extension[] {
  const list: Extension[] = [];
  if (typeof options.keyUsage === 'number') list.push(keyUsage(options.keyUsage));
  if (options.extKeyUsage) list.push(extKeyUsage(...options.extKeyUsage));
  if (typeof options.ca === 'boolean') list.push(basicConstraints(options.ca, options.ca ? options.pathLength : undefined));
  const subjectKeyId = options.subjectKeyId === undefined ? ownKeyId : options.subjectKeyId;
  if (subjectKeyId !== null) list.push({ id: OID.subjectKeyIdentifier, critical: false, value: derOctetString(subjectKeyId) });
  if (options.authorityKeyId) {
    const value = derSequence(der(contextTag(0, 'primitive'), options.authorityKeyId));
    list.push({ id: OID.authorityKeyIdentifier, critical: false, value });
  }
  const names = [
    ...(options.dnsNames ?? []).map((name) => der(contextTag(2, 'primitive'), utf8Encode(name))),
    ...(options.uris ?? []).map((uri) => der(contextTag(6, 'primitive'), utf8Encode(uri))),
  ];
  if (names.length > 0) list.push({ id: OID.subjectAltName, critical: false, value: derSequence(...names) });
  list.push(...(options.moreExtensions ?? []));
  return list;
}
