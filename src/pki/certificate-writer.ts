import type { Crypto, PrivateKey } from '../platform.js';
import { contextTag } from './der-tag.js';
import { der, derBoolean, derInteger, derNamedBits, derOctetString, derOid, derSequence, derTime } from './der-writer.js';
import { ecdsaAlgorithm, signed } from './ecdsa.js';
import { OID } from './oid.js';
import { encodeSpki } from './spki.js';

/** One extension; `value` is the DER that its OCTET STRING carries. */
export interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

export interface CertificateFields {
  /** Big-endian; see `randomSerial`. */
  readonly serial: Uint8Array;
  /** DER of the name. */
  readonly issuer: Uint8Array;
  /** DER of the name. */
  readonly subject: Uint8Array;
  /** Unix seconds. */
  readonly notBefore: number;
  /** Unix seconds. */
  readonly notAfter: number;
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
  readonly extensions: readonly Extension[];
}

/** Writes and signs a version 3 certificate; DER. */
export function writeCertificate(crypto: Crypto, signingKey: PrivateKey, fields: CertificateFields): Uint8Array {
  const body = derSequence(
    der(contextTag(0, 'constructed'), derInteger(Uint8Array.of(2))),
    derInteger(fields.serial),
    ecdsaAlgorithm(),
    fields.issuer,
    derSequence(derTime(fields.notBefore), derTime(fields.notAfter)),
    fields.subject,
    encodeSpki(fields.publicKey),
    ...(fields.extensions.length === 0 ? [] : [der(contextTag(3, 'constructed'), derSequence(...fields.extensions.map(writeExtension)))]),
  );
  return signed(crypto, signingKey, body);
}

function writeExtension({ id, critical, value }: Extension): Uint8Array {
  return derSequence(derOid(id), ...(critical ? [derBoolean(true)] : []), derOctetString(value));
}

/** 16 random bytes read as a positive number of fixed length (commissioning-pase §4.4: random 128-bit). */
export function randomSerial(crypto: Crypto): Uint8Array {
  const serial = crypto.bytes(16);
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
  return serial;
}

export function basicConstraints(ca: boolean, pathLength?: number): Extension {
  const length = pathLength === undefined ? [] : [derInteger(Uint8Array.of(pathLength))];
  return { id: OID.basicConstraints, critical: true, value: derSequence(...(ca ? [derBoolean(true)] : []), ...length) };
}

/** `mask` of KEY_USAGE. */
export function keyUsage(mask: number): Extension {
  return { id: OID.keyUsage, critical: true, value: derNamedBits(mask) };
}

export function extKeyUsage(...purposes: readonly string[]): Extension {
  return { id: OID.extKeyUsage, critical: false, value: derSequence(...purposes.map(derOid)) };
}
