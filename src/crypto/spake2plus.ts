/**
 * The device's side of SPAKE2+ (RFC 9383 §3.3, the Verifier) in both dialects.
 *
 * Three steps, each as early as possible (performance.md, "Crypto"): `prepareRegistration` once per setup code, `prepareShare` once per
 * attempt and before the peer is known, `accept` and `finish` when it speaks.
 */
import type { Crypto } from '../platform.js';
import { Secret } from '../secret.js';
import { passwordScalars } from './kdf.js';
import { PASE_POINTS, type PaseDialect } from './pase-points.js';
import { finishPase, ownShare, peerShare, requireContext, type Share, unmask } from './pase-share.js';
import { randomScalar } from './scalar.js';

/** What a device stores of its setup code, one per dialect (protocol.md §2.2). Either half lets a code be guessed off-line. */
export interface PaseVerifier {
  readonly dialect: PaseDialect;
  /** 32 bytes, in [1, n−1]. */
  readonly w0: Secret;
  /** L = w1·G, uncompressed, 65 bytes. */
  readonly L: Secret;
}

/** `code`: the eight digits as UTF-8 (`SetupCode`). */
export function verifierFromSetupCode(crypto: Crypto, dialect: PaseDialect, code: Secret): PaseVerifier {
  const { w0, w1 } = passwordScalars(crypto, dialect, code);
  const L = new Secret(crypto.multiplyBase(w1.expose()));
  w1.wipe();
  return { dialect, w0, L };
}

/** A verifier with what every attempt needs of it. */
export interface PaseRegistration extends PaseVerifier {
  /** −w0·M, 65 bytes. */
  readonly minusW0M: Secret;
  /** w0·N, 65 bytes. */
  readonly w0N: Secret;
}

/** Throws RangeError where the verifier is not one: w0 out of range, L not on the curve. */
export function prepareRegistration(crypto: Crypto, verifier: PaseVerifier): PaseRegistration {
  const { M, N } = PASE_POINTS[verifier.dialect];
  const w0 = verifier.w0.expose();
  return {
    dialect: verifier.dialect,
    w0: verifier.w0,
    L: new Secret(crypto.decodePoint(verifier.L.expose())),
    minusW0M: new Secret(crypto.negatePoint(crypto.multiply(M, w0))),
    w0N: new Secret(crypto.multiply(N, w0)),
  };
}

/** The device's confirmation, and the judgement of the controller's. */
export interface PaseKeys {
  /** verifier_device (draft) or MACs (reference), 32 bytes. */
  readonly confirmDevice: Uint8Array;
  /** True where `mac` is the controller's confirmation. Constant-time. */
  checkController(mac: Uint8Array): boolean;
  /** Reference dialect: the zone id, 16 lower-case hexadecimal digits. Draft dialect: undefined, the Zone CA gives it. */
  readonly zoneId: string | undefined;
}

/** y, Y = y·G + w0·N and V = y·L: the device's half of one attempt, independent of the peer. */
export function prepareShare(crypto: Crypto, registration: PaseRegistration): PreparedShare {
  return new PreparedShare(crypto, registration);
}

/**
 * Serves exactly one attempt (TC-PASE-5: a fresh Y each time). A refused X leaves it unused, for Y was not sent.
 * Steps out of order throw a plain Error: they are our own bugs.
 */
export class PreparedShare {
  readonly dialect: PaseDialect;
  readonly #crypto: Crypto;
  readonly #registration: PaseRegistration;
  readonly #y: Uint8Array;
  readonly #Y: Share;
  readonly #V: Uint8Array;
  #X: Share | undefined;
  #state: 'prepared' | 'accepted' | 'used' = 'prepared';

  constructor(crypto: Crypto, registration: PaseRegistration) {
    this.dialect = registration.dialect;
    this.#crypto = crypto;
    this.#registration = registration;
    this.#y = randomScalar(crypto);
    this.#Y = ownShare(crypto, registration.dialect, this.#y, registration.w0N.expose());
    this.#V = crypto.multiply(registration.L.expose(), this.#y);
  }

  /**
   * Checks X as received and returns Y as it is sent: 33 bytes in the draft dialect, 65 (pB) in the reference dialect.
   * Throws PeerError with status 1 for anything but a point of the curve in the dialect's form (TC-PASE-4).
   */
  accept(X: Uint8Array): Uint8Array {
    if (this.#state !== 'prepared') throw new Error('a prepared share serves one attempt');
    this.#X = peerShare(this.#crypto, this.dialect, X);
    this.#state = 'accepted';
    return this.#Y.sent.slice();
  }

  /**
   * Z = y·(X − w0·M) and all that follows. `context` is the device's own exporter value, 32 bytes, in the draft dialect, and absent in the
   * reference dialect (RangeError otherwise). Throws PeerError with status 1 where Z would be the identity.
   */
  finish(context?: Uint8Array): PaseKeys {
    const X = this.#X;
    if (this.#state !== 'accepted' || X === undefined) throw new Error('finish follows accept, once');
    requireContext(this.dialect, context);
    this.#state = 'used';
    const crypto = this.#crypto;
    const { w0, minusW0M } = this.#registration;
    const Z = crypto.multiply(unmask(crypto, X.point, minusW0M.expose()), this.#y);
    const { device, controller, zoneId } = finishPase(crypto, this.dialect, context, X, this.#Y, { Z, V: this.#V, w0: w0.expose() });
    this.#y.fill(0);
    return { confirmDevice: device, checkController: (mac) => crypto.equal(mac, controller), zoneId };
  }
}
