import { sameBytes } from '../codec/bytes.js';
import type { Crypto } from '../platform.js';
import { type Certificate, isSignedBy, parseCertificate } from './certificate.js';
import { CertificateError } from './certificate-error.js';
import { attributeValues, commonName, type Name, sameName } from './name.js';
import { KEY_USAGE, OID } from './oid.js';
import type { TimeReading } from './trusted-time.js';
import { allows, checkCritical, checkLeaf, checkTime } from './verify.js';

/** What ATTESTATION_RSP carries (commissioning-pase §4.3). Public: no key belongs to it, and it proves possession of none (protocol.md §2.7). */
export interface Attestation {
  /** X.509 DER; empty where the device has none. */
  readonly certificate: Uint8Array;
  /** X.509 DER, each the issuer of the one before. */
  readonly chain: readonly Uint8Array[];
}

export const NO_ATTESTATION: Attestation = { certificate: new Uint8Array(0), chain: [] };

/** Certificates beside the device's own. */
export const MAX_ATTESTATION_CHAIN = 4;

/** The device's certificate first, then its issuers. Throws CertificateError. */
export function parseAttestation(crypto: Crypto, { certificate, chain }: Attestation): readonly Certificate[] {
  if (chain.length > MAX_ATTESTATION_CHAIN)
    throw new CertificateError('malformed', `attestation chain: ${chain.length} certificates, at most ${MAX_ATTESTATION_CHAIN} are read`);
  return [certificate, ...chain].map((der) => parseCertificate(crypto, der));
}

/**
 * The path by itself: a leaf that may sign (commissioning-pase §9.3), above it CAs, each the issuer of the one before within its path length.
 * Throws CertificateError.
 */
export function checkAttestationPath(crypto: Crypto, path: readonly Certificate[]): void {
  path.forEach((certificate, i) => {
    if (i > 0) checkIssuer(certificate, i - 1);
    else checkDevice(certificate);
    const issuer = path[i + 1];
    if (issuer !== undefined) checkLink(crypto, certificate, issuer);
  });
}

/** The path must also end at one of `anchors`, manufacturer CAs, and every certificate of it be valid now. Returns that CA. Throws CertificateError. */
export function checkAttestation(
  crypto: Crypto,
  path: readonly Certificate[],
  anchors: readonly Certificate[],
  time: TimeReading,
): Certificate {
  const trusted = path.findIndex((certificate, i) => i > 0 && anchors.some((anchor) => sameBytes(anchor.raw, certificate.raw)));
  const own = trusted === -1 ? path : path.slice(0, trusted);
  let failure = new CertificateError('unknown-issuer', 'attestation: issued by none of the manufacturer CAs');
  for (const anchor of anchors) {
    if (!sameName(own.at(-1)?.issuer as Name, anchor.subject)) continue;
    try {
      const whole = [...own, anchor];
      checkAttestationPath(crypto, whole);
      for (const certificate of whole) checkTime(certificate, time, 'attestation');
      return anchor;
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** What a subject says of the product (commissioning-pase §9.3). */
export interface AttestedProduct {
  /** O and CN. */
  readonly maker: string;
  /** OU `V4660` and `P1`, as in the subjects of protocol.md §3; undefined where there is none. */
  readonly vendorId: number | undefined;
  readonly productId: number | undefined;
}

export function attestedProduct({ subject }: Certificate): AttestedProduct {
  const units = attributeValues(subject, OID.organizationalUnit);
  const texts = [...attributeValues(subject, OID.organization), commonName(subject) ?? ''];
  return { maker: texts.filter((text) => text !== '').join(', '), vendorId: unitNumber(units, 'V'), productId: unitNumber(units, 'P') };
}

/** Where the subject names another vendor or product than is known from elsewhere: what it says. */
export function contradiction(product: AttestedProduct, vendorId: number | undefined, productId: number | undefined): string | undefined {
  if (vendorId !== undefined && product.vendorId !== undefined && product.vendorId !== vendorId)
    return `the attestation is for vendor ${product.vendorId}, not ${vendorId}`;
  if (productId !== undefined && product.productId !== undefined && product.productId !== productId)
    return `the attestation is for product ${product.productId}, not ${productId}`;
  return undefined;
}

function unitNumber(units: readonly string[], letter: string): number | undefined {
  for (const unit of units) {
    const digits = unit.slice(1);
    const value = Number(digits);
    if (unit.startsWith(letter) && String(value) === digits && Number.isInteger(value) && value >= 0 && value <= 0xffff) return value;
  }
  return undefined;
}

function checkDevice(certificate: Certificate): void {
  checkCritical(certificate);
  checkLeaf(certificate);
  if (!allows(certificate, KEY_USAGE.digitalSignature))
    throw new CertificateError('key-usage', 'attestation: keyUsage of the device lacks digitalSignature');
}

function checkIssuer(certificate: Certificate, below: number): void {
  checkCritical(certificate);
  const { basicConstraints } = certificate.extensions;
  if (basicConstraints?.ca !== true) throw new CertificateError('not-a-ca', 'attestation: an issuer is not CA:TRUE');
  if (basicConstraints.pathLength !== undefined && basicConstraints.pathLength < below)
    throw new CertificateError('not-a-ca', 'attestation: longer than the path length of an issuer');
  if (!allows(certificate, KEY_USAGE.keyCertSign)) throw new CertificateError('key-usage', 'attestation: an issuer lacks keyCertSign');
}

function checkLink(crypto: Crypto, certificate: Certificate, issuer: Certificate): void {
  if (!sameName(certificate.issuer, issuer.subject))
    throw new CertificateError('unknown-issuer', 'attestation: a certificate is not followed by its issuer');
  const { authorityKeyId } = certificate.extensions;
  const { subjectKeyId } = issuer.extensions;
  if (authorityKeyId !== undefined && (subjectKeyId === undefined || !sameBytes(authorityKeyId, subjectKeyId)))
    throw new CertificateError('authority-key', 'attestation: an authority key identifier is not that of the issuer');
  if (!isSignedBy(crypto, certificate, issuer)) throw new CertificateError('bad-signature', 'attestation: not signed by its issuer');
}
