import { afterEach, describe, expect, it } from 'vitest';
import { goDuration } from '../../src/commissioning/go-duration.js';
import type { DeviceMessage } from '../../src/dialect/messages.js';
import { StepController } from '../world/controller.js';
import { map, ReferenceWorld, Trigger, zoneOf } from '../world/reference-world.js';

let world: ReferenceWorld;
afterEach(() => world.close());

const ERROR_DELAY = 200;
/** What the pumping of virtual time adds at most, ms. */
const STEP = 20;

async function controller(code = '20220211'): Promise<StepController> {
  return new StepController(await world.device.connect(), 'reference', zoneOf('LOCAL'), { code });
}

/** Message 1; the answer, and after how long. */
async function first(steps: StepController): Promise<readonly [DeviceMessage, number]> {
  steps.paseX();
  return world.timed(steps.receive());
}

/** A whole attempt with a wrong code: how long message 2 took, how long message 4. */
async function wrong(): Promise<readonly [number, number]> {
  const steps = await controller('11111112');
  const [reply, pace] = await first(steps);
  steps.take(reply);
  steps.paseVerify();
  const [answer, delay] = await world.timed(steps.receive());
  expect(answer).toMatchObject({ type: 'paseConfirm', status: 2 });
  await world.pumped(steps.peer.end());
  await world.cool();
  return [pace, delay];
}

/** Message 2 was sent, and the peer goes: a cool-down of 500 ms begins. */
async function abandoned(): Promise<void> {
  const steps = await controller();
  const [reply] = await first(steps);
  expect(reply.type).toBe('paseY');
  steps.peer.destroy();
  const { clock } = world.device;
  await world.device.until(() => !clock.pending().some(({ name }) => name === 'PASE_WAIT_V'), 'the end of the session');
}

describe('§4.3 wrong codes: the delay before message 2 grows, before the lock and before any answer', () => {
  it('BACKOFF-002: attempts 1–3 at once, 4–6 after 1 s, 7–10 after 3 s, from the 11th on after 10 s', async () => {
    world = await ReferenceWorld.start();
    const paces: number[] = [];
    for (let attempt = 1; attempt <= 12; attempt++) paces.push((await wrong())[0]);
    const due = [0, 0, 0, 1000, 1000, 1000, 3000, 3000, 3000, 3000, 10_000, 10_000];
    due.forEach((delay, index) => {
      expect(paces[index], `attempt ${index + 1}`).toBeGreaterThanOrEqual(delay);
      expect(paces[index], `attempt ${index + 1}`).toBeLessThanOrEqual(delay + STEP);
    });
  });

  it('closing the window and a success each begin the count anew', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    const four = async (): Promise<void> => {
      for (let attempt = 1; attempt <= 4; attempt++) await wrong();
      expect((await world.state(test))['pase_failed_attempts']).toBe(4);
    };
    await world.cool();
    await four();
    await world.trigger(test, Trigger.EXIT);
    await world.trigger(test, Trigger.ENTER);
    expect((await world.state(test))['pase_failed_attempts']).toBe(0);
    await four();
    const steps = await controller();
    const [reply, pace] = await first(steps);
    expect(pace).toBeGreaterThanOrEqual(1000);
    steps.take(reply);
    steps.paseVerify();
    expect(await world.pumped(steps.receive())).toMatchObject({ type: 'paseConfirm', status: 0 });
    expect((await world.state(test))['pase_failed_attempts']).toBe(0);
  });

  it('PASE-002: message 4 with error 2 and a MAC, no earlier than 200 ms after message 3; the lock is free at once', async () => {
    world = await ReferenceWorld.start();
    const [, delay] = await wrong();
    expect(delay).toBeGreaterThanOrEqual(ERROR_DELAY);
    expect(delay).toBeLessThanOrEqual(ERROR_DELAY + STEP);
    const steps = await controller();
    expect(await world.pumped(steps.run())).toMatchObject({ type: 'certAck', status: 0 });
  });
});

describe('§4.3 who is turned away', () => {
  it('while one is under way: code 5, "commissioning already in progress", 85 s, no earlier than 200 ms', async () => {
    world = await ReferenceWorld.start();
    const [reply] = await first(await controller());
    expect(reply.type).toBe('paseY');
    const second = await controller();
    const [answer, delay] = await first(second);
    expect(answer).toEqual({ type: 'error', code: 5, text: 'commissioning already in progress', retryAfter: 85_000 });
    expect(delay).toBeGreaterThanOrEqual(ERROR_DELAY);
    await world.pumped(second.peer.end());
  });

  it('within 500 ms of the end of one: code 5, the rest as a Go duration, and served after it', async () => {
    world = await ReferenceWorld.start();
    await abandoned();
    await world.device.clock.advance(187.5);
    const [answer, delay] = await first(await controller());
    expect(answer).toEqual({ type: 'error', code: 5, text: 'cooldown active (312.5ms remaining)', retryAfter: 313 });
    expect(delay).toBeGreaterThanOrEqual(ERROR_DELAY);
    await world.device.clock.advance(313);
    const steps = await controller();
    expect(await world.pumped(steps.run())).toMatchObject({ type: 'certAck', status: 0 });
  });

  it.each([
    [0.25, '0.25ms'],
    [312.5, '312.5ms'],
    [499.999_999_9, '500ms'],
    [1000, '1s'],
    [1500, '1.5s'],
    [59_999.5, '59.9995s'],
  ])('%s ms is %s in Go', (milliseconds, text) => {
    expect(goDuration(milliseconds)).toBe(text);
  });

  it('BUSY-003: a peer that closes during the handshake frees the lock: 700 ms later the next one is commissioned', async () => {
    world = await ReferenceWorld.start();
    await abandoned();
    await world.device.clock.advance(700);
    const steps = await controller();
    expect(await world.pumped(steps.run())).toMatchObject({ type: 'certAck', status: 0 });
  });

  it('protocol.md §2.8: a busy answer is no attempt', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    await world.cool();
    await abandoned();
    const [answer] = await first(await controller());
    expect(answer).toMatchObject({ code: 5 });
    expect((await world.state(test))['pase_failed_attempts']).toBe(1);
  });

  it('full: code 5, a text with "zone slots full" and retry 0, after message 1', async () => {
    world = await ReferenceWorld.plain();
    await world.join('GRID');
    await world.join('LOCAL');
    await world.cool();
    await world.device.press();
    const [answer, delay] = await first(await controller());
    expect(answer).toEqual({ type: 'error', code: 5, text: 'zone slots full', retryAfter: 0 });
    expect(delay).toBeGreaterThanOrEqual(ERROR_DELAY);
  });

  it('a point off the curve: code 1, "invalid public key", no earlier than 200 ms; the next one is served', async () => {
    world = await ReferenceWorld.start();
    const peer = await world.device.connect();
    peer.send(map([1, 1], [2, Uint8Array.of(4, ...new Uint8Array(63), 1)], [3, new TextEncoder().encode('mash-controller')]));
    const [answer, delay] = await world.timed(peer.receive());
    expect(answer).toEqual(
      new Map<number, number | string>([
        [1, 255],
        [2, 1],
        [3, 'invalid public key'],
        [4, 0],
      ]),
    );
    expect(delay).toBeGreaterThanOrEqual(ERROR_DELAY);
    await world.pumped(peer.end());
    const steps = await controller();
    expect(await world.pumped(steps.run())).toMatchObject({ type: 'certAck', status: 0 });
  });

  it('no text contains "code ", behind which the harness looks for the number', async () => {
    world = await ReferenceWorld.plain();
    await world.join('LOCAL');
    await world.cool();
    await world.device.press();
    const steps = new StepController(await world.device.connect(), 'reference', zoneOf('LOCAL', 'Other'));
    const answer = await world.pumped(steps.run());
    expect(answer).toMatchObject({ type: 'error', code: 10 });
    expect(answer.type === 'error' && answer.text).not.toContain('code ');
  });
});

describe('§4.3 what is late', () => {
  it('SEC-CONN-006: the first message is due 5 s after TLS; until then nobody is kept out', async () => {
    world = await ReferenceWorld.start();
    const idle = await world.device.connect();
    await world.device.untilPending('PASE_WAIT_X');
    await world.device.clock.advance(4900);
    expect(idle.closed).toBe(false);
    const steps = await controller();
    const [reply] = await first(steps);
    expect(reply.type).toBe('paseY');
    await world.device.clock.advance(200);
    await world.pumped(idle.end());
    expect(idle.pendingFrames).toBe(0);
  });

  it.each([
    ['PASEConfirm', 1, 30_000],
    ['CSR request after PASEComplete', 2, 5000],
  ])('%s: closed without an answer when its time is over', async (_what, done, deadline) => {
    world = await ReferenceWorld.start();
    const steps = await controller();
    for (const step of steps.steps.slice(0, done)) {
      step();
      steps.take(await world.pumped(steps.receive()));
    }
    await world.device.clock.advance(deadline - 100);
    expect(steps.peer.closed).toBe(false);
    await world.device.clock.advance(200);
    await world.pumped(steps.peer.end());
    expect(steps.peer.pendingFrames).toBe(0);
  });

  it('all of it has 85 s from the first message', async () => {
    world = await ReferenceWorld.start({ set: { 'commissioning.certificate': '300000' } });
    const steps = await controller();
    for (const step of steps.steps.slice(0, 3)) {
      step();
      steps.take(await world.pumped(steps.receive()));
    }
    await world.device.clock.advance(84_900);
    expect(steps.peer.closed).toBe(false);
    await world.device.clock.advance(200);
    await world.pumped(steps.peer.end());
  });

  it('protocol.md, row "whole commissioning": one that is under way when the window ends finishes', async () => {
    world = await ReferenceWorld.start({ set: { 'commissioning.window': '180000' } });
    await world.device.clock.advance(179_000);
    const steps = await controller();
    const [reply] = await first(steps);
    steps.take(reply);
    await world.device.clock.advance(2000);
    expect(world.windowOpen).toBe(false);
    steps.paseVerify();
    steps.take(await world.pumped(steps.receive()));
    steps.csrReq();
    steps.take(await world.pumped(steps.receive()));
    steps.certInstall();
    expect(await world.pumped(steps.receive())).toMatchObject({ type: 'certAck', status: 0 });
  });
});
