import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { MockFlash } from '../../hal/mock/index.js';
import { type CborMap, type CborValue, decodeCbor, encodeCbor } from '../../src/codec/cbor.js';
import { FrameReader } from '../../src/codec/frame.js';
import type { DialectName } from '../../src/dialect/messages.js';
import { nodeKeyPem } from '../../src/node/crypto.js';
import { parseCsr } from '../../src/pki/csr.js';
import { createCommissioningCertificate } from '../../src/pki/self-signed.js';
import { Journal } from '../../src/store/journal.js';
import { issueDeviceCertificate, WORLD_NOW } from '../world/certificates.js';
import { failed, makeZone, mapOf, readAll, StepController, type TestZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { MemoryLog } from '../world/log.js';
import { Peer, pem } from '../world/peer.js';

let world: DeviceWorld;
const closers: (() => void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await world.close();
});

type Rewrite = (message: CborMap, own: { exporterToDevice: Uint8Array }) => CborValue;

/** Terminates TLS towards both sides with a certificate of its own, and relays every frame, rewritten or not. */
async function manInTheMiddle(toDevice: Rewrite, toController: Rewrite = (message) => message): Promise<number> {
  const key = world.crypto.generateKey();
  const der = createCommissioningCertificate(world.crypto, { key, discriminator: 1234, now: WORLD_NOW, validity: 86_400 });
  const server = tls.createServer(
    { cert: pem(der), key: nodeKeyPem(key), ALPNProtocols: ['mash-comm/1'], minVersion: 'TLSv1.3' },
    (victim) => {
      void world.connect().then((device) => {
        const own = { exporterToDevice: device.exporter() };
        const reader = new FrameReader(65_536);
        victim.on('error', () => {});
        victim.on('data', (chunk: Buffer) => {
          reader.push(new Uint8Array(chunk), (payload) => device.send(toDevice(mapOf(decodeCbor(payload)), own)));
        });
        void (async () => {
          for (let frame = await device.next(); frame !== undefined; frame = await device.next()) {
            const payload = encodeCbor(toController(mapOf(frame), own));
            const prefix = Buffer.alloc(4);
            prefix.writeUInt32BE(payload.length);
            victim.write(Buffer.concat([prefix, payload]));
          }
          victim.end();
        })();
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve));
  closers.push(() => server.close());
  return (server.address() as { port: number }).port;
}

describe('channel binding (protocol.md §2.4)', () => {
  it('a man in the middle who relays every frame cannot complete the draft dialect', async () => {
    world = await DeviceWorld.start();
    const port = await manInTheMiddle((message) => message);
    const relayed = new StepController(await Peer.connect({ port }), 'draft', makeZone('Home'));
    expect(await relayed.run()).toMatchObject({ type: 'paseConfirm', status: 1 });
    expect(world.device.status.zones).toEqual([]);
  });

  it('nor does it help him to put his own exporter value in: both sides hash their own', async () => {
    world = await DeviceWorld.start();
    const port = await manInTheMiddle((message, own) =>
      message.get(1) === 'pase_x' ? new Map([...message, [3, own.exporterToDevice]]) : message,
    );
    const relayed = new StepController(await Peer.connect({ port }), 'draft', makeZone('Home'));
    relayed.paseX();
    // The device did not prove the code to this connection: a controller stops here.
    expect(relayed.takeY(await relayed.receive())).toBe(false);
    relayed.paseVerify();
    expect(await relayed.receive()).toMatchObject({ type: 'paseConfirm', status: 1 });
    expect(world.device.status.zones).toEqual([]);
  });

  it('without the binding, as in the reference dialect, the same relay takes the device over with a CA of its own', async () => {
    world = await DeviceWorld.start();
    const attacker = makeZone('Attacker');
    let csr = new Uint8Array(0);
    const port = await manInTheMiddle(
      (message) => {
        if (message.get(1) === 30) return new Map([...message, [3, attacker.ca.der]]);
        if (message.get(1) !== 32) return message;
        const stolen = issueDeviceCertificate(attacker.ca, parseCsr(world.crypto, csr).publicKey);
        return new Map([...message, [2, stolen.der]]);
      },
      (message) => {
        if (message.get(1) === 31) csr = Uint8Array.from(message.get(2) as Uint8Array);
        return message;
      },
    );
    const victim = new StepController(await Peer.connect({ port }), 'reference', makeZone('Home'));
    expect(await victim.run()).toMatchObject({ type: 'certAck', status: 0 });
    expect(world.device.status.zones).toMatchObject([{ name: 'Attacker' }]);
  });

  it.each([
    ['absent', null],
    ['of another length', new Uint8Array(31)],
    ['different', new Uint8Array(32)],
  ])('a context that is %s is answered with status 1 in place of PASE_Y, without a token and without the lock', async (_what, context) => {
    world = await DeviceWorld.start();
    for (let i = 0; i < 15; i++) {
      const steps = new StepController(await world.connect(), 'draft', makeZone('Home'), { context });
      expect(await steps.run()).toMatchObject({ type: 'paseConfirm', status: 1 });
    }
    expect(await new StepController(await world.connect(), 'draft', makeZone('Home')).run()).toMatchObject({ type: 'certAck', status: 0 });
  });
});

describe('guessing (protocol.md §2.8)', () => {
  it('answers at most 10 + 1 a second of 1,000 guesses, over all windows and dialects, and locks nobody out', async () => {
    world = await DeviceWorld.start();
    const zone = makeZone('Guesser');
    const answeredAt: number[] = [];
    for (let guess = 0; guess < 1000; guess++) {
      if (world.device.status.qr === undefined) {
        await world.clock.advance(10_000);
        await world.press();
      }
      const dialect: DialectName = guess % 3 === 0 ? 'reference' : 'draft';
      const steps = new StepController(await world.connect(), dialect, zone, { code: String(30_000_000 + guess) });
      steps.paseX();
      for (let waited = 0; steps.peer.pendingFrames === 0 && !steps.peer.closed && waited < 30; waited++) {
        await world.until(
          () => steps.peer.pendingFrames > 0 || steps.peer.closed || world.clock.pending().some(({ name }) => name === 'pace'),
          'an answer or the pace',
        );
        if (steps.peer.pendingFrames === 0) await world.clock.advance(100);
      }
      if (steps.peer.pendingFrames > 0 && !failed(await steps.receive())) answeredAt.push(world.clock.now());
      steps.peer.destroy();
      await world.until(() => !world.clock.pending().some(({ name }) => name.startsWith('PASE_')), 'the lock released');
    }
    expect(answeredAt.length).toBeGreaterThan(900);
    // In no span of time more than the bucket and what flowed into it.
    answeredAt.forEach((end, last) => {
      for (let first = Math.max(0, last - 200); first <= last; first++) {
        const span = end - (answeredAt[first] as number);
        expect(last - first + 1).toBeLessThanOrEqual(10 + Math.floor(span / 1000) + 1);
      }
    });
    await world.clock.advance(10_000);
    await world.press();
    expect(await new StepController(await world.connect(), 'draft', zone).run()).toMatchObject({ type: 'certAck', status: 0 });
  });
});

describe.each<DialectName>(['draft', 'reference'])('the connection cut after every message, %s dialect', (dialect) => {
  const MESSAGES = dialect === 'draft' ? 10 : 8;

  async function journalKeys(): Promise<readonly string[]> {
    const journal = await Journal.open(new MockFlash({ sectorSize: 65_536, sectorCount: 2, image: world.flash.image() }), new MemoryLog());
    return journal.keys('zone/');
  }

  async function operates(zone: TestZone, serverName: string): Promise<boolean> {
    const peer = await world.connect({ alpn: ['mash/1'], serverName, certificate: zone.controller });
    peer.send(readAll(5));
    const answer = await peer.next();
    return answer !== undefined && mapOf(answer).get(2) === 0;
  }

  /** Exchanges `messages` messages, theirs and ours in turn, then cuts without a word. */
  async function cutAfter(messages: number, zone: TestZone): Promise<StepController> {
    const steps = new StepController(await world.connect(), dialect, zone, { attestation: true });
    let exchanged = 0;
    for (const step of steps.steps) {
      if (exchanged++ === messages) break;
      step();
      if (exchanged++ === messages) break;
      steps.take(await steps.receive());
    }
    if (messages % 2 === 1) await new Promise((resolve) => setImmediate(resolve));
    steps.peer.destroy();
    return steps;
  }

  it.each(Array.from({ length: MESSAGES }, (_, i) => i + 1))(
    'after %i messages: nothing is left behind, the same controller succeeds at once',
    async (messages) => {
      world = await DeviceWorld.start();
      const zone = makeZone('Home');
      const cut = await cutAfter(messages, zone);
      await world.until(
        () => !world.clock.pending().some(({ name }) => name.startsWith('PASE_') || name.startsWith('C')),
        'the session gone',
      );
      const acknowledged = world.device.status.zones.length === 1;
      // Only what was acknowledged may stay: CERT_ACK was written before the cut was seen.
      if (messages < MESSAGES - 1) expect(acknowledged).toBe(false);
      if (!acknowledged) {
        await world.until(() => world.device.status.zones.length === 0, 'rolled back');
        expect(await journalKeys()).toEqual([]);
        expect(await new StepController(await world.connect(), dialect, zone).run()).toMatchObject({ type: 'certAck', status: 0 });
      } else {
        expect(await journalKeys()).toHaveLength(1);
        expect(await operates(zone, cut.deviceId)).toBe(true);
      }
    },
  );
});
