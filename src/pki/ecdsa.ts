import { concat } from '../codec/bytes.js';
import type { Crypto, PrivateKey } from '../platform.js';
import { CertificateError } from './certificate-error.js';
import { DerReader } from './der-reader.js';
import { TAG } from './der-tag.js';
import { derBitString, derInteger, derOid, derSequence } from './der-writer.js';
import { OID } from './oid.js';

/** AlgorithmIdentifier of ecdsa-with-SHA256: no parameters (RFC 5758 §3.2). */
const ALGORITHM = derSequence(derOid(OID.ecdsaWithSha256));

export function ecdsaAlgorithm(): Uint8Array {
  return ALGORITHM;
}

/** Reads an AlgorithmIdentifier, which must be that of ecdsa-with-SHA256. */
export function readEcdsaAlgorithm(reader: DerReader, what: string): void {
  const algorithm = reader.enter(TAG.sequence, what);
  if (algorithm.oid(what) !== OID.ecdsaWithSha256) throw new CertificateError('unsupported', `${what}: not ecdsa-with-SHA256`);
  algorithm.finish(what);
}

/** Signs `body` and appends algorithm and signature: the outer shape of certificates and of CSRs alike. */
export function signed(crypto: Crypto, key: PrivateKey, body: Uint8Array): Uint8Array {
  const signature = crypto.sign(key, body);
  return derSequence(body, ALGORITHM, derBitString(derSequence(derInteger(signature.subarray(0, 32)), derInteger(signature.subarray(32)))));
}

export interface SignedBody {
  /** The whole input, copied. */
  readonly raw: Uint8Array;
  /** The bytes the signature is over. */
  readonly body: Uint8Array;
  /** A reader of what is inside the body. */
  readonly reader: DerReader;
  /** Raw r‖s, 64 bytes. */
  readonly signature: Uint8Array;
}

/** The largest certificate or CSR that is looked at (dependencies.md: certificates above 8 KiB are refused before parsing). */
export const MAX_SIGNED_LENGTH = 8192;

/** Takes the outer shape apart; the signature is read, not verified. `bytes` is copied. */
export function readSigned(bytes: Uint8Array, what: string): SignedBody {
  if (bytes.length > MAX_SIGNED_LENGTH) throw new CertificateError('malformed', `${what}: longer than ${MAX_SIGNED_LENGTH} bytes`);
  const raw = new Uint8Array(bytes);
  const input = new DerReader(raw);
  const outer = input.enter(TAG.sequence, what);
  input.finish(what);
  const body = outer.element(TAG.sequence, `${what} body`);
  readEcdsaAlgorithm(outer, `${what} signature algorithm`);
  const value = outer.within(outer.bitString(`${what} signature`));
  outer.finish(what);
  const pair = value.enter(TAG.sequence, `${what} signature`);
  value.finish(`${what} signature`);
  const r = pair.unsigned(`${what} signature r`, 32);
  const s = pair.unsigned(`${what} signature s`, 32);
  pair.finish(`${what} signature`);
  const pad = (part: Uint8Array): Uint8Array => concat(new Uint8Array(32 - part.length), part);
  return { raw, body: body.raw, reader: outer.within(body.content), signature: concat(pad(r), pad(s)) };
}
