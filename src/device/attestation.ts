import { type CborValue, decodeCbor, encodeCbor } from '../codec/cbor.js';
import { bytesAt, kindOf, mapOf, ShapeError } from '../codec/shape.js';
import { type Attestation, checkAttestationPath, MAX_ATTESTATION_CHAIN, NO_ATTESTATION, parseAttestation } from '../pki/attestation.js';
import { type Certificate, isSignedBy } from '../pki/certificate.js';
import { CertificateError } from '../pki/certificate-error.js';
import { sameName } from '../pki/name.js';
import type { Crypto, Log } from '../platform.js';
import type { Journal } from '../store/journal.js';
import { defineRecord, readRecord } from '../store/records.js';

/** Bytes of the certificates together: the journal takes 16 KiB a value. */
const MAX_TOTAL = 15_360;

/**
 * Written by the factory, kept by a factory reset. Certificates alone: the protocol has no message that proves possession of their key
 * (protocol.md §2.7), so that key has no business on the device.
 */
export const attestationRecord = defineRecord<Attestation>({
  key: 'factory/attestation',
  encode: ({ certificate, chain }) =>
    encodeCbor(
      new Map<number, CborValue>([
        [1, certificate],
        [2, chain],
      ]),
    ),
  decode: (bytes) => {
    const map = mapOf(decodeCbor(bytes), 'attestation');
    const chain = map.get(2);
    if (!Array.isArray(chain) || chain.length > MAX_ATTESTATION_CHAIN) throw new ShapeError(`chain: ${kindOf(chain)}`);
    return { certificate: bytesAt(map, 1, 'certificate'), chain: chain.map((_item, i) => bytesAt(new Map([[1, chain[i]]]), 1, 'chain')) };
  },
});

/** What the device answers ATTESTATION_REQ with; empty where the factory left nothing or it was damaged, which is reported. */
export function readAttestation(journal: Journal, log: Log): Attestation {
  const stored = readRecord(journal, attestationRecord);
  if (stored === undefined && journal.isDamaged(attestationRecord.key))
    log.error('the attestation of the factory was damaged: the device answers without one', { key: attestationRecord.key });
  return stored ?? NO_ATTESTATION;
}

/**
 * Orders the certificates of a bundle: the only one that is no CA, then the issuer of each. All must be used, each signed by the next.
 * Throws CertificateError; nothing is judged by time, which a factory's tool may not know better than the device.
 */
export function arrangeAttestation(crypto: Crypto, certificates: readonly Certificate[]): Attestation {
  const devices = certificates.filter(({ extensions }) => extensions.basicConstraints?.ca !== true);
  const [device] = devices;
  if (device === undefined || devices.length > 1)
    throw new CertificateError('malformed', `bundle: ${devices.length} certificates that are no CA, exactly one is due`);
  const path = [device];
  const left = new Set(certificates.filter((certificate) => certificate !== device));
  for (let last = device; ; ) {
    const next = [...left].find((candidate) => sameName(candidate.subject, last.issuer) && isSignedBy(crypto, last, candidate));
    if (next === undefined) break;
    left.delete(next);
    path.push(next);
    last = next;
  }
  if (left.size > 0) throw new CertificateError('unknown-issuer', `bundle: ${left.size} certificates do not belong to the chain`);
  const attestation = { certificate: device.raw, chain: path.slice(1).map(({ raw }) => raw) };
  const total = path.reduce((sum, { raw }) => sum + raw.length, 0);
  if (total > MAX_TOTAL) throw new CertificateError('malformed', `bundle: ${total} bytes of certificates, at most ${MAX_TOTAL} fit`);
  checkAttestationPath(crypto, parseAttestation(crypto, attestation));
  return attestation;
}
