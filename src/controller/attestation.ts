import { toHex } from '../codec/hex.js';
import { type Attestation, attestedProduct, checkAttestation, contradiction, parseAttestation } from '../pki/attestation.js';
import type { Certificate } from '../pki/certificate.js';
import { CertificateError } from '../pki/certificate-error.js';
import type { TimeReading } from '../pki/trusted-time.js';
import type { Crypto } from '../platform.js';
import { ControllerError } from './errors.js';

/**
 * `accept` proceeds whatever the device shows, with a warning where a chain does not hold (the default of commissioning-pase §4.3); `warn`
 * also warns where there is nothing to rely on; `require` ends the commissioning there, before a certificate is issued.
 */
export const ATTESTATION_POLICIES = ['accept', 'warn', 'require'] as const;
export type AttestationPolicy = (typeof ATTESTATION_POLICIES)[number];

export interface AttestationOptions {
  readonly policy: AttestationPolicy;
  /** Manufacturer CAs; without one no chain can be verified. */
  readonly authorities: readonly Certificate[];
}

/** What is known of the device's maker. Informational: the protocol proves possession of no attestation key (protocol.md §2.7). */
export interface AttestationResult {
  /** `none`: the device has none. `unverified`: no manufacturer CA was given. */
  readonly status: 'none' | 'unverified' | 'invalid' | 'verified';
  /** As the certificate names it; undefined where it cannot be read. */
  readonly maker: string | undefined;
  /** SHA-256 of the device's certificate, hex. */
  readonly fingerprint: string | undefined;
  /** What speaks against it. */
  readonly problem: string | undefined;
}

export interface AttestationCheck {
  readonly authorities: readonly Certificate[];
  readonly time: TimeReading;
  /** Of the label. */
  readonly vendorId: number | undefined;
  readonly productId: number | undefined;
}

/** Judges what a device showed; never throws for it. */
export function judgeAttestation(crypto: Crypto, shown: Attestation, check: AttestationCheck): AttestationResult {
  const { authorities, time, vendorId, productId } = check;
  if (shown.certificate.length === 0)
    return { status: 'none', maker: undefined, fingerprint: undefined, problem: 'the device has no attestation' };
  const fingerprint = toHex(crypto.sha256(shown.certificate));
  let maker: string | undefined;
  try {
    const path = parseAttestation(crypto, shown);
    const product = attestedProduct(path[0] as Certificate);
    maker = product.maker;
    const other = contradiction(product, vendorId, productId);
    if (other !== undefined) return { status: 'invalid', maker, fingerprint, problem: other };
    if (authorities.length === 0) return { status: 'unverified', maker, fingerprint, problem: 'no manufacturer CA was given' };
    checkAttestation(crypto, path, authorities, time);
    return { status: 'verified', maker, fingerprint, problem: undefined };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return { status: 'invalid', maker, fingerprint, problem: error.message };
  }
}

/** The warning that the policy asks for, if any. Throws ControllerError NOT_TRUSTED where it asks for more than was shown. */
export function applyPolicy(policy: AttestationPolicy, { status, problem }: AttestationResult): string | undefined {
  if (status === 'verified' || problem === undefined) return undefined;
  if (policy === 'require')
    throw new ControllerError('NOT_TRUSTED', `An attestation is required: ${problem}`, {
      suggestions: ['Compare --attestation-ca with what the manufacturer publishes', 'Use --attestation warn to proceed without it'],
    });
  return policy === 'warn' || status === 'invalid' ? problem : undefined;
}

/** For people. */
export function describeAttestation({ status, maker, problem }: AttestationResult): string {
  if (status === 'none') return 'the device has no attestation';
  const of = maker === undefined || maker === '' ? '' : `${maker}: `;
  const verdict = status === 'verified' ? 'chain verified' : status === 'invalid' ? `INVALID, ${problem}` : `not verified, ${problem}`;
  return `${of}${verdict} (informational: the device proves no possession of its key)`;
}
