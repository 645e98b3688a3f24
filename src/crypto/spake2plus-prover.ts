/** The controller's side of SPAKE2+ (RFC 9383 §3.3, the Prover) in both dialects. */
import type { Crypto } from '../platform.js';
import type { Secret } from '../secret.js';
import { type PasswordScalars, passwordScalars } from './kdf.js';
import { PASE_POINTS, type PaseDialect } from './pase-points.js';
import { finishPase, ownShare, peerShare, requireContext, type Share, unmask } from './pase-share.js';
import { randomScalar } from './scalar.js';

/** The controller's confirmation, and the judgement of the device's. */
export interface ProverKeys {
  /** verifier_controller (draft) or MACc (reference), 32 bytes. */
  readonly confirmController: Uint8Array;
  /** True where `mac` is the device's confirmation. Constant-time. */
  checkDevice(mac: Uint8Array): boolean;
  /** Reference dialect: the zone id, 16 lower-case hexadecimal digits. Draft dialect: undefined, the Zone CA gives it. */
  readonly zoneId: string | undefined;
}

/** Starts one attempt. `code`: the eight digits as UTF-8 (`SetupCode`). */
export function startProver(crypto: Crypto, dialect: PaseDialect, code: Secret): PaseProver {
  return new PaseProver(crypto, dialect, code);
}

/** Serves exactly one attempt. */
export class PaseProver {
  readonly dialect: PaseDialect;
  readonly #crypto: Crypto;
  readonly #scalars: PasswordScalars;
  readonly #x: Uint8Array;
  readonly #X: Share;
  #finished = false;

  constructor(crypto: Crypto, dialect: PaseDialect, code: Secret) {
    this.dialect = dialect;
    this.#crypto = crypto;
    this.#scalars = passwordScalars(crypto, dialect, code);
    this.#x = randomScalar(crypto);
    const mask = crypto.multiply(PASE_POINTS[dialect].M, this.#scalars.w0.expose());
    this.#X = ownShare(crypto, dialect, this.#x, mask);
  }

  /** X = x·G + w0·M as it is sent: 33 bytes in the draft dialect, 65 (pA) in the reference dialect. */
  get X(): Uint8Array {
    return this.#X.sent.slice();
  }

  /**
   * Z = x·(Y − w0·N), V = w1·(Y − w0·N) and all that follows from Y as received. `context` is the controller's own exporter value, 32 bytes,
   * in the draft dialect, and absent in the reference dialect (RangeError otherwise). Throws PeerError with status 1 where Y is not a point
   * or leads to the identity; a second call throws a plain Error.
   */
  finish(received: Uint8Array, context?: Uint8Array): ProverKeys {
    if (this.#finished) throw new Error('a prover serves one attempt');
    requireContext(this.dialect, context);
    this.#finished = true;
    const crypto = this.#crypto;
    const { w0, w1 } = this.#scalars;
    const Y = peerShare(crypto, this.dialect, received);
    const minusMask = crypto.negatePoint(crypto.multiply(PASE_POINTS[this.dialect].N, w0.expose()));
    const rest = unmask(crypto, Y.point, minusMask);
    const Z = crypto.multiply(rest, this.#x);
    const V = crypto.multiply(rest, w1.expose());
    const { device, controller, zoneId } = finishPase(crypto, this.dialect, context, this.#X, Y, { Z, V, w0: w0.expose() });
    this.#x.fill(0);
    w0.wipe();
    w1.wipe();
    return { confirmController: controller, checkDevice: (mac) => crypto.equal(mac, device), zoneId };
  }
}
