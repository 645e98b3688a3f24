import type { Crypto, PrivateKey } from '../platform.js';
import { basicConstraints, extKeyUsage, keyUsage, randomSerial, writeCertificate } from './certificate-writer.js';
import { writeName } from './name.js';
import { KEY_USAGE, OID } from './oid.js';
import { CLOCK_SKEW_TOLERANCE } from './trusted-time.js';

export interface CommissioningCertificateOptions {
  readonly key: PrivateKey;
  /** The device's discriminator; its decimal form is not padded. */
  readonly discriminator: number;
  /** Unix seconds, of whatever quality: commissioning controllers verify the common name alone (connection-establishment §3.4). */
  readonly now: number;
  /** Seconds from now: 1 day in profile `draft`, 20 years in `reference`. */
  readonly validity: number;
}

/** The self-signed certificate of the commissioning port, O=`MASH`, CN=`MASH-<D>` (connection-establishment §3.2, protocol.md §3); DER. */
export function createCommissioningCertificate(crypto: Crypto, options: CommissioningCertificateOptions): Uint8Array {
  const name = writeName([
    [{ type: OID.organization, value: 'MASH' }],
    [{ type: OID.commonName, value: commissioningCommonName(options.discriminator) }],
  ]);
  return writeCertificate(crypto, options.key, {
    serial: randomSerial(crypto),
    issuer: name,
    subject: name,
    notBefore: options.now - CLOCK_SKEW_TOLERANCE,
    notAfter: options.now + options.validity,
    publicKey: options.key.publicKey,
    extensions: [keyUsage(KEY_USAGE.digitalSignature | KEY_USAGE.keyEncipherment), extKeyUsage(OID.serverAuth), basicConstraints(false)],
  });
}

/** `MASH-1234`. */
export function commissioningCommonName(discriminator: number): string {
  return `MASH-${discriminator}`;
}
