import 'reflect-metadata';
import { execFileSync, spawnSync } from 'node:child_process';
import { webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { toHex } from '../../src/codec/hex.js';
import type { Certificate } from '../../src/pki/certificate.js';
import type { Name } from '../../src/pki/name.js';
import { encodeSpki } from '../../src/pki/spki.js';

export { x509 };

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);

/** What all readers can say about a certificate, in one form. */
export interface Reading {
  readonly serial: string;
  /** `O=MASH`, one list a relative name. */
  readonly issuer: readonly (readonly string[])[];
  readonly subject: readonly (readonly string[])[];
  /** Unix seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Hex. */
  readonly spki: string;
  readonly ca: boolean;
  readonly extKeyUsage: readonly string[] | undefined;
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
}

/** What openssl and @peculiar/x509 tell beyond that. */
export interface FullReading extends Reading {
  readonly pathLength: number | undefined;
  readonly keyUsage: number | undefined;
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
  /** DER of r and s, hex. */
  readonly signature: string;
}

const TYPES: Readonly<Record<string, string>> = { '2.5.4.3': 'CN', '2.5.4.10': 'O', '2.5.4.11': 'OU' };

export function nameTexts(name: Name): string[][] {
  return name.relativeNames.map((attributes) => attributes.map(({ type, value }) => `${TYPES[type] ?? type}=${value}`));
}

export function readByUs(certificate: Certificate): FullReading {
  const { extensions } = certificate;
  return {
    serial: toHex(certificate.serial),
    issuer: nameTexts(certificate.issuer),
    subject: nameTexts(certificate.subject),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    spki: toHex(encodeSpki(certificate.publicKey)),
    ca: extensions.basicConstraints?.ca ?? false,
    pathLength: extensions.basicConstraints?.pathLength,
    keyUsage: extensions.keyUsage,
    extKeyUsage: extensions.extKeyUsage,
    subjectKeyId: extensions.subjectKeyId && toHex(extensions.subjectKeyId),
    authorityKeyId: extensions.authorityKeyId && toHex(extensions.authorityKeyId),
    dnsNames: extensions.subjectAltName?.dnsNames ?? [],
    uris: extensions.subjectAltName?.uris ?? [],
    signature: toHex(certificate.signature),
  };
}

/** Hex of raw r‖s from the hex of an ECDSA-Sig-Value. */
function rawSignature(hex: string): string {
  const rLength = Number.parseInt(hex.slice(6, 8), 16) * 2;
  const r = hex.slice(8, 8 + rLength);
  const s = hex.slice(8 + rLength + 4);
  return [r, s].map((part) => part.padStart(64, '0').slice(-64)).join('');
}

function altNames(text: string | undefined, kind: string): string[] {
  const parts = (text ?? '').split(', ').filter((part) => part.startsWith(`${kind}:`));
  return parts.map((part) => part.slice(kind.length + 1));
}

/** node prints RFC 2253 escapes; one line a relative name. */
function nodeName(text: string): string[][] {
  if (text === undefined || text === '') return [];
  return text.split('\n').map((line) => line.split(' + ').map((attribute) => unescapeName(attribute)));
}

/** `\2C` is a byte of UTF-8, `\,` a character. */
export function unescapeName(text: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const hex = /^\\([0-9A-F]{2})/.exec(text.slice(at, at + 3))?.[1];
    if (hex !== undefined) {
      bytes.push(Number.parseInt(hex, 16));
      at += 2;
    } else bytes.push(...Buffer.from(text[at] === '\\' ? (text[++at] ?? '') : String.fromCodePoint(text.codePointAt(at) ?? 0)));
  }
  return Buffer.from(bytes).toString('utf8');
}

export function readByNode(der: Uint8Array): Reading {
  const certificate = new X509Certificate(der);
  return {
    serial: shortHex(certificate.serialNumber),
    issuer: nodeName(certificate.issuer),
    subject: nodeName(certificate.subject),
    notBefore: Date.parse(certificate.validFrom) / 1000,
    notAfter: Date.parse(certificate.validTo) / 1000,
    spki: certificate.publicKey.export({ format: 'der', type: 'spki' }).toString('hex'),
    ca: certificate.ca,
    extKeyUsage: certificate.keyUsage,
    dnsNames: altNames(certificate.subjectAltName, 'DNS'),
    uris: altNames(certificate.subjectAltName, 'URI'),
  };
}

function shortHex(text: string): string {
  const digits = text.toLowerCase().replace(/^(00)+(?=..)/, '');
  return digits.length % 2 === 0 ? digits : `0${digits}`;
}

export function readByPeculiar(der: Uint8Array): FullReading {
  const certificate = new x509.X509Certificate(der);
  const name = (json: x509.JsonName): string[][] =>
    json.map((attributes) => Object.entries(attributes).flatMap(([type, values]) => values.map((value) => `${type}=${value}`)));
  const basic = certificate.getExtension(x509.BasicConstraintsExtension);
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  const purposes = certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages;
  return {
    serial: shortHex(certificate.serialNumber),
    issuer: name(certificate.issuerName.toJSON()),
    subject: name(certificate.subjectName.toJSON()),
    notBefore: certificate.notBefore.getTime() / 1000,
    notAfter: certificate.notAfter.getTime() / 1000,
    spki: Buffer.from(certificate.publicKey.rawData).toString('hex'),
    ca: basic?.ca ?? false,
    pathLength: basic?.pathLength,
    keyUsage: certificate.getExtension(x509.KeyUsagesExtension)?.usages,
    extKeyUsage: purposes && [...purposes].map(String),
    subjectKeyId: certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId,
    authorityKeyId: certificate.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId,
    dnsNames: names.filter(({ type }) => type === 'dns').map(({ value }) => value),
    uris: names.filter(({ type }) => type === 'url').map(({ value }) => value),
    signature: rawSignature(Buffer.from(certificate.signature).toString('hex')),
  };
}

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
/** Appended to the names of tests that need the binary. */
export const opensslNote = hasOpenssl ? '' : ' (skipped: no openssl binary on this machine)';

export function openssl(input: Uint8Array, ...args: readonly string[]): string {
  return execFileSync('openssl', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
}

/** Bit n of keyUsage by the name openssl gives it. */
const USAGES = [
  'Digital Signature',
  'Non Repudiation',
  'Key Encipherment',
  'Data Encipherment',
  'Key Agreement',
  'Certificate Sign',
  'CRL Sign',
  'Encipher Only',
  'Decipher Only',
];
const PURPOSES: Readonly<Record<string, string>> = {
  'TLS Web Server Authentication': '1.3.6.1.5.5.7.3.1',
  'TLS Web Client Authentication': '1.3.6.1.5.5.7.3.2',
};

export function readByOpenssl(der: Uint8Array): FullReading {
  const text = openssl(der, 'x509', '-inform', 'DER', '-noout', '-text', '-serial', '-pubkey', '-nameopt', 'sname,sep_comma_plus,utf8');
  const line = (label: RegExp): string | undefined => label.exec(text)?.[1];
  const extension = (label: string): string | undefined => line(new RegExp(`X509v3 ${label}:[^\\n]*\\n +([^\\n]*)\\n`));
  const name = (label: string): string[][] =>
    (line(new RegExp(`${label}: ([^\\n]+)\\n`)) ?? '').split(',').map((attributes) => attributes.split('+').map((part) => part.trim()));
  const bytes = (value: string | undefined): string | undefined => value?.replace(/[^0-9A-F]/g, '').toLowerCase();
  const basic = extension('Basic Constraints');
  const pathLength = basic === undefined ? undefined : /pathlen:(\d+)/.exec(basic)?.[1];
  const mask = (list: string): number => list.split(', ').reduce((sum, usage) => sum | (1 << USAGES.indexOf(usage)), 0);
  const usage = extension('Key Usage');
  return {
    serial: shortHex(line(/serial=([0-9A-F]+)/) ?? ''),
    issuer: name('Issuer'),
    subject: name('Subject'),
    notBefore: Date.parse(line(/Not Before: (.*)\n/) ?? '') / 1000,
    notAfter: Date.parse(line(/Not After : (.*)\n/) ?? '') / 1000,
    spki: Buffer.from(line(/BEGIN PUBLIC KEY-----([^-]*)-----END/) ?? '', 'base64').toString('hex'),
    ca: basic?.startsWith('CA:TRUE') ?? false,
    pathLength: pathLength === undefined ? undefined : Number(pathLength),
    keyUsage: usage === undefined ? undefined : mask(usage),
    extKeyUsage: extension('Extended Key Usage')
      ?.split(', ')
      .map((purpose) => PURPOSES[purpose] ?? purpose),
    subjectKeyId: bytes(extension('Subject Key Identifier')),
    authorityKeyId: bytes(extension('Authority Key Identifier')),
    dnsNames: altNames(extension('Subject Alternative Name'), 'DNS'),
    uris: altNames(extension('Subject Alternative Name'), 'URI'),
    signature: rawSignature((/Signature Value:([0-9a-f:\s]*)/.exec(text)?.[1] ?? '').replace(/[^0-9a-f]/g, '')),
  };
}
