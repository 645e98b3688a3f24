/** Why a certificate or a CSR is refused; callers map it to the status or the alert of their protocol. */
export type CertificateReason =
  /** Not strict DER, not the structure of RFC 5280, or longer than 8 KiB. */
  | 'malformed'
  /** Well-formed, but not P-256 with ecdsa-with-SHA256, or not version 3. */
  | 'unsupported'
  | 'expired'
  | 'not-yet-valid'
  /** The issuer is the subject of none of the Zone CAs that were asked. */
  | 'unknown-issuer'
  /** The authority key identifier is not the Zone CA's subject key identifier. */
  | 'authority-key'
  | 'bad-signature'
  | 'not-self-signed'
  | 'not-a-ca'
  | 'is-a-ca'
  /** keyUsage or extKeyUsage lacks what the role needs. */
  | 'key-usage'
  /** The public key is not that of the CSR. */
  | 'wrong-key'
  /** The common name is not the device id. */
  | 'wrong-device-id'
  /** A device's certificate presented where a controller's is due. */
  | 'device-certificate'
  | 'unknown-critical-extension'
  /** Another Zone CA holds the same zone id. */
  | 'zone-id-taken';

/** A certificate or CSR is refused. It is always the doing of whoever sent it. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly reason: CertificateReason;
  constructor(reason: CertificateReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

export function malformed(what: string): CertificateError {
  return new CertificateError('malformed', what);
}
