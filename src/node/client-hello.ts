import type { ClientHello } from '../platform.js';

/** A ClientHello is read whole before the handshake starts: at most this many bytes. */
export const MAX_CLIENT_HELLO = 16 * 1024;

const RECORD_HEADER = 5;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;
const SUPPORTED_VERSIONS = 43;
const TLS13 = 0x0304;

export type HelloOutcome =
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string };

class Malformed extends Error {}

/** Reads what arrived so far (RFC 8446 §4.1.2, §5.1): a hello may be spread over segments and over records. Never throws. */
export function readClientHello(bytes: Uint8Array): HelloOutcome {
  try {
    const message = handshakeMessage(bytes);
    return message === undefined ? { kind: 'incomplete' } : { kind: 'hello', hello: parse(new Cursor(message)) };
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'malformed', reason: error.message };
    throw error;
  }
}

/** The body of the first handshake message, joined from its records; undefined while it is incomplete. */
function handshakeMessage(bytes: Uint8Array): Uint8Array | undefined {
  const joined = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== HANDSHAKE_RECORD) throw new Malformed('not a TLS handshake record');
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) throw new Malformed('not a TLS record');
    if (at + RECORD_HEADER > bytes.length) break;
    const size = ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number);
    if (size === 0 || size > 16_384) throw new Malformed('record of a wrong length');
    const part = bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + size);
    joined.set(part, length);
    length += part.length;
    if (length >= 1 && joined[0] !== CLIENT_HELLO) throw new Malformed('not a ClientHello');
    if (length >= 4) {
      const due = 4 + (((joined[1] as number) << 16) | ((joined[2] as number) << 8) | (joined[3] as number));
      if (due > MAX_CLIENT_HELLO) throw new Malformed('ClientHello longer than allowed');
      if (length >= due) return joined.subarray(4, due);
    }
    at += RECORD_HEADER + size;
  }
  return undefined;
}

function parse(cursor: Cursor): ClientHello {
  cursor.skip(2 + 32); // legacy_version, random
  cursor.vector(1); // legacy_session_id
  cursor.vector(2); // cipher_suites
  cursor.vector(1); // legacy_compression_methods
  let serverName: string | undefined;
  let alpn: string[] = [];
  let tls13 = false;
  if (cursor.rest > 0) {
    const extensions = new Cursor(cursor.vector(2));
    while (extensions.rest > 0) {
      const type = extensions.uint(2);
      const body = new Cursor(extensions.vector(2));
      if (type === SERVER_NAME) serverName = firstHostName(body);
      else if (type === ALPN) alpn = protocols(body);
      else if (type === SUPPORTED_VERSIONS) tls13 = offers13(body);
    }
  }
  return { serverName, alpn, tls13 };
}

function firstHostName(body: Cursor): string | undefined {
  const list = new Cursor(body.vector(2));
  while (list.rest > 0) {
    const type = list.uint(1);
    const name = list.vector(2);
    if (type === 0) return latin1(name);
  }
  return undefined;
}

function protocols(body: Cursor): string[] {
  const list = new Cursor(body.vector(2));
  const names: string[] = [];
  while (list.rest > 0) names.push(latin1(list.vector(1)));
  return names;
}

function offers13(body: Cursor): boolean {
  const list = new Cursor(body.vector(1));
  while (list.rest > 1) if (list.uint(2) === TLS13) return true;
  return false;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get rest(): number {
    return this.#bytes.length - this.#at;
  }

  skip(length: number): void {
    if (length > this.rest) throw new Malformed('truncated inside the ClientHello');
    this.#at += length;
  }

  uint(length: number): number {
    const start = this.#at;
    this.skip(length);
    let value = 0;
    for (let i = start; i < this.#at; i++) value = value * 256 + (this.#bytes[i] as number);
    return value;
  }

  vector(lengthBytes: number): Uint8Array {
    const length = this.uint(lengthBytes);
    const start = this.#at;
    this.skip(length);
    return this.#bytes.subarray(start, this.#at);
  }
}
