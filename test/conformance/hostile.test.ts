import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CborKey, type CborMap, type CborValue, WideInteger } from '../../src/codec/cbor.js';
import { fromHex } from '../../src/codec/hex.js';
import type { DialectName } from '../../src/dialect/messages.js';
import { makeZone, mapOf, readAll, StepController, type TestZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { collectGarbage } from '../world/memory.js';
import { type Peer, RawPeer } from '../world/peer.js';

let world: DeviceWorld;
beforeEach(async () => {
  world = await DeviceWorld.start();
});
afterEach(() => world.close());

async function succeeds(dialect: DialectName = 'draft'): Promise<void> {
  const steps = new StepController(await world.connect(), dialect, makeZone('Home'));
  expect(await steps.run()).toMatchObject({ type: 'certAck', status: 0 });
}

describe('hostile frames on a commissioning connection', () => {
  it.each([
    ['length 0', '00000000'],
    ['one byte too long', '00010001'],
    ['4 GiB', 'ffffffff'],
    ['CBOR that ends early', '00000003a2010a'],
    ['a number', '0000000101'],
    ['nesting of 17', `00000013${'81'.repeat(18)}00`],
    ['duplicate keys', '00000005a201010101'],
    ['a first message of neither dialect', '00000003a1011e'],
    ['a tagged map', '00000004c1a10101'],
  ])('%s closes the connection, and the next one is served', async (_what, hex) => {
    const peer = await world.connect();
    peer.sendRaw(fromHex(hex));
    await peer.end();
    expect(peer.pendingFrames).toBe(0);
    await succeeds();
  });

  it('waits inside a partial frame, and for no longer than PASE_WAIT_X', async () => {
    const peer = await world.connect();
    peer.sendRaw(fromHex('00000100a1'));
    await world.untilPending('PASE_WAIT_X');
    await world.clock.advance(30_000);
    await peer.end();
    await succeeds();
  });

  it('a later message of the other dialect closes the connection without an answer', async () => {
    for (const dialect of ['draft', 'reference'] as const) {
      const steps = new StepController(await world.connect(), dialect, makeZone('Home'));
      steps.paseX();
      steps.takeY(await steps.receive());
      steps.peer.send(
        new Map<number, CborValue>([
          [1, dialect === 'draft' ? 3 : 'pase_verify'],
          [2, new Uint8Array(32)],
        ]),
      );
      await steps.peer.end();
      expect(steps.peer.pendingFrames).toBe(0);
    }
    await succeeds();
  });
});

/** Values of every kind that a field can wrongly have. */
const WRONG: readonly (readonly [string, CborValue | undefined])[] = [
  ['missing', undefined],
  ['null', null],
  ['text', 'x'],
  ['negative', -1],
  ['a large integer', 0xffff_ffff],
  ['64 bits', new WideInteger(false, 0xffff_ffff, 0xffff_ffff)],
  ['a boolean', true],
  ['an array', [1]],
  ['a map', new Map([[1, 1]])],
  ['no bytes', new Uint8Array(0)],
  ['many bytes', new Uint8Array(9000)],
];

describe.each<DialectName>(['draft', 'reference'])('wrong types in every field of every message, %s dialect', (dialect) => {
  /** Runs up to the message, spoils one field of it, and returns what came back. */
  async function spoiled(step: number, key: CborKey, value: CborValue | undefined): Promise<CborValue | undefined> {
    const peer = await world.connect();
    const steps = new StepController(peer, dialect, makeZone('Home'));
    for (const before of steps.steps.slice(0, step)) {
      before();
      steps.take(await steps.receive());
    }
    const send = peer.send.bind(peer);
    peer.send = (message) => {
      const map = new Map(message as CborMap);
      if (value === undefined) map.delete(key);
      else map.set(key, value);
      send(map);
    };
    steps.steps[step]?.();
    const answer = await peer.next();
    if (answer === undefined || !isProgress(dialect, answer)) await peer.end();
    peer.destroy();
    await world.until(
      () => !world.clock.pending().some(({ name }) => name.startsWith('PASE_') || name.startsWith('CERT_')),
      'the session gone',
    );
    await world.clock.advance(1000);
    if (world.clock.now() > 100_000) await renew();
    return answer;
  }

  async function renew(): Promise<void> {
    await world.close();
    world = await DeviceWorld.start();
  }

  const fields: readonly (readonly [string, number, readonly CborKey[]])[] =
    dialect === 'draft'
      ? [
          ['PASE_X', 0, [2, 3]],
          ['PASE_VERIFY', 1, [1, 2]],
          ['CSR_REQ', 2, [1, 2]],
          ['CERT_INSTALL', 3, [1, 2, 3, 4, 5]],
        ]
      : [
          ['message 1', 0, [2]],
          ['message 3', 1, [1, 2]],
          ['message 30', 2, [1, 2, 3]],
          ['message 32', 3, [1, 2]],
        ];

  it.each(fields)('%s', async (_name, step, keys) => {
    for (const key of keys) {
      for (const [what, value] of WRONG) {
        const answer = await spoiled(step, key, value);
        expect(answer === undefined || !isProgress(dialect, answer), `key ${key}: ${what}`).toBe(true);
        expect(world.device.status.zones, `key ${key}: ${what}`).toEqual([]);
      }
    }
    await succeeds(dialect);
  });
});

function isProgress(dialect: DialectName, answer: CborValue): boolean {
  const map = mapOf(answer);
  const type = map.get(1);
  if (dialect === 'draft') return type === 'pase_y' || type === 'csr_rsp' || map.get(2) === 0;
  return type === 2 || type === 31 || (type === 4 && map.get(3) === 0) || (type === 33 && map.get(2) === 0);
}

describe('many idle connections', () => {
  it('1,000 idle connections leave memory flat, and a legitimate commissioning during them completes', async () => {
    const idle: RawPeer[] = [];
    const measure = (): number => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    for (let i = 0; i < 100; i++) idle.push(await RawPeer.connect(world.port));
    const before = measure();
    for (let i = 0; i < 450; i++) idle.push(await RawPeer.connect(world.port));
    const steps = new StepController(await world.connect(), 'draft', makeZone('Home'));
    for (const [index, step] of steps.steps.entries()) {
      step();
      for (let i = 0; i < 10; i++) idle.push(await RawPeer.connect(world.port));
      const answer = await steps.receive();
      if (index === 3) expect(answer).toMatchObject({ type: 'certAck', status: 0 });
      steps.take(answer);
    }
    while (idle.length < 1000) idle.push(await RawPeer.connect(world.port));
    // The displaced were closed: at most the capacity stays open.
    await world.until(() => idle.filter((peer) => !peer.closed).length <= 6, 'all but six closed');
    expect(measure() - before).toBeLessThan(8 * 1024 * 1024);
    for (const peer of idle) peer.socket.destroy();
  });

  it('stale connections are swept at 90 s, the holder of the lock excepted', async () => {
    await world.close();
    const set = { 'commissioning.verifier': '110000', 'commissioning.firstMessage': '200000' };
    world = await DeviceWorld.start({ set });
    const holder = new StepController(await world.connect(), 'draft', makeZone('Home'));
    holder.paseX();
    holder.takeY(await holder.receive());
    const idle = await world.connect();
    await world.untilPending('PASE_WAIT_X');
    await world.clock.advance(89_999);
    expect(idle.closed).toBe(false);
    await world.clock.advance(10_001);
    await idle.end();
    holder.paseVerify();
    expect(await holder.receive()).toMatchObject({ type: 'paseConfirm', status: 0 });
  });
});

describe('hostile frames on an operational connection (protocol.md §1)', () => {
  let zone: TestZone;
  let peer: Peer;
  beforeEach(async () => {
    zone = makeZone('Home');
    const steps = new StepController(await world.connect(), 'draft', zone);
    await steps.run();
    await steps.finish();
    peer = await world.connect({ alpn: ['mash/1'], serverName: steps.deviceId, certificate: zone.controller });
  });

  it.each([
    ['truncated CBOR', 'a2010a'],
    ['duplicate keys', 'a201010101'],
    ['trailing bytes', 'a1010a00'],
    ['NaN', 'a101f97e00'],
    ['infinity', 'a101f97c00'],
    ['nesting of 17', `${'81'.repeat(18)}00`],
    ['text that is not UTF-8', 'a10161ff'],
    ['no map', '05'],
    ['text keys', 'a16178616101'],
    ['endpoint 256', 'a401070201031901000401'],
  ])('%s is answered with status 5 and the connection stays', async (_what, hex) => {
    peer.sendPayload(fromHex(hex));
    const answer = mapOf(await peer.receive());
    expect(answer.get(2)).toBe(5);
    expect(typeof mapOf(answer.get(3)).get(1)).toBe('string');
    peer.send(readAll(9));
    expect(mapOf(await peer.receive()).get(1)).toBe(9);
  });

  it('flushes what was due before it closes for a bad length', async () => {
    peer.send(readAll(4));
    peer.sendRaw(fromHex('00000000'));
    expect(mapOf(await peer.receive()).get(1)).toBe(4);
    await peer.end();
  });

  it('answers several requests sent at once, each with its id, and Reads of every payload form', async () => {
    const forms: (CborValue | undefined)[] = [undefined, null, [], new Map(), [1, 4], new Map([[1, [1]]]), Uint8Array.of(12), 'x', 32];
    forms.forEach((payload, index) => {
      const request = new Map<CborKey, CborValue>(readAll(100 + index));
      if (payload !== undefined) request.set(5, payload);
      peer.send(request);
    });
    const sizes: number[] = [];
    for (const [index] of forms.entries()) {
      const answer = mapOf(await peer.receive());
      expect(answer.get(1)).toBe(100 + index);
      sizes.push(answer.get(2) === 0 ? mapOf(answer.get(3)).size : -(answer.get(2) as number));
    }
    expect(sizes).toEqual([17, 17, 17, 17, 2, 1, 1, -5, -5]);
  });

  it('pings, pongs and closes in both encodings', async () => {
    peer.send(
      new Map<string, CborValue>([
        ['type', 'ping'],
        ['seq', 7],
      ]),
    );
    expect(await peer.receive()).toEqual(
      new Map<string, CborValue>([
        ['type', 'pong'],
        ['seq', 7],
      ]),
    );
    peer.send(
      new Map([
        [1, 1],
        [2, 9],
      ]),
    );
    expect(await peer.receive()).toEqual(
      new Map([
        [1, 2],
        [2, 9],
      ]),
    );
    peer.send(new Map([[1, 3]]));
    expect(await peer.receive()).toEqual(new Map([[1, 3]]));
    await peer.end();
  });

  it('pings a draft zone every 30 s and drops it after 95 s of silence', async () => {
    await world.until(() => world.device.status.zones[0]?.connected === true, 'connected');
    for (const sequence of [1, 2, 3]) {
      await world.clock.advance(30_000);
      expect(mapOf(await peer.receive())).toEqual(
        new Map<string, CborValue>([
          ['type', 'ping'],
          ['seq', sequence],
        ]),
      );
    }
    await world.clock.advance(4_999);
    expect(world.device.status.zones).toMatchObject([{ connected: true }]);
    await world.clock.advance(1);
    expect(world.device.status.zones).toMatchObject([{ connected: false }]);
    await peer.end();
  });

  it('half a frame, and one byte more of it every ten seconds, proves no life', async () => {
    await world.until(() => world.device.status.zones[0]?.connected === true, 'connected');
    peer.sendRaw(fromHex('00000100a101'));
    for (let i = 0; i < 9; i++) {
      await world.clock.advance(10_000);
      peer.sendRaw(fromHex('00'));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await world.clock.advance(4999);
    expect(world.device.status.zones).toMatchObject([{ connected: true }]);
    await world.clock.advance(1);
    expect(world.device.status.zones).toMatchObject([{ connected: false }]);
  });

  it('any frame proves life', async () => {
    for (let i = 0; i < 10; i++) {
      peer.send(new Map([['type', 'pong']]));
      peer.send(readAll(20 + i));
      for (let answer = mapOf(await peer.receive()); answer.get(1) !== 20 + i; answer = mapOf(await peer.receive()));
      await world.clock.advance(30_000);
    }
    expect(world.device.status.zones).toMatchObject([{ connected: true }]);
  });
});

describe('commit, then speak', () => {
  it('a connection lost while the commit is under way leaves nothing behind', async () => {
    const zone = makeZone('Home');
    const steps = new StepController(await world.connect(), 'draft', zone);
    for (const step of steps.steps.slice(0, -1)) {
      step();
      steps.take(await steps.receive());
    }
    const sync = world.flash.sync.bind(world.flash);
    let letGo = (): void => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let syncing = false;
    world.flash.sync = async () => {
      syncing = true;
      await gate;
      await sync();
    };
    steps.certInstall();
    await world.until(() => syncing, 'the commit');
    steps.peer.destroy();
    await world.until(() => !world.clock.pending().some(({ name }) => name === 'CERT_INSTALL'), 'the session gone');
    world.flash.sync = sync;
    letGo();
    await world.until(() => world.log.lines.some(({ message }) => message.includes('taken back')), 'the roll-back');
    await world.clock.advance(10);
    expect(world.device.status.zones).toEqual([]);
    const again = new StepController(await world.connect(), 'draft', zone);
    const answer = await again.run();
    expect(answer).toMatchObject({ type: 'certAck', status: 0 });
  });
});
