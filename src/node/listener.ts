import { constants } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { NetworkError } from '../errors.js';
import type {
  BoundPort,
  Clock,
  ListenerHandlers,
  ListenerRole,
  Log,
  PendingConnection,
  StreamListener,
  Timer,
  TlsIdentity,
} from '../platform.js';
import { MAX_CLIENT_HELLO, readClientHello } from './client-hello.js';
import { nodeKeyPem } from './keys.js';
import { TlsStream } from './tls-stream.js';

/** Cipher suites in the order of preference (protocol.md §1): the server's order decides. */
export const CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';
export const GROUPS = 'X25519:P-256';
export const TLS_VERSION = 'TLSv1.3';
export const LISTEN_ADDRESS = '::';
/** Who is asked for a certificate. */
export const MUTUAL: Readonly<Record<'commissioning' | 'operational', boolean>> = { commissioning: false, operational: true };

const HELLO_DEADLINE = 10_000;
const HANDSHAKE_DEADLINE = 10_000;
const TCP_KEEP_ALIVE = 30_000;
const ALERT_PROTOCOL_VERSION = 70;

export interface ListenerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** False: IPv6 only (protocol.md, row "IPv4"). */
  readonly ipv4: boolean;
  /** Takes each line of an NSS key log (`SSLKEYLOGFILE`): whoever has them reads the recorded traffic. */
  readonly keyLog?: (line: Uint8Array) => void;
}

/**
 * TLS 1.3 behind one TCP accept path: the ClientHello is read first, the core's routing decides, then the handshake runs on the same socket.
 * Node judges no certificate here; that is `src/pki`'s.
 */
export function nodeListener(options: ListenerOptions): StreamListener {
  return { listen: (role, port, handlers) => listen(options, role, port, handlers), prepare: (identity) => prepare(options, identity) };
}

/** An identity that OpenSSL does not take fails the handshakes that need it, each by itself, and nothing else. */
function prepare({ log }: ListenerOptions, identity: TlsIdentity): void {
  try {
    secureContextOf(identity);
  } catch (error) {
    log.error('no TLS context can be made of a certificate', { error });
  }
}

function listen(options: ListenerOptions, role: ListenerRole, port: number, handlers: ListenerHandlers): Promise<BoundPort> {
  const server = net.createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE }, (socket) => {
    new Handshake(options, role, handlers, socket).begin();
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new NetworkError(`TCP port ${port} (${role}): ${error.code === 'EADDRINUSE' ? 'already in use' : error.message}`));
    });
    server.listen({ port, host: LISTEN_ADDRESS, ipv6Only: !options.ipv4, backlog: 64 }, () => {
      server.on('error', (error) => options.log.warn('accepting failed', { role, error: error.message }));
      const bound = (server.address() as net.AddressInfo).port;
      resolve({ port: bound, close: () => new Promise((done) => server.close(() => done())) });
    });
  });
}

/** One connection from TCP accept to the completed handshake. */
class Handshake {
  readonly #options: ListenerOptions;
  readonly #role: ListenerRole;
  readonly #handlers: ListenerHandlers;
  readonly #socket: net.Socket;
  readonly #connection: PendingConnection;
  #received: Buffer = Buffer.alloc(0);
  #deadline: Timer | undefined;
  #reason = 'closed by the peer';

  constructor(options: ListenerOptions, role: ListenerRole, handlers: ListenerHandlers, socket: net.Socket) {
    this.#options = options;
    this.#role = role;
    this.#handlers = handlers;
    this.#socket = socket;
    this.#connection = {
      remoteAddress: socket.remoteAddress ?? 'gone',
      destroy: (reason) => {
        this.#reason = reason;
        socket.destroy();
      },
    };
  }

  begin(): void {
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#reason = error.code ?? error.message;
    });
    if (!this.#handlers.onAccept(this.#connection)) {
      this.#socket.destroy();
      return;
    }
    this.#socket.once('close', () => {
      this.#deadline?.cancel();
      this.#handlers.onGone(this.#connection, this.#reason);
    });
    this.#deadline = this.#options.clock.after('CLIENT_HELLO', HELLO_DEADLINE, () => this.#connection.destroy('no ClientHello in time'));
    this.#socket.on('data', this.#onData);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#handlers.onActivity(this.#connection);
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const outcome = readClientHello(this.#received);
    if (outcome.kind === 'malformed') this.#connection.destroy(outcome.reason);
    else if (outcome.kind === 'hello') this.#contain(() => this.#route(outcome.hello));
    else if (this.#received.length > MAX_CLIENT_HELLO) this.#connection.destroy('ClientHello longer than allowed');
  };

  #route(hello: Parameters<ListenerHandlers['route']>[1]): void {
    this.#socket.off('data', this.#onData);
    this.#deadline?.cancel();
    if (!hello.tls13) {
      this.#refuse(ALERT_PROTOCOL_VERSION, 'the client does not offer TLS 1.3');
      return;
    }
    const decision = this.#handlers.route(this.#role, hello, this.#connection.remoteAddress);
    if (decision.kind === 'refuse') this.#refuse(decision.alert, decision.reason);
    else this.#handshake(decision.kind, decision.identity, decision.alpn);
  }

  readonly #onBug = (error: unknown): void =>
    this.#options.log.error('a bug ended a connection', { remote: this.#connection.remoteAddress, error });

  /** What goes wrong in our own code because of this connection ends this connection alone. */
  #contain(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#onBug(error);
      this.#connection.destroy('internal error');
    }
  }

  /** A fatal alert in a plaintext record (RFC 8446 §6): without it Node would complete a handshake without ALPN. */
  #refuse(alert: number, reason: string): void {
    this.#options.log.info('handshake refused', { remote: this.#connection.remoteAddress, alert, reason });
    this.#reason = reason;
    this.#socket.end(Buffer.from([21, 3, 3, 0, 2, 2, alert]));
    this.#socket.resume();
    this.#deadline = this.#options.clock.after('alert flushed', 1000, () => this.#socket.destroy());
  }

  #handshake(kind: 'commissioning' | 'operational', identity: TlsIdentity, alpn: string): void {
    this.#socket.pause();
    this.#socket.unshift(this.#received);
    this.#received = Buffer.alloc(0);
    const secure = new tls.TLSSocket(this.#socket, {
      isServer: true,
      secureContext: secureContextOf(identity),
      requestCert: MUTUAL[kind],
      rejectUnauthorized: false,
      // In wire form: a hand-made server socket converts nothing.
      ALPNProtocols: alpnWire(alpn) as unknown as string[],
    });
    secure.on('error', (error: NodeJS.ErrnoException) => {
      this.#reason = error.code ?? error.message;
    });
    const { keyLog } = this.#options;
    if (keyLog !== undefined) secure.on('keylog', keyLog);
    this.#deadline = this.#options.clock.after('TLS_HANDSHAKE', HANDSHAKE_DEADLINE, () =>
      this.#connection.destroy('handshake not completed in time'),
    );
    secure.once('secure', () => {
      this.#deadline?.cancel();
      this.#contain(() =>
        this.#handlers.onSecure(new TlsStream(secure, kind, this.#connection.remoteAddress, this.#onBug), this.#connection),
      );
    });
  }
}

function alpnWire(protocol: string): Buffer {
  return Buffer.concat([Buffer.from([protocol.length]), Buffer.from(protocol, 'latin1')]);
}

function certificatePem(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
}

const contexts = new WeakMap<TlsIdentity, tls.SecureContext>();

/** The TLS context of an identity: made at its first use, kept as long as the identity lives. */
function secureContextOf(identity: TlsIdentity): tls.SecureContext {
  let context = contexts.get(identity);
  if (context === undefined) {
    context = tls.createSecureContext({
      cert: certificatePem(identity.certificate),
      key: nodeKeyPem(identity.key),
      // No authorities: the client may send any certificate, and the system's roots stay out of memory.
      ca: [],
      ciphers: CIPHERS,
      honorCipherOrder: true,
      ecdhCurve: GROUPS,
      minVersion: TLS_VERSION,
      maxVersion: TLS_VERSION,
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    contexts.set(identity, context);
  }
  return context;
}
