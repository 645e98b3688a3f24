import { type CborMap, type CborValue, isMap } from '../codec/cbor.js';
import type { DialectName } from '../dialect/messages.js';
import type { Clock, SecureStream } from '../platform.js';
import { CLOSE_TIMEOUT, FramedConnection } from '../session/framed-connection.js';
import { PendingRequests } from '../session/pending.js';
import {
  type Answer,
  type Control,
  classify,
  encodeControl,
  encodeNotification,
  encodeRequest,
  encodeResponse,
  errorResponse,
  InteractionStatus,
  type Notification,
  Operation,
  type Request,
  type Response,
} from '../session/wire.js';
import { ControllerError } from './errors.js';
import { accepted, valuesOf } from './session-answers.js';
import { SessionPings } from './session-pings.js';
import { SessionRenewal } from './session-renewal.js';
import { type OnValues, SessionSubscriptions, type Subscribed, type SubscribeOptions } from './session-subscriptions.js';

const RECEIVE_MAXIMUM = 65_536;
/** The most that a reference-dialect peer takes (protocol.md, row "maximum message"). */
const REFERENCE_MAXIMUM = 8192;
const RESPONSE_TIMEOUT = 10_000;
/** protocol.md, row "liveness" of the draft. */
const PONG_TIMEOUT = 5000;

/** What answers the device's own requests on a session. */
export interface SessionService {
  onRequest(request: Request, answer: Answer): void;
  /** The device has read everything that was sent. */
  onDrain(): void;
  /** Once; nothing is answered or notified any more. */
  onClose(): void;
}

/**
 * A controller's end of an operational connection. Requests may be sent several at a time; their ids start at 1000 (`PendingRequests`), so
 * that no response has the shape of a control message (1–3) or of a renewal (30–33).
 */
export class ControllerSession {
  readonly #connection: FramedConnection;
  readonly #clock: Clock;
  readonly #form: 'text' | 'number';
  readonly #pending: PendingRequests;
  readonly #pings: SessionPings;
  #service: SessionService | undefined;
  readonly #subscriptions = new SessionSubscriptions();
  readonly #renewal: SessionRenewal;
  #ended: string | undefined;
  #onEnded: (() => void) | undefined;
  readonly #whenEnded: ((reason: string) => void)[] = [];

  /** `stream`: mutually authenticated, the device's certificate judged. */
  constructor(stream: SecureStream, dialect: DialectName, clock: Clock) {
    this.#clock = clock;
    this.#form = dialect === 'draft' ? 'text' : 'number';
    this.#pending = new PendingRequests(clock);
    this.#pings = new SessionPings(clock);
    this.#renewal = new SessionRenewal(clock);
    this.#connection = new FramedConnection(stream, {
      clock,
      maximum: RECEIVE_MAXIMUM,
      sendMaximum: dialect === 'draft' ? RECEIVE_MAXIMUM : REFERENCE_MAXIMUM,
    });
    this.#connection.start({
      onValue: (value) => this.#onValue(value),
      onUndecodable: (error) => this.#connection.destroy(`the device sent no CBOR: ${error.message}`),
      onClose: (reason) => this.#onClose(reason),
      onDrain: () => this.#service?.onDrain(),
    });
  }

  /** Answers what the device asks from now on; without a service it is told that there is nothing. */
  serve(service: SessionService): void {
    if (this.#ended !== undefined) service.onClose();
    else this.#service = service;
  }

  /** `full`: sent, but the device is slow; `onDrain` of the service follows, or the end of the session. */
  notify(notification: Notification): 'sent' | 'full' | 'tooLarge' | 'closed' {
    return this.#onEnded === undefined ? this.#connection.send(encodeNotification(notification)) : 'closed';
  }

  get open(): boolean {
    return this.#ended === undefined;
  }

  /** Resolves with the reason when the connection is down, however it ends. */
  get ended(): Promise<string> {
    if (this.#ended !== undefined) return Promise.resolve(this.#ended);
    return new Promise((resolve) => this.#whenEnded.push(resolve));
  }

  /** Ends the connection at once: the peer does not answer any more. */
  destroy(reason: string): void {
    this.#connection.destroy(reason);
  }

  /** Values by attribute id; all attributes where none are named. Rejects with REFUSED and the status' name, CONNECTION_LOST, TIMEOUT or PROTOCOL. */
  read(endpoint: number, feature: number, attributes?: readonly number[]): Promise<CborMap> {
    return this.#request(Operation.READ, endpoint, feature, attributes, (payload) => valuesOf('Read', payload));
  }

  /** Writes all of the values or none; resolves with what the device reads back. Rejects as `read` does. */
  write(endpoint: number, feature: number, values: CborMap): Promise<CborMap> {
    return this.#request(Operation.WRITE, endpoint, feature, values, (payload) => valuesOf('Write', payload));
  }

  /** Parameters under their names; resolves with the command's result, empty where it has none. Rejects as `read` does. */
  invoke(endpoint: number, feature: number, command: number, parameters: CborMap = new Map()): Promise<CborMap> {
    const payload = new Map<number, CborValue>([[1, command]]);
    if (parameters.size > 0) payload.set(2, parameters);
    return this.#request(Operation.INVOKE, endpoint, feature, payload, (result) => (isMap(result) ? result : new Map()));
  }

  /**
   * Subscribes to attributes, all where none are named. Resolves with the priming values; `onValues` is told every notification after it, until
   * `unsubscribe` or the end of the connection. Rejects as `read` does.
   */
  subscribe(endpoint: number, feature: number, options: SubscribeOptions, onValues: OnValues): Promise<Subscribed> {
    const payload = this.#subscriptions.request(options);
    // Within the turn of the response: the first notification may stand right behind it.
    return this.#request(Operation.SUBSCRIBE, endpoint, feature, payload, (answer) => this.#subscriptions.open(answer, onValues));
  }

  async unsubscribe(id: number): Promise<void> {
    this.#subscriptions.end(id);
    await this.#request(Operation.SUBSCRIBE, 0, 0, new Map([[1, id]]), () => undefined);
  }

  /** Milliseconds until the device answered. */
  ping(timeout = PONG_TIMEOUT): Promise<number> {
    if (this.#ended !== undefined) return Promise.reject(this.#lost());
    return this.#pings.send(timeout, (sequence) => this.#connection.send(encodeControl({ control: 'ping', sequence, form: this.#form })));
  }

  /** Sends message 30 or 32 of a renewal (protocol.md §3); resolves with whatever answers it. One at a time. */
  exchange(message: CborMap): Promise<CborMap> {
    if (this.#ended !== undefined) return Promise.reject(this.#lost());
    return this.#renewal.exchange(RESPONSE_TIMEOUT, () => this.#connection.send(message));
  }

  /** Graceful close (protocol.md §2.13): close, close_ack within 5 s, then closed anyway. Resolves when the connection is down; idempotent. */
  close(reason = 'done'): Promise<void> {
    return new Promise((resolve) => {
      if (this.#ended !== undefined) {
        resolve();
        return;
      }
      const former = this.#onEnded;
      const deadline = this.#clock.after('CLOSE_TIMEOUT', CLOSE_TIMEOUT, () => this.#connection.destroy('no close_ack'));
      this.#onEnded = () => {
        deadline.cancel();
        former?.();
        resolve();
      };
      if (former === undefined) this.#connection.send(encodeControl({ control: 'close', form: this.#form }, reason));
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #request<T>(
    operation: number,
    endpoint: number,
    feature: number,
    payload: CborValue | undefined,
    accept: (payload: CborValue | undefined) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#lost());
        return;
      }
      const id = this.#pending.open(RESPONSE_TIMEOUT, (response) => {
        if (response === undefined) reject(this.#unanswered());
        else {
          try {
            resolve(accepted(response, accept));
          } catch (error) {
            reject(error);
          }
        }
      });
      if (id === undefined) reject(new ControllerError('TIMEOUT', 'Too many requests wait for their answer'));
      else this.#connection.send(encodeRequest({ id, operation, endpoint, feature, payload }));
    });
  }

  #onValue(value: CborValue): void {
    const inbound = classify(value, (id) => this.#pending.has(id));
    if (inbound.kind === 'control') this.#onControl(inbound.control);
    else if (inbound.kind === 'response') this.#pending.deliver(inbound.response);
    else if (inbound.kind === 'notification') this.#subscriptions.deliver(value);
    else if (inbound.kind === 'renewal') this.#renewal.receive(inbound.message);
    else if (inbound.kind === 'request') this.#onRequest(inbound.request);
  }

  #onRequest(request: Request): void {
    if (this.#service !== undefined) this.#service.onRequest(request, (response, onTooLarge) => this.#answer(response, onTooLarge));
    // Any answer proves life to a device that reads us in place of a ping (protocol.md, row "liveness").
    else this.#answer(errorResponse(request.id, InteractionStatus.UNSUPPORTED, 'a controller has no attributes'));
  }

  #answer(response: Response, onTooLarge?: () => void): void {
    if (this.#connection.send(encodeResponse(response)) !== 'tooLarge') return;
    const text = 'the response is larger than a message may be';
    this.#connection.send(encodeResponse(errorResponse(response.id, InteractionStatus.RESOURCE_EXHAUSTED, text)));
    onTooLarge?.();
  }

  #onControl(control: Control): void {
    switch (control.control) {
      case 'ping':
        this.#connection.send(encodeControl({ control: 'pong', sequence: control.sequence, form: control.form }));
        break;
      case 'pong':
        this.#pings.pong(control.sequence);
        break;
      case 'close':
        // In numbers, the acknowledgement looks like the close itself.
        if (this.#onEnded === undefined) this.#connection.send(encodeControl({ control: 'closeAck', form: control.form }));
        this.#connection.end();
        break;
      case 'closeAck':
        this.#connection.end();
        break;
    }
  }

  #onClose(reason: string): void {
    this.#ended = reason;
    this.#service?.onClose();
    this.#pending.close();
    this.#pings.end(this.#lost());
    this.#renewal.end(this.#lost());
    this.#onEnded?.();
    for (const told of this.#whenEnded.splice(0)) told(reason);
  }

  #unanswered(): ControllerError {
    if (this.#ended !== undefined) return this.#lost();
    return new ControllerError('TIMEOUT', `The device did not answer within ${RESPONSE_TIMEOUT / 1000} s`);
  }

  #lost(): ControllerError {
    return new ControllerError('CONNECTION_LOST', `The connection to the device ended: ${this.#ended}`);
  }
}
