/** What is derived from the setup code, and what from the transcript. */
import { toHex } from '../codec/hex.js';
import { utf8Encode } from '../codec/utf8.js';
import type { Crypto } from '../platform.js';
import { Secret } from '../secret.js';
import type { PaseDialect } from './pase-points.js';
import { reduceScalar } from './scalar.js';
import { REFERENCE_IDENTITIES } from './transcript.js';

const NO_SALT = new Uint8Array(0);
const label = (text: string): Uint8Array => utf8Encode(text);

/** w0 and w1, 32 bytes each, in [0, n−1]. */
export interface PasswordScalars {
  readonly w0: Secret;
  readonly w1: Secret;
}

/** draft: commissioning-pase §2.3 with protocol.md §2.2; reference: protocol.md §3. `code`: the digits as UTF-8. */
export function passwordScalars(crypto: Crypto, dialect: PaseDialect, code: Secret): PasswordScalars {
  if (dialect === 'draft') {
    const w = (info: string) => scalar(crypto.hkdfSha256(code.expose(), NO_SALT, label(info), 32));
    return { w0: w('MASH SPAKE2+ w0'), w1: w('MASH SPAKE2+ w1') };
  }
  const w = crypto.hkdfSha256(code.expose(), REFERENCE_IDENTITIES, label('SPAKE2+-P256-SHA256 w'), 64);
  const scalars = { w0: scalar(w.slice(0, 32)), w1: scalar(w.slice(32)) };
  w.fill(0);
  return scalars;
}

/** Takes the bytes over and wipes them. */
function scalar(bytes: Uint8Array): Secret {
  const reduced = reduceScalar(bytes);
  const secret = new Secret(reduced);
  bytes.fill(0);
  reduced.fill(0);
  return secret;
}

/** The two confirmations, and the zone id where the dialect takes it from the exchange. */
export interface Confirmations {
  /** verifier_device / MACs, 32 bytes. */
  readonly device: Uint8Array;
  /** verifier_controller / MACc, 32 bytes. */
  readonly controller: Uint8Array;
  /** Reference dialect: lower-case hex of SHA-256(Ke)[0:8]. */
  readonly zoneId: string | undefined;
}

/** `X` and `Y` as they were sent (protocol.md §2.6, §3). */
export function confirmations(crypto: Crypto, dialect: PaseDialect, tt: Uint8Array, X: Uint8Array, Y: Uint8Array): Confirmations {
  const shared = crypto.sha256(tt);
  if (dialect === 'draft') {
    const key = crypto.hkdfSha256(shared, NO_SALT, label('MASH PASE Confirmation'), 32);
    return {
      device: crypto.hmacSha256(key, label('device'), Y, X),
      controller: crypto.hmacSha256(key, label('controller'), X, Y),
      zoneId: undefined,
    };
  }
  const keys = crypto.hkdfSha256(shared, NO_SALT, label('SPAKE2+-P256-SHA256'), 64);
  const Kc = keys.subarray(32);
  return {
    device: crypto.hmacSha256(Kc, label('server'), Y, X),
    controller: crypto.hmacSha256(Kc, label('client'), X, Y),
    zoneId: toHex(crypto.sha256(keys.subarray(0, 32)).subarray(0, 8)),
  };
}

/** Session keys of the draft dialect, 32 bytes each. */
export interface DraftSessionKeys {
  readonly main: Secret;
  readonly encrypt: Secret;
  readonly controllerToDevice: Secret;
  readonly deviceToController: Secret;
}

/**
 * commissioning-pase §2.4 and protocol.md §2.6, from K_shared = SHA-256(TT). They encrypt nothing (everything travels inside TLS, bound to it
 * by the transcript's context); they exist for the vectors, so that another implementation can compare its own.
 */
export function draftSessionKeys(crypto: Crypto, shared: Secret): DraftSessionKeys {
  const derive = (key: Secret, info: string) => new Secret(crypto.hkdfSha256(key.expose(), NO_SALT, label(info), 32));
  const main = derive(shared, 'MASH PASE Session Key');
  const encrypt = derive(main, 'MASH PASE Encryption');
  return {
    main,
    encrypt,
    controllerToDevice: derive(encrypt, 'controller to device'),
    deviceToController: derive(encrypt, 'device to controller'),
  };
}
