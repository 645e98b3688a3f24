import { CborError, type CborValue, decodeCbor } from '../codec/cbor.js';
import { encodeFrame, FrameError, FrameReader } from '../codec/frame.js';
import type { Clock, SecureStream, Timer } from '../platform.js';

export interface FramedHandlers {
  /** A frame whose payload is one well-formed CBOR item. */
  onValue(value: CborValue): void;
  /** A frame whose payload is not CBOR of this protocol. */
  onUndecodable(error: CborError): void;
  /** A bad length prefix: nothing is read any more. The receiver ends the connection with `fail`; without one it is ended at once. */
  onBadLength?(reason: string): void;
  /** Once; no callback follows. */
  onClose(reason: string): void;
  /** The peer has read what was queued. */
  onDrain?(): void;
}

export interface FramedSettings {
  readonly clock: Clock;
  /** The longest payload that is taken, bytes. */
  readonly maximum: number;
  /** The longest that is sent; default: `maximum`. */
  readonly sendMaximum?: number;
  /** What the peer leaves unread this long ends the connection, ms; default: only what is too much does. */
  readonly sendDeadline?: number;
  /** What the peer has to take its side down once we have ended ours, ms; default 5 s. */
  readonly closeTimeout?: number;
}

/** MASH.S.CONN.CLOSE_TIMEOUT, ms. */
export const CLOSE_TIMEOUT = 5000;
/** A peer that asks and does not read is closed at this many bytes: never the device's memory. */
const MAX_UNREAD = 1024 * 1024;
const SLOW = 'the peer does not read';

/**
 * A secure stream seen as CBOR values. A bad length prefix closes the connection after what was due before it is flushed (protocol.md §1). An end that
 * the peer does not follow is completed by force: no peer holds a connection that we have done with.
 */
export class FramedConnection {
  readonly stream: SecureStream;
  readonly #settings: FramedSettings;
  readonly #reader: FrameReader;
  /** Bytes sent since the peer began to read slower than we write, and how long it may go on. */
  #unread = 0;
  #reading: Timer | undefined;
  #handlers: FramedHandlers | undefined;
  #open = true;
  /** Runs from our end to the peer's. */
  #ending: Timer | undefined;

  constructor(stream: SecureStream, settings: FramedSettings) {
    this.stream = stream;
    this.#settings = settings;
    this.#reader = new FrameReader(settings.maximum);
  }

  get open(): boolean {
    return this.#open;
  }

  start(handlers: FramedHandlers): void {
    this.#handlers = handlers;
    this.stream.start({
      onData: (bytes) => this.#onData(bytes),
      onClose: (reason) => {
        this.#ending?.cancel();
        this.#closed(reason);
      },
      onDrain: () => {
        this.#unread = 0;
        this.#reading?.cancel();
        this.#reading = undefined;
        this.#handlers?.onDrain?.();
      },
    });
  }

  /** Sends a value in one write. `tooLarge`: nothing was sent, the value is longer than the maximum. `full`: sent, but the peer is slow. */
  send(value: CborValue): 'sent' | 'full' | 'tooLarge' | 'closed' {
    if (!this.#open) return 'closed';
    const { clock, maximum, sendMaximum = maximum, sendDeadline } = this.#settings;
    const frame = encodeFrame(value, sendMaximum);
    if (frame === undefined) return 'tooLarge';
    if (this.stream.write(frame)) return 'sent';
    this.#unread += frame.length;
    if (this.#unread > MAX_UNREAD) this.destroy(SLOW);
    else if (sendDeadline !== undefined) this.#reading ??= clock.after('send', sendDeadline, () => this.destroy(SLOW));
    return 'full';
  }

  /** Flushes, then closes. `onClose` is called once the connection is down, after `closeTimeout` at the latest. Idempotent. */
  end(): void {
    if (this.#open) this.#end();
  }

  /** As `end`, but nobody waits for the peer: `onClose` is called in this turn. */
  fail(reason: string): void {
    if (!this.#open) return;
    this.#end();
    this.#closed(reason);
  }

  /** Closes at once: `onClose` is called in this turn. */
  destroy(reason: string): void {
    if (!this.#open) return;
    this.#takeDown(reason);
  }

  #end(): void {
    const { clock, closeTimeout = CLOSE_TIMEOUT } = this.#settings;
    this.stream.end();
    this.#ending ??= clock.after('CLOSE_TIMEOUT', closeTimeout, () => this.#takeDown('the peer did not close'));
  }

  #takeDown(reason: string): void {
    this.#ending?.cancel();
    this.stream.destroy();
    this.#closed(reason);
  }

  #onData(bytes: Uint8Array): void {
    if (!this.#open) return;
    try {
      this.#reader.push(bytes, this.#deliver);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      if (this.#handlers?.onBadLength === undefined) this.fail(error.message);
      else this.#handlers.onBadLength(error.message);
    }
  }

  readonly #deliver = (payload: Uint8Array): void => {
    if (!this.#open) return;
    let value: CborValue;
    try {
      value = decodeCbor(payload);
    } catch (error) {
      if (!(error instanceof CborError)) throw error;
      this.#handlers?.onUndecodable(error);
      return;
    }
    this.#handlers?.onValue(value);
  };

  #closed(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reading?.cancel();
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.onClose(reason);
  }
}
