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
 * What a commissioning needs and the peer has no part in, made ahead while the window is open (performance.md, "Crypto"): one PASE share
 * per dialect and one operational key pair with its CSR. Each serves once; the next is made in a later turn.
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
  #refill: Timer | undefined;

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

  /** Makes what is missing, one thing a turn, so that a connection never waits behind all of it. */
  prepare(): void {
    this.#refill ??= this.#clock.after('prepare', 0, () => {
      this.#refill = undefined;
      if (this.#makeOne()) this.prepare();
    });
  }

  /** Forgets what was prepared. */
  clear(): void {
    this.#refill?.cancel();
    this.#refill = undefined;
    this.#shares.clear();
    this.#request = undefined;
  }

  share(dialect: DialectName): PreparedShare {
    const share = this.#shares.get(dialect) ?? prepareShare(this.#crypto, this.#registration(dialect));
    this.#shares.delete(dialect);
    this.prepare();
    return share;
  }

  request(): OperationalRequest {
    const request = this.#request ?? this.#makeRequest();
    this.#request = undefined;
    return request;
  }

  #makeOne(): boolean {
    for (const dialect of ['draft', 'reference'] as const) {
      if (this.#shares.has(dialect)) continue;
      this.#shares.set(dialect, prepareShare(this.#crypto, this.#registration(dialect)));
      return true;
    }
    if (this.#request !== undefined) return false;
    this.#request = this.#makeRequest();
    return true;
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
