import type { Crypto, PrivateKey } from '../platform.js';
import { CertificateError } from './certificate-error.js';
import { contextTag, TAG } from './der-tag.js';
import { der, derInteger, derSequence } from './der-writer.js';
import { readSigned, signed } from './ecdsa.js';
import { type Name, type RelativeName, readName, writeName } from './name.js';
import { OID } from './oid.js';
import { decodeSpki, encodeSpki } from './spki.js';

export interface CsrOptions {
  readonly key: PrivateKey;
  readonly vendorId: number;
  readonly productId: number;
  /** The device id in a renewal; the first CSR has no common name (protocol.md §3). */
  readonly commonName?: string;
}

/** PKCS#10 without attributes (RFC 2986): O=`MASH Device`, OU `V<vid>` and `P<pid>` in one SET, CN where given; DER. */
export function createCsr(crypto: Crypto, options: CsrOptions): Uint8Array {
  const names: RelativeName[] = [
    [{ type: OID.organization, value: 'MASH Device' }],
    [
      { type: OID.organizationalUnit, value: `V${options.vendorId}` },
      { type: OID.organizationalUnit, value: `P${options.productId}` },
    ],
  ];
  if (options.commonName !== undefined) names.push([{ type: OID.commonName, value: options.commonName }]);
  const body = derSequence(
    derInteger(Uint8Array.of(0)),
    writeName(names),
    encodeSpki(options.key.publicKey),
    der(contextTag(0, 'constructed')),
  );
  return signed(crypto, options.key, body);
}

/** A certificate signing request whose signature holds: the sender has the private key. */
export interface Csr {
  readonly raw: Uint8Array;
  readonly subject: Name;
  /** Uncompressed point on P-256, 65 bytes. */
  readonly publicKey: Uint8Array;
}

/** Parses and verifies a CSR of at most 8 KiB. Attributes are skipped. Throws CertificateError alone. */
export function parseCsr(crypto: Crypto, bytes: Uint8Array): Csr {
  const { raw, body, reader, signature } = readSigned(bytes, 'CSR');
  if (reader.smallUnsigned('CSR version') !== 0) throw new CertificateError('unsupported', 'CSR version: not 1');
  const subject = readName(reader, 'CSR subject');
  const publicKey = decodeSpki(crypto, reader.element(TAG.sequence, 'CSR subjectPublicKeyInfo').raw);
  reader.element(contextTag(0, 'constructed'), 'CSR attributes');
  reader.finish('CSR body');
  if (!crypto.verify(publicKey, body, signature)) throw new CertificateError('bad-signature', 'CSR: signature does not hold');
  return { raw, subject, publicKey };
}
