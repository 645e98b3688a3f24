import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CborKey, CborMap, CborValue } from '../../src/codec/cbor.js';
import { makeZone, mapOf } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const SUBSCRIBE = 3;
const STATUS = 2;
const GLOBALS = [0xfffa, 0xfffb, 0xfffc];
const HOUR = 3_600_000;
const DAY = 86_400_000;

function map(...entries: readonly (readonly [CborKey, CborValue])[]): CborMap {
  return new Map(entries);
}

describe.each(['draft', 'reference'] as const)('features.md §6: what may be subscribed to, profile %s', (profile) => {
  const draft = profile === 'draft';
  let world: DeviceWorld;
  let zone: ZonePeer;
  beforeAll(async () => {
    world = await DeviceWorld.start({ profile, set: { 'session.liveness': 'tcp' } });
    zone = await ZonePeer.commission(world, profile, makeZone('Home', 3, undefined, 'LOCAL'));
  });
  afterAll(() => world.close());

  /** The status; what was made is ended again. */
  async function status(payload: CborValue | undefined): Promise<CborValue> {
    const answer = await zone.ask(SUBSCRIBE, payload, STATUS, 1);
    if (answer.status === 0) expect((await zone.ask(SUBSCRIBE, map([1, answer.payload.get(1) ?? null]), 0)).status).toBe(0);
    return answer.status;
  }
  async function primed(payload: CborValue | undefined): Promise<readonly CborKey[]> {
    const answer = await zone.ask(SUBSCRIBE, payload, STATUS, 1);
    await zone.ask(SUBSCRIBE, map([1, answer.payload.get(1) ?? null]), 0);
    return [...mapOf(answer.payload.get(2)).keys()];
  }

  it.each<readonly [minimum: number | null | undefined, maximum: number | null | undefined, ofDraft: number, ofReference: number]>([
    [undefined, undefined, 0, 0],
    [null, null, 0, 0],
    [0, 0, 0, 0],
    [1, 1000, 0, 0],
    [1000, 1000, 0, 0],
    // 0 or absent is 1 000 / 60 000, and then judged.
    [0, 1000, 0, 0],
    [undefined, 999, 11, 13],
    [1, 999, 11, 0],
    [1001, 1000, 11, 13],
    [60_000, 0, 0, 0],
    [60_001, 0, 11, 13],
    [HOUR, DAY, 0, 0],
    [HOUR + 1, DAY, 11, 0],
    [1, DAY + 1, 11, 0],
    [1, 0xffff_ffff, 11, 0],
    [1, 0x1_0000_0000, 5, 5],
    [-1, 1000, 5, 5],
  ])('minInterval %s, maxInterval %s', async (minimum, maximum, ofDraft, ofReference) => {
    const given = [...(minimum === undefined ? [] : [[2, minimum] as const]), ...(maximum === undefined ? [] : [[3, maximum] as const])];
    expect(await status(map(...given))).toBe(draft ? ofDraft : ofReference);
  });

  it('all for an absent, empty or null list, globals too; each listed attribute once, ascending', async () => {
    const all = [1, 2, 3, 4, ...GLOBALS];
    for (const payload of [undefined, null, map(), map([1, []]), map([1, new Uint8Array(0)]), map([1, null])])
      expect(await primed(payload)).toEqual(all);
    expect(await primed(map([1, [0xfffc, 4, 1, 4, 1]]))).toEqual([1, 4, 0xfffc]);
    expect(await primed(map([1, Uint8Array.of(3, 2, 3)]))).toEqual([2, 3]);
    for (const payload of [[1], 5, 'x', map([1, 5]), map([1, ['1']]), map([1, [0x1_0000]]), map([2, 'x'])])
      expect(await status(payload)).toBe(5);
  });

  it('an attribute that is not there: 3, or skipped', async () => {
    expect(await status(map([1, [1, 99]]))).toBe(draft ? 3 : 0);
    expect(await status(map([1, [0xfffd]]))).toBe(draft ? 3 : 0);
    if (!draft) expect([await primed(map([1, [99, 1, 0xfffd]])), await primed(map([1, [99]]))]).toEqual([[1], []]);
  });

  it('101 listed ids: 13, of whatever attributes; a hundred are taken', async () => {
    expect(await status(map([1, Array.from({ length: 101 }, () => 1)]))).toBe(13);
    expect(await status(map([1, new Uint8Array(8000).fill(1)]))).toBe(13);
    expect(await status(map([1, Array.from({ length: 100 }, () => 1)]))).toBe(0);
  });

  it('an unsubscription: 5 for an unknown id, for the same id twice and for what is no id', async () => {
    const { payload } = await zone.ask(SUBSCRIBE, undefined, STATUS, 1);
    const id = payload.get(1) ?? null;
    const end = async (given: CborValue): Promise<CborValue> => (await zone.ask(SUBSCRIBE, map([1, given]), 0)).status;
    expect([await end(id), await end(id), await end(0), await end(256), await end('1'), await end(null), await end([1])]).toEqual([
      0, 5, 5, 5, 5, 5, 5,
    ]);
    expect((await zone.ask(SUBSCRIBE, map(), 0)).status).toBe(5);
    expect((await zone.ask(SUBSCRIBE, undefined, 0)).status).toBe(2);
  });

  it('fifty, and ids up to 255 used again last', async () => {
    const made: number[] = [];
    const make = async (): Promise<CborValue> => {
      const { status: given, payload } = await zone.ask(SUBSCRIBE, map([1, [1]]), STATUS, 1);
      if (given === 0) made.push(payload.get(1) as number);
      return given;
    };
    for (let i = 0; i < 50; i++) expect(await make()).toBe(0);
    expect(await make()).toBe(13);
    for (let i = 0; i < 600; i++) {
      const oldest = made[i] as number;
      await zone.ask(SUBSCRIBE, map([1, oldest]), 0);
      expect(await make()).toBe(0);
    }
    // One given back comes again when 205 others, all that were free, have been.
    for (const [i, id] of made.entries()) {
      expect(id >= 1 && id <= 255).toBe(true);
      if (i >= 255 && i < 650) expect(made.indexOf(id, i - 204)).toBe(i);
    }
  });
});
