import { afterEach, describe, expect, it } from 'vitest';
import { type CborKey, type CborMap, type CborValue, WideInteger } from '../../src/codec/cbor.js';
import { fromHex } from '../../src/codec/hex.js';
import type { ProfileName } from '../../src/profile.js';
import { makeZone, mapOf } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const [READ, WRITE, SUBSCRIBE, INVOKE] = [1, 2, 3, 4];
const [STATUS, ENERGY_CONTROL, SIGNALS, PLAN] = [2, 5, 8, 9];
const SET_LIMIT = 1;
const SAFE = Number.MAX_SAFE_INTEGER;

let world: DeviceWorld;
let zone: ZonePeer;
afterEach(() => world.close());

function map(...entries: readonly (readonly [CborKey, CborValue])[]): CborMap {
  return new Map(entries);
}
const command = (id: number, parameters: CborMap): CborMap => map([1, id], [2, parameters]);
const own = async (): Promise<CborMap> => (await zone.ask(READ, [20, 21, 23], ENERGY_CONTROL, 1)).payload;
const NOTHING = map([20, null], [21, null], [23, null]);

async function home(profile: ProfileName): Promise<void> {
  world = await DeviceWorld.start({ profile, powerStage: true, set: { 'session.liveness': 'tcp' } });
  zone = await ZonePeer.commission(world, profile === 'draft' ? 'draft' : 'reference', makeZone('Home', 3, undefined, 'LOCAL'));
}

/** Message 1: a write of EnergyControl 21 with this CBOR as its value. */
async function writeRaw(hex: string): Promise<readonly [id: CborValue | undefined, status: CborValue | undefined]> {
  zone.peer.sendPayload(fromHex(`a501187702020301040505a115${hex}`));
  const answer = mapOf(await zone.peer.receive());
  return [answer.get(1), answer.get(2)];
}

describe.each(['draft', 'reference'] as const)('odd values, profile %s', (profile) => {
  it.each<readonly [what: string, hex: string, id: number, status: number]>([
    ['5.0', 'f94500', 0x77, 5],
    ['−0.0', 'f98000', 0x77, 5],
    ['−0.0 of 64 bits', 'fb8000000000000000', 0x77, 5],
    ['NaN', 'f97e00', 0, 5],
    ['infinity', 'fb7ff0000000000000', 0, 5],
    ['a bignum', 'c24101', 0, 5],
    ['a tagged time', 'c11a00000001', 0, 5],
    ['undefined', 'f7', 0, 5],
    ['2⁶⁴ − 1, which int64 does not hold', '1bffffffffffffffff', 0x77, 5],
    ['−2⁶³, which it does', '3b7fffffffffffffff', 0x77, 11],
    ['−5', '24', 0x77, 11],
    ['nesting deeper than 16', `${'81'.repeat(16)}00`, 0, 5],
    ['nesting that is allowed', `${'81'.repeat(13)}00`, 0x77, 5],
    ['a map with one key twice', 'a201000100', 0, 5],
    ['a map with one key twice, once not in its shortest form', 'a20100180100', 0, 5],
    ['an integer not in its shortest form', '1b0000000000000005', 0x77, 0],
  ])('%s for a limit', async (_what, hex, id, status) => {
    await home(profile);
    expect(await writeRaw(hex)).toEqual([id, status]);
    expect(await own()).toEqual(status === 0 ? map([20, 5], [21, 5], [23, null]) : NOTHING);
  });

  it('protocol.md §3: a parameter by name and by position is a duplicate key: 5, nothing changes', async () => {
    await home(profile);
    const both = [
      map(['consumptionLimit', null], [1, 5_000_000], ['cause', 1]),
      map(['consumptionLimit', 1], [1, 5_000_000], ['cause', 1]),
      map([1, 5_000_000], ['cause', 1], [4, 1]),
    ];
    for (const parameters of both) expect((await zone.ask(INVOKE, command(SET_LIMIT, parameters), ENERGY_CONTROL, 1)).status).toBe(5);
    const phases = map(['phases', map([0, 6000], ['A', 16_000])], ['direction', 0], ['cause', 1]);
    expect((await zone.ask(INVOKE, command(3, phases), ENERGY_CONTROL, 1)).status).toBe(5);
    expect(await own()).toEqual(NOTHING);
    expect((await zone.ask(INVOKE, command(SET_LIMIT, map([1, 5_000_000], ['cause', 1])), ENERGY_CONTROL, 1)).status).toBe(0);
  });

  it('features.md, "Forms": shape before values, whichever parameter it is', async () => {
    await home(profile);
    const beyond = new WideInteger(false, 0x4000_0000, 0);
    const status = async (parameters: CborMap): Promise<CborValue> =>
      (await zone.ask(INVOKE, command(SET_LIMIT, parameters), ENERGY_CONTROL, 1)).status;
    expect(await status(map(['consumptionLimit', beyond], ['cause', 1]))).toBe(11);
    expect(await status(map(['consumptionLimit', beyond]))).toBe(5);
    expect(await status(map(['consumptionLimit', beyond], ['cause', 77]))).toBe(5);
    expect(await own()).toEqual(NOTHING);
  });

  it('a text as long as a message is quoted in part: the status stays what it is', async () => {
    await home(profile);
    const long = 'k'.repeat(profile === 'draft' ? 65_000 : 8100);
    expect((await zone.ask(WRITE, map([long, 1]), ENERGY_CONTROL, 1)).status).toBe(5);
    expect(
      (await zone.ask(INVOKE, command(3, map(['phases', map([long, 1])], ['direction', 0], ['cause', 1])), ENERGY_CONTROL, 1)).status,
    ).toBe(5);
  });

  it('a map of many keys: the lowest that fails decides, and nothing is written', async () => {
    await home(profile);
    const many = map(...Array.from({ length: profile === 'draft' ? 10_000 : 1300 }, (_, i) => [i + 21, i] as const));
    expect((await zone.ask(WRITE, many, ENERGY_CONTROL, 1)).status).toBe(6);
    expect((await zone.ask(WRITE, map([0xfffd, 1], [0x1_0000, 1]), ENERGY_CONTROL, 1)).status).toBe(5);
    expect((await zone.ask(WRITE, map([0xfffd, 1], [21, 1]), ENERGY_CONTROL, 1)).status).toBe(3);
    expect(await own()).toEqual(NOTHING);
  });

  it('features.md §5: times that no clock reaches; whoever subscribed is told of nothing, and all can be read', async () => {
    await home(profile);
    await zone.ask(SUBSCRIBE, undefined, PLAN, 1);
    for (const startTime of [SAFE, SAFE - 86_400])
      expect((await zone.ask(INVOKE, command(1, map(['startTime', startTime])), PLAN, 1)).status).toBe(11);
    const slots = [map(['duration', 0xffff_ffff], ['consumptionMax', SAFE])];
    for (const more of [map(['startTime', SAFE]), map(['startTime', 0], ['validUntil', SAFE])]) {
      const signal = map(['source', 0], ...more, ['slots', slots]);
      expect((await zone.ask(INVOKE, command(2, signal), SIGNALS, 1)).status).toBe(0);
      expect((await zone.ask(READ, undefined, SIGNALS, 1)).status).toBe(0);
    }
    await world.clock.advance(5000);
    expect((await zone.ask(READ, [1, 10, 11], PLAN, 1)).payload).toEqual(map([1, 0], [10, null], [11, null]));
    expect(zone.notified).toEqual([]);
  });
});

describe('features.md §6: a peer that takes 8 192 bytes, and values above that', () => {
  const bounds = ['consumptionMax', 'consumptionMin', 'productionMax', 'productionMin'].map((name) => [name, 11_000_000] as const);
  const constraints = Array.from({ length: 96 }, () => map(['duration', 900], ...bounds));
  /** The same slots by position: short enough to be sent. */
  const short = constraints.map(() => map([1, 900], [2, 11_000_000], [3, 11_000_000], [4, 11_000_000], [5, 11_000_000]));
  const prices = Array.from({ length: 96 }, () => map(['duration', 900], ['price', 1000], ['priceLevel', 5]));
  const send = (id: number, slots: readonly CborMap[]) =>
    zone.ask(INVOKE, command(id, map(['source', 0], ['startTime', 0], ['slots', slots])), SIGNALS, 1);

  it('a subscription whose priming does not fit is refused with 13 and is not there', async () => {
    await home('reference');
    expect((await send(2, short)).status).toBe(0);
    expect((await zone.ask(READ, [20], SIGNALS, 1)).status).toBe(13);
    for (let i = 0; i < 60; i++) expect((await zone.ask(SUBSCRIBE, undefined, SIGNALS, 1)).status).toBe(13);
    for (let i = 0; i < 50; i++) expect((await zone.ask(SUBSCRIBE, map([1, [1]]), STATUS, 1)).status).toBe(0);
    await world.clock.advance(120_000);
    await zone.ask(READ);
    expect(zone.notified.every(([, values]) => Object.keys(values).join() === '1')).toBe(true);
  });

  it('what does not fit into one notification comes in several; what fits into none does not keep the rest away', async () => {
    await home('reference');
    const { payload } = await zone.ask(SUBSCRIBE, map([1, [1, 2, 3, 10, 20]]), SIGNALS, 1);
    await send(1, prices);
    await send(2, short);
    await world.clock.advance(1100);
    await zone.ask(READ);
    const told = Object.assign({}, ...zone.notified.map(([, values]) => values)) as Record<string, CborValue>;
    expect(new Set(zone.notified.map(([id]) => id))).toEqual(new Set([payload.get(1)]));
    expect([told[1], told[10], 20 in told]).toEqual([0, prices, false]);
  });
});
