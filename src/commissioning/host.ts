import type { PreparedShare } from '../crypto/spake2plus.js';
import type { ControllerMessage, DialectName } from '../dialect/messages.js';
import type { Attestation } from '../pki/attestation.js';
import type { Certificate } from '../pki/certificate.js';
import type { PrivateKey } from '../platform.js';
import type { Zone } from '../zones/zone.js';
import type { OperationalRequest } from './prepared-material.js';
import type { Failure } from './session-states.js';

/** What a zone brings along to be installed. */
export interface InstallRequest {
  readonly dialect: DialectName;
  readonly message: Extract<ControllerMessage, { type: 'certInstall' }>;
  /** X.509 DER. In the reference dialect it came with message 30 and was judged then: see `authority`. */
  readonly zoneCa: Uint8Array;
  readonly authority: Certificate | undefined;
  /** The key of this connection's CSR. */
  readonly key: PrivateKey;
  /** Reference dialect: from PASE. */
  readonly zoneId: string | undefined;
}

/** A refusal that a commissioning answers and survives. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.text);
    this.failure = failure;
  }
}

/** What one commissioning session needs of the device around it. */
export interface SessionHost {
  /** False refuses the dialect at its first message (`commissioning.dialects`). */
  understands(dialect: DialectName): boolean;
  /** Milliseconds to wait before the busy decision (profile `reference`). */
  delayBeforeLock(): number;
  /** Takes the lock, or says why not (protocol.md §2.9, §3). */
  takeLock(session: LockHolder, dialect: DialectName): Failure | undefined;
  /** Idempotent. */
  releaseLock(session: LockHolder): void;
  /** Milliseconds to wait before PASE_Y (protocol.md §2.8). */
  delayBeforeAnswer(): number;
  /** PASE_Y leaves: from here on it is an attempt. */
  attemptBegins(): void;
  attemptSucceeded(): void;
  share(dialect: DialectName): PreparedShare;
  zonesFull(): boolean;
  /** What the factory left; empty fields where it left nothing. */
  attestation(): Attestation;
  /** A fresh key pair and its CSR. */
  operationalRequest(): OperationalRequest;
  /** Checks of message 30 (reference dialect), before a key is made. Throws Refusal. */
  checkReferenceCa(zoneCa: Uint8Array): Certificate;
  /** All checks of protocol.md §2.11, then the atomic commit. Rejects with Refusal. */
  install(request: InstallRequest): Promise<Zone>;
  /** An installed zone that could not be acknowledged is taken back. */
  rollBack(zone: Zone): void;
  /** CERT_ACK was written. */
  completed(zone: Zone): void;
  ended(session: LockHolder): void;
}

/** The lock's view of a session. */
export interface LockHolder {
  /** When PASE_Y was sent and no correct verifier came since; undefined otherwise. */
  readonly guessingSince: number | undefined;
  /** Gives way to another controller. */
  yieldLock(): void;
}
