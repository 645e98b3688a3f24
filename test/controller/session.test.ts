import { beforeEach, describe, expect, it } from 'vitest';
import type { CborValue } from '../../src/codec/cbor.js';
import { ControllerSession } from '../../src/controller/session.js';
import { settle, VirtualClock } from '../world/clock.js';
import { FramePeer, streamPair } from '../world/stream-pair.js';

let clock: VirtualClock;
let device: FramePeer;
let session: ControllerSession;

function open(dialect: 'draft' | 'reference'): void {
  clock = new VirtualClock();
  const pair = streamPair();
  device = new FramePeer(pair.device);
  session = new ControllerSession(pair.peer, dialect, clock);
}
beforeEach(() => open('draft'));

const map = (...entries: [number | string, CborValue][]): CborValue => new Map(entries);
const values = (text: string): CborValue => map([4, text]);

describe('read', () => {
  it('sends the request of protocol.md §3, all attributes where none are named', async () => {
    void session.read(0, 1);
    void session.read(1, 4, [10, 11]);
    await settle();
    expect(device.take()).toEqual([map([1, 1000], [2, 1], [3, 0], [4, 1]), map([1, 1001], [2, 1], [3, 1], [4, 4], [5, [10, 11]])]);
  });

  it('matches answers in any order to several requests in flight', async () => {
    const [first, second] = [session.read(0, 1), session.read(0, 1)];
    await settle();
    device.send(map([1, 1001], [2, 0], [3, values('second')]));
    device.send(map([1, 1000], [2, 0], [3, values('first')]));
    expect(await first).toEqual(values('first'));
    expect(await second).toEqual(values('second'));
  });

  it.each([
    [2, 'UNKNOWN_FEATURE'],
    [9, 'BUSY'],
    [77, 'status 77'],
  ])('names status %i', async (status, name) => {
    const read = session.read(0, 2);
    const expected = expect(read).rejects.toMatchObject({
      code: 'REFUSED',
      details: { status: name },
      message: expect.stringContaining('why'),
    });
    await settle();
    device.send(map([1, 1000], [2, status], [3, map([1, 'why'])]));
    await expected;
  });

  it('refuses an answer without values', async () => {
    const expected = expect(session.read(0, 1)).rejects.toMatchObject({ code: 'PROTOCOL' });
    await settle();
    device.send(map([1, 1000], [2, 0]));
    await expected;
  });

  it('gives up after 10 s', async () => {
    const expected = expect(session.read(0, 1)).rejects.toMatchObject({ code: 'TIMEOUT' });
    await clock.advance(10_000);
    await expected;
  });

  it('ends with the connection, and is refused after it', async () => {
    const reads = [session.read(0, 1), session.read(0, 1)].map((read) => expect(read).rejects.toMatchObject({ code: 'CONNECTION_LOST' }));
    await settle();
    device.stream.destroy();
    await Promise.all(reads);
    expect(session.open).toBe(false);
    await expect(session.read(0, 1)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await expect(session.ping()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(clock.pending()).toEqual([]);
  });
});

describe.each([
  ['draft', map(['type', 'ping'], ['seq', 1]), map(['type', 'pong'], ['seq', 1])],
  ['reference', map([1, 1], [2, 1]), map([1, 2], [2, 1])],
] as const)('ping in the %s dialect', (dialect, ping, pong) => {
  beforeEach(() => open(dialect));

  it('measures the time to its own pong', async () => {
    const time = session.ping();
    await clock.advance(7);
    expect(device.take()).toEqual([ping]);
    device.send(pong);
    expect(await time).toBe(7);
    expect(clock.pending()).toEqual([]);
  });

  it('of the device is answered', async () => {
    device.send(ping);
    await settle();
    expect(device.take()).toEqual([pong]);
  });

  it('without a pong fails after 5 s', async () => {
    const expected = expect(session.ping()).rejects.toMatchObject({ code: 'TIMEOUT' });
    await clock.advance(5000);
    await expected;
  });
});

describe('what the device sends on its own', () => {
  it('a Read in place of a ping gets an answer', async () => {
    device.send(map([1, 1000], [2, 1], [3, 0], [4, 1]));
    await settle();
    expect(device.take()).toEqual([map([1, 1000], [2, 10], [3, map([1, 'a controller has no attributes'])])]);
  });

  it('an unknown response, a notification and a broken map change nothing', async () => {
    const read = session.read(0, 1);
    await settle();
    for (const value of [map([1, 5], [2, 0]), map([1, 0], [2, 1], [3, 0], [4, 1], [5, map()]), map([9, 9]), 'text']) device.send(value);
    device.send(map([1, 1000], [2, 0], [3, values('still')]));
    expect(await read).toEqual(values('still'));
  });

  it('what is no CBOR ends the connection', async () => {
    device.sendPayload(Uint8Array.of(0xff));
    await settle();
    expect(session.open).toBe(false);
  });
});

describe('close', () => {
  it('waits for close_ack, and for the end', async () => {
    const closed = session.close('done');
    void session.close();
    await settle();
    expect(device.take()).toEqual([map(['type', 'close'], ['reason', 'done'])]);
    device.send(map(['type', 'close_ack']));
    await closed;
    expect(device.closed).toBe('closed by the peer');
    expect(clock.pending()).toEqual([]);
  });

  it('closes anyway after 5 s', async () => {
    const closed = session.close();
    await clock.advance(4999);
    expect(session.open).toBe(true);
    await clock.advance(1);
    await closed;
    expect(session.open).toBe(false);
  });

  it('of the device is acknowledged', async () => {
    device.send(map(['type', 'close'], ['reason', 'bye']));
    await settle();
    expect(device.take()).toEqual([map(['type', 'close_ack'])]);
    expect(session.open).toBe(false);
    await session.close();
  });

  it('in numbers acknowledges with the same word, once', async () => {
    open('reference');
    const closed = session.close();
    await settle();
    expect(device.take()).toEqual([map([1, 3])]);
    device.send(map([1, 3]));
    await closed;
    expect(device.take()).toEqual([]);
  });
});
