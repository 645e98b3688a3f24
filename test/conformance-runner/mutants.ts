import net from 'node:net';
import { CborError, type CborMap, type CborValue, decodeCbor, encodeCbor, isMap } from '../../src/codec/cbor.js';
import { FrameError, FrameReader } from '../../src/codec/frame.js';
import { type DnsMessage, decodeMessage, encodeMessage } from '../../src/discovery/message.js';
import type { DnsRecord } from '../../src/discovery/records.js';
import { readClientHello } from '../../src/node/client-hello.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { parseCertificate } from '../../src/pki/certificate.js';
import type { Multicast, RouteDecision, SecureStream, SecureStreamHandlers, StreamListener } from '../../src/platform.js';
import type { Mutation } from './lab.js';

const decoder = nodeCrypto();

/** A frame as it goes on, or undefined where it does not. */
type Rewrite = (value: CborValue, stream: SecureStream) => CborValue | undefined;

interface StreamMutation {
  readonly inbound?: Rewrite;
  readonly outbound?: Rewrite;
  /** ms by which the device learns late that an operational connection has ended. */
  readonly lateClose?: number;
  /** The certificate that the device sees. */
  readonly peerCertificate?: (certificate: Uint8Array) => Uint8Array;
}

/** What a connection of the device does otherwise. */
export function streams(mutation: StreamMutation): Mutation {
  return {
    platform: (platform) => ({
      ...platform,
      listener: mapListener(platform.listener, {
        secure: (stream) => new MutantStream(stream, mutation),
        route: (decision) => decision,
      }),
    }),
  };
}

/** What the device decides otherwise about a ClientHello. */
export function routes(route: (decision: RouteDecision) => RouteDecision): Mutation {
  return { platform: (platform) => ({ ...platform, listener: mapListener(platform.listener, { secure: (stream) => stream, route }) }) };
}

/** What the device says otherwise on the link; undefined: nothing. */
export function announcements(rewrite: (message: DnsMessage) => DnsMessage | undefined): Mutation {
  return { platform: (platform) => ({ ...platform, multicast: mapMulticast(platform.multicast, rewrite) }) };
}

/** Each record of each section. */
export function eachRecord(message: DnsMessage, rewrite: (record: DnsRecord) => DnsRecord): DnsMessage {
  return { ...message, answers: message.answers.map(rewrite), additionals: message.additionals.map(rewrite) };
}

/** The map with another value under one key. */
export function withKey(map: CborMap, key: number | string, value: CborValue): CborMap {
  return new Map([...map, [key, value]]) as CborMap;
}

export function mapped(rewrite: (map: CborMap, stream: SecureStream) => CborValue | undefined): Rewrite {
  return (value, stream) => (isMap(value) ? rewrite(value, stream) : value);
}

/** A front that ends whoever does not offer TLS 1.3, and says nothing. */
export async function dropsOldTls(port: number): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = net.createServer((outer) => {
    outer.on('error', () => {});
    outer.once('data', (hello) => {
      const outcome = readClientHello(hello);
      if (outcome.kind === 'hello' && !outcome.hello.tls13) {
        outer.destroy();
        return;
      }
      const inner = net.connect({ host: '::1', port }).on('error', () => outer.destroy());
      inner.write(hello);
      outer.pipe(inner).pipe(outer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve));
  return { port: (server.address() as net.AddressInfo).port, close: () => server.close() };
}

/** In place of a certificate that has expired, the one that the same key showed before. */
export function forgetsExpiry(now: number): (certificate: Uint8Array) => Uint8Array {
  const last = new Map<string, Uint8Array>();
  return (bytes) => {
    const { publicKey, notAfter } = parseCertificate(decoder, bytes);
    const key = publicKey.join();
    if (notAfter < now - 3600) return last.get(key) ?? bytes;
    last.set(key, bytes);
    return bytes;
  };
}

interface ListenerMutation {
  readonly secure: (stream: SecureStream) => SecureStream;
  readonly route: (decision: RouteDecision) => RouteDecision;
}

function mapListener(listener: StreamListener, mutation: ListenerMutation): StreamListener {
  return {
    prepare: (identity) => listener.prepare(identity),
    listen: (role, port, handlers) =>
      listener.listen(role, port, {
        onAccept: (connection) => handlers.onAccept(connection),
        onActivity: (connection) => handlers.onActivity(connection),
        onGone: (connection, reason) => handlers.onGone(connection, reason),
        route: (at, hello, remote) => mutation.route(handlers.route(at, hello, remote)),
        onSecure: (stream, connection) => handlers.onSecure(mutation.secure(stream), connection),
      }),
  };
}

function mapMulticast(multicast: Multicast, rewrite: (message: DnsMessage) => DnsMessage | undefined): Multicast {
  /** What the device meant, by what was sent: it hears its own packets, and would take others for those of another device. */
  const meant = new Map<string, Uint8Array>();
  return {
    start: (handlers) =>
      multicast.start({
        onPacket: (packet, source) => handlers.onPacket(meant.get(packet.join()) ?? packet, source),
        onInterfaces: () => handlers.onInterfaces(),
        onError: (interfaceName, reason) => handlers.onError(interfaceName, reason),
      }),
    interfaces: () => multicast.interfaces(),
    close: () => multicast.close(),
    send: (interfaceName, packet, to) => {
      const message = decodeMessage(packet);
      const said = message.response ? rewrite(message) : message;
      if (said === undefined) return;
      const sent = encodeMessage(said);
      meant.set(sent.join(), packet);
      multicast.send(interfaceName, sent, to);
    },
  };
}

/** Of profile `draft`. */
const MAXIMUM = 65_536;

class MutantStream implements SecureStream {
  readonly kind: SecureStream['kind'];
  readonly remoteAddress: string;
  readonly peerCertificate: Uint8Array | undefined;
  readonly #stream: SecureStream;
  readonly #mutation: StreamMutation;
  readonly #reader = new FrameReader(MAXIMUM);

  constructor(stream: SecureStream, mutation: StreamMutation) {
    this.#stream = stream;
    this.#mutation = mutation;
    this.kind = stream.kind;
    this.remoteAddress = stream.remoteAddress;
    const { peerCertificate: seen } = stream;
    this.peerCertificate = seen === undefined ? undefined : (mutation.peerCertificate?.(seen) ?? seen);
  }

  exporter(label: string, length: number): Uint8Array {
    return this.#stream.exporter(label, length);
  }

  start(handlers: SecureStreamHandlers): void {
    const { inbound, lateClose = 0 } = this.#mutation;
    const reader = new FrameReader(MAXIMUM);
    this.#stream.start({
      onData: (bytes) => {
        if (inbound === undefined) handlers.onData(bytes);
        else this.#inbound(reader, bytes, inbound, handlers);
      },
      onClose: (reason) => {
        if (lateClose === 0 || this.kind !== 'operational') handlers.onClose(reason);
        else setTimeout(() => handlers.onClose(reason), lateClose);
      },
      onDrain: () => handlers.onDrain?.(),
    });
  }

  write(bytes: Uint8Array): boolean {
    const { outbound } = this.#mutation;
    if (outbound === undefined) return this.#stream.write(bytes);
    let room = true;
    this.#reader.push(bytes, (payload) =>
      this.#forward(payload, outbound, (frame) => {
        room = this.#stream.write(frame);
      }),
    );
    return room;
  }

  end(): void {
    this.#stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  /** A length that no frame has is passed on as one. */
  #inbound(reader: FrameReader, bytes: Uint8Array, inbound: Rewrite, handlers: SecureStreamHandlers): void {
    try {
      reader.push(bytes, (payload) => this.#forward(payload, inbound, (frame) => handlers.onData(frame)));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      handlers.onData(new Uint8Array(4));
    }
  }

  #forward(payload: Uint8Array, rewrite: Rewrite, onwards: (frame: Uint8Array) => void): void {
    let bytes: Uint8Array | undefined = payload;
    try {
      const value = rewrite(decodeCbor(payload), this.#stream);
      bytes = value === undefined ? undefined : encodeCbor(value);
    } catch (error) {
      if (!(error instanceof CborError)) throw error;
    }
    if (bytes === undefined) return;
    const frame = new Uint8Array(4 + bytes.length);
    new DataView(frame.buffer).setUint32(0, bytes.length);
    frame.set(bytes, 4);
    onwards(frame);
  }
}
