import type { TLSSocket } from 'node:tls';
import type { SecureStream, SecureStreamHandlers } from '../platform.js';

/** A completed TLS connection as the core sees it. */
export class TlsStream implements SecureStream {
  readonly kind: 'commissioning' | 'operational';
  readonly remoteAddress: string;
  readonly peerCertificate: Uint8Array | undefined;
  readonly #socket: TLSSocket;
  #handlers: SecureStreamHandlers | undefined;
  readonly #onBug: (error: unknown) => void;
  #closed: string | undefined;

  /**
   * `peerCertificate` is read once: it is gone when the socket is. `onBug` hears of an error that a peer's bytes caused in our own code: it
   * ends their connection, never the process.
   */
  constructor(socket: TLSSocket, kind: 'commissioning' | 'operational', remoteAddress: string, onBug: (error: unknown) => void) {
    this.#socket = socket;
    this.#onBug = onBug;
    this.kind = kind;
    this.remoteAddress = remoteAddress;
    const certificate = kind === 'operational' ? socket.getPeerX509Certificate() : undefined;
    this.peerCertificate = certificate === undefined ? undefined : Uint8Array.from(certificate.raw);
    let reason = 'closed by the peer';
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message;
    });
    // allowHalfOpen is off: the peer's close_notify is answered with ours (protocol.md §1).
    socket.once('close', () => this.#onClose(reason));
  }

  exporter(label: string, length: number): Uint8Array {
    return Uint8Array.from(this.#socket.exportKeyingMaterial(length, label, Buffer.alloc(0)));
  }

  start(handlers: SecureStreamHandlers): void {
    this.#handlers = handlers;
    if (this.#closed !== undefined) {
      const reason = this.#closed;
      setImmediate(() => handlers.onClose(reason));
      return;
    }
    this.#socket.on('data', (chunk: Buffer) => {
      // A plain Uint8Array: Buffer.prototype.slice would not copy.
      const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
      try {
        this.#handlers?.onData(bytes);
      } catch (error) {
        this.#onBug(error);
        this.#socket.destroy();
      }
    });
    this.#socket.on('drain', () => this.#handlers?.onDrain?.());
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#socket.writable) return false;
    return this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#handlers = undefined;
    this.#socket.destroy();
  }

  #onClose(reason: string): void {
    this.#closed = reason;
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.onClose(reason);
  }
}
