import fs from 'node:fs/promises';
import type { AttestationOptions } from '../controller/attestation.js';
import { messageOf } from '../controller/errors.js';
import { readCertificates } from '../controller/pem.js';
import { ConfigError } from '../errors.js';
import { decodeAdminToken } from '../pki/admin-token.js';
import type { Crypto } from '../platform.js';
import type { CommissionArguments } from './controller-options.js';

/** What the files beside a commissioning hold. */
export interface CommissionFiles {
  readonly attestation: AttestationOptions;
  /** Well-formed; whether it holds is for the device to say. */
  readonly adminToken: Uint8Array | undefined;
}

/** Rejects with ConfigError naming the option whose file cannot be read or is not what it should be. */
export async function readCommissionFiles(crypto: Crypto, given: CommissionArguments): Promise<CommissionFiles> {
  const authorities = await from('--attestation-ca', given.attestationCa, (file) => readCertificates(crypto, file));
  const adminToken = await from('--admin-token', given.adminToken, (file) => {
    decodeAdminToken(file);
    return file;
  });
  return { attestation: { policy: given.attestation ?? 'accept', authorities: authorities ?? [] }, adminToken };
}

async function from<T>(option: string, path: string | undefined, read: (file: Uint8Array) => T): Promise<T | undefined> {
  if (path === undefined) return undefined;
  try {
    return read(new Uint8Array(await fs.readFile(path)));
  } catch (error) {
    throw new ConfigError(option, `${path}: ${messageOf(error)}`);
  }
}
