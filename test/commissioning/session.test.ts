import { describe, expect, it } from 'vitest';
import type { CborKey, CborValue } from '../../src/codec/cbor.js';
import { fromHex } from '../../src/codec/hex.js';
import type { SessionHost } from '../../src/commissioning/host.js';
import { CommissioningSession } from '../../src/commissioning/session.js';
import type { DialectName } from '../../src/dialect/messages.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { makeProfile } from '../../src/profile.js';
import { FramedConnection } from '../../src/session/framed-connection.js';
import { settle, VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';
import { FramePeer, streamPair } from '../world/stream-pair.js';

/** A session whose pace holds every first message back, so that it stays in PASE_COMPUTE. */
function session(understood: readonly DialectName[] = ['draft', 'reference']) {
  const clock = new VirtualClock();
  const { device, peer } = streamPair({ kind: 'commissioning' });
  const happened: string[] = [];
  const host = {
    understands: (dialect: DialectName) => understood.includes(dialect),
    delayBeforeLock: () => 9000,
    releaseLock: () => happened.push('released'),
    ended: () => happened.push('ended'),
  } as unknown as SessionHost;
  const connection = new FramedConnection(device, { clock, maximum: 65_536 });
  const commissioning = new CommissioningSession({
    connection,
    host,
    profile: makeProfile('draft'),
    crypto: nodeCrypto(),
    clock,
    log: new MemoryLog(),
  });
  commissioning.start();
  return { clock, commissioning, happened, peer: new FramePeer(peer) };
}

function map(...entries: readonly (readonly [CborKey, CborValue])[]): Map<CborKey, CborValue> {
  return new Map(entries);
}
const PASE_X = map([1, 'pase_x'], [2, new Uint8Array(33)], [3, new Uint8Array(32)]);
const MESSAGE_1 = map([1, 1], [2, new Uint8Array(65)]);

describe('the first frame', () => {
  it.each<readonly [string, CborValue]>([
    ['of no dialect', map([1, 30])],
    ['that is no map', [1]],
    ['that is a control message', map(['type', 'close'])],
  ])('%s closes without an answer', async (_what, value) => {
    const { clock, peer, happened } = session();
    peer.send(value);
    await settle();
    expect(peer.received).toEqual([]);
    expect(peer.closed).toBe('ECONNRESET');
    expect(happened).toContain('ended');
    expect(clock.pending()).toEqual([]);
  });

  it('that is not CBOR closes without an answer', async () => {
    const { peer } = session();
    peer.sendPayload(fromHex('ff'));
    await settle();
    expect(peer.received).toEqual([]);
    expect(peer.closed).toBe('ECONNRESET');
  });

  it.each([
    ['draft', PASE_X, ['reference']],
    ['reference', MESSAGE_1, ['draft']],
  ] as const)('of the dialect %s is refused where that is switched off', async (_name, first, understood) => {
    const { peer } = session(understood);
    peer.send(first);
    await settle();
    expect(peer.received).toEqual([]);
    expect(peer.closed).toBe('ECONNRESET');
  });

  it('that does not come ends the connection after 30 s', async () => {
    const { clock, peer, commissioning } = session();
    await clock.advance(29_999);
    expect(commissioning.state).toBe('PASE_WAIT_X');
    await clock.advance(1);
    expect(peer.received).toEqual([]);
    expect(peer.closed).toBe('closed by the peer');
  });
});

describe('a later frame', () => {
  it.each([
    ['draft', PASE_X, MESSAGE_1],
    ['reference', MESSAGE_1, PASE_X],
  ] as const)('of the other dialect than %s closes without an answer', async (_name, first, other) => {
    const { peer, commissioning } = session();
    peer.send(first);
    peer.send(other);
    await settle();
    expect(commissioning.state).toBe('CLOSED');
    expect(peer.received).toEqual([]);
    expect(peer.closed).toBe('ECONNRESET');
  });

  it('of the wrong shape is answered by status 8 in the draft', async () => {
    const { peer } = session();
    peer.send(PASE_X);
    peer.sendPayload(fromHex('a201000100'));
    await settle();
    expect(peer.received).toEqual([map([1, 'pase_confirm'], [2, 8], [3, 'duplicate map key 1'])]);
    expect(peer.closed).toBe('closed by the peer');
  });

  it('of the wrong shape closes without an answer in the reference', async () => {
    const { peer } = session();
    peer.send(MESSAGE_1);
    peer.send(map([1, 32], [2, 'no certificate']));
    await settle();
    expect(peer.received).toEqual([]);
    expect(peer.closed).toBe('closed by the peer');
  });
});

describe('a peer that does not hang up', () => {
  it.each<readonly [string, CborValue, readonly CborValue[]]>([
    ['after its close', map(['type', 'close'], ['reason', 'user']), [map(['type', 'close_ack'])]],
    ['after an error', map([1, 'csr_req']), [expect.anything() as unknown as CborValue]],
  ])('%s is cut after 5 s', async (_what, message, answers) => {
    const { clock, peer, happened } = session();
    peer.stream.stubborn = true;
    peer.send(PASE_X);
    peer.send(message);
    await settle();
    expect(peer.received).toEqual(answers);
    expect(happened).toEqual(['released']);
    await clock.advance(4999);
    expect(happened).toEqual(['released']);
    await clock.advance(1);
    expect(peer.closed).toBe('ECONNRESET');
    expect(happened).toContain('ended');
    expect(clock.pending()).toEqual([]);
  });
});
