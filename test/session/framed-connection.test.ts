import { describe, expect, it } from 'vitest';
import { concat } from '../../src/codec/bytes.js';
import type { CborValue } from '../../src/codec/cbor.js';
import { encodeFrame } from '../../src/codec/frame.js';
import { fromHex } from '../../src/codec/hex.js';
import { FramedConnection } from '../../src/session/framed-connection.js';
import { settle, VirtualClock } from '../world/clock.js';
import { FramePeer, type StreamPairOptions, streamPair } from '../world/stream-pair.js';

function connected(options: StreamPairOptions = {}, maximum = 1000, sendMaximum = maximum) {
  const pair = streamPair(options);
  const clock = new VirtualClock();
  const connection = new FramedConnection(pair.device, { clock, maximum, sendMaximum });
  const values: CborValue[] = [];
  const undecodable: string[] = [];
  const closed: string[] = [];
  let drained = 0;
  let onValue: (value: CborValue) => void = () => {};
  connection.start({
    onValue: (value) => {
      values.push(value);
      onValue(value);
    },
    onUndecodable: (error) => undecodable.push(error.message),
    onClose: (reason) => closed.push(reason),
    onDrain: () => {
      drained += 1;
    },
  });
  return {
    connection,
    clock,
    peer: new FramePeer(pair.peer),
    pair,
    values,
    undecodable,
    closed,
    drained: () => drained,
    onEach: (handler: (value: CborValue) => void) => {
      onValue = handler;
    },
  };
}

const frame = (value: CborValue): Uint8Array => encodeFrame(value, 1000) ?? new Uint8Array(0);

describe('FramedConnection', () => {
  it('delivers values and goes on after a payload that is not CBOR', async () => {
    const { peer, values, undecodable, connection } = connected();
    peer.send(1);
    peer.sendPayload(fromHex('a201000100'));
    peer.send([2]);
    await settle();
    expect(values).toEqual([1, [2]]);
    expect(undecodable).toEqual(['duplicate map key 1']);
    expect(connection.open).toBe(true);
  });

  it('says what became of a value sent', async () => {
    const { connection, peer, pair } = connected({ highWater: 50 }, 1000, 40);
    expect(connection.send(new Uint8Array(38))).toBe('sent');
    expect(connection.send(new Uint8Array(39))).toBe('tooLarge');
    expect(connection.send(new Uint8Array(10))).toBe('full');
    await settle();
    expect(peer.received).toHaveLength(2);
    pair.device.destroy();
    connection.destroy('test');
    expect(connection.send(0)).toBe('closed');
  });

  it('tells when a slow peer has caught up', async () => {
    const { connection, peer, pair, drained } = connected({ highWater: 50 });
    pair.peer.pause();
    expect(connection.send(new Uint8Array(100))).toBe('full');
    await settle();
    expect(drained()).toBe(0);
    pair.peer.resume();
    await settle();
    expect(peer.received).toHaveLength(1);
    expect(drained()).toBe(1);
  });

  it.each([
    ['00000000', 'frame of length 0'],
    ['000003e9', 'frame of 1001 bytes, at most 1000 are allowed'],
  ])('a length of %s closes after what was due before it is flushed', async (prefix, reason) => {
    const { connection, peer, closed, values, onEach } = connected();
    onEach((value) => connection.send(['echo', value]));
    peer.sendBytes(concat(frame(1), frame(2), fromHex(prefix), frame(3)));
    await settle();
    expect(values).toEqual([1, 2]);
    expect(peer.received).toEqual([
      ['echo', 1],
      ['echo', 2],
    ]);
    expect(peer.closed).toBe('closed by the peer');
    expect(closed).toEqual([reason]);
    expect(connection.open).toBe(false);
  });

  it('calls nothing after it is destroyed, even in the middle of a chunk', async () => {
    const { connection, peer, values, closed, onEach } = connected();
    onEach(() => connection.destroy('enough'));
    peer.sendBytes(concat(frame(1), frame(2), fromHex('00000000')));
    await settle();
    expect(values).toEqual([1]);
    expect(closed).toEqual(['enough']);
    expect(peer.closed).toBe('ECONNRESET');
    connection.destroy('again');
    connection.end();
    expect(closed).toEqual(['enough']);
  });

  it('is told once that the peer has gone', async () => {
    const { connection, peer, closed } = connected();
    peer.send(1);
    peer.stream.end();
    await settle();
    expect(closed).toEqual(['closed by the peer']);
    expect(connection.open).toBe(false);
    expect(peer.closed).toBe('closed by the peer');
  });

  it('end flushes, and is over when the peer has closed too', async () => {
    const { connection, peer, closed } = connected();
    connection.send('last');
    connection.end();
    expect(connection.open).toBe(true);
    await settle();
    expect(peer.received).toEqual(['last']);
    expect(closed).toEqual(['closed by the peer']);
  });

  it.each<readonly [string, (world: ReturnType<typeof connected>) => void, readonly string[]]>([
    ['our end', ({ connection }) => connection.end(), []],
    ['a bad length', ({ peer }) => peer.sendBytes(fromHex('00000000')), ['frame of length 0']],
  ])('a peer that keeps its side up after %s is cut off after 5 s', async (_what, end, told) => {
    const world = connected();
    world.pair.peer.stubborn = true;
    end(world);
    await world.clock.advance(4999);
    expect([world.closed, world.pair.device.closed]).toEqual([told, false]);
    await world.clock.advance(1);
    expect([world.closed, world.pair.device.closed]).toEqual([told.length === 0 ? ['the peer did not close'] : told, true]);
    expect(world.clock.pending()).toEqual([]);
  });
});
