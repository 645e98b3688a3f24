import { afterEach, describe, expect, it } from 'vitest';
import { type CborKey, type CborMap, type CborValue, encodeCbor } from '../../src/codec/cbor.js';
import { fromHex } from '../../src/codec/hex.js';
import { mapOf } from '../world/controller.js';
import { Feature, INVOKE, map, opcode, READ, ReferenceWorld, SUBSCRIBE, WRITE } from '../world/reference-world.js';
import type { ZonePeer } from '../world/zone-peer.js';

let world: ReferenceWorld;
afterEach(() => world.close());

const [SET_LIMIT, CLEAR_LIMIT] = [1, 2];
const EC = Feature.ENERGY_CONTROL;
const [CONTROL_STATE, EFFECTIVE, MY_CONSUMPTION] = [2, 20, 21];
const [AUTONOMOUS, CONTROLLED, OVERRIDE] = [0, 1, 4];

async function single(type: 'GRID' | 'LOCAL' | 'TEST' = 'LOCAL'): Promise<ZonePeer> {
  world = await ReferenceWorld.start();
  return world.join(type);
}

/** Sends these bytes as a frame; the answer to them. */
async function raw(zone: ZonePeer, payload: Uint8Array): Promise<CborMap> {
  zone.peer.sendPayload(payload);
  return mapOf(await zone.peer.receive());
}
const request = (...entries: readonly (readonly [CborKey, CborValue])[]): Uint8Array => encodeCbor(new Map(entries));
const text = (answer: CborMap): string => String(mapOf(answer.get(3)).get(1));

describe('§4.7 status codes', () => {
  it.each<readonly [string, number, readonly [operation: number, payload: CborValue | undefined, feature?: number, endpoint?: number]]>([
    ['unknown endpoint 99', 1, [READ, undefined, 1, 99]],
    ['unknown endpoint 255', 1, [READ, undefined, 1, 255]],
    ['unknown feature', 2, [READ, undefined, 0x77, 0]],
    ['COMPAT-002: feature 0 is a request', 2, [READ, undefined, 0, 0]],
    ['unknown attribute, read', 3, [READ, [999]]],
    ['unknown attribute, written', 3, [WRITE, map([999, 1])]],
    ['protocol.md §3: global 0xFFFD', 3, [READ, [0xfffd]]],
    ['unknown command', 4, [INVOKE, map([1, 99])]],
    ['malformed payload', 5, [WRITE, 'x']],
    ['malformed parameters', 5, [INVOKE, map([1, 16], [2, 'x'])]],
    ['unsubscribe of an unknown id', 5, [SUBSCRIBE, map([1, 77]), 0, 0]],
    ['COMPAT-003: a read-only attribute', 6, [WRITE, map([1, 'x'])]],
    ['an id that no uint32 exceeds, as value', 6, [WRITE, map([1, 0xffff_ffff])]],
    ['min > max of a subscription', 13, [SUBSCRIBE, map([1, [1]], [2, 5000], [3, 1000]), 4, 1]],
  ])('%s: %i', async (_what, status, [operation, payload, feature, endpoint]) => {
    const zone = await single();
    expect((await zone.ask(operation, payload, feature, endpoint)).status).toBe(status);
    expect((await zone.ask(READ, [12])).status).toBe(0);
  });

  it('reads: absent, null, {1: [ids]}, a bare integer, text; the globals 0xFFFA to 0xFFFC by id', async () => {
    const zone = await single();
    const sizes: number[] = [];
    for (const payload of [undefined, null, map([1, [1, 4]]), 32, 'x', map([1, [0xfffa, 0xfffb, 0xfffc]])])
      sizes.push((await zone.ask(READ, payload)).payload.size);
    expect(sizes).toEqual([17, 17, 2, 17, 17, 3]);
  });

  it('TC-NULL-001: null to a nullable attribute succeeds, is read back in the answer, and reads null', async () => {
    const zone = await single();
    expect(await zone.ask(WRITE, map([MY_CONSUMPTION, null]), EC, 1)).toEqual({ status: 0, payload: map([MY_CONSUMPTION, null]) });
    expect(await world.read(zone, EC, MY_CONSUMPTION)).toBeNull();
  });

  it('§4.0.4: integers are integers, results have text keys', async () => {
    const zone = await single();
    const limited = await world.invoke(zone, SET_LIMIT, { consumptionLimit: 5_000_000, cause: 3 }, EC);
    expect(limited.payload).toEqual(
      new Map<string, CborValue>([
        ['applied', true],
        ['controlState', CONTROLLED],
        ['effectiveConsumptionLimit', 5_000_000],
      ]),
    );
  });

  it('§4.2: a Read of all of DeviceInfo and of EnergyControl fits into 8192 bytes', async () => {
    const zone = await single();
    for (const [feature, endpoint] of [
      [Feature.DEVICE_INFO, 0],
      [EC, 1],
    ] as const) {
      const { payload } = await zone.ask(READ, undefined, feature, endpoint);
      expect(encodeCbor(payload).length).toBeLessThan(8192);
    }
  });
});

describe('§4.7 send_raw: what decodes, and what does not', () => {
  it.each<readonly [string, Uint8Array, number]>([
    ['unknown integer keys are ignored', request([1, 7], [2, 1], [3, 0], [4, 1], [5, [12]], [99, 'new']), 0],
    ['any order of keys', request([4, 1], [5, [12]], [3, 0], [2, 1], [1, 7]), 0],
    ['INT-002: 2^32 − 1', request([1, 7], [2, 2], [3, 0], [4, 1], [5, map([1, 0xffff_ffff])]), 6],
    ['INT-003: 2^63 − 1', fromHex('a5010702020300040105a1011b7fffffffffffffff'), 6],
    ['INT-003: −2^63', fromHex('a5010702020300040105a1013b7fffffffffffffff'), 6],
  ])('%s', async (_what, payload, status) => {
    const zone = await single();
    const answer = await raw(zone, payload);
    expect([answer.get(1), answer.get(2)]).toEqual([7, status]);
  });

  it.each<readonly [string, string, RegExp]>([
    ['a duplicate key', 'a40101010202010300', /duplicate map key/],
    ['text keys', 'a162696401', /./],
    ['NaN', 'a101f97e00', /./],
    ['infinity', 'a101f97c00', /./],
    ['truncated CBOR', 'a2010a', /./],
    ['trailing bytes', 'a1010a00', /./],
    ['no map', '05', /./],
  ])('%s: message id 0, status 5, with a text; the connection stays', async (_what, hex, words) => {
    const zone = await single();
    const answer = await raw(zone, fromHex(hex));
    expect([answer.get(1), answer.get(2), text(answer)]).toEqual([0, 5, expect.stringMatching(words)]);
    expect((await zone.ask(READ, [12])).status).toBe(0);
  });

  it('without an operation: status 5 "Missing required field"; endpoint 256: status 5', async () => {
    const zone = await single();
    const missing = await raw(zone, request([1, 7], [3, 0], [4, 1]));
    expect([missing.get(2), text(missing)]).toEqual([5, expect.stringContaining('Missing required field')]);
    expect((await raw(zone, request([1, 8], [2, 1], [3, 256], [4, 1]))).get(2)).toBe(5);
  });

  it('PROTO-002: 32-bit ids are echoed, several requests at once answered each; a Response with an unknown id is ignored', async () => {
    const zone = await single();
    for (const id of [0xffff_ffff, 1, 0x8000_0000]) zone.peer.sendPayload(request([1, id], [2, 1], [3, 0], [4, 1], [5, [12]]));
    const answered = [];
    for (let i = 0; i < 3; i++) answered.push(mapOf(await zone.peer.receive()).get(1));
    expect(answered).toEqual([0xffff_ffff, 1, 0x8000_0000]);
    zone.peer.send(map([1, 4242], [2, 0], [3, new Map()]));
    expect((await zone.ask(READ, [12])).status).toBe(0);
    expect(zone.peer.pendingFrames).toBe(0);
  });

  it('a ping is answered by a pong with its sequence, ControlClose by a ControlClose and the end', async () => {
    const zone = await single();
    expect(await raw(zone, request([1, 1], [2, 41]))).toEqual(map([1, 2], [2, 41]));
    expect(await raw(zone, request([1, 3]))).toEqual(map([1, 3]));
    await zone.peer.end();
  });
});

describe('§4.9 limits', () => {
  const limit = (zone: ZonePeer, consumptionLimit: CborValue, more: Record<string, CborValue> = {}) =>
    world.invoke(zone, SET_LIMIT, { consumptionLimit, cause: 3, ...more }, EC);
  const shown = async (zone: ZonePeer): Promise<readonly (CborValue | undefined)[]> => [
    await world.read(zone, EC, CONTROL_STATE),
    await world.read(zone, EC, EFFECTIVE),
    await world.read(zone, EC, MY_CONSUMPTION),
  ];

  it('negative: status 0, not applied, reason 2; above the maximum: 11; overridden: reason 3; both null clear', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    const local = await world.join('LOCAL');
    const negative = await limit(local, -1);
    expect([negative.status, negative.payload.get('applied'), negative.payload.get('rejectReason')]).toEqual([0, false, 2]);
    expect((await limit(local, 1_000_000_000)).status).toBe(11);
    await world.trigger(test, opcode(5, OVERRIDE + 1));
    const overridden = await limit(local, 5_000_000);
    expect([overridden.payload.get('applied'), overridden.payload.get('rejectReason')]).toEqual([false, 3]);
    await world.trigger(test, opcode(5, CONTROLLED + 1));
    await limit(local, 5_000_000);
    expect(await shown(local)).toEqual([CONTROLLED, 5_000_000, 5_000_000]);
    await limit(local, null, { productionLimit: null });
    expect(await shown(local)).toEqual([AUTONOMOUS, null, null]);
  });

  it('the least of GRID and LOCAL holds; CONTROLLED while any is active, never LIMITED; without parameters ClearLimit clears', async () => {
    world = await ReferenceWorld.start();
    const grid = await world.join('GRID');
    const local = await world.join('LOCAL');
    await limit(grid, 6_000_000);
    await limit(local, 4_000_000);
    expect(await shown(grid)).toEqual([CONTROLLED, 4_000_000, 6_000_000]);
    expect((await local.ask(INVOKE, map([1, CLEAR_LIMIT]), EC, 1)).status).toBe(0);
    expect(await shown(local)).toEqual([CONTROLLED, 6_000_000, null]);
    await grid.ask(INVOKE, map([1, CLEAR_LIMIT]), EC, 1);
    expect(await shown(grid)).toEqual([AUTONOMOUS, null, null]);
  });

  it('TC-NULL-002, TC-NULL-003: a TEST zone’s limit is applied, shows in its own my* alone, and stays', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    const local = await world.join('LOCAL');
    for (const value of [0, 5_000_000]) {
      expect((await limit(test, value)).payload.get('applied')).toBe(true);
      await world.device.clock.advance(3000);
      expect(await shown(test)).toEqual([AUTONOMOUS, null, value]);
      expect(await shown(local)).toEqual([AUTONOMOUS, null, null]);
    }
  });

  it('a duration is in seconds; set again without one it ends no more', async () => {
    world = await ReferenceWorld.start();
    const local = await world.join('LOCAL');
    await limit(local, 5_000_000, { duration: 10 });
    await world.device.clock.advance(9800);
    expect(await world.read(local, EC, EFFECTIVE)).toBe(5_000_000);
    await world.device.clock.advance(400);
    expect(await shown(local)).toEqual([AUTONOMOUS, null, null]);
    await limit(local, 5_000_000, { duration: 10 });
    await limit(local, 4_000_000);
    await world.device.clock.advance(60_000);
    expect(await world.read(local, EC, EFFECTIVE)).toBe(4_000_000);
  });

  it('TC-INFLIGHT-002: a limit outlives an abrupt end of the connection', async () => {
    world = await ReferenceWorld.start();
    const local = await world.join('LOCAL');
    await limit(local, 5_000_000);
    local.peer.destroy();
    await world.device.until(() => world.device.device.status.zones.every(({ connected }) => !connected), 'disconnected');
    await local.connect();
    expect(await shown(local)).toEqual([CONTROLLED, 5_000_000, 5_000_000]);
  });

  it('protocol.md, row "failsafe default": 7200 s; the range is 2…24 h', async () => {
    const zone = await single();
    expect(await world.read(zone, EC, 72)).toBe(7200);
    for (const [value, status] of [
      [7199, 11],
      [7200, 0],
      [86_400, 0],
      [86_401, 11],
    ] as const)
      expect((await zone.ask(WRITE, map([72, value]), EC, 1)).status).toBe(status);
  });
});
