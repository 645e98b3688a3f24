import { afterEach, describe, expect, it } from 'vitest';
import type { DialectName } from '../../src/dialect/messages.js';
import { makeZoneCa } from '../world/certificates.js';
import { failed, makeZone, mapOf, readAll, StepController, type StepOptions, type TestZone } from '../world/controller.js';
import { DeviceWorld, type WorldOptions } from '../world/device-world.js';

let world: DeviceWorld;
afterEach(() => world.close());

const begin = async (options: WorldOptions = {}): Promise<void> => {
  world = await DeviceWorld.start(options);
};
const controller = async (dialect: DialectName, zone: TestZone = makeZone('Home'), options: StepOptions = {}) =>
  new StepController(await world.connect(), dialect, zone, options);

/** An operational connection of the zone: its first read answered. */
async function operate(zone: TestZone, serverName?: string) {
  const peer = await world.connect({
    alpn: ['mash/1'],
    certificate: { der: zone.controller.der, key: zone.controller.key },
    ...(serverName === undefined ? {} : { serverName }),
  });
  peer.send(readAll(7));
  return { peer, answer: mapOf(await peer.receive()) };
}

describe.each<DialectName>(['draft', 'reference'])('TC-COMM, %s dialect', (dialect) => {
  it('TC-COMM-1: the full flow ends OPERATIONAL', async () => {
    await begin();
    const zone = makeZone('Home');
    const steps = await controller(dialect, zone, { attestation: true });
    expect(await steps.run()).toMatchObject({ type: 'certAck', status: 0 });
    await steps.finish();
    const { answer } = await operate(zone, steps.deviceId);
    expect(answer.get(1)).toBe(7);
    expect(answer.get(2)).toBe(0);
    expect(mapOf(answer.get(3)).get(32)).toBe(1);
    expect(world.device.status.zones).toMatchObject([{ id: steps.zoneId, connected: true }]);
  });

  it('TC-COMM-2: the window ends after 120 s whatever goes on in it, and everything under way with it', async () => {
    await begin();
    await world.clock.advance(100_000);
    const steps = await controller(dialect);
    steps.paseX();
    steps.takeY(await steps.receive());
    await world.clock.advance(19_999);
    expect(world.device.status.qr).toBeDefined();
    await world.clock.advance(1);
    expect(world.device.status.qr).toBeUndefined();
    expect(world.display.shown.kind).toBe('text');
    const answer = await steps.peer.next();
    expect(answer === undefined ? undefined : mapOf(answer).get(2)).toBe(dialect === 'draft' ? 2 : undefined);
    await steps.peer.end();
    await expect(world.connect()).rejects.toThrow(/alert number 120|no application protocol/i);
  });

  it('TC-COMM-3: without CSR_REQ the device is back to ADVERTISING after 10 s', async () => {
    await begin();
    const steps = await controller(dialect);
    steps.paseX();
    steps.takeY(await steps.receive());
    steps.paseVerify();
    await steps.receive();
    await world.clock.advance(9_999);
    expect(steps.peer.closed).toBe(false);
    await world.clock.advance(1);
    const answer = await steps.peer.next();
    expect(answer === undefined ? undefined : mapOf(answer).get(2)).toBe(dialect === 'draft' ? 2 : undefined);
    await steps.peer.end();
    expect(await (await controller(dialect)).run()).toMatchObject({ type: 'certAck', status: 0 });
  });

  it('TC-COMM-4: a malformed certificate is refused with INVALID_CERT and leaves nothing', async () => {
    await begin();
    const steps = await controller(dialect, makeZone('Home'), { installCertificate: Uint8Array.of(0x30, 0x03, 1, 2, 3) });
    expect(await steps.run()).toMatchObject({ type: 'certAck', status: dialect === 'draft' ? 5 : 3 });
    expect(world.device.status.zones).toEqual([]);
  });

  it('TC-COMM-5: a full medium is answered with STORAGE_ERROR, and a later attempt succeeds', async () => {
    await begin();
    const steps = await controller(dialect);
    for (const step of steps.steps.slice(0, -1)) {
      step();
      steps.take(await steps.receive());
    }
    world.flash.failAt(world.flash.operations, new Error('ENOSPC: no space left'));
    steps.certInstall();
    expect(await steps.receive()).toMatchObject({ type: 'certAck', status: dialect === 'draft' ? 6 : 2 });
    expect(world.device.status.zones).toEqual([]);
    await steps.peer.end();
    expect(await (await controller(dialect)).run()).toMatchObject({ type: 'certAck', status: 0 });
  });
});

describe('TC-COMM, the window', () => {
  it('TC-COMM-2: opened by the button, QR on the display only while it is open, cool-down 10 s, never extended', async () => {
    await begin({ windowAtStart: 'closed' });
    expect(world.display.shown.kind).toBe('text');
    await world.press();
    expect(world.display.shown).toMatchObject({ kind: 'qr', content: 'MASH:1:1234:20220211:0x1234:0x0001' });
    await world.clock.advance(60_000);
    await world.press();
    await world.clock.advance(59_899);
    expect(world.device.status.qr).toBeDefined();
    await world.clock.advance(1);
    expect(world.device.status.qr).toBeUndefined();
    await world.clock.advance(9_800);
    await world.press();
    expect(world.device.status.qr).toBeUndefined();
    await world.clock.advance(101);
    await world.press();
    expect(world.device.status.qr).toBeDefined();
  });
});

describe('TC-ZONE, draft dialect in profile reference', () => {
  async function attempt(type: number, code?: string) {
    await world.clock.advance(500);
    if (world.device.status.qr === undefined) await world.press();
    const zone = makeZone(`zone ${type}`, type);
    const steps = await controller('draft', zone, code === undefined ? {} : { code });
    const run = steps.run();
    let over = false;
    void run.then(() => {
      over = true;
    });
    await world.until(() => over || world.clock.pending().some(({ name }) => name === 'error answer'), 'an answer, or one held back');
    await world.clock.advance(200);
    const answer = await run;
    if (!failed(answer)) await steps.finish();
    return answer;
  }

  it('protocol.md, row "zone slots": one zone of each type, and no slot for a third', async () => {
    world = await DeviceWorld.start({ profile: 'reference' });
    expect(await attempt(3)).toMatchObject({ type: 'certAck', status: 0 });
    expect(await attempt(3)).toMatchObject({ type: 'certAck', status: 3 });
    expect(await attempt(1)).toMatchObject({ type: 'certAck', status: 0 });
    expect(world.device.status.zones.map(({ type }) => type)).toEqual([3, 1]);
    expect(await attempt(4)).toMatchObject({ type: 'paseConfirm', status: 3 });
  });

  it('protocol.md §2.9: only a correct verifier learns that the device is full', async () => {
    world = await DeviceWorld.start({ profile: 'reference' });
    for (const type of [3, 1]) expect(await attempt(type)).toMatchObject({ type: 'certAck', status: 0 });
    expect(await attempt(4, '11223344')).toMatchObject({ type: 'paseConfirm', status: 1 });
  });
});

describe.each<DialectName>(['draft', 'reference'])('TC-ZONE, %s dialect', (dialect) => {
  async function add(name: string): Promise<{ zone: TestZone; steps: StepController }> {
    if (world.device.status.qr === undefined) {
      await world.clock.advance(10_000);
      await world.press();
    }
    const zone = makeZone(name);
    const steps = await controller(dialect, zone);
    expect(await steps.run()).toMatchObject({ type: 'certAck', status: 0 });
    await steps.finish();
    return { zone, steps };
  }

  it('TC-ZONE-1: a second zone while the first stays operational', async () => {
    await begin();
    const first = await add('One');
    const session = await operate(first.zone, first.steps.deviceId);
    const second = await add('Two');
    session.peer.send(readAll(9));
    expect(mapOf(mapOf(await session.peer.receive()).get(3)).get(32)).toBe(2);
    expect((await operate(second.zone, second.steps.deviceId)).answer.get(2)).toBe(0);
    expect(world.device.status.zones.map((zone) => zone.connected)).toEqual([true, true]);
  });

  it('TC-ZONE-2, TC-ZONE-3: a fifth zone succeeds, a sixth is refused as full after a correct code only', async () => {
    await begin();
    for (const name of ['One', 'Two', 'Three', 'Four', 'Five']) await add(name);
    expect(world.device.status.zones).toHaveLength(5);
    await world.clock.advance(10_000);
    await world.press();
    const wrong = await controller(dialect, makeZone('Six'), { code: '11223344' });
    const guess = await wrong.run();
    expect(guess).toMatchObject({ type: 'paseConfirm', status: dialect === 'draft' ? 1 : 2 });
    const sixth = await controller(dialect, makeZone('Six'));
    const answer = await sixth.run();
    if (dialect === 'draft') expect(answer).toMatchObject({ type: 'paseConfirm', status: 3 });
    else
      expect(answer).toMatchObject({ type: 'error', code: 5, retryAfter: 0, text: expect.stringContaining('zone slots full') as string });
    expect(world.device.status.zones).toHaveLength(5);
  });

  it('TC-ZONE-4: the same Zone CA key again is ALREADY_COMMISSIONED, in another DER too', async () => {
    await begin();
    const { zone } = await add('One');
    await world.clock.advance(10_000);
    await world.press();
    const again = await controller(dialect, zone);
    expect(await again.run()).toMatchObject(dialect === 'draft' ? { type: 'certAck', status: 4 } : { type: 'error', code: 10 });
    const renamed = { ...zone, ca: makeZoneCa({ key: zone.ca.key, zoneName: 'Another name' }) };
    const other = await controller(dialect, renamed);
    expect(await other.run()).toMatchObject(dialect === 'draft' ? { type: 'certAck', status: 4 } : { type: 'error', code: 10 });
    expect(world.device.status.zones).toHaveLength(1);
  });

  it('TC-ZONE-5: a second controller is told that the device is busy; without a verifier the first yields after 5 s', async () => {
    await begin();
    const first = await controller(dialect);
    first.paseX();
    first.takeY(await first.receive());
    const second = await controller(dialect, makeZone('Two'));
    second.paseX();
    const busy = await second.receive();
    if (dialect === 'draft')
      expect(busy).toMatchObject({ type: 'paseConfirm', status: 16, text: 'Device busy commissioning', retryAfter: 5000 });
    else expect(busy).toMatchObject({ type: 'error', code: 5, retryAfter: 5000 });
    await second.peer.end();
    await world.clock.advance(4_999);
    const early = await controller(dialect, makeZone('Three'));
    early.paseX();
    expect(failed(await early.receive())).toBe(true);
    await world.clock.advance(1);
    const third = await controller(dialect, makeZone('Four'));
    expect(await third.run()).toMatchObject({ type: 'certAck', status: 0 });
    await first.peer.end();
  });

  it('TC-ZONE-5: a controller that has shown its verifier never yields', async () => {
    await begin();
    const first = await controller(dialect);
    for (const step of first.steps.slice(0, 2)) {
      step();
      first.take(await first.receive());
    }
    await world.clock.advance(9_000);
    const second = await controller(dialect, makeZone('Two'));
    second.paseX();
    expect(failed(await second.receive())).toBe(true);
    for (const step of first.steps.slice(2)) {
      step();
      first.take(await first.receive());
    }
    expect(world.device.status.zones).toHaveLength(1);
  });
});
