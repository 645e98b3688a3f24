import type { CborMap, CborValue } from '../codec/cbor.js';
import { ShapeError } from '../codec/shape.js';
import type { Dialect } from '../dialect/dialect.js';
import type { ControllerMessage, DeviceMessage } from '../dialect/messages.js';
import type { Clock, SecureStream, Timer } from '../platform.js';
import { CLOSE_TIMEOUT, FramedConnection } from '../session/framed-connection.js';
import { ControllerError } from './errors.js';

/** A device sends one answer at a time; more than this unread is no commissioning. */
const QUEUE_MAXIMUM = 8;
const MESSAGE_MAXIMUM = 65_536;

/** The controller's end of a commissioning connection: messages of one dialect, one after the other. */
export class CommissioningChannel {
  readonly dialect: Dialect;
  readonly #connection: FramedConnection;
  readonly #clock: Clock;
  readonly #queue: DeviceMessage[] = [];
  /** Answers to `ask`; from its first call on nothing is read as a message of the dialect. */
  #answers: CborValue[] | undefined;
  #failure: ControllerError | undefined;
  #wake: (() => void) | undefined;
  #closed = false;
  #onClosed: (() => void) | undefined;

  constructor(stream: SecureStream, dialect: Dialect, clock: Clock) {
    this.dialect = dialect;
    this.#clock = clock;
    this.#connection = new FramedConnection(stream, { clock, maximum: MESSAGE_MAXIMUM });
    this.#connection.start({
      onValue: (value) => this.#onValue(value),
      onUndecodable: (error) => this.#fail(new ControllerError('PROTOCOL', `The device sent no CBOR: ${error.message}`)),
      onClose: (reason) => {
        this.#closed = true;
        this.#fail(new ControllerError('CONNECTION_LOST', `The device closed the commissioning connection: ${reason}`));
        this.#onClosed?.();
      },
    });
  }

  /** RFC 8446 §7.5. */
  exporter(label: string, length: number): Uint8Array {
    return this.#connection.stream.exporter(label, length);
  }

  /** Throws CONNECTION_LOST where the connection has ended; what arrived before that is still to be received. */
  send(message: ControllerMessage): void {
    if (this.#connection.send(this.dialect.encode(message)) === 'closed') throw this.#failure ?? lost();
  }

  /** The next message, within `timeout` ms. Rejects with TIMEOUT, CONNECTION_LOST or PROTOCOL. `due` names what is waited for. */
  async receive(due: string, timeout: number): Promise<DeviceMessage> {
    const ended = await this.#wait(timeout, () => this.#queue.length > 0 || this.#failure !== undefined);
    const message = this.#queue.shift();
    if (message !== undefined) return message;
    if (ended) throw this.#failure ?? lost();
    throw new ControllerError('TIMEOUT', `The device did not send ${due} within ${timeout / 1000} s`);
  }

  /** Sends what is no message of the dialect, and resolves with what answers it, within `timeout` ms. Rejects like `receive`. One at a time. */
  async ask(question: CborMap, due: string, timeout: number): Promise<CborValue> {
    this.#answers ??= [];
    const answers = this.#answers;
    if (this.#connection.send(question) === 'closed') throw this.#failure ?? lost();
    const ended = await this.#wait(timeout, () => answers.length > 0 || this.#failure !== undefined);
    const answer = answers.shift();
    if (answer !== undefined) return answer;
    if (ended) throw this.#failure ?? lost();
    throw new ControllerError('TIMEOUT', `${due} did not arrive within ${timeout / 1000} s`);
  }

  /** Resolves when the connection is down; a device that leaves its side up has 5 s. */
  async end(): Promise<void> {
    this.#connection.end();
    await this.closed(CLOSE_TIMEOUT);
  }

  /** Resolves when the device has closed, or after `timeout` ms. */
  closed(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) {
        resolve();
        return;
      }
      const deadline = this.#clock.after('CLOSE_TIMEOUT', timeout, resolve);
      this.#onClosed = () => {
        deadline.cancel();
        resolve();
      };
    });
  }

  destroy(reason: string): void {
    this.#connection.destroy(reason);
  }

  /** True when `ready` became true in time. */
  #wait(timeout: number, ready: () => boolean): Promise<boolean> {
    if (ready()) return Promise.resolve(true);
    return new Promise((resolve) => {
      let deadline: Timer | undefined;
      const settle = (result: boolean): void => {
        deadline?.cancel();
        this.#wake = undefined;
        resolve(result);
      };
      this.#wake = () => {
        if (ready()) settle(true);
      };
      deadline = this.#clock.after('answer', timeout, () => settle(false));
    });
  }

  #onValue(value: CborValue): void {
    if (this.#answers !== undefined) {
      this.#answers.push(value);
      if (this.#answers.length > QUEUE_MAXIMUM) this.#fail(new ControllerError('PROTOCOL', 'Too many messages at once'));
      this.#wake?.();
      return;
    }
    try {
      this.#queue.push(this.dialect.decodeDevice(value));
      if (this.#queue.length > QUEUE_MAXIMUM) throw new ShapeError('too many messages at once');
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      this.#fail(new ControllerError('PROTOCOL', `The device sent no message of the ${this.dialect.name} dialect: ${error.message}`));
    }
    this.#wake?.();
  }

  #fail(failure: ControllerError): void {
    this.#failure ??= failure;
    this.#wake?.();
  }
}

function lost(): ControllerError {
  return new ControllerError('CONNECTION_LOST', 'The commissioning connection is closed');
}
