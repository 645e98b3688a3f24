import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CborValue } from '../../src/codec/cbor.js';
import { startProver } from '../../src/crypto/spake2plus-prover.js';
import type { DeviceMessage, DialectName } from '../../src/dialect/messages.js';
import { failed, makeZone, StepController } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';

let world: DeviceWorld;
beforeEach(async () => {
  world = await DeviceWorld.start();
});
afterEach(() => world.close());

describe.each<DialectName>(['draft', 'reference'])('TC-PASE, %s dialect', (dialect) => {
  const connect = async (code?: string) =>
    new StepController(await world.connect(), dialect, makeZone('Home'), code === undefined ? {} : { code });

  it('TC-PASE-1: the correct setup code leads to PASE_VERIFIED', async () => {
    const controller = await connect();
    controller.paseX();
    expect(controller.takeY(await controller.receive())).toBe(true);
    controller.paseVerify();
    const confirm = await controller.receive();
    expect(confirm).toMatchObject({ type: 'paseConfirm', status: 0 });
    await world.untilPending('PASE_VERIFIED');
  });

  it('TC-PASE-2: a wrong setup code is answered with VERIFICATION_FAILED, and the next attempt is served', async () => {
    const controller = await connect('11223344');
    controller.paseX();
    controller.takeY(await controller.receive());
    controller.paseVerify();
    const answer = await controller.receive();
    expect(answer).toMatchObject({ type: 'paseConfirm', status: dialect === 'draft' ? 1 : 2 });
    await controller.peer.end();
    const retry = await connect();
    expect(await retry.run()).toMatchObject({ type: 'certAck', status: 0 });
  });

  it('TC-PASE-3: without X the device is back to ADVERTISING after 30 s', async () => {
    const controller = await connect();
    await world.untilPending('PASE_WAIT_X');
    await world.clock.advance(29_999);
    expect(controller.peer.closed).toBe(false);
    await world.clock.advance(1);
    await controller.peer.end();
    expect(world.device.status.qr).toBeDefined();
    expect(await (await connect()).run()).toMatchObject({ type: 'certAck', status: 0 });
  });

  it('TC-PASE-4: a malformed X closes the connection', async () => {
    const points: [string, Uint8Array][] = [
      ['off the curve', Uint8Array.from([4, ...new Uint8Array(63), 5])],
      ['the identity', Uint8Array.of(0)],
      ['hybrid form', hybrid()],
      ['32 bytes', new Uint8Array(32).fill(7)],
      ['compressed, x not on the curve', Uint8Array.from([2, ...new Uint8Array(31), 1])],
      ['x ≥ p', Uint8Array.from([2, ...new Uint8Array(32).fill(255)])],
    ];
    for (const [what, point] of points) {
      const controller = await connect();
      const context = controller.peer.exporter();
      controller.send({ type: 'paseX', point, ...(dialect === 'draft' ? { context } : {}) });
      const answers: DeviceMessage[] = [];
      await controller.peer.end();
      while (controller.peer.pendingFrames > 0) answers.push(await controller.receive());
      // Draft: closed without an answer; reference: message 255 with code 1 (protocol.md §2.3, §3).
      expect(answers, what).toEqual(dialect === 'draft' ? [] : [{ type: 'error', code: 1, text: 'invalid public key', retryAfter: 0 }]);
    }
    expect(await (await connect()).run()).toMatchObject({ type: 'certAck', status: 0 });
  });

  it('protocol.md §2.9: who is told that the device is busy, or sends no point, costs it no multiplication', async () => {
    const holder = await connect();
    holder.paseX();
    holder.takeY(await holder.receive());
    // What the next handshake makes ahead, it makes once.
    await (await connect()).peer.socket.end();
    await world.clock.advance(0);
    let multiplications = 0;
    const { crypto } = world;
    const { multiply, multiplyBase } = crypto;
    crypto.multiply = (...given) => {
      multiplications += 1;
      return multiply.apply(crypto, given);
    };
    crypto.multiplyBase = (...given) => {
      multiplications += 1;
      return multiplyBase.apply(crypto, given);
    };
    for (let i = 0; i < 5; i++) {
      const other = await connect();
      await world.clock.advance(0);
      other.paseX();
      expect(failed(await other.receive())).toBe(true);
      const broken = await connect();
      await world.clock.advance(0);
      broken.peer.send(
        new Map<number, CborValue>([
          [1, dialect === 'draft' ? 'pase_x' : 1],
          [2, new Uint8Array(dialect === 'draft' ? 33 : 65).fill(4)],
          [3, dialect === 'draft' ? broken.peer.exporter() : new Uint8Array(0)],
        ]),
      );
      await broken.peer.end();
    }
    expect(multiplications).toBe(0);
  });

  it('TC-PASE-5: the same X twice gets a fresh Y each time', async () => {
    const prover = startProver(world.crypto, dialect, (await import('../../src/crypto/setup-code.js')).parseSetupCode('20220211'));
    const seen = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const controller = await connect();
      const context = controller.peer.exporter();
      controller.send({ type: 'paseX', point: prover.X, ...(dialect === 'draft' ? { context } : {}) });
      const answer = await controller.receive();
      if (answer.type !== 'paseY') throw new Error(answer.type);
      seen.add(Buffer.from(answer.point).toString('hex'));
      controller.peer.destroy();
      await world.until(() => !world.clock.pending().some((timer) => timer.name === 'PASE_WAIT_V'), 'the lock released');
    }
    expect(seen.size).toBe(3);
  });
});

/** SEC 1 §2.3.3 hybrid form of the base point: 06 or 07 by the parity of y. */
function hybrid(): Uint8Array {
  const base = world.crypto.multiplyBase(Uint8Array.from([...new Uint8Array(31), 1]));
  return Uint8Array.from([6 + ((base[64] ?? 0) & 1), ...base.subarray(1)]);
}
