import { CborError, type CborValue, decodeCbor, encodeCbor } from '../codec/cbor.js';
import { FrameError, FrameReader } from '../codec/frame.js';
import type { ListenerHandlers, SecureStream, SecureStreamHandlers, StreamListener } from '../platform.js';
import type { Direction } from './entry.js';
import { masked } from './mask.js';
import type { ProtocolRecorder } from './recorder.js';

/** Longer frames than any profile allows are not read on. */
const FRAME_MAXIMUM = 1_048_576;
/** Bytes kept of a frame that is no CBOR: where its secrets are cannot be told, and none begins so early. */
const UNREADABLE_MAXIMUM = 4;

/** A listener whose connections are recorded frame by frame; the core sees the same bytes. */
export function tapListener(listener: StreamListener, recorder: ProtocolRecorder): StreamListener {
  return {
    listen: (role, port, handlers) => listener.listen(role, port, tapHandlers(handlers, recorder)),
    prepare: (identity) => listener.prepare(identity),
  };
}

function tapHandlers(handlers: ListenerHandlers, recorder: ProtocolRecorder): ListenerHandlers {
  return {
    onAccept: (connection) => handlers.onAccept(connection),
    onActivity: (connection) => handlers.onActivity(connection),
    route: (role, hello, remote) => handlers.route(role, hello, remote),
    onSecure: (stream, connection) => handlers.onSecure(new TappedStream(stream, recorder), connection),
    onGone: (connection, reason) => handlers.onGone(connection, reason),
  };
}

class TappedStream implements SecureStream {
  readonly kind: SecureStream['kind'];
  readonly remoteAddress: string;
  readonly peerCertificate: Uint8Array | undefined;
  readonly #stream: SecureStream;
  readonly #recorder: ProtocolRecorder;
  readonly #connection: number;
  readonly #in: (bytes: Uint8Array) => void;
  readonly #out: (bytes: Uint8Array) => void;
  #open = true;

  constructor(stream: SecureStream, recorder: ProtocolRecorder) {
    this.kind = stream.kind;
    this.remoteAddress = stream.remoteAddress;
    this.peerCertificate = stream.peerCertificate;
    this.#stream = stream;
    this.#recorder = recorder;
    this.#connection = recorder.nextConnection();
    recorder.record({ kind: 'open', connection: this.#connection, channel: stream.kind, remote: stream.remoteAddress });
    this.#in = this.#frames('in');
    this.#out = this.#frames('out');
  }

  exporter(label: string, length: number): Uint8Array {
    return this.#stream.exporter(label, length);
  }

  start(handlers: SecureStreamHandlers): void {
    this.#stream.start({
      onData: (bytes) => {
        // Recorded first: the answer may leave in the same turn.
        this.#in(bytes);
        handlers.onData(bytes);
      },
      onClose: (reason) => {
        this.#closed(reason);
        handlers.onClose(reason);
      },
      onDrain: () => handlers.onDrain?.(),
    });
  }

  write(bytes: Uint8Array): boolean {
    this.#out(bytes);
    return this.#stream.write(bytes);
  }

  end(): void {
    this.#stream.end();
  }

  destroy(): void {
    this.#closed('closed by the device');
    this.#stream.destroy();
  }

  #closed(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#recorder.record({ kind: 'close', connection: this.#connection, reason });
  }

  /** Cuts one direction into frames, as the session behind does; a bad prefix is the last thing recorded of it. */
  #frames(direction: Direction): (bytes: Uint8Array) => void {
    const reader = new FrameReader(FRAME_MAXIMUM);
    const unreadable = (size: number, payload: Uint8Array, error: string): void =>
      this.#recorder.record({ kind: 'frame', connection: this.#connection, direction, size, payload, masked: false, error });
    return (bytes) => {
      try {
        reader.push(bytes, (payload) => this.#record(direction, payload, unreadable));
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        unreadable(0, new Uint8Array(0), error.message);
      }
    };
  }

  #record(direction: Direction, payload: Uint8Array, unreadable: (size: number, payload: Uint8Array, error: string) => void): void {
    let value: CborValue;
    try {
      value = decodeCbor(payload);
    } catch (error) {
      if (!(error instanceof CborError)) throw error;
      unreadable(payload.length, payload.slice(0, UNREADABLE_MAXIMUM), error.message);
      return;
    }
    const shown = masked(value, this.kind);
    const hides = shown !== value;
    const bytes = hides ? encodeCbor(shown) : payload.slice();
    this.#recorder.record({
      kind: 'frame',
      connection: this.#connection,
      direction,
      size: payload.length,
      payload: bytes,
      masked: hides,
    });
  }
}
