import { hkdfSync } from 'node:crypto';
import { concat } from '../../src/codec/bytes.js';
import { type CborValue, decodeCbor } from '../../src/codec/cbor.js';
import { encodeFrame, FrameReader } from '../../src/codec/frame.js';
import type { SecureStream, SecureStreamHandlers } from '../../src/platform.js';

export interface StreamPairOptions {
  readonly kind?: 'commissioning' | 'operational';
  /** Addresses as the other side sees them. */
  readonly deviceAddress?: string;
  readonly peerAddress?: string;
  /** DER of the leaf certificates; undefined where none was sent. */
  readonly deviceCertificate?: Uint8Array;
  readonly peerCertificate?: Uint8Array;
  /** Two connections of the same seed have the same exporter values, those of different seeds do not. */
  readonly seed?: string;
  /** Bytes that the other side has not taken yet at which `write` returns false. */
  readonly highWater?: number;
}

export interface StreamPair {
  /** The end that the device holds. */
  readonly device: MemoryStream;
  /** The end that the test speaks through. */
  readonly peer: MemoryStream;
}

/** Two ends of one connection in memory. Bytes and closes arrive in a later turn; `settle` of `clock.ts` lets them. */
export function streamPair(options: StreamPairOptions = {}): StreamPair {
  const kind = options.kind ?? 'operational';
  const secret = options.seed ?? 'connection';
  const highWater = options.highWater ?? Number.POSITIVE_INFINITY;
  const device = new MemoryStream({
    kind,
    secret,
    highWater,
    remoteAddress: options.peerAddress ?? 'fe80::2%lo',
    peerCertificate: options.peerCertificate,
  });
  const peer = new MemoryStream({
    kind,
    secret,
    highWater,
    remoteAddress: options.deviceAddress ?? 'fe80::1%lo',
    peerCertificate: options.deviceCertificate,
  });
  device.connect(peer);
  peer.connect(device);
  return { device, peer };
}

interface MemoryStreamSettings {
  readonly kind: 'commissioning' | 'operational';
  readonly secret: string;
  readonly highWater: number;
  readonly remoteAddress: string;
  readonly peerCertificate: Uint8Array | undefined;
}

type Arrival = { readonly bytes: Uint8Array } | 'closeNotify' | 'reset';

/** One end. Behaves like a TLS socket that answers a close_notify with its own, unless `stubborn`. */
export class MemoryStream implements SecureStream {
  readonly kind: 'commissioning' | 'operational';
  readonly remoteAddress: string;
  readonly peerCertificate: Uint8Array | undefined;
  /** Leaves a close_notify unanswered, so that the other side waits for its limit. */
  stubborn = false;
  readonly #settings: MemoryStreamSettings;
  readonly #arrivals: Arrival[] = [];
  #other: MemoryStream | undefined;
  #handlers: SecureStreamHandlers | undefined;
  #started = false;
  #paused = false;
  #scheduled = false;
  #full = false;
  #ended = false;
  #closed = false;

  constructor(settings: MemoryStreamSettings) {
    this.#settings = settings;
    this.kind = settings.kind;
    this.remoteAddress = settings.remoteAddress;
    this.peerCertificate = settings.peerCertificate;
  }

  connect(other: MemoryStream): void {
    this.#other = other;
  }

  /** Nothing goes out any more. */
  get ended(): boolean {
    return this.#ended;
  }

  get closed(): boolean {
    return this.#closed;
  }

  exporter(label: string, length: number): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#settings.secret, new Uint8Array(0), label, length));
  }

  start(handlers: SecureStreamHandlers): void {
    if (this.#started) throw new Error('a stream is started once');
    this.#started = true;
    this.#handlers = handlers;
    this.#schedule();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended || this.#closed) return false;
    this.#other?.arrive({ bytes: bytes.slice() });
    this.#full = (this.#other?.waiting ?? 0) >= this.#settings.highWater;
    return !this.#full;
  }

  end(): void {
    if (this.#ended || this.#closed) return;
    this.#ended = true;
    this.#other?.arrive('closeNotify');
  }

  destroy(): void {
    if (this.#closed) return;
    this.#ended = true;
    this.#closed = true;
    this.#handlers = undefined;
    this.#arrivals.length = 0;
    this.#other?.arrive('reset');
  }

  /** Stops and resumes to take what arrives, as a slow reader does. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  /** Bytes that arrived and were not taken. */
  get waiting(): number {
    return this.#arrivals.reduce((sum, arrival) => sum + (typeof arrival === 'object' ? arrival.bytes.length : 0), 0);
  }

  /** From the other end. A reset overtakes what is still under way. */
  arrive(arrival: Arrival): void {
    if (this.#closed) return;
    if (arrival === 'reset') this.#arrivals.length = 0;
    this.#arrivals.push(arrival);
    this.#schedule();
  }

  /** The other end took everything. */
  drained(): void {
    if (!this.#full || this.#closed) return;
    this.#full = false;
    this.#handlers?.onDrain?.();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (this.#handlers !== undefined && !this.#paused) {
      const arrival = this.#arrivals.shift();
      if (arrival === undefined) return;
      if (typeof arrival === 'object') {
        if (this.waiting === 0) this.#other?.drained();
        this.#handlers.onData(arrival.bytes);
      } else if (arrival === 'reset') this.#close('ECONNRESET');
      else this.#onCloseNotify();
    }
  }

  #onCloseNotify(): void {
    if (this.stubborn) return;
    this.end();
    this.#close('closed by the peer');
  }

  #close(reason: string): void {
    this.#ended = true;
    this.#closed = true;
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.onClose(reason);
  }
}

/** Speaks frames through one end and remembers what it hears. */
export class FramePeer {
  readonly stream: MemoryStream;
  /** Values received, in order. */
  readonly received: CborValue[] = [];
  /** Why the connection ended; undefined while it is open. */
  closed: string | undefined;

  constructor(stream: MemoryStream) {
    this.stream = stream;
    const reader = new FrameReader(0xffff_ffff);
    stream.start({
      onData: (bytes) => reader.push(bytes, (payload) => this.received.push(decodeCbor(payload))),
      onClose: (reason) => {
        this.closed = reason;
      },
    });
  }

  send(value: CborValue): void {
    this.stream.write(encodeFrame(value, 0xffff_ffff) ?? new Uint8Array(0));
  }

  /** A frame with any payload. */
  sendPayload(payload: Uint8Array): void {
    const prefix = new Uint8Array(4);
    new DataView(prefix.buffer).setUint32(0, payload.length);
    this.stream.write(concat(prefix, payload));
  }

  sendBytes(bytes: Uint8Array): void {
    this.stream.write(bytes);
  }

  /** Takes out what was received so far. */
  take(): CborValue[] {
    return this.received.splice(0);
  }
}
