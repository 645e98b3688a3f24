import type { CborValue } from '../../codec/cbor.js';
import { ShapeError } from '../../codec/shape.js';
import { Refusal } from '../../commissioning/host.js';
import { PaseExchange } from '../../commissioning/pase-exchange.js';
import type { PreparedShare } from '../../crypto/spake2plus.js';
import { draftDialect } from '../../dialect/dialect.js';
import { Status } from '../../dialect/messages.js';
import { PeerError } from '../../errors.js';
import type { Clock, Crypto, Log, SecureStream, Timer } from '../../platform.js';
import { FramedConnection } from '../../session/framed-connection.js';
import { type AdminAnswer, type AdminRequest, decodeAdminRequest, encodeAdmin } from './messages.js';

const MESSAGE_MAXIMUM = 65_536;
/** commissioning-pase §5.2, PASE_WAIT_X and PASE_WAIT_V; for the next request the same, milliseconds. */
const TIMEOUT = 30_000;
/** For the peer to take down its side of a connection that is at its end. */

/** What one connection needs of the owner. */
export interface AdminHost {
  readonly codeOpen: boolean;
  /** For one attempt at the open code. */
  share(): PreparedShare;
  /** Milliseconds until the next attempt may be answered (protocol.md §2.8). */
  delay(): number;
  attemptBegins(): void;
  /** A correct verifier followed: whoever is at the other end knows the code. */
  attemptSucceeded(session: AdminSession): void;
  /** Issues a token and uses the code up. */
  issue(name: string | undefined): Promise<AdminAnswer>;
  sign(csr: Uint8Array, token: Uint8Array): Promise<AdminAnswer>;
  ended(session: AdminSession): void;
}

/** What is received next; everything else is of the wrong order. */
type Due = 'paseX' | 'paseVerify' | 'request' | 'nothing';

/**
 * The owner's end of one connection of an admin (protocol.md §2.12). Commissioning connections begin with draft PASE and may ask for a token
 * and for signatures; operational ones, on which the owner has proved itself by its certificate, for signatures alone.
 */
export class AdminSession {
  readonly #connection: FramedConnection;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #host: AdminHost;
  readonly #pase: PaseExchange;
  #due: Due;
  #knowsCode = false;
  #timer: Timer | undefined;
  #ended = false;

  constructor(stream: SecureStream, host: AdminHost, crypto: Crypto, clock: Clock, log: Log) {
    this.#connection = new FramedConnection(stream, { clock, maximum: MESSAGE_MAXIMUM });
    this.#clock = clock;
    this.#log = log;
    this.#host = host;
    this.#pase = new PaseExchange(crypto, stream, 'draft', () => host.share());
    this.#due = stream.kind === 'commissioning' ? 'paseX' : 'request';
  }

  start(): void {
    this.#connection.start({
      onValue: (value) => this.#onValue(value),
      onUndecodable: (error) => this.#refuse(Status.INVALID_FORMAT, error.message),
      onClose: () => this.#onClose(),
    });
    this.#expect(this.#due);
  }

  destroy(reason: string): void {
    this.#connection.destroy(reason);
  }

  #onValue(value: CborValue): void {
    if (this.#ended) return;
    try {
      if (this.#due === 'request') this.#onRequest(decodeAdminRequest(value));
      else this.#onPase(value);
    } catch (error) {
      if (error instanceof ShapeError) this.#refuse(Status.INVALID_FORMAT, error.message);
      else if (error instanceof Refusal) this.#refuse(Number(error.failure.status), error.failure.text ?? '');
      // protocol.md §2.3: a point that is none closes the connection.
      else if (error instanceof PeerError) this.#connection.destroy(error.message);
      else throw error;
    }
  }

  #onPase(value: CborValue): void {
    const message = draftDialect.decodeController(value);
    if (!this.#host.codeOpen) throw new Refusal({ status: Status.TIMEOUT, text: 'the code has expired' });
    if (message.type === 'paseX' && this.#due === 'paseX') {
      this.#pase.accept(message);
      this.#expect('nothing');
      this.#answerInTime();
    } else if (message.type === 'paseVerify' && this.#due === 'paseVerify') {
      if (!this.#pase.check(message.verifier)) throw new Refusal({ status: Status.VERIFICATION_FAILED, text: 'wrong code' });
      this.#host.attemptSucceeded(this);
      this.#connection.send(draftDialect.encode(this.#pase.confirmation));
      this.#knowsCode = true;
      this.#expect('request');
    } else throw new ShapeError(`${message.type} is not due`);
  }

  /** All connections share one pace: who has waited may have to wait again. */
  #answerInTime(): void {
    const delay = this.#host.delay();
    if (delay > 0) {
      this.#timer = this.#clock.after('PASE_PACE', delay, () => this.#answerInTime());
      return;
    }
    this.#host.attemptBegins();
    try {
      this.#pase.compute('before PASE_Y');
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#connection.destroy(error.message);
      return;
    }
    this.#connection.send(draftDialect.encode(this.#pase.reply));
    this.#expect('paseVerify');
  }

  #onRequest(request: AdminRequest): void {
    if (request.type === 'adminReq' && !this.#knowsCode)
      throw new Refusal({ status: Status.VERIFICATION_FAILED, text: 'a token is issued after PASE alone' });
    this.#expect('nothing');
    const work = request.type === 'adminReq' ? this.#host.issue(request.name) : this.#host.sign(request.csr, request.token);
    work.then(
      (answer) => this.#answer(answer),
      (error: unknown) => {
        this.#log.error('an admin request failed', { error });
        this.#refuse(Status.INTERNAL_ERROR, 'internal error');
      },
    );
  }

  #answer(answer: AdminAnswer): void {
    if (this.#ended) return;
    if (answer.type === 'adminError') this.#refuse(answer.status, answer.text ?? '');
    else {
      this.#connection.send(encodeAdmin(answer));
      this.#expect('request');
    }
  }

  #expect(due: Due): void {
    this.#due = due;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (due === 'paseX') this.#timer = this.#clock.after('PASE_WAIT_X', TIMEOUT, () => this.#connection.destroy('no PASE_X in time'));
    else if (due !== 'nothing')
      this.#timer = this.#clock.after(due === 'paseVerify' ? 'PASE_WAIT_V' : 'ADMIN_WAIT', TIMEOUT, () =>
        this.#refuse(Status.TIMEOUT, 'too late'),
      );
  }

  /** Up to the verifier PASE_CONFIRM carries a failure, later admin_error; then the connection ends. */
  #refuse(status: number, text: string): void {
    if (this.#ended) return;
    this.#log.info('admin refused', { remote: this.#connection.stream.remoteAddress, status, reason: text });
    const inPase = !this.#knowsCode && this.#connection.stream.kind === 'commissioning';
    this.#connection.send(
      inPase ? draftDialect.encode({ type: 'paseConfirm', status, text }) : encodeAdmin({ type: 'adminError', status, text }),
    );
    this.#expect('nothing');
    this.#ended = true;
    this.#connection.end();
  }

  #onClose(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#host.ended(this);
  }
}
