import { type CborValue, isMap } from '../codec/cbor.js';
import { ShapeError } from '../codec/shape.js';
import { type Dialect, dialectOfFirst } from '../dialect/dialect.js';
import { type ControllerMessage, type DeviceMessage, Status, statusName } from '../dialect/messages.js';
import { PeerError } from '../errors.js';
import type { Certificate } from '../pki/certificate.js';
import type { Clock, Crypto, Log, Timer } from '../platform.js';
import type { Profile } from '../profile.js';
import type { FramedConnection } from '../session/framed-connection.js';
import type { Zone } from '../zones/zone.js';
import { failureAnswer } from './answers.js';
import { type LockHolder, Refusal, type SessionHost } from './host.js';
import { PaseExchange } from './pase-exchange.js';
import type { OperationalRequest } from './prepared-material.js';
import {
  type Failure,
  nextSession,
  type SessionEffect,
  type SessionEvent,
  type SessionState,
  type StateName,
  startSession,
} from './session-states.js';

export interface SessionParts {
  readonly connection: FramedConnection;
  readonly host: SessionHost;
  readonly profile: Profile;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: Log;
}

/** One commissioning connection: carries out what the table of `session-states.ts` decides. */
export class CommissioningSession implements LockHolder {
  readonly #parts: SessionParts;
  #state: SessionState;
  #dialect: Dialect | undefined;
  #message: ControllerMessage | undefined;
  #messageAt = 0;
  #pase: PaseExchange | undefined;
  #guessingSince: number | undefined;
  #authority: Certificate | undefined;
  #request: OperationalRequest | undefined;
  #zone: Zone | undefined;
  #deadline: Timer | undefined;
  #work: Timer | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#state = startSession(parts.profile, parts.clock.now());
  }

  get state(): StateName {
    return this.#state.name;
  }

  get guessingSince(): number | undefined {
    return this.#guessingSince;
  }

  start(): void {
    this.#schedule();
    this.#parts.connection.start({
      onValue: (value) => this.#onValue(value),
      onUndecodable: (error) => this.#onUnreadable(error.message),
      onClose: (reason) => {
        this.#parts.log.debug('commissioning connection closed', { state: this.#state.name, reason });
        this.#feed({ type: 'gone' });
        this.#finish();
      },
    });
  }

  windowEnded(): void {
    this.#feed({ type: 'windowEnded' });
  }

  yieldLock(): void {
    this.#feed({ type: 'yielded' });
  }

  #onValue(value: CborValue): void {
    const dialect = this.#dialect ?? dialectOfFirst(value);
    // A first frame of neither dialect closes the connection, and so does a later message of the other (protocol.md, first table).
    if (dialect === undefined || !this.#parts.host.understands(dialect.name) || isOfOther(dialect, value)) {
      this.#parts.connection.destroy('a message of no dialect spoken here');
      return;
    }
    this.#dialect = dialect;
    this.#messageAt = this.#parts.clock.now();
    let message: ControllerMessage;
    try {
      message = dialect.decodeController(value);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      this.#feed({ type: 'malformed', text: error.message });
      return;
    }
    this.#message = message;
    this.#feed({ type: message.type });
  }

  #onUnreadable(reason: string): void {
    if (this.#dialect === undefined) this.#parts.connection.destroy(`first frame: ${reason}`);
    else this.#feed({ type: 'malformed', text: reason });
  }

  #feed(event: SessionEvent): void {
    const before = this.#state.name;
    const step = nextSession(this.#parts.profile, this.#state, event, this.#parts.clock.now());
    this.#state = step.state;
    if (before !== this.#state.name) this.#parts.log.debug('commissioning', { from: before, event: event.type, to: this.#state.name });
    this.#schedule();
    for (const effect of step.effects) this.#carryOut(effect);
  }

  #schedule(): void {
    this.#deadline?.cancel();
    this.#deadline = undefined;
    if (this.#state.deadline === Number.POSITIVE_INFINITY) return;
    const delay = this.#state.deadline - this.#parts.clock.now();
    this.#deadline = this.#parts.clock.after(this.#state.name, delay, () => this.#feed({ type: 'deadline' }));
  }

  #carryOut(effect: SessionEffect): void {
    if (typeof effect === 'object') this.#fail(effect.fail, effect.during);
    else this.#effects[effect]();
  }

  readonly #effects: Readonly<Record<Extract<SessionEffect, string>, () => void>> = {
    begin: () => this.#begin(),
    answerY: () => this.#answerY(),
    checkVerifier: () => this.#checkVerifier(),
    confirm: () => this.#send(this.#exchange.confirmation),
    attest: () => this.#send({ type: 'attestationRsp', ...this.#parts.host.attestation() }),
    makeCsr: () => this.#attempt(() => this.#makeCsr()),
    sendCsr: () => this.#sendCsr(),
    install: () => void this.#install(),
    acknowledge: () => this.#acknowledge(),
    acknowledgeClose: () => this.#send({ type: 'closeAck' }),
    end: () => this.#end(),
    release: () => this.#release(),
  };

  #begin(): void {
    this.#after('pace before lock', this.#parts.host.delayBeforeLock(), () => this.#attempt(() => this.#accept()));
  }

  /** Channel binding and point first: the lock is for a valid first message alone (protocol.md §2.4, §2.9). */
  #accept(): void {
    const { host, crypto, connection } = this.#parts;
    const dialect = this.#dialect?.name ?? 'draft';
    this.#pase = new PaseExchange(crypto, connection.stream, dialect, () => host.share(dialect));
    this.#pase.accept(this.#expect('paseX'));
    const busy = host.takeLock(this, dialect);
    if (busy !== undefined) throw new Refusal(busy);
    this.#after('pace', host.delayBeforeAnswer(), () =>
      this.#attempt(() => {
        this.#pase?.compute('before PASE_Y');
        this.#feed({ type: 'shareReady' });
      }),
    );
  }

  #answerY(): void {
    this.#parts.host.attemptBegins();
    this.#guessingSince = this.#parts.clock.now();
    this.#send(this.#exchange.reply);
    this.#attempt(() => this.#exchange.compute('after PASE_Y'));
  }

  #checkVerifier(): void {
    const { host } = this.#parts;
    if (!this.#exchange.check(this.#expect('paseVerify').verifier)) {
      this.#feed({ type: 'refused', failure: { status: Status.VERIFICATION_FAILED, text: 'wrong setup code' } });
      return;
    }
    this.#guessingSince = undefined;
    host.attemptSucceeded();
    // Only who proved the code learns that the device is full; the reference learns it after message 30 (protocol.md §2.9, §3).
    const full = this.#dialect?.name === 'draft' && host.zonesFull();
    this.#feed(full ? { type: 'refused', failure: { status: Status.ZONE_FULL, text: 'zone slots full' } } : { type: 'verifierHolds' });
  }

  #makeCsr(): void {
    const { host } = this.#parts;
    const request = this.#expect('csrReq');
    if (this.#dialect?.name === 'reference') {
      if (request.nonce.length !== 32 || request.zoneCa === undefined) {
        throw new Refusal({ status: Status.INVALID_FORMAT, text: 'message 30: a nonce of 32 bytes and a Zone CA are due' });
      }
      this.#authority = host.checkReferenceCa(request.zoneCa);
    }
    this.#request = host.operationalRequest();
    this.#feed({ type: 'csrReady' });
  }

  #sendCsr(): void {
    const { crypto } = this.#parts;
    const nonceHash = crypto.sha256(this.#expect('csrReq').nonce).slice(0, 16);
    const csr = (this.#request as OperationalRequest).csr;
    this.#send({ type: 'csrRsp', csr, ...(this.#dialect?.name === 'draft' ? { nonceHash } : {}) });
  }

  async #install(): Promise<void> {
    const { host, log } = this.#parts;
    const message = this.#expect('certInstall');
    let zone: Zone;
    try {
      zone = await host.install({
        dialect: this.#dialect?.name ?? 'draft',
        message,
        zoneCa: this.#authority?.raw ?? message.zoneCa ?? new Uint8Array(0),
        authority: this.#authority,
        key: (this.#request as OperationalRequest).key,
        zoneId: this.#exchange.zoneId,
      });
    } catch (error) {
      this.#feed({ type: 'refused', failure: failureOf(error, log) });
      return;
    }
    // Ended while the commit was under way: nothing that was not acknowledged stays (protocol.md §2.10).
    if (this.#state.name !== 'CERT_INSTALL' || !this.#parts.connection.open) {
      host.rollBack(zone);
      return;
    }
    this.#zone = zone;
    this.#feed({ type: 'installed' });
  }

  #acknowledge(): void {
    const { host } = this.#parts;
    const zone = this.#zone as Zone;
    const message = this.#expect('certInstall');
    // The zone is in its slot already: whoever dials at once is served. The rest need not keep the peer waiting.
    this.#send({ type: 'certAck', status: Status.SUCCESS, ...(message.sequence === undefined ? {} : { sequence: message.sequence }) });
    host.completed(zone);
    // Reference: after message 33 the device closes (protocol.md §3).
    if (this.#dialect?.name === 'reference') this.#end();
  }

  #fail(failure: Failure, during: StateName): void {
    const { log, clock, crypto, profile } = this.#parts;
    const status = failure.status === 'badPoint' ? 'bad point' : statusName(failure.status);
    log.info('commissioning failed', { status, during, reason: failure.text });
    const answer = this.#dialect === undefined ? undefined : failureAnswer(this.#dialect.name, failure, during, () => crypto.bytes(32));
    const delay = answer === undefined ? 0 : this.#messageAt + profile['commissioning.errorDelay'] - clock.now();
    this.#after('error answer', Math.max(0, delay), () => {
      if (answer !== undefined) this.#send(answer);
      this.#end();
    });
  }

  #send(message: DeviceMessage): void {
    if (this.#dialect !== undefined) this.#parts.connection.send(this.#dialect.encode(message));
  }

  #end(): void {
    this.#parts.connection.end();
  }

  #release(): void {
    this.#guessingSince = undefined;
    this.#request = undefined;
    this.#pase = undefined;
    this.#work?.cancel();
    this.#parts.host.releaseLock(this);
  }

  #finish(): void {
    this.#deadline?.cancel();
    this.#work?.cancel();
    this.#parts.host.ended(this);
  }

  /** Runs at once where there is nothing to wait for. */
  #after(name: string, delay: number, work: () => void): void {
    this.#work?.cancel();
    if (delay <= 0) work();
    else this.#work = this.#parts.clock.after(name, delay, work);
  }

  /** The device's own work: what goes wrong in it is answered, and ends nothing else. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#feed({ type: 'refused', failure: failureOf(error, this.#parts.log) });
    }
  }

  get #exchange(): PaseExchange {
    if (this.#pase === undefined) throw new Error('no PASE exchange');
    return this.#pase;
  }

  #expect<T extends ControllerMessage['type']>(type: T): Extract<ControllerMessage, { type: T }> {
    if (this.#message?.type !== type) throw new Error(`${type} is not the message at hand`);
    return this.#message as Extract<ControllerMessage, { type: T }>;
  }
}

function isOfOther(dialect: Dialect, value: CborValue): boolean {
  if (!isMap(value)) return false;
  const type = value.get(1);
  return dialect.name === 'draft' ? typeof type === 'number' : typeof type === 'string';
}

function failureOf(error: unknown, log: Log): Failure {
  if (error instanceof Refusal) return error.failure;
  if (error instanceof PeerError) return { status: 'badPoint', text: error.message };
  log.error('internal error during a commissioning', { error });
  return { status: Status.INTERNAL_ERROR, text: 'internal error' };
}
