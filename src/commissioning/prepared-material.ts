import { type PaseRegistration, type PaseVerifier, type PreparedShare, prepareRegistration, prepareShare } from '../crypto/spake2plus.js';
import type { DialectName } from '../dialect/messages.js';
import { createCsr } from '../pki/csr.js';
import type { Clock, Crypto, PrivateKey, Timer } from '../platform.js';

/** The key pair of one commissioning and the request to certify it. */
export interface OperationalRequest {
  readonly key: PrivateKey;
  /** PKCS#10, DER. */
  readonly csr: Uint8Array;
}

/**
 * What a commissioning needs and the peer has no part in, made ahead while the handshake of the first connection goes on: a PASE share
 * and an operational key pair with its CSR. Each serves once.
 */
export class PreparedMaterial {
  readonly #crypto: Crypto;
  readonly #clock: Clock;
  readonly #verifiers: Readonly<Record<DialectName, PaseVerifier>>;
  readonly #vendorId: number;
  readonly #productId: number;
  readonly #registrations = new Map<DialectName, PaseRegistration>();
  readonly #shares = new Map<DialectName, PreparedShare>();
  #request: OperationalRequest | undefined;
  #pending: Timer | undefined;

  constructor(
    crypto: Crypto,
    clock: Clock,
    verifiers: Readonly<Record<DialectName, PaseVerifier>>,
    board: { readonly vendorId: number; readonly productId: number },
  ) {
    this.#vendorId = board.vendorId;
    this.#productId = board.productId;
    this.#crypto = crypto;
    this.#clock = clock;
    this.#verifiers = verifiers;
  }

  /** A handshake goes on: the share that its first message will most likely need is made in a later turn. */
  expect(): void {
    if (!this.#shares.has('draft'))
      this.#later(() => void this.#shares.set('draft', prepareShare(this.#crypto, this.#registration('draft'))));
  }

  /** Forgets what was prepared. */
  clear(): void {
    this.#pending?.cancel();
    this.#pending = undefined;
    this.#shares.clear();
    this.#request = undefined;
  }

  share(dialect: DialectName): PreparedShare {
    const share = this.#shares.get(dialect) ?? prepareShare(this.#crypto, this.#registration(dialect));
    this.#shares.delete(dialect);
    // While the peer computes, what its next message needs.
    if (this.#request === undefined) {
      this.#later(() => {
        this.#request = this.#makeRequest();
      });
    }
    return share;
  }

  request(): OperationalRequest {
    const request = this.#request ?? this.#makeRequest();
    this.#request = undefined;
    return request;
  }

  #later(make: () => void): void {
    this.#pending ??= this.#clock.after('prepare', 0, () => {
      this.#pending = undefined;
      make();
    });
  }

  #makeRequest(): OperationalRequest {
    const key = this.#crypto.generateKey();
    const csr = createCsr(this.#crypto, { key, vendorId: this.#vendorId, productId: this.#productId });
    return { key, csr };
  }

  #registration(dialect: DialectName): PaseRegistration {
    let registration = this.#registrations.get(dialect);
    if (registration === undefined) {
      registration = prepareRegistration(this.#crypto, this.#verifiers[dialect]);
      this.#registrations.set(dialect, registration);
    }
    return registration;
  }
}
