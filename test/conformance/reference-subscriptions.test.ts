import { afterEach, describe, expect, it } from 'vitest';
import type { CborMap, CborValue } from '../../src/codec/cbor.js';
import { mapOf } from '../world/controller.js';
import { Feature, map, opcode, READ, ReferenceWorld, SUBSCRIBE } from '../world/reference-world.js';
import type { ZonePeer } from '../world/zone-peer.js';

let world: ReferenceWorld;
afterEach(() => world.close());

const POWER = 1;
const REACTIVE = 2;
const [POWER_100, POWER_1000, POWER_ZERO] = [opcode(4, 1), opcode(4, 2), opcode(4, 3)];

async function single(): Promise<ZonePeer> {
  world = await ReferenceWorld.start();
  const test = await world.join('TEST');
  await world.trigger(test, POWER_ZERO);
  return test;
}

/** To Measurement of endpoint 1; id and priming values. */
async function subscribe(zone: ZonePeer, payload?: CborMap): Promise<readonly [number, CborMap]> {
  const { status, payload: answer } = await zone.ask(SUBSCRIBE, payload, Feature.MEASUREMENT, 1);
  expect(status).toBe(0);
  return [answer.get(1) as number, mapOf(answer.get(2))];
}
const power = (minInterval: number, maxInterval: number): CborMap => map([1, [POWER]], [2, minInterval], [3, maxInterval]);

/** Notifications that have arrived when the device has answered a Read. */
async function told(zone: ZonePeer): Promise<readonly (readonly [number, Readonly<Record<string, CborValue>>])[]> {
  await zone.ask(READ, [12]);
  return zone.notified.splice(0);
}

describe('§4.8 subscriptions', () => {
  it('SUB-001: the response is the priming report, null values too; no frame follows it', async () => {
    const test = await single();
    const [id, values] = await subscribe(test);
    expect(id).toBeGreaterThan(0);
    expect([values.get(POWER), values.has(REACTIVE)]).toEqual([0, true]);
    await world.device.clock.advance(900);
    expect(await told(test)).toEqual([]);
  });

  it('SUB-002, SUB-003: a change is told once, alone, minInterval after it; one back to the last value told never', async () => {
    const test = await single();
    const [id] = await subscribe(test, map([2, 2000], [3, 60_000]));
    await world.trigger(test, POWER_1000);
    await world.device.clock.advance(1900);
    expect(await told(test)).toEqual([]);
    await world.device.clock.advance(200);
    expect(await told(test)).toEqual([[id, { [POWER]: 1_000_000 }]]);
    await world.device.clock.advance(6000);
    expect(await told(test)).toEqual([]);
    await world.trigger(test, POWER_100);
    await world.trigger(test, POWER_1000);
    await world.device.clock.advance(6000);
    expect(await told(test)).toEqual([]);
  });

  it('minInterval 0 or absent is 1 s, maxInterval 0 or absent 60 s', async () => {
    const test = await single();
    const [first] = await subscribe(test, map([1, [POWER]], [2, 0], [3, 0]));
    const [second] = await subscribe(test, map([1, [POWER]]));
    await world.trigger(test, POWER_100);
    await world.device.clock.advance(900);
    expect(await told(test)).toEqual([]);
    await world.device.clock.advance(200);
    expect((await told(test)).map(([id]) => id).sort()).toEqual([first, second].sort());
    await world.device.clock.advance(59_500);
    expect(await told(test)).toEqual([]);
    await world.device.clock.advance(1000);
    expect((await told(test)).map(([id]) => id).sort()).toEqual([first, second].sort());
  });

  it('SUB-004: a heartbeat after maxInterval has every subscribed value', async () => {
    const test = await single();
    const [id, primed] = await subscribe(test, map([2, 1000], [3, 3000]));
    await world.device.clock.advance(2900);
    expect(await told(test)).toEqual([]);
    await world.device.clock.advance(200);
    expect(await told(test)).toEqual([[id, Object.fromEntries(primed)]]);
  });

  it('SUB-005: three changes 100 ms apart with minInterval 2 s: one notification, the last value', async () => {
    const test = await single();
    const [id] = await subscribe(test, power(2000, 60_000));
    for (const change of [POWER_100, POWER_1000, opcode(4, 7777, 1)]) {
      await world.trigger(test, change);
      await world.device.clock.advance(100);
    }
    await world.device.clock.advance(5000);
    expect(await told(test)).toEqual([[id, { [POWER]: 7777 }]]);
  });

  it('SUB-006, SUB-007: two are told both, each by its id; none after its unsubscribe', async () => {
    const test = await single();
    const [first] = await subscribe(test, power(1000, 60_000));
    const [second] = await subscribe(test, power(1000, 60_000));
    expect(first).not.toBe(second);
    await world.trigger(test, POWER_100);
    await world.device.clock.advance(1100);
    expect((await told(test)).map(([id]) => id)).toEqual([first, second]);
    expect((await test.ask(SUBSCRIBE, map([1, first]), 0, 0)).status).toBe(0);
    await world.trigger(test, POWER_1000);
    await world.device.clock.advance(1100);
    expect((await told(test)).map(([id]) => id)).toEqual([second]);
  });

  it('SUB-009: they die with the session: a new one is told nothing', async () => {
    const test = await single();
    await subscribe(test, power(1000, 3000));
    await test.connect();
    await world.trigger(test, POWER_100);
    await world.device.clock.advance(10_000);
    expect(await told(test)).toEqual([]);
  });

  it('§4.0.2, SUB-012: ids are unique, and at most 255 however many came before', async () => {
    const test = await single();
    const five = new Set<number>();
    for (let i = 0; i < 5; i++) five.add((await subscribe(test, power(1000, 60_000)))[0]);
    expect(five.size).toBe(5);
    for (let i = 0; i < 300; i++) {
      const [id] = await subscribe(test, power(1000, 60_000));
      expect(id).toBeGreaterThan(0);
      expect(id).toBeLessThanOrEqual(255);
      expect(five.has(id)).toBe(false);
      await test.ask(SUBSCRIBE, map([1, id]), 0, 0);
    }
  });

  it("MULTI-003: a zone's subscription is not another's", async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    const grid = await world.join('GRID');
    const local = await world.join('LOCAL');
    await world.trigger(test, POWER_ZERO);
    const [id] = await subscribe(grid, power(1000, 60_000));
    await world.trigger(test, POWER_100);
    await world.device.clock.advance(2000);
    expect(await told(grid)).toEqual([[id, { [POWER]: 100_000 }]]);
    expect(await told(local)).toEqual([]);
  });

  it('SUB-RESTORE-003: endpoint 99 fails, two others succeed; fifty is the most', async () => {
    const test = await single();
    expect((await test.ask(SUBSCRIBE, undefined, Feature.MEASUREMENT, 99)).status).toBe(1);
    for (let i = 0; i < 50; i++) await subscribe(test, power(1000, 60_000));
    expect((await test.ask(SUBSCRIBE, power(1000, 60_000), Feature.MEASUREMENT, 1)).status).toBe(13);
    const many = Array.from({ length: 101 }, (_, i) => i + 1);
    expect((await test.ask(SUBSCRIBE, map([1, many]), Feature.MEASUREMENT, 1)).status).toBe(13);
  });

  it('§4.0.1: nothing of DeviceInfo notifies: no change of zoneCount, no heartbeat, whatever is subscribed', async () => {
    const test = await single();
    expect((await test.ask(SUBSCRIBE)).status).toBe(0);
    const local = await world.join('LOCAL');
    await world.invoke(test, 16, { zoneId: local.zoneId }, Feature.DEVICE_INFO, 0);
    await world.device.clock.advance(130_000);
    expect(await told(test)).toEqual([]);
  });
});
