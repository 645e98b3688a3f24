import { parseCertificate } from '../pki/certificate.js';
import { CertificateError } from '../pki/certificate-error.js';
import { attributeValues, commonName } from '../pki/name.js';
import { OID } from '../pki/oid.js';
import type { Crypto } from '../platform.js';

/** What an attestation certificate says of its maker. It is informational: it proves possession of nothing (protocol.md §2.7). */
export function describeAttestation(crypto: Crypto, der: Uint8Array | undefined): string {
  if (der === undefined) return 'the device has no attestation';
  try {
    const { subject } = parseCertificate(crypto, der);
    const maker = [...attributeValues(subject, OID.organization), commonName(subject) ?? ''].filter((text) => text !== '').join(', ');
    return `${maker} (not verified: informational)`;
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return `unreadable: ${error.message}`;
  }
}
