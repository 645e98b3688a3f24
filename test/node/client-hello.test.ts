import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/codec/bytes.js';
import { type HelloOutcome, MAX_CLIENT_HELLO, readClientHello } from '../../src/node/client-hello.js';
import type { ClientHello } from '../../src/platform.js';
import { SeededEntropy } from '../world/entropy.js';

/** The first bytes that Node's TLS client writes. */
async function capture(options: tls.ConnectionOptions): Promise<Uint8Array> {
  let wrote: (bytes: Uint8Array) => void = () => {};
  const first = new Promise<Uint8Array>((resolve) => {
    wrote = resolve;
  });
  const wire = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      wrote(Uint8Array.from(chunk));
      done();
    },
  });
  const socket = tls.connect({ socket: wire, rejectUnauthorized: false, ...options });
  const bytes = await first;
  socket.destroy();
  return bytes;
}

const DEVICE = 'A66A8E4255CC3C8E.local';
const operational = await capture({ ALPNProtocols: ['mash/1'], servername: DEVICE });

/** The handshake message inside of one record. */
function messageOf(record: Uint8Array): Uint8Array {
  return record.subarray(5);
}
function record(payload: Uint8Array, type = 22): Uint8Array {
  return concat(Uint8Array.of(type, 3, 1, payload.length >> 8, payload.length & 0xff), payload);
}
function inRecords(message: Uint8Array, size: number): Uint8Array {
  const records: Uint8Array[] = [];
  for (let at = 0; at < message.length; at += size) records.push(record(message.subarray(at, at + size)));
  return concat(...records);
}

describe('what Node sends', () => {
  it.each<readonly [string, tls.ConnectionOptions, ClientHello]>([
    ['one protocol and a name', { ALPNProtocols: ['mash/1'], servername: DEVICE }, { serverName: DEVICE, alpn: ['mash/1'], tls13: true }],
    [
      'both protocols',
      { ALPNProtocols: ['mash/1', 'mash-comm/1'], servername: 'x' },
      { serverName: 'x', alpn: ['mash/1', 'mash-comm/1'], tls13: true },
    ],
    ['no name', { ALPNProtocols: ['mash-comm/1'] }, { serverName: undefined, alpn: ['mash-comm/1'], tls13: true }],
    ['no protocol', { servername: 'a.example' }, { serverName: 'a.example', alpn: [], tls13: true }],
    ['TLS 1.2 alone', { ALPNProtocols: ['mash/1'], maxVersion: 'TLSv1.2' }, { serverName: undefined, alpn: ['mash/1'], tls13: false }],
    ['TLS 1.3 alone', { ALPNProtocols: ['mash/1'], minVersion: 'TLSv1.3' }, { serverName: undefined, alpn: ['mash/1'], tls13: true }],
    ['one group', { ALPNProtocols: ['mash/1'], ecdhCurve: 'P-256' }, { serverName: undefined, alpn: ['mash/1'], tls13: true }],
    [
      'many protocols',
      { ALPNProtocols: Array.from({ length: 100 }, (_, i) => `protocol-${i}`) },
      { serverName: undefined, alpn: Array.from({ length: 100 }, (_, i) => `protocol-${i}`), tls13: true },
    ],
  ])('%s', async (_what, options, hello) => {
    expect(readClientHello(await capture(options))).toEqual({ kind: 'hello', hello });
  });
});

describe('pieces', () => {
  const whole = readClientHello(operational);

  it('are incomplete up to the last byte', () => {
    for (let length = 0; length < operational.length; length++)
      expect(readClientHello(operational.subarray(0, length))).toEqual({ kind: 'incomplete' });
    expect(whole).toMatchObject({ kind: 'hello', hello: { serverName: DEVICE } });
  });

  it('that follow do not matter', () => {
    expect(readClientHello(concat(operational, Uint8Array.of(20, 3, 3, 0, 1, 1)))).toEqual(whole);
    expect(readClientHello(concat(operational, Uint8Array.of(0xff)))).toEqual(whole);
  });

  it.each([1, 2, 3, 4, 7, 100, 300])('may be records of %i bytes', (size) => {
    expect(readClientHello(inRecords(messageOf(operational), size))).toEqual(whole);
  });

  it('may be one byte of the message in the first record', () => {
    const message = messageOf(operational);
    const bytes = concat(record(message.subarray(0, 1)), record(message.subarray(1)));
    for (let length = 0; length < bytes.length; length++) expect(readClientHello(bytes.subarray(0, length)).kind).toBe('incomplete');
    expect(readClientHello(bytes)).toEqual(whole);
  });
});

/** A ClientHello with these extensions. */
function hello(...extensions: readonly (readonly [type: number, body: readonly number[]])[]): Uint8Array {
  const block = extensions.flatMap(([type, body]) => [type >> 8, type & 0xff, body.length >> 8, body.length & 0xff, ...body]);
  return helloWith([block.length >> 8, block.length & 0xff, ...block]);
}
function helloWith(tail: readonly number[]): Uint8Array {
  const body = [3, 3, ...Array<number>(32).fill(7), 0, 0, 2, 0x13, 0x01, 1, 0, ...tail];
  return record(Uint8Array.from([1, body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff, ...body]));
}
function text(name: string): number[] {
  return [...Buffer.from(name, 'latin1')];
}
const reason = (outcome: HelloOutcome): string => (outcome.kind === 'malformed' ? outcome.reason : outcome.kind);

describe('extensions', () => {
  it('may be missing altogether, as in old clients', () => {
    expect(readClientHello(helloWith([]))).toEqual({ kind: 'hello', hello: { serverName: undefined, alpn: [], tls13: false } });
    expect(readClientHello(hello())).toEqual({ kind: 'hello', hello: { serverName: undefined, alpn: [], tls13: false } });
  });

  it('that are not known are skipped', () => {
    const known = [16, [0, 7, 6, ...text('mash/1')]] as const;
    expect(readClientHello(hello([0x0a0a, []], [0xffff, [1, 2, 3]], known, [51, Array<number>(2000).fill(0)]))).toMatchObject({
      hello: { alpn: ['mash/1'] },
    });
  });

  it('supported_versions is searched among GREASE values', () => {
    expect(readClientHello(hello([43, [6, 0x7a, 0x7a, 3, 4, 3, 3]]))).toMatchObject({ hello: { tls13: true } });
    expect(readClientHello(hello([43, [4, 0x7a, 0x7a, 3, 3]]))).toMatchObject({ hello: { tls13: false } });
    expect(readClientHello(hello([43, [3, 3, 3, 3]]))).toMatchObject({ hello: { tls13: false } });
  });

  it('server_name is the first host name; other name types are skipped', () => {
    const names = [1, 0, 2, 9, 9, 0, 0, 1, ...text('a'), 0, 0, 1, ...text('b')];
    expect(readClientHello(hello([0, [0, names.length, ...names]]))).toMatchObject({ hello: { serverName: 'a' } });
    expect(readClientHello(hello([0, [0, 5, 1, 0, 2, 9, 9]]))).toMatchObject({ hello: { serverName: undefined } });
  });

  it('names are bytes, whatever they are', () => {
    expect(readClientHello(hello([16, [0, 4, 3, 0, 0xff, 0x0a]]))).toMatchObject({ hello: { alpn: ['\0\xff\n'] } });
    expect(readClientHello(hello([16, [0, 1, 0]]))).toMatchObject({ hello: { alpn: [''] } });
  });

  it.each<readonly [string, readonly (readonly [number, readonly number[]])[]]>([
    ['an ALPN list longer than its extension', [[16, [0, 9, 6, ...text('mash/1')]]]],
    ['an ALPN name longer than its list', [[16, [0, 7, 9, ...text('mash/1')]]]],
    ['an empty ALPN extension', [[16, []]]],
    ['half a length', [[16, [0]]]],
    ['a server name longer than its list', [[0, [0, 4, 0, 0, 9, 1]]]],
    ['a server name without length', [[0, [0, 1, 0]]]],
    ['an empty supported_versions', [[43, []]]],
    ['versions longer than their extension', [[43, [9, 3, 4]]]],
  ])('%s is malformed', (_what, extensions) => {
    expect(reason(readClientHello(hello(...extensions)))).toBe('truncated inside the ClientHello');
  });

  it.each([
    ['an extension longer than the block', [0, 5, 0, 16, 0, 9, 1]],
    ['a block longer than the message', [0, 9, 0, 16, 0, 0]],
    ['half a block length', [0]],
  ])('%s is malformed', (_what, tail) => {
    expect(reason(readClientHello(helloWith(tail)))).toBe('truncated inside the ClientHello');
  });
});

describe('what is no ClientHello', () => {
  it.each<readonly [string, Uint8Array, string]>([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), 'not a TLS handshake record'],
    ['one foreign byte', Uint8Array.of(0), 'not a TLS handshake record'],
    ['an alert', Uint8Array.of(21, 3, 3, 0, 2, 1, 0), 'not a TLS handshake record'],
    ['SSL 2', Uint8Array.of(0x80, 0x2e, 1, 3, 1), 'not a TLS handshake record'],
    ['a record of another protocol', Uint8Array.of(22, 2), 'not a TLS record'],
    ['an empty record', Uint8Array.of(22, 3, 1, 0, 0), 'record of a wrong length'],
    ['a record above 2^14', Uint8Array.of(22, 3, 1, 0x40, 1), 'record of a wrong length'],
    ['a ServerHello', record(Uint8Array.of(2, 0, 0, 9)), 'not a ClientHello'],
    [
      'another record inside of the message',
      concat(record(Uint8Array.of(1, 0, 2, 0)), record(Uint8Array.of(1, 0), 21)),
      'not a TLS handshake record',
    ],
    ['more than allowed', record(Uint8Array.of(1, 0, 0x40, 0x01)), 'ClientHello longer than allowed'],
    ['16 MiB promised', record(Uint8Array.of(1, 0xff, 0xff, 0xff)), 'ClientHello longer than allowed'],
    ['an empty message', record(Uint8Array.of(1, 0, 0, 0)), 'truncated inside the ClientHello'],
  ])('%s: %j', (_what, bytes, expected) => {
    expect(reason(readClientHello(bytes))).toBe(expected);
  });

  it('a hello of exactly the maximum is read', () => {
    const fixed = helloWith([]).length - 5;
    // Extension block and head of one extension: six bytes.
    const body = Array<number>(MAX_CLIENT_HELLO - fixed - 6).fill(0);
    expect(messageOf(hello([21, body]))).toHaveLength(MAX_CLIENT_HELLO);
    expect(readClientHello(inRecords(messageOf(hello([21, body])), 16_000)).kind).toBe('hello');
    expect(reason(readClientHello(inRecords(messageOf(hello([21, [...body, 0]])), 16_000)))).toBe('ClientHello longer than allowed');
  });

  it('random bytes and mutations of real ones throw nothing', () => {
    const entropy = new SeededEntropy(8446);
    const kinds = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const bytes = i % 4 === 0 ? concat(Uint8Array.of(22, 3, 1, 0), entropy.bytes(entropy.below(80))) : operational.slice();
      for (let changes = entropy.below(6); changes > 0; changes--) bytes[entropy.below(bytes.length)] = entropy.below(256);
      const { kind } = readClientHello(bytes.subarray(0, entropy.below(3) === 0 ? entropy.below(bytes.length) : bytes.length));
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    expect([...kinds.keys()].sort()).toEqual(['hello', 'incomplete', 'malformed']);
  });
});
