import { describe, expect, it } from 'vitest';
import { concat } from '../../src/codec/bytes.js';
import type { CborKey, CborValue } from '../../src/codec/cbor.js';
import { encodeFrame } from '../../src/codec/frame.js';
import { fromHex } from '../../src/codec/hex.js';
import { ShapeError } from '../../src/codec/shape.js';
import { FramedConnection } from '../../src/session/framed-connection.js';
import { OperationalSession, type OperationalSettings } from '../../src/session/operational-session.js';
import { type Answer, encodeRequest, errorResponse, type Request, type Response } from '../../src/session/wire.js';
import { settle, VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';
import { FramePeer, streamPair } from '../world/stream-pair.js';

const DRAFT: OperationalSettings = {
  form: 'text',
  keepAlive: { interval: 30_000, timeout: 5000, missed: 3, mode: 'always' },
  closeTimeout: 5000,
};
const REFERENCE: OperationalSettings = {
  ...DRAFT,
  form: 'number',
  keepAlive: { interval: 30_000, timeout: 5000, missed: 3, mode: 'silence' },
};
const TCP: OperationalSettings = { ...REFERENCE, keepAlive: undefined };

const SUCCESS = (request: Request): Response => ({ id: request.id, status: 0, payload: new Map([[1, 'value']]) });

function session(
  settings: OperationalSettings = DRAFT,
  respond: ((request: Request) => Response) | 'later' = SUCCESS,
  maximum = 65_536,
  sendMaximum = maximum,
) {
  const clock = new VirtualClock();
  const { device, peer } = streamPair();
  const requests: Request[] = [];
  const answers: Answer[] = [];
  const closed: string[] = [];
  const renewals: unknown[] = [];
  const log = new MemoryLog();
  const operational = new OperationalSession(new FramedConnection(device, { clock, maximum, sendMaximum }), settings, clock, log, {
    onRequest: (request, answer) => {
      requests.push(request);
      answers.push(answer);
      if (respond !== 'later') answer(respond(request));
    },
    onRenewal: (message) => {
      if (message.get(2) === undefined) throw new ShapeError('message 30 key 2, nonce: bytes are due');
      renewals.push(message.get(1));
      return map([1, 33], [2, 4], [3, 0]);
    },
    onClose: (reason) => closed.push(reason),
  });
  operational.start();
  return { clock, operational, peer: new FramePeer(peer), requests, answers, renewals, closed, log };
}

function map(...entries: readonly (readonly [CborKey, CborValue])[]): Map<CborKey, CborValue> {
  return new Map(entries);
}
function readRequest(id: number): Map<CborKey, CborValue> {
  return map(...encodeRequest({ id, operation: 1, endpoint: 0, feature: 1, payload: undefined }));
}
const ping = (sequence: number) => map(['type', 'ping'], ['seq', sequence]);

describe('requests', () => {
  it('are answered one by one, whatever the order of the answers', async () => {
    const { peer, requests, answers } = session();
    peer.send(readRequest(1));
    peer.send(readRequest(0xffff_ffff));
    await settle();
    expect(requests.map(({ id }) => id)).toEqual([1, 0xffff_ffff]);
    expect(peer.take()).toEqual([map([1, 1], [2, 0], [3, map([1, 'value'])]), map([1, 0xffff_ffff], [2, 0], [3, map([1, 'value'])])]);
    expect(answers).toHaveLength(2);
  });

  it('may be answered later', async () => {
    const { peer, answers, clock } = session(TCP, 'later');
    peer.send(readRequest(8));
    peer.send(readRequest(9));
    await clock.advance(35_000);
    expect(peer.take()).toEqual([]);
    answers[1]?.({ id: 9, status: 0 });
    answers[0]?.({ id: 8, status: 0 });
    await settle();
    expect(peer.take()).toEqual([map([1, 9], [2, 0]), map([1, 8], [2, 0])]);
  });

  it('with a response larger than the peer takes are answered with status 13', async () => {
    const { peer } = session(REFERENCE, (request) => ({ id: request.id, status: 0, payload: new Uint8Array(request.id) }), 65_536, 8192);
    // {1:id, 2:0, 3:bytes} with a three-byte id has 11 bytes besides them.
    peer.send(readRequest(8192 - 11));
    peer.send(readRequest(8192 - 10));
    await settle();
    const [fits, refused] = peer.take();
    expect(fits).toEqual(map([1, 8181], [2, 0], [3, new Uint8Array(8181)]));
    expect(refused).toEqual(map([1, 8182], [2, 13], [3, map([1, expect.any(String)])]));
    expect(peer.closed).toBeUndefined();
  });

  it('with a response that was too large undo what nobody will hear of, and with others nothing', async () => {
    const { peer, answers } = session(REFERENCE, 'later', 65_536, 100);
    const undone: number[] = [];
    for (const [index, id] of [8, 9].entries()) {
      peer.send(readRequest(id));
      await settle();
      answers[index]?.({ id, status: 0, payload: new Uint8Array(id === 8 ? 200 : 10) }, () => undone.push(id));
    }
    await settle();
    expect(peer.take().map((answer) => (answer as ReturnType<typeof map>).get(2))).toEqual([13, 0]);
    expect(undone).toEqual([8]);
  });

  it('design.md: a value that has no CBOR is a bug of ours: status 13, logged, and the session goes on; of a notification nothing leaves', async () => {
    const { peer, operational, log, closed } = session(DRAFT, ({ id }) => ({ id, status: 0, payload: id === 8 ? 0.5 : 1 }));
    peer.send(readRequest(8));
    peer.send(readRequest(9));
    await settle();
    expect(operational.notify({ subscription: 1, endpoint: 1, feature: 4, values: map([1, 2 ** 53]) })).toBe('tooLarge');
    await settle();
    expect(peer.take().map((answer) => (answer as ReturnType<typeof map>).get(2))).toEqual([13, 0]);
    expect(closed).toEqual([]);
    expect(log.lines.filter(({ message }) => message === 'a message could not be written')).toHaveLength(2);
  });

  it('protocol.md §3: an error quotes no more of what the peer sent than fits into any message', async () => {
    const { peer } = session(REFERENCE, ({ id }) => errorResponse(id, 5, `${'x'.repeat(60_000)} is no attribute id`), 65_536, 8192);
    peer.send(readRequest(8));
    await settle();
    expect(peer.take()).toEqual([map([1, 8], [2, 5], [3, map([1, expect.stringContaining('xxx')])])]);
  });
});

describe('what a peer must not send', () => {
  it.each([
    ['a201000100', 0, 'duplicate map key 1'],
    ['ff', 0, 'break'],
    ['a1', 0, 'truncated'],
    ['f97e00', 0, 'NaN'],
    ['80', 0, 'a map is due'],
    ['a3010903000401', 9, 'Missing required field'],
    ['a401090201031901000401', 9, 'endpoint'],
  ])('%s is answered with status 5 and the connection stays', async (hex, id, text) => {
    const { peer, closed } = session();
    peer.sendPayload(fromHex(hex));
    peer.send(readRequest(5));
    await settle();
    expect(peer.take()).toEqual([
      map([1, id], [2, 5], [3, map([1, expect.stringContaining(text)])]),
      map([1, 5], [2, 0], [3, map([1, 'value'])]),
    ]);
    expect(closed).toEqual([]);
  });

  it.each(['00000000', '00010001', 'ffffffff'])('a length of %s closes after the answers before it', async (prefix) => {
    const { peer, closed } = session();
    peer.sendBytes(concat(encodeFrame(readRequest(3), 100) ?? new Uint8Array(0), fromHex(prefix)));
    await settle();
    expect(peer.take()).toEqual([map([1, 3], [2, 0], [3, map([1, 'value'])])]);
    expect(peer.closed).toBe('closed by the peer');
    expect(closed).toEqual([expect.stringContaining('frame of')]);
  });

  it('responses to nothing of ours and notifications are ignored', async () => {
    const { peer, requests, closed } = session();
    peer.send(map([1, 77], [2, 0], [3, map()]));
    peer.send(map([1, 1000], [2, 0]));
    peer.send(map([1, 0], [2, 1], [3, 1], [4, 4], [5, map()]));
    await settle();
    expect(peer.take()).toEqual([]);
    expect(requests).toEqual([]);
    expect(closed).toEqual([]);
  });
});

describe('ping', () => {
  it.each([
    ['texts', ping(42), map(['type', 'pong'], ['seq', 42])],
    ['numbers', map([1, 1], [2, 42]), map([1, 2], [2, 42])],
    ['numbers, sequence 0', map([1, 1]), map([1, 2])],
  ])('in %s is answered alike, in zones of both dialects', async (_form, sent, answered) => {
    for (const settings of [DRAFT, REFERENCE]) {
      const { peer } = session(settings);
      peer.send(sent);
      await settle();
      expect(peer.take()).toEqual([answered]);
    }
  });

  it('of ours is sent every 30 s with a sequence that counts up', async () => {
    const { clock, peer, closed } = session();
    for (let i = 1; i <= 5; i++) {
      await clock.advance(30_000);
      expect(peer.take()).toEqual([ping(i)]);
      peer.send(map(['type', 'pong'], ['seq', i]));
    }
    expect(closed).toEqual([]);
  });

  it('unanswered three times ends the session after 95 s to the millisecond', async () => {
    const { clock, peer, closed } = session();
    await clock.advance(94_999);
    expect(closed).toEqual([]);
    await clock.advance(1);
    expect(closed).toEqual(['keep-alive: 3 answers missing']);
    expect(peer.take()).toEqual([ping(1), ping(2), ping(3)]);
    expect(peer.closed).toBe('ECONNRESET');
    expect(clock.pending()).toEqual([]);
  });

  it.each([
    ['a request', (peer: FramePeer) => peer.send(readRequest(1))],
    ['a ping', (peer: FramePeer) => peer.send(ping(1))],
    ['a frame that is not CBOR', (peer: FramePeer) => peer.sendPayload(fromHex('ff'))],
    ['a notification', (peer: FramePeer) => peer.send(map([1, 0], [2, 1], [3, 1], [4, 4], [5, map()]))],
  ])('is not missed where %s proved life', async (_what, speak) => {
    const { clock, peer, closed } = session();
    await clock.advance(94_000);
    speak(peer);
    await clock.advance(90_000);
    expect(closed).toEqual([]);
    await clock.advance(1000);
    expect(clock.now()).toBe(185_000);
    expect(closed).toHaveLength(1);
  });
});

describe('liveness of a reference zone', () => {
  it('is a Read of DeviceInfo, attribute 1, numbered from 1000', async () => {
    const { clock, peer, closed } = session(REFERENCE);
    for (let i = 0; i < 4; i++) {
      await clock.advance(29_999);
      expect(peer.take()).toEqual([]);
      await clock.advance(1);
      expect(peer.take()).toEqual([map([1, 1000 + i], [2, 1], [3, 0], [4, 1], [5, map([1, [1]])])]);
      // Any answer counts, also a refusal.
      peer.send(map([1, 1000 + i], [2, 1], [3, map([1, 'endpoint not found'])]));
      await settle();
    }
    expect(closed).toEqual([]);
  });

  it('ends a session 95 s after its last frame, wherever that fell', async () => {
    const { clock, peer, closed } = session(REFERENCE);
    for (const pause of [1, 29_998, 17_000]) {
      await clock.advance(pause);
      peer.send(map([1, 7], [2, 1], [3, 0], [4, 1]));
      await settle();
    }
    await clock.advance(94_999);
    expect(closed).toEqual([]);
    await clock.advance(1);
    expect(closed).toHaveLength(1);
    expect(clock.pending()).toEqual([]);
  });

  it('is left to TCP where the profile says so', async () => {
    const { clock, peer, closed } = session(TCP);
    await clock.advance(1_000_000);
    expect(peer.take()).toEqual([]);
    expect(closed).toEqual([]);
  });
});

describe('requests of ours', () => {
  it('resolve with the response to them, and with nothing without one', async () => {
    const { clock, operational, peer } = session(TCP);
    const answers: (Response | undefined)[] = [];
    operational.request(1, 0, 1, undefined, 5000, (response) => answers.push(response));
    operational.request(1, 0, 2, null, 5000, (response) => answers.push(response));
    await settle();
    expect(peer.take()).toEqual([map([1, 1000], [2, 1], [3, 0], [4, 1]), map([1, 1001], [2, 1], [3, 0], [4, 2], [5, null])]);
    peer.send(map([1, 1001], [2, 2]));
    await clock.advance(5000);
    expect(answers).toEqual([{ id: 1001, status: 2 }, undefined]);
  });

  it('resolve with nothing when the session ends', async () => {
    const { operational, peer } = session(TCP);
    const answers: (Response | undefined)[] = [];
    const ask = (): void => operational.request(1, 0, 1, undefined, 5000, (response) => answers.push(response));
    ask();
    expect(answers).toEqual([]);
    peer.stream.destroy();
    await settle();
    expect(answers).toEqual([undefined]);
    ask();
    expect(answers).toEqual([undefined, undefined]);
  });
});

describe('close', () => {
  const TEXT = map(['type', 'close'], ['reason', 'bye']);
  const ACK = map(['type', 'close_ack']);
  const NUMBER = map([1, 3]);

  it.each([
    ['texts', DRAFT, TEXT, ACK],
    ['numbers', REFERENCE, NUMBER, NUMBER],
  ])('of the peer, in %s, is acknowledged, then the connection ends', async (_form, settings, close, acknowledgement) => {
    const { clock, peer, closed } = session(settings);
    peer.send(close);
    await settle();
    expect(peer.take()).toEqual([acknowledgement]);
    expect(peer.closed).toBe('closed by the peer');
    expect(closed).toEqual(['closed by the peer']);
    expect(clock.pending()).toEqual([]);
  });

  it('of a peer that does not hang up ends after 5 s', async () => {
    const { clock, peer, closed } = session();
    peer.stream.stubborn = true;
    peer.send(TEXT);
    await clock.advance(4999);
    expect(closed).toEqual([]);
    await clock.advance(1);
    expect(closed).toEqual(['the peer did not close']);
    expect(peer.take()).toEqual([ACK]);
  });

  it.each([
    ['texts', DRAFT, map(['type', 'close'], ['reason', 'the device stops']), ACK],
    ['numbers', REFERENCE, NUMBER, NUMBER],
  ])('of ours, in %s, waits for its acknowledgement', async (_form, settings, close, acknowledgement) => {
    const { clock, operational, peer, closed } = session(settings);
    operational.close('the device stops');
    operational.close('again');
    await clock.advance(4999);
    expect(peer.take()).toEqual([close]);
    expect(closed).toEqual([]);
    peer.send(acknowledgement);
    await settle();
    // The acknowledgement is not acknowledged.
    expect(peer.take()).toEqual([]);
    expect(closed).toEqual(['closed by the peer']);
    expect(clock.pending()).toEqual([]);
  });

  it('of ours without acknowledgement closes anyway after 5 s', async () => {
    const { clock, operational, closed, peer } = session();
    operational.close('the device stops');
    await clock.advance(4999);
    expect(closed).toEqual([]);
    await clock.advance(1);
    expect(closed).toEqual(['no close_ack']);
    expect(peer.closed).toBe('ECONNRESET');
    expect(clock.pending()).toEqual([]);
  });

  it('of ours begins nothing new', async () => {
    const { operational, peer, requests } = session();
    operational.close('the device stops');
    peer.send(readRequest(4));
    await settle();
    expect(requests).toEqual([]);
    expect(peer.take()).toHaveLength(1);
  });

  it('by destroy is told once, and leaves no timer', async () => {
    const { clock, operational, closed, peer } = session();
    operational.destroy('replaced');
    operational.destroy('again');
    operational.close('too late');
    await settle();
    expect(closed).toEqual(['replaced']);
    expect(peer.closed).toBe('ECONNRESET');
    expect(clock.pending()).toEqual([]);
  });
});

describe('messages 30–33', () => {
  it('go to the renewal, whose answer goes back; a request with such an id does not', async () => {
    const { peer, renewals, requests } = session();
    peer.send(map([1, 30], [2, new Uint8Array(32)]));
    peer.send(readRequest(30));
    await settle();
    expect(peer.take()).toEqual([map([1, 33], [2, 4], [3, 0]), map([1, 30], [2, 0], [3, map([1, 'value'])])]);
    expect([renewals, requests.length]).toEqual([[30], 1]);
  });

  it('of the wrong shape are answered by status 5 with their number, and the connection goes on', async () => {
    const { peer, closed } = session();
    peer.send(map([1, 32]));
    await settle();
    expect(peer.take()).toEqual([map([1, 32], [2, 5], [3, map([1, 'message 30 key 2, nonce: bytes are due'])])]);
    expect(closed).toEqual([]);
  });

  it('are not begun after our close', async () => {
    const { operational, peer, renewals } = session();
    operational.close('done');
    peer.send(map([1, 30], [2, new Uint8Array(32)]));
    await settle();
    expect(renewals).toEqual([]);
  });
});

describe('protocol.md §1: a bad length ends the connection once what was due before it is flushed', () => {
  const READ = map([1, 7], [2, 1], [3, 0], [4, 1]);

  it('at once where nothing is', async () => {
    const { peer, closed } = session(DRAFT);
    peer.send(READ);
    peer.sendBytes(fromHex('00000000'));
    await settle();
    expect(peer.received).toEqual([map([1, 7], [2, 0], [3, map([1, 'value'])])]);
    expect([closed, peer.closed]).toEqual([['frame of length 0'], 'closed by the peer']);
  });

  it('after the answer to a request that takes its time; nothing behind it is taken', async () => {
    const { peer, closed, answers, requests, clock } = session(DRAFT, 'later');
    peer.send(READ);
    peer.sendBytes(fromHex('00000000'));
    peer.send(READ);
    await settle();
    expect([closed, requests.length]).toEqual([[], 1]);
    answers[0]?.({ id: 7, status: 0 });
    await settle();
    expect(peer.received).toEqual([map([1, 7], [2, 0])]);
    expect([closed, peer.closed, clock.pending()]).toEqual([['frame of length 0'], 'closed by the peer', []]);
  });

  it('after 5 s without the answer', async () => {
    const { peer, closed, clock } = session(TCP, 'later');
    peer.send(READ);
    peer.sendBytes(fromHex('00000000'));
    await clock.advance(4999);
    expect(closed).toEqual([]);
    await clock.advance(1);
    expect([closed, clock.pending()]).toEqual([['frame of length 0'], []]);
  });
});

describe('a peer that does not read', () => {
  const notice = { subscription: 1, endpoint: 0, feature: 1, values: map([31, 'x'.repeat(64)]) };

  function slow(sendDeadline: number) {
    const clock = new VirtualClock();
    const { device, peer } = streamPair({ highWater: 200 });
    const closed: string[] = [];
    let drained = 0;
    const operational = new OperationalSession(
      new FramedConnection(device, { clock, maximum: 8192, sendDeadline }),
      TCP,
      clock,
      new MemoryLog(),
      {
        onRequest: () => {},
        onRenewal: () => undefined,
        onDrain: () => {
          drained += 1;
        },
        onClose: (reason) => closed.push(reason),
      },
    );
    operational.start();
    const frames = new FramePeer(peer);
    peer.pause();
    let sent: string = 'sent';
    for (let i = 0; sent === 'sent' && i < 100; i++) sent = operational.notify(notice);
    return { clock, operational, peer, frames, closed, sent, drained: () => drained };
  }

  it('is closed at the send deadline', async () => {
    const { clock, closed, sent } = slow(60_000);
    expect(sent).toBe('full');
    await clock.advance(59_999);
    expect(closed).toEqual([]);
    await clock.advance(1);
    expect([closed, clock.pending()]).toEqual([['the peer does not read'], []]);
  });

  it('goes on when it has read everything in time', async () => {
    const { clock, closed, peer, drained } = slow(60_000);
    await clock.advance(59_000);
    peer.resume();
    await clock.advance(120_000);
    expect([closed, drained(), clock.pending()]).toEqual([[], 1, []]);
  });

  it('gets no notification after our close', () => {
    const { operational } = slow(60_000);
    operational.close('bye');
    expect(operational.notify(notice)).toBe('closed');
  });
});
