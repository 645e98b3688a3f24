import { type CborValue, isMap } from '../codec/cbor.js';
import { ShapeError } from '../codec/shape.js';
import { type Dialect, dialectOfFirst } from '../dialect/dialect.js';
import { type ControllerMessage, type DeviceMessage, statusName } from '../dialect/messages.js';
import type { Clock, Crypto, Log, Timer } from '../platform.js';
import type { Profile } from '../profile.js';
import type { FramedConnection } from '../session/framed-connection.js';
import { failureAnswer } from './answers.js';
import type { LockHolder, SessionHost } from './host.js';
import {
  type Failure,
  nextSession,
  type SessionEffect,
  type SessionEvent,
  type SessionState,
  type StateName,
  startSession,
} from './session-states.js';
import { CommissioningWork } from './work.js';

export interface SessionParts {
  readonly connection: FramedConnection;
  readonly host: SessionHost;
  readonly profile: Profile;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the first message fixes. */
interface Spoken {
  readonly dialect: Dialect;
  readonly work: CommissioningWork;
}

/** One commissioning connection: frames become events of the table in `session-states.ts`, whose effects are carried out here and in `work.ts`. */
export class CommissioningSession implements LockHolder {
  readonly #parts: SessionParts;
  #state: SessionState;
  #spoken: Spoken | undefined;
  #messageAt = 0;
  #deadline: Timer | undefined;
  #wait: Timer | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#state = startSession(parts.profile, parts.clock.now());
  }

  get state(): StateName {
    return this.#state.name;
  }

  get guessingSince(): number | undefined {
    return this.#spoken?.work.guessingSince;
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
    const dialect = this.#spoken?.dialect ?? dialectOfFirst(value);
    // A first frame of neither dialect closes the connection, and so does a later message of the other (protocol.md, first table).
    if (dialect === undefined || !this.#parts.host.understands(dialect.name) || isOfOther(dialect, value)) {
      this.#parts.connection.destroy('a message of no dialect spoken here');
      return;
    }
    this.#spoken ??= { dialect, work: this.#workIn(dialect) };
    this.#messageAt = this.#parts.clock.now();
    let message: ControllerMessage;
    try {
      message = dialect.decodeController(value);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      this.#feed({ type: 'malformed', text: error.message });
      return;
    }
    this.#spoken.work.take(message);
    this.#feed({ type: message.type });
  }

  #onUnreadable(reason: string): void {
    if (this.#spoken === undefined) this.#parts.connection.destroy(`first frame: ${reason}`);
    else this.#feed({ type: 'malformed', text: reason });
  }

  #workIn({ name: dialect }: Dialect): CommissioningWork {
    const { connection, host, crypto, clock, log } = this.#parts;
    return new CommissioningWork({
      dialect,
      stream: connection.stream,
      holder: this,
      host,
      crypto,
      clock,
      log,
      send: (message) => this.#send(message),
      feed: (event) => this.#feed(event),
      after: (name, delay, work) => this.#after(name, delay, work),
      awaitsInstallation: () => this.#state.name === 'CERT_INSTALL' && connection.open,
    });
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
    const { connection, log } = this.#parts;
    if (typeof effect === 'object') this.#fail(effect.fail, effect.during);
    else if (effect === 'acknowledgeClose') this.#send({ type: 'closeAck' });
    else if (effect === 'end') connection.end();
    else if (effect === 'release') this.#release();
    else if (effect === 'install') {
      this.#spoken?.work.install().catch((error: unknown) => {
        log.error('a bug ended a commissioning', { error });
        connection.destroy('internal error');
      });
    } else {
      this.#spoken?.work[effect]();
      // Reference: after message 33 the device closes (protocol.md §3).
      if (effect === 'acknowledge' && this.#spoken?.dialect.name === 'reference') connection.end();
    }
  }

  #fail(failure: Failure, during: StateName): void {
    const { connection, log, clock, crypto, profile } = this.#parts;
    const status = failure.status === 'badPoint' ? 'bad point' : statusName(failure.status);
    log.info('commissioning failed', { status, during, reason: failure.text });
    const answer = this.#spoken && failureAnswer(this.#spoken.dialect.name, failure, during, () => crypto.bytes(32));
    const delay = answer === undefined ? 0 : this.#messageAt + profile['commissioning.errorDelay'] - clock.now();
    this.#after('error answer', Math.max(0, delay), () => {
      if (answer !== undefined) this.#send(answer);
      connection.end();
    });
  }

  #send(message: DeviceMessage): boolean {
    return this.#spoken === undefined || this.#parts.connection.send(this.#spoken.dialect.encode(message)) !== 'tooLarge';
  }

  #release(): void {
    this.#spoken?.work.release();
    this.#wait?.cancel();
    this.#parts.host.releaseLock(this);
  }

  #finish(): void {
    this.#deadline?.cancel();
    this.#wait?.cancel();
    this.#parts.host.ended(this);
  }

  /** Runs at once where there is nothing to wait for. */
  #after(name: string, delay: number, work: () => void): void {
    this.#wait?.cancel();
    if (delay <= 0) work();
    else this.#wait = this.#parts.clock.after(name, delay, work);
  }
}

function isOfOther(dialect: Dialect, value: CborValue): boolean {
  if (!isMap(value)) return false;
  const type = value.get(1);
  return dialect.name === 'draft' ? typeof type === 'number' : typeof type === 'string';
}
