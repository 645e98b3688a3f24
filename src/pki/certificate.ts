import type { Crypto } from '../platform.js';
import { CertificateError, malformed } from './certificate-error.js';
import { contextTag, TAG } from './der-tag.js';
import { readEcdsaAlgorithm, readSigned } from './ecdsa.js';
import { type Extensions, noExtensions, readExtensions } from './extensions.js';
import { type Name, readName } from './name.js';
import { decodeSpki } from './spki.js';

/** An X.509 certificate, version 3, P-256, ecdsa-with-SHA256. Parsed, not verified. */
export interface Certificate {
  /** The whole certificate. */
  readonly raw: Uint8Array;
  /** TBSCertificate: what the signature is over. */
  readonly tbs: Uint8Array;
  /** Big-endian, without leading zeros, at most 20 bytes. */
  readonly serial: Uint8Array;
  readonly issuer: Name;
  readonly subject: Name;
  /** Unix seconds, inclusive. */
  readonly notBefore: number;
  /** Unix seconds, inclusive. */
  readonly notAfter: number;
  /** Uncompressed point on P-256, 65 bytes. */
  readonly publicKey: Uint8Array;
  readonly extensions: Extensions;
  /** Raw r‖s, 64 bytes. */
  readonly signature: Uint8Array;
}

/** Version 3 is written as 2 (RFC 5280 §4.1.2.1). */
const VERSION_3 = 2;
/** RFC 5280 §4.1.2.2. */
const MAX_SERIAL = 20;

/** Parses strict DER of at most 8 KiB; throws CertificateError `malformed` or `unsupported` and nothing else. `bytes` is copied. */
export function parseCertificate(crypto: Crypto, bytes: Uint8Array): Certificate {
  const { raw, body, reader, signature } = readSigned(bytes, 'certificate');
  const version = contextTag(0, 'constructed');
  if (reader.nextTag !== version) throw new CertificateError('unsupported', 'version: not 3');
  const versionField = reader.enter(version, 'version');
  if (versionField.smallUnsigned('version') !== VERSION_3) throw new CertificateError('unsupported', 'version: not 3');
  versionField.finish('version');
  const serial = reader.unsigned('serialNumber', MAX_SERIAL);
  // RFC 5280 §4.1.1.2: the same algorithm inside and outside of what is signed.
  readEcdsaAlgorithm(reader, 'signature algorithm');
  const issuer = readName(reader, 'issuer');
  if (issuer.relativeNames.length === 0) throw malformed('issuer: empty');
  const validity = reader.enter(TAG.sequence, 'validity');
  const notBefore = validity.time('notBefore');
  const notAfter = validity.time('notAfter');
  validity.finish('validity');
  if (notAfter < notBefore) throw malformed('validity: ends before it begins');
  const subject = readName(reader, 'subject');
  const publicKey = decodeSpki(crypto, reader.element(TAG.sequence, 'subjectPublicKeyInfo').raw);
  let extensions: Extensions = noExtensions();
  if (!reader.done) {
    const wrapper = reader.enter(contextTag(3, 'constructed'), 'extensions');
    extensions = readExtensions(wrapper);
    wrapper.finish('extensions');
  }
  reader.finish('certificate body');
  return { raw, tbs: body, serial, issuer, subject, notBefore, notAfter, publicKey, extensions, signature };
}

/** True when `issuer`'s key made the signature. Says nothing about names, times or usages. */
export function isSignedBy(crypto: Crypto, certificate: Certificate, issuer: Certificate): boolean {
  return crypto.verify(issuer.publicKey, certificate.tbs, certificate.signature);
}
