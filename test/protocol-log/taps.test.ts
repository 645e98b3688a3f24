import { describe, expect, it } from 'vitest';
import { concat } from '../../src/codec/bytes.js';
import { encodeCbor } from '../../src/codec/cbor.js';
import { encodeFrame } from '../../src/codec/frame.js';
import { encodeMessage, queryMessage, responseMessage } from '../../src/discovery/message.js';
import { nameOf } from '../../src/discovery/name.js';
import type { ListenerHandlers, PendingConnection, SecureStream, StreamListener } from '../../src/platform.js';
import { type LogEvent, tapped } from '../../src/protocol-log/index.js';
import { Secret } from '../../src/secret.js';
import { settle, VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';
import { VirtualLink, VirtualMulticast } from '../world/network.js';
import { decodeLog } from '../world/protocol-log.js';
import { streamPair } from '../world/stream-pair.js';

const ABOUT = { firmware: '0.1.0', board: 'sim-evse', profile: 'draft' };

function world(limit = Number.POSITIVE_INFINITY) {
  const written: Uint8Array[] = [];
  let room = limit;
  const sink = {
    append: (entry: Uint8Array): boolean => {
      if (room-- <= 0) return false;
      written.push(entry);
      return true;
    },
    refill: (entries: number): void => {
      room = entries;
    },
  };
  const clock = new VirtualClock(1_790_000_000_000);
  const log = new MemoryLog();
  let handlers: ListenerHandlers | undefined;
  const listener: StreamListener = {
    listen: async (_role, port, given) => {
      handlers = given;
      return { port, close: async () => undefined };
    },
    prepare: () => undefined,
  };
  const multicast = new VirtualMulticast([{ name: 'eth0', link: new VirtualLink(clock), addresses: ['fe80::1/64'] }]);
  const ports = tapped({ clock, log, listener, multicast }, ABOUT, sink);
  const events = (): readonly LogEvent[] => decodeLog(concat(...written)).entries.map(({ event }) => event);
  return { ports, events, sink, log, multicast, clock, handlers: () => handlers as ListenerHandlers };
}

const READ = new Map([[1, 7]]);
const frame = (value: Parameters<typeof encodeFrame>[0]): Uint8Array => Uint8Array.from(encodeFrame(value, 65_536) as Uint8Array);

async function connection(kind: 'commissioning' | 'operational' = 'operational') {
  const all = world();
  const pair = streamPair({ kind });
  let inner: SecureStream | undefined;
  const received: Uint8Array[] = [];
  const handlers: ListenerHandlers = {
    onAccept: () => true,
    onActivity: () => undefined,
    route: () => ({ kind: 'refuse', alert: 120, reason: '' }),
    onSecure: (stream) => {
      inner = stream;
      stream.start({ onData: (bytes) => void received.push(bytes.slice()), onClose: () => undefined });
    },
    onGone: () => undefined,
  };
  await all.ports.listener.listen('operational', 1, handlers);
  all.handlers().onSecure(pair.device, { remoteAddress: 'fe80::2%lo', destroy: () => undefined } satisfies PendingConnection);
  pair.peer.start({ onData: () => undefined, onClose: () => undefined });
  return { ...all, peer: pair.peer, device: inner as SecureStream, received };
}

describe('what passes the listener', () => {
  it('is recorded frame by frame in both directions, however it was cut, and reaches the core unchanged', async () => {
    const { peer, device, events, received } = await connection();
    const bytes = concat(frame(READ), frame(READ));
    for (const cut of [bytes.subarray(0, 3), bytes.subarray(3, 9), bytes.subarray(9)]) {
      peer.write(cut);
      await settle();
    }
    device.write(
      frame(
        new Map([
          [1, 7],
          [2, 0],
        ]),
      ),
    );
    await settle();
    expect(concat(...received)).toEqual(bytes);
    const payload = encodeCbor(READ);
    expect(events()).toEqual([
      { kind: 'start', ...ABOUT },
      { kind: 'open', connection: 1, channel: 'operational', remote: 'fe80::2%lo' },
      { kind: 'frame', connection: 1, direction: 'in', size: payload.length, payload, masked: false },
      { kind: 'frame', connection: 1, direction: 'in', size: payload.length, payload, masked: false },
      {
        kind: 'frame',
        connection: 1,
        direction: 'out',
        size: 5,
        payload: encodeCbor(
          new Map([
            [1, 7],
            [2, 0],
          ]),
        ),
        masked: false,
      },
    ]);
  });

  it('is recorded with its secrets masked', async () => {
    const { peer, events } = await connection('commissioning');
    peer.write(
      frame(
        new Map<number, string | Uint8Array>([
          [1, 'pase_verify'],
          [2, Uint8Array.of(1, 2, 3)],
        ]),
      ),
    );
    await settle();
    const payload = encodeCbor(
      new Map([
        [1, 'pase_verify'],
        [2, '[masked, 3 bytes]'],
      ]),
    );
    expect(events().at(-1)).toMatchObject({ size: 19, payload, masked: true });
  });

  it('is recorded where it is no CBOR, with its first 4 bytes alone, and so is a bad prefix', async () => {
    const { peer, events } = await connection();
    const garbage = new Uint8Array(100).fill(0xff);
    peer.write(concat(Uint8Array.of(0, 0, 0, 100), garbage, new Uint8Array(4)));
    await settle();
    const [unreadable, prefix] = events().slice(-2);
    expect(unreadable).toMatchObject({ kind: 'frame', size: 100, payload: garbage.slice(0, 4), error: expect.any(String) });
    expect(prefix).toMatchObject({ kind: 'frame', size: 0, error: 'frame of length 0' });
  });

  it('ends with one close, whoever closed', async () => {
    const { device, events } = await connection();
    device.destroy();
    await settle();
    expect(events().filter(({ kind }) => kind === 'close')).toEqual([{ kind: 'close', connection: 1, reason: 'closed by the device' }]);
    const other = await connection();
    other.peer.end();
    await settle();
    expect(other.events().filter(({ kind }) => kind === 'close')).toHaveLength(1);
  });
});

describe('what passes Multicast DNS', () => {
  it('is recorded record by record: all of ours, and of the others what names this protocol', async () => {
    const { ports, events, multicast, clock } = world();
    await ports.multicast.start({ onPacket: () => undefined, onInterfaces: () => undefined, onError: () => undefined });
    const name = nameOf('MASH-77._mash-comm._tcp.local');
    const aaaa = {
      name: nameOf('mash-1.local'),
      type: 'AAAA',
      class: 1,
      flush: true,
      ttl: 120,
      address: Uint8Array.from([0xfd, ...Array(14).fill(0), 1]),
    } as const;
    ports.multicast.send('eth0', encodeMessage(responseMessage({ answers: [aaaa] })));
    const from = { interfaceName: 'eth0', address: 'fe80::9', port: 5353 };
    multicast.deliver(encodeMessage(queryMessage({ questions: [{ name, type: 33, class: 1, unicast: true }] })), from);
    multicast.deliver(
      encodeMessage(queryMessage({ questions: [{ name: nameOf('printer.local'), type: 1, class: 1, unicast: false }] })),
      from,
    );
    multicast.deliver(new TextEncoder().encode('mash, but no DNS'), from);
    await clock.advance(0);
    expect(events().slice(1)).toEqual([
      { kind: 'dns', direction: 'out', interface: 'eth0', peer: 'group', questions: [], records: ['mash-1.local AAAA 120 flush fd00::1'] },
      {
        kind: 'dns',
        direction: 'in',
        interface: 'eth0',
        peer: 'fe80::9 port 5353',
        questions: ['MASH-77._mash-comm._tcp.local SRV unicast'],
        records: [],
      },
    ]);
  });
});

describe('what the device logs', () => {
  it('is recorded with scope and fields, secrets masked, and still logged', () => {
    const { ports, events, log } = world();
    ports.log
      .scoped('session')
      .debug('zone connected', { code: new Secret(Uint8Array.of(1)), at: 1.5, list: [{ a: null }], bytes: Uint8Array.of(9) });
    expect(events().at(-1)).toEqual({
      kind: 'state',
      level: 'debug',
      scope: 'session',
      text: 'zone connected',
      fields: new Map<string, unknown>([
        ['at', '1.5'],
        ['code', '[secret]'],
        ['list', [new Map([['a', null]])]],
        ['bytes', Uint8Array.of(9)],
      ]),
    });
    expect(log.lines).toMatchObject([{ level: 'debug', scope: 'session', message: 'zone connected' }]);
  });
});

describe('a sink that is full', () => {
  it('loses entries, and the log says how many', () => {
    const { ports, events, sink } = world(2);
    for (let i = 0; i < 5; i++) ports.log.info(`line ${i}`);
    sink.refill(10);
    ports.log.info('after');
    expect(events().map((event) => (event.kind === 'state' ? event.text : event.kind === 'dropped' ? event.entries : event.kind))).toEqual([
      'start',
      'line 0',
      4,
      'after',
    ]);
  });
});
