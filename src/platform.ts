/**
 * The ports of the engine-neutral core: all that a protocol device needs from the machine it runs on.
 * Types only. Adapters: `src/node` (Linux, desktop), `src/crypto/portable` (engines without native cryptography), `test/world` (virtual).
 */

/** A pending timer; `cancel` is idempotent, and its callback never runs after it. */
export interface Timer {
  cancel(): void;
}

/** Time. Deadlines use `now` alone; wall time is for certificates and logs (see `pki/trusted-time`). */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary start; fractions allowed; never goes backwards. */
  now(): number;
  /** Unix milliseconds as the machine believes them: may be wrong by decades, may jump. */
  wall(): number;
  /**
   * Runs `callback` once, not before `delay` milliseconds have passed; 0 runs it in a later turn.
   * `name` is the deadline's name in the specification (`PASE_WAIT_X`), for logs and for the virtual clock.
   */
  after(name: string, delay: number, callback: () => void): Timer;
}

/** A source of cryptographically secure random bytes. */
export interface Entropy {
  bytes(length: number): Uint8Array;
}

/** A cancellation that the core can observe; a small stand-in for AbortSignal. */
export interface Signal {
  readonly aborted: boolean;
  /** Calls back once when aborted (in the same turn if it already is). Returns a function that takes the listener away. */
  onAbort(listener: () => void): () => void;
}

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log. Messages are constant texts, everything variable is a field; secrets print masked. */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A log whose lines carry `scope` (a room of the house: `commissioning`, `discovery`). */
  scoped(scope: string): Log;
}

/** A P-256 private key inside the adapter that made it; only its public half is visible. */
export interface PrivateKey {
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
}

/**
 * P-256, SHA-256 and what is built on them. All adapters give the same bytes. All functions are synchronous and throw
 * `RangeError` on arguments of the wrong length or range, naming the argument; results are fresh arrays.
 * Scalars are 32 bytes big-endian in [1, n−1]; points are uncompressed, 65 bytes, unless said otherwise.
 */
export interface Crypto extends Entropy {
  sha256(...parts: readonly Uint8Array[]): Uint8Array;
  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** RFC 5869; an empty salt is the zero salt. `length` 1…8160. */
  hkdfSha256(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /** Constant-time comparison; false when the lengths differ. */
  equal(a: Uint8Array, b: Uint8Array): boolean;

  generateKey(): PrivateKey;
  /** From a 32-byte scalar. */
  importKey(scalar: Uint8Array): PrivateKey;
  /** The 32-byte scalar. The caller wraps it into a `Secret` at once. */
  exportKey(key: PrivateKey): Uint8Array;
  /** ECDSA with SHA-256 over `message`; raw r‖s, 64 bytes. */
  sign(key: PrivateKey, message: Uint8Array): Uint8Array;
  /** False for any signature that does not hold, high-S accepted; never throws for a bad signature. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;

  /** Accepts exactly 33 bytes (02, 03) and 65 bytes (04) of a point on the curve and returns it uncompressed; anything else throws. */
  decodePoint(bytes: Uint8Array): Uint8Array;
  /** 33 bytes. */
  compressPoint(point: Uint8Array): Uint8Array;
  /** scalar · G. Constant-time where the platform offers it. */
  multiplyBase(scalar: Uint8Array): Uint8Array;
  /** scalar · point. Constant-time where the platform offers it. */
  multiply(point: Uint8Array, scalar: Uint8Array): Uint8Array;
  /** a + b; undefined for the identity. */
  addPoints(a: Uint8Array, b: Uint8Array): Uint8Array | undefined;
  /** −a. */
  negatePoint(point: Uint8Array): Uint8Array;
}

/** What the ClientHello asks for, read before the handshake starts (protocol.md §1). */
export interface ClientHello {
  readonly serverName: string | undefined;
  readonly alpn: readonly string[];
  /** True when `supported_versions` offers TLS 1.3. */
  readonly tls13: boolean;
}

/** Which listening port took the connection. */
export type ListenerRole = 'operational' | 'commissioning';

/** Certificate and key that the device presents. */
export interface TlsIdentity {
  /** X.509 DER. */
  readonly certificate: Uint8Array;
  /** The private key, made by the same platform's `Crypto`. */
  readonly key: PrivateKey;
}

/** The outcome of routing a ClientHello; `refuse` sends the fatal TLS alert with that code. */
export type RouteDecision =
  | { readonly kind: 'commissioning'; readonly identity: TlsIdentity; readonly alpn: string }
  | { readonly kind: 'operational'; readonly identity: TlsIdentity; readonly alpn: string }
  | { readonly kind: 'refuse'; readonly alert: number; readonly reason: string };

/** One bidirectional byte stream inside TLS 1.3, handshake completed. */
export interface SecureStream {
  readonly kind: 'commissioning' | 'operational';
  /** Peer address with its scope, without port: `fe80::1%eth0`. */
  readonly remoteAddress: string;
  /** DER of the peer's leaf certificate; undefined when it sent none. Not verified by the adapter. */
  readonly peerCertificate: Uint8Array | undefined;
  /** RFC 8446 §7.5 exporter without context. */
  exporter(label: string, length: number): Uint8Array;
  /** Hands over the callbacks; data that arrived earlier is delivered in a later turn. Called once. */
  start(handlers: SecureStreamHandlers): void;
  /** Queues bytes in one write. Returns false when the peer reads slower than we write; `onDrain` tells when it caught up. */
  write(bytes: Uint8Array): boolean;
  /** Flushes what is queued, sends close_notify, closes. */
  end(): void;
  /** Ends at once; nothing more is sent. */
  destroy(): void;
}

export interface SecureStreamHandlers {
  onData(bytes: Uint8Array): void;
  /** Once, whatever ended the connection; no callback follows. The peer's half-close is answered by the adapter (protocol.md §1). */
  onClose(reason: string): void;
  onDrain?(): void;
}

/** A TCP connection before its handshake is done; the core counts and may displace it. */
export interface PendingConnection {
  readonly remoteAddress: string;
  destroy(reason: string): void;
}

/** What the core decides for the listener. */
export interface ListenerHandlers {
  /** A TCP connection was accepted. False refuses it: closed before TLS. */
  onAccept(connection: PendingConnection): boolean;
  /** Bytes arrived on a connection that is not established yet. */
  onActivity(connection: PendingConnection): void;
  route(role: ListenerRole, hello: ClientHello, remoteAddress: string): RouteDecision;
  /** The handshake is complete. `connection` is the one of `onAccept`. */
  onSecure(stream: SecureStream, connection: PendingConnection): void;
  /** The connection ended before `onSecure`, or after it. Exactly once per accepted connection. */
  onGone(connection: PendingConnection, reason: string): void;
}

/** Listening TCP port with TLS 1.3 behind it. */
export interface StreamListener {
  /** Starts to listen; resolves with the bound port (0 asks for any). Rejects with NetworkError. */
  listen(role: ListenerRole, port: number, handlers: ListenerHandlers): Promise<BoundPort>;
  /** Makes ahead whatever the first handshake with this identity would otherwise wait for. */
  prepare(identity: TlsIdentity): void;
}

export interface BoundPort {
  readonly port: number;
  /** Stops accepting; established connections stay. Idempotent. */
  close(): Promise<void>;
}

/** One usable multicast interface. */
export interface NetworkInterface {
  /** `eth0`. */
  readonly name: string;
  /** Its own, neither tentative nor deprecated where there is a better one; their prefixes tell who is on the link. */
  readonly addresses: readonly InterfaceAddress[];
  /** Those of the other interfaces in use, link-local ones excepted: published here too (connection-establishment §6.5.1). */
  readonly elsewhere?: readonly InterfaceAddress[];
}

export interface InterfaceAddress {
  readonly family: 6 | 4;
  /** 16 or 4 bytes. */
  readonly bytes: Uint8Array;
  /** Without scope. */
  readonly text: string;
  readonly prefixLength: number;
}

export interface DatagramSource {
  /** The interface that received the packet. */
  readonly interfaceName: string;
  readonly address: string;
  readonly port: number;
  /** Addressed to this host; false: to the group. Absent: it cannot be told. */
  readonly unicast?: boolean;
}

/** Multicast DNS sockets: port 5353, ff02::fb (and 224.0.0.251 where IPv4 is on), hop limit 255, one per interface. */
export interface Multicast {
  /**
   * True where no other process of this machine gets the unicast packets to port 5353, as of the start (RFC 6762 §15.1). Absent: it cannot be told.
   */
  readonly alone?: boolean;
  /** Opens the sockets. Resolves also when no interface is usable; rejects only on a configuration error. */
  start(handlers: MulticastHandlers): Promise<void>;
  /** The interfaces in use now. */
  interfaces(): readonly NetworkInterface[];
  /** Sends to the group on one interface, or to one address (QU and legacy answers). A failure is reported, never thrown. */
  send(interfaceName: string, packet: Uint8Array, to?: { readonly address: string; readonly port: number }): void;
  /** Resolves when what was sent has left the process. */
  close(): Promise<void>;
}

export interface MulticastHandlers {
  onPacket(packet: Uint8Array, source: DatagramSource): void;
  /** The set of interfaces or their addresses changed. */
  onInterfaces(): void;
  onError(interfaceName: string | undefined, reason: string): void;
}

/** A port of this device, open on the home's router. */
export interface PortOpening {
  /** Where the internet reaches it. */
  readonly address: string;
  readonly port: number;
  /** ms after which the router closes it unless it is renewed; an hour at most. */
  readonly lease: number;
}

/** Opens one TCP port of this device on the home's router. */
export interface PortMapper {
  /**
   * Opens it, or renews what is open. Rejects with NetworkError and leaves nothing open that could be closed; with ConfigError where no
   * further attempt can succeed. One call at a time.
   */
  open(port: number): Promise<PortOpening>;
  /** Takes away what is open, after an `open` under way, and asks the router whether it is gone. Rejects with NetworkError where that is not sure. */
  release(): Promise<void>;
}
