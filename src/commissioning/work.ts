import { type ControllerMessage, type DeviceMessage, type DialectName, Status } from '../dialect/messages.js';
import { PeerError } from '../errors.js';
import { NO_ATTESTATION } from '../pki/attestation.js';
import type { Certificate } from '../pki/certificate.js';
import type { Clock, Crypto, Log, SecureStream } from '../platform.js';
import type { Zone } from '../zones/zone.js';
import { type LockHolder, Refusal, type SessionHost } from './host.js';
import { PaseExchange } from './pase-exchange.js';
import type { OperationalRequest } from './prepared-material.js';
import type { Failure, SessionEvent } from './session-states.js';

/** What the work of a session needs of the session. */
export interface WorkParts {
  readonly dialect: DialectName;
  readonly stream: SecureStream;
  readonly holder: LockHolder;
  readonly host: SessionHost;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: Log;
  /** False where the message is longer than one may be: nothing was sent. */
  send(message: DeviceMessage): boolean;
  feed(event: SessionEvent): void;
  /** Runs at once where there is nothing to wait for; a new wait replaces the one before. */
  after(name: string, delay: number, work: () => void): void;
  /** True while CERT_INSTALL lasts and the connection stands. */
  awaitsInstallation(): boolean;
}

/** The device's own work in a commissioning, one method a step; how each came out is fed back into the table. What goes wrong in it is answered, and ends nothing else. */
export class CommissioningWork {
  readonly #parts: WorkParts;
  #message: ControllerMessage | undefined;
  #pase: PaseExchange | undefined;
  #guessingSince: number | undefined;
  #authority: Certificate | undefined;
  #request: OperationalRequest | undefined;
  #zone: Zone | undefined;

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  /** When PASE_Y was sent and no correct verifier came since. */
  get guessingSince(): number | undefined {
    return this.#guessingSince;
  }

  /** The message that the next step is about. */
  take(message: ControllerMessage): void {
    this.#message = message;
  }

  begin(): void {
    const { host, after } = this.#parts;
    after('pace before lock', host.delayBeforeLock(), () => this.#attempt(() => this.#accept()));
  }

  /** Channel binding and point first: the lock is for a valid first message alone (protocol.md §2.4, §2.9). */
  #accept(): void {
    const { host, holder, crypto, stream, dialect, feed, after } = this.#parts;
    this.#pase = new PaseExchange(crypto, stream, dialect, () => host.share(dialect));
    this.#pase.accept(this.#expect('paseX'));
    const busy = host.takeLock(holder, dialect);
    if (busy !== undefined) throw new Refusal(busy);
    after('pace', host.delayBeforeAnswer(), () =>
      this.#attempt(() => {
        this.#pase?.compute('before PASE_Y');
        feed({ type: 'shareReady' });
      }),
    );
  }

  answerY(): void {
    const { host, clock, send } = this.#parts;
    host.attemptBegins();
    this.#guessingSince = clock.now();
    send(this.#exchange.reply);
    this.#attempt(() => this.#exchange.compute('after PASE_Y'));
  }

  checkVerifier(): void {
    const { host, dialect, feed } = this.#parts;
    if (!this.#exchange.check(this.#expect('paseVerify').verifier)) {
      feed({ type: 'refused', failure: { status: Status.VERIFICATION_FAILED, text: 'wrong setup code' } });
      return;
    }
    this.#guessingSince = undefined;
    host.attemptSucceeded();
    // Only who proved the code learns that the device is full; the reference learns it after message 30 (protocol.md §2.9, §3).
    const full = dialect === 'draft' && host.zonesFull();
    feed(full ? { type: 'refused', failure: { status: Status.ZONE_FULL, text: 'zone slots full' } } : { type: 'verifierHolds' });
  }

  confirm(): void {
    this.#parts.send(this.#exchange.confirmation);
  }

  /** Informational (protocol.md §2.7): one that does not fit into a message is none. */
  attest(): void {
    const { host, log, send } = this.#parts;
    if (send({ type: 'attestationRsp', ...host.attestation() })) return;
    log.warn('the attestation is longer than a message may be');
    send({ type: 'attestationRsp', ...NO_ATTESTATION });
  }

  makeCsr(): void {
    this.#attempt(() => {
      const { host, dialect, feed } = this.#parts;
      const request = this.#expect('csrReq');
      if (dialect === 'reference') {
        if (request.nonce.length !== 32 || request.zoneCa === undefined) {
          throw new Refusal({ status: Status.INVALID_FORMAT, text: 'message 30: a nonce of 32 bytes and a Zone CA are due' });
        }
        this.#authority = host.checkReferenceCa(request.zoneCa);
      }
      this.#request = host.operationalRequest();
      feed({ type: 'csrReady' });
    });
  }

  sendCsr(): void {
    const { crypto, dialect, send } = this.#parts;
    const nonceHash = crypto.sha256(this.#expect('csrReq').nonce).slice(0, 16);
    send({ type: 'csrRsp', csr: this.#csr.csr, ...(dialect === 'draft' ? { nonceHash } : {}) });
  }

  async install(): Promise<void> {
    const { host, dialect, log, feed, awaitsInstallation } = this.#parts;
    const message = this.#expect('certInstall');
    let zone: Zone;
    try {
      zone = await host.install({
        dialect,
        message,
        zoneCa: this.#authority?.raw ?? message.zoneCa ?? new Uint8Array(0),
        authority: this.#authority,
        key: this.#csr.key,
        zoneId: this.#exchange.zoneId,
      });
    } catch (error) {
      feed({ type: 'refused', failure: failureOf(error, log) });
      return;
    }
    // Ended while the commit was under way: nothing that was not acknowledged stays (protocol.md §2.10).
    if (awaitsInstallation()) {
      this.#zone = zone;
      feed({ type: 'installed' });
    } else host.rollBack(zone);
  }

  acknowledge(): void {
    const { host, send } = this.#parts;
    const { sequence } = this.#expect('certInstall');
    // The zone is in its slot already: whoever dials at once is served. The rest need not keep the peer waiting.
    send({ type: 'certAck', status: Status.SUCCESS, ...(sequence === undefined ? {} : { sequence }) });
    host.completed(this.#zone as Zone);
  }

  /** Forgets every secret of it. */
  release(): void {
    this.#guessingSince = undefined;
    this.#request = undefined;
    this.#pase = undefined;
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#parts.feed({ type: 'refused', failure: failureOf(error, this.#parts.log) });
    }
  }

  get #exchange(): PaseExchange {
    if (this.#pase === undefined) throw new Error('no PASE exchange');
    return this.#pase;
  }

  get #csr(): OperationalRequest {
    if (this.#request === undefined) throw new Error('no CSR');
    return this.#request;
  }

  #expect<T extends ControllerMessage['type']>(type: T): Extract<ControllerMessage, { type: T }> {
    if (this.#message?.type !== type) throw new Error(`${type} is not the message at hand`);
    return this.#message as Extract<ControllerMessage, { type: T }>;
  }
}

function failureOf(error: unknown, log: Log): Failure {
  if (error instanceof Refusal) return error.failure;
  if (error instanceof PeerError) return { status: 'badPoint', text: error.message };
  log.error('internal error during a commissioning', { error });
  return { status: Status.INTERNAL_ERROR, text: 'internal error' };
}
