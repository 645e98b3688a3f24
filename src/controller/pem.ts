import { type Certificate, parseCertificate } from '../pki/certificate.js';
import type { Crypto } from '../platform.js';

const BLOCK = /-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g;

/** The certificates of a file: PEM, several in a row, or one as DER. Throws CertificateError; at least one is due. */
export function readCertificates(crypto: Crypto, file: Uint8Array): readonly Certificate[] {
  const blocks = [...Buffer.from(file).toString('latin1').matchAll(BLOCK)];
  const ders = blocks.length === 0 ? [file] : blocks.map(([, text = '']) => new Uint8Array(Buffer.from(text, 'base64')));
  return ders.map((der) => parseCertificate(crypto, der));
}
