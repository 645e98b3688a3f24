import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { type CborValue, decodeCbor, encodeCbor } from '../../src/codec/cbor.js';
import { FrameReader } from '../../src/codec/frame.js';
import { nodeKeyPem } from '../../src/node/crypto.js';
import type { PrivateKey } from '../../src/platform.js';

export interface PeerOptions {
  readonly port: number;
  readonly alpn?: readonly string[];
  readonly serverName?: string;
  readonly certificate?: { readonly der: Uint8Array; readonly key: PrivateKey; readonly chain?: readonly Uint8Array[] };
  readonly tls?: tls.ConnectionOptions;
}

const PATIENCE = 60_000;

export function pem(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
}

/** A scripted peer over a real TLS socket: sends whatever it is told, receives frame by frame. */
export class Peer {
  readonly socket: tls.TLSSocket;
  readonly #frames: CborValue[] = [];
  readonly #waiting: (() => void)[] = [];
  #ended = false;
  error: Error | undefined;

  private constructor(socket: tls.TLSSocket) {
    this.socket = socket;
    const reader = new FrameReader(1 << 20);
    socket.on('data', (chunk: Buffer) => {
      reader.push(new Uint8Array(chunk), (payload) => this.#frames.push(decodeCbor(payload)));
      this.#wake();
    });
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Resolves after the handshake; rejects with the TLS error where there is none. */
  static async connect(options: PeerOptions): Promise<Peer> {
    const { certificate } = options;
    const socket = tls.connect({
      host: '::1',
      port: options.port,
      ALPNProtocols: [...(options.alpn ?? ['mash-comm/1'])],
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(options.serverName === undefined ? {} : { servername: options.serverName }),
      ...(certificate === undefined
        ? {}
        : { cert: [certificate.der, ...(certificate.chain ?? [])].map(pem).join(''), key: nodeKeyPem(certificate.key) }),
      ...options.tls,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed during the handshake')));
    });
    return new Peer(socket);
  }

  get closed(): boolean {
    return this.#ended;
  }

  get serverCertificate(): Uint8Array {
    return new Uint8Array(this.socket.getPeerX509Certificate()?.raw ?? []);
  }

  exporter(): Uint8Array {
    return new Uint8Array(this.socket.exportKeyingMaterial(32, 'EXPORTER-MASH-PASE', Buffer.alloc(0)));
  }

  send(value: CborValue): void {
    this.sendPayload(encodeCbor(value));
  }

  sendPayload(payload: Uint8Array): void {
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32BE(payload.length);
    this.sendRaw(Buffer.concat([prefix, payload]));
  }

  sendRaw(bytes: Uint8Array): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** The next frame; throws when the connection ends first. */
  async receive(): Promise<CborValue> {
    const frame = await this.next();
    if (frame === undefined) throw new Error(`closed instead of a frame: ${this.error?.message ?? 'end'}`);
    return frame;
  }

  /** The next frame, or undefined when the connection ended without one. */
  async next(): Promise<CborValue | undefined> {
    await this.#until(() => this.#frames.length > 0 || this.#ended, 'a frame or the end');
    return this.#frames.shift();
  }

  /** Waits for the end; frames that came before it stay to be received. */
  async end(): Promise<void> {
    await this.#until(() => this.#ended, 'the end of the connection');
  }

  get pendingFrames(): number {
    return this.#frames.length;
  }

  destroy(): void {
    this.socket.destroy();
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, PATIENCE);
    while (!condition()) {
      if (late) throw new Error(`waited ${PATIENCE} ms for ${what}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    clearTimeout(timer);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A bare TCP connection, for what comes before and instead of TLS. */
export class RawPeer {
  readonly socket: net.Socket;
  readonly received: Buffer[] = [];
  closed = false;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.received.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async connect(port: number): Promise<RawPeer> {
    const socket = net.connect({ host: '::1', port });
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }

  async end(): Promise<void> {
    if (!this.closed) await new Promise((resolve) => this.socket.once('close', resolve));
  }
}

/** The alert that ended a handshake, as OpenSSL names it, or undefined when it succeeded. */
export async function handshakeError(options: PeerOptions): Promise<(Error & { code?: string }) | undefined> {
  try {
    const peer = await Peer.connect(options);
    peer.destroy();
    return undefined;
  } catch (error) {
    return error as Error & { code?: string };
  }
}
