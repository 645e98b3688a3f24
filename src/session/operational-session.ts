import type { CborMap, CborValue } from '../codec/cbor.js';
import { ShapeError } from '../codec/shape.js';
import type { Clock, Log, Timer } from '../platform.js';
import type { FramedConnection } from './framed-connection.js';
import type { KeepAliveSettings } from './keep-alive.js';
import { Liveness } from './liveness.js';
import { PendingRequests } from './pending.js';
import {
  type Answer,
  type Control,
  classify,
  decodeNotification,
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
} from './wire.js';

export interface OperationalSettings {
  /** How our own pings and closes are written: the dialect that the zone's slot stores. */
  readonly form: 'text' | 'number';
  /** Undefined: TCP keep-alive alone. */
  readonly keepAlive: KeepAliveSettings | undefined;
  /** Time for the acknowledgement of our close, ms. */
  readonly closeTimeout: number;
}

export interface OperationalHandlers {
  /** Answers a request; the answer may come later. */
  onRequest(request: Request, answer: Answer): void;
  /** A message 30–33 that answers nothing of ours; returns what answers it, if anything does. Throws ShapeError. */
  onRenewal(message: CborMap): CborMap | Promise<CborMap> | undefined;
  /** Of a subscription that we may have made; others are for the receiver to ignore. */
  onNotification?(notification: Notification): void;
  /** The peer has read everything that was sent. */
  onDrain?(): void;
  /** Once, whatever ended the session. */
  onClose(reason: string): void;
}

const DEVICE_INFO = 1;
const DEVICE_ID_ATTRIBUTE = 1;

/** One mutually authenticated connection of a zone: requests, responses, control, liveness. */
export class OperationalSession {
  readonly #connection: FramedConnection;
  readonly #settings: OperationalSettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #handlers: OperationalHandlers;
  readonly #pending: PendingRequests;
  #liveness: Liveness | undefined;
  #sequence = 0;
  /** A close was sent or received: nothing new is begun. */
  #closing = false;
  /** Runs while a close of ours waits for its acknowledgement, or a connection that has failed for the answers that are due. */
  #patience: Timer | undefined;
  /** Requests and renewals that have not been answered. */
  #owed = 0;
  /** Why the connection ends once nothing is owed. */
  #failure: string | undefined;

  constructor(connection: FramedConnection, settings: OperationalSettings, clock: Clock, log: Log, handlers: OperationalHandlers) {
    this.#connection = connection;
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    this.#handlers = handlers;
    this.#pending = new PendingRequests(clock);
  }

  start(): void {
    const { keepAlive } = this.#settings;
    if (keepAlive !== undefined) {
      this.#liveness = new Liveness(keepAlive, this.#clock, {
        probe: () => this.#probe(keepAlive.timeout),
        lost: (missed) => this.#connection.destroy(`keep-alive: ${missed} answers missing`),
      });
    }
    this.#connection.start({
      onValue: (value) => this.#onValue(value),
      onUndecodable: (error) => {
        this.#liveness?.received();
        this.#answer(errorResponse(0, InteractionStatus.INVALID_PARAMETER, error.message));
      },
      onBadLength: (reason) => this.#onBadLength(reason),
      onClose: (reason) => this.#onClose(reason),
      onDrain: () => this.#handlers.onDrain?.(),
    });
  }

  /** `full`: sent, but the peer is slow; `onDrain` follows, or the end of the session. */
  notify(notification: Notification): 'sent' | 'full' | 'tooLarge' | 'closed' {
    return !this.#closing ? this.#send(encodeNotification(notification)) : 'closed';
  }

  /**
   * Sends a request of ours. `settle` is called once, in the turn of the response and before any later frame is looked at; with undefined where
   * none came within `timeout` milliseconds, before the end of the connection, or where the request could not be sent.
   */
  request(
    operation: number,
    endpoint: number,
    feature: number,
    payload: CborValue | undefined,
    timeout: number,
    settle: (response: Response | undefined) => void,
  ): void {
    const id = this.#connection.open && !this.#closing ? this.#pending.open(timeout, settle) : undefined;
    if (id === undefined) {
      settle(undefined);
      return;
    }
    const sent = this.#send(encodeRequest({ id, operation, endpoint, feature, payload }));
    if (sent === 'closed' || sent === 'tooLarge') this.#pending.cancel(id);
  }

  /** Graceful close (protocol.md §2.13): close, close_ack within the limit, then closed anyway. */
  close(reason: string): void {
    if (!this.#connection.open || this.#closing) return;
    this.#closing = true;
    this.#connection.send(encodeControl({ control: 'close', form: this.#settings.form }, reason));
    this.#patience = this.#clock.after('CLOSE_TIMEOUT', this.#settings.closeTimeout, () => this.#connection.destroy('no close_ack'));
  }

  destroy(reason: string): void {
    this.#connection.destroy(reason);
  }

  #onValue(value: CborValue): void {
    this.#liveness?.received();
    const inbound = classify(value, this.#isPending);
    switch (inbound.kind) {
      case 'control':
        this.#onControl(inbound.control);
        break;
      case 'request':
        if (this.#closing) break;
        this.#owed += 1;
        this.#handlers.onRequest(inbound.request, this.#answerLater);
        break;
      case 'response':
        if (!this.#pending.deliver(inbound.response)) this.#log.debug('response to nothing of ours ignored', { id: inbound.response.id });
        break;
      case 'renewal':
        if (!this.#closing) this.#onRenewal(inbound.message);
        break;
      case 'notification':
        this.#onNotification(inbound.message);
        break;
      case 'malformed':
        this.#answer(errorResponse(inbound.id, InteractionStatus.INVALID_PARAMETER, inbound.text));
        break;
    }
  }

  /** Nothing is owed to a notification, not even to one of the wrong shape. */
  #onNotification(message: CborMap): void {
    if (this.#handlers.onNotification === undefined || this.#closing) return;
    try {
      this.#handlers.onNotification(decodeNotification(message));
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      this.#log.debug('notification ignored', { reason: error.message });
    }
  }

  #onRenewal(message: CborMap): void {
    try {
      const answer = this.#handlers.onRenewal(message);
      if (answer instanceof Promise) {
        this.#owed += 1;
        void answer.then((late) => {
          this.#connection.send(late);
          this.#settled();
        });
      } else if (answer !== undefined) this.#connection.send(answer);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      // protocol.md §1: the wrong shape is answered with the message's number.
      this.#answer(errorResponse(message.get(1) as number, InteractionStatus.INVALID_PARAMETER, error.message));
    }
  }

  #onControl(control: Control): void {
    switch (control.control) {
      case 'ping':
        this.#connection.send(encodeControl({ control: 'pong', sequence: control.sequence, form: control.form }));
        break;
      case 'close':
        // In numbers, the acknowledgement looks like the close itself.
        if (!this.#closing) this.#connection.send(encodeControl({ control: 'closeAck', form: control.form }));
        this.#end();
        break;
      case 'closeAck':
        this.#end();
        break;
      case 'pong':
        break;
    }
  }

  #end(): void {
    this.#closing = true;
    this.#patience?.cancel();
    this.#connection.end();
  }

  readonly #isPending = (id: number): boolean => this.#pending.has(id);

  /** One function for all requests: handed out with each of them. */
  readonly #answerLater: Answer = (response, onTooLarge) => {
    this.#answer(response, onTooLarge);
    this.#settled();
  };

  /** protocol.md §1: what is due is flushed first. Nobody waits longer for it than for a close_ack. */
  #onBadLength(reason: string): void {
    this.#closing = true;
    this.#failure = reason;
    this.#patience?.cancel();
    if (this.#owed === 0) this.#connection.fail(reason);
    else this.#patience = this.#clock.after('CLOSE_TIMEOUT', this.#settings.closeTimeout, () => this.#connection.fail(reason));
  }

  #settled(): void {
    this.#owed -= 1;
    if (this.#failure !== undefined && this.#owed === 0) this.#connection.fail(this.#failure);
  }

  #answer(response: Response, onTooLarge?: () => void): void {
    if (this.#send(encodeResponse(response)) !== 'tooLarge') return;
    const refusal = errorResponse(response.id, InteractionStatus.RESOURCE_EXHAUSTED, 'the response is larger than a message may be');
    this.#send(encodeResponse(refusal));
    onTooLarge?.();
  }

  /** A value that has no CBOR is a bug of ours: it costs its message, never the process. */
  #send(value: CborValue): 'sent' | 'full' | 'tooLarge' | 'closed' {
    try {
      return this.#connection.send(value);
    } catch (error) {
      this.#log.error('a message could not be written', { error });
      return 'tooLarge';
    }
  }

  #probe(timeout: number): void {
    if (this.#settings.form === 'text') {
      this.#sequence += 1;
      this.#connection.send(encodeControl({ control: 'ping', sequence: this.#sequence, form: 'text' }));
    } else {
      // A reference controller neither sends nor answers pings; it answers a Read (protocol.md, row "liveness").
      this.request(Operation.READ, 0, DEVICE_INFO, new Map([[1, [DEVICE_ID_ATTRIBUTE]]]), timeout, () => {});
    }
  }

  #onClose(reason: string): void {
    this.#liveness?.close();
    this.#patience?.cancel();
    this.#pending.close();
    this.#handlers.onClose(reason);
  }
}
