import { type PaseRegistration, type PaseVerifier, type PreparedShare, prepareRegistration, prepareShare } from '../crypto/spake2plus.js';
import type { DialectName } from '../dialect/messages.js';
import type { Clock, Crypto, PrivateKey, Timer } from '../platform.js';

/**
 * What a commissioning needs and the peer has no part in, made ahead while the window is open (performance.md, "Crypto"): one PASE share
 * per dialect and one operational key pair. Each serves once; the next is made in a later turn.
 */
export class PreparedMaterial {
  readonly #crypto: Crypto;
  readonly #clock: Clock;
  readonly #verifiers: Readonly<Record<DialectName, PaseVerifier>>;
  readonly #registrations = new Map<DialectName, PaseRegistration>();
  readonly #shares = new Map<DialectName, PreparedShare>();
  #key: PrivateKey | undefined;
  #refill: Timer | undefined;

  constructor(crypto: Crypto, clock: Clock, verifiers: Readonly<Record<DialectName, PaseVerifier>>) {
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
    this.#key = undefined;
  }

  share(dialect: DialectName): PreparedShare {
    const share = this.#shares.get(dialect) ?? prepareShare(this.#crypto, this.#registration(dialect));
    this.#shares.delete(dialect);
    this.prepare();
    return share;
  }

  key(): PrivateKey {
    const key = this.#key ?? this.#crypto.generateKey();
    this.#key = undefined;
    return key;
  }

  #makeOne(): boolean {
    for (const dialect of ['draft', 'reference'] as const) {
      if (this.#shares.has(dialect)) continue;
      this.#shares.set(dialect, prepareShare(this.#crypto, this.#registration(dialect)));
      return true;
    }
    if (this.#key !== undefined) return false;
    this.#key = this.#crypto.generateKey();
    return true;
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
