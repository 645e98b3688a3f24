import { beforeEach, describe, expect, it } from 'vitest';
import type { CborValue } from '../../src/codec/cbor.js';
import { Signals } from '../../src/features/signals.js';
import { invoke } from '../../src/interaction/invoke.js';
import type { Caller } from '../../src/model/feature.js';
import { DeviceModel, type Feature } from '../../src/model/model.js';
import { VirtualClock } from '../world/clock.js';

const START = 1_790_000_000;
const GRID: Caller = { id: 'a1', type: 1, priority: 1 };
const HOME: Caller = { id: 'b2', type: 3, priority: 3 };
const TEST: Caller = { id: 'd4', type: 0, priority: 1 };
const PRICE = 1;
const CONSTRAINT = 2;
const FORECAST = 3;
const CLEAR = 4;

type Fields = Readonly<Record<string, CborValue>>;

let clock: VirtualClock;
let signals: Signals;
let feature: Feature;
let clockSet: boolean;
let refused: readonly string[];
let constraints: [string, readonly (number | null)[], number][];
let reports: (readonly number[])[];
let changes: number;

function start(forecasts = true): void {
  signals = new Signals({
    clock,
    forecasts,
    now: () => (clockSet ? clock.wall() / 1000 : undefined),
    refuses: ({ id }) => refused.includes(id),
    onConstraint: (zone, limits) => void constraints.push([zone, limits, clock.now()]),
    onChanged: () => void changes++,
  });
  const model = new DeviceModel([{ id: 1, type: 5, featureMap: 0x17b, features: [signals] }]);
  model.onChange((_feature, ids) => void reports.push(ids));
  feature = model.endpoint(1)?.feature(8) ?? expect.fail('no Signals');
}

beforeEach(() => {
  clock = new VirtualClock(START * 1000);
  clockSet = true;
  refused = [];
  constraints = [];
  reports = [];
  changes = 0;
  start();
});

const map = (fields: Fields): CborValue => new Map(Object.entries(fields));
const run = (zone: Caller, command: number, parameters: Fields): Promise<Fields> =>
  (async () =>
    Object.fromEntries(
      (
        await invoke(
          feature,
          {
            payload: new Map<number, CborValue>([
              [1, command],
              [2, map(parameters)],
            ]),
          } as never,
          zone,
        )
      )?.values ?? [],
    ) as Fields)();
const send = (zone: Caller, command: number, slots: readonly Fields[], more: Fields = {}) =>
  run(zone, command, { source: 0, startTime: 0, slots: slots.map(map), ...more });
const status = (promise: Promise<unknown>): Promise<number> =>
  promise.then(
    () => 0,
    (error: { status?: number; kind?: string }) => error.status ?? (error.kind === 'range' ? 11 : 5),
  );
const shown = (): Fields => Object.fromEntries([1, 2, 3, 10, 20, 30].map((id) => [id, signals.read(id)]));

const TABLES = [
  [PRICE, 10, { duration: 60, price: 1500, priceLevel: 2, renewablePercent: 40, co2Intensity: 300 }],
  [CONSTRAINT, 20, { duration: 60, consumptionMax: 3_700_000, consumptionMin: 0, productionMax: 5, productionMin: 0 }],
  [FORECAST, 30, { duration: 60, forecastPower: -2_500_000, forecastEnergy: 40_000 }],
] as const;

describe('Signals, commands (features.md §5)', () => {
  it.each(TABLES)('command %i: its slots are shown whole in %i, with source, start and validity', async (command, attribute, slot) => {
    expect(await send(HOME, command, [slot, slot], { source: 3, startTime: START + 5, validUntil: START + 90 })).toEqual({});
    expect(shown()).toMatchObject({ 1: 3, 2: START + 5, 3: START + 90, [attribute]: [map(slot), map(slot)] });
    expect(reports).toEqual([[1, 2, 3, attribute]]);
  });

  it('an absent or null field is left out', async () => {
    await send(HOME, PRICE, [{ duration: 60, price: -3, priceLevel: null }]);
    expect(shown()[10]).toEqual([map({ duration: 60, price: -3 })]);
  });

  it('start 0 is now', async () => {
    await send(HOME, PRICE, [{ duration: 60, price: 1 }]);
    expect(shown()).toMatchObject({ 2: START, 3: null });
  });

  it("ClearSignals takes back what is one's own: all, or one kind; the number of kinds", async () => {
    for (const [command, , slot] of TABLES) await send(HOME, command, [slot]);
    await send(GRID, PRICE, [{ duration: 60, price: 7 }]);
    expect(await run(HOME, CLEAR, { signalType: 'forecast' })).toEqual({ cleared: 1 });
    expect(await run(HOME, CLEAR, { signalType: 'forecast' })).toEqual({ cleared: 0 });
    expect(await run(HOME, CLEAR, {})).toEqual({ cleared: 2 });
    expect(shown()).toEqual({ 1: 0, 2: START, 3: null, 10: [map({ duration: 60, price: 7 })], 20: null, 30: null });
    expect(await run(HOME, CLEAR, { signalType: null })).toEqual({ cleared: 0 });
  });

  it('without forecasts neither command nor attribute is listed: 10', async () => {
    start(false);
    expect(await status(send(HOME, FORECAST, [{ duration: 1, forecastPower: 1 }]))).toBe(10);
    expect([feature.commandIds, feature.attributeIds.includes(30)]).toEqual([[1, 2, 4], false]);
  });
});

describe('Signals, statuses (features.md §5)', () => {
  const price = { duration: 60, price: 1 };
  const many = (count: number) => Array.from({ length: count }, () => price);

  it.each<readonly [string, number, () => Promise<unknown>]>([
    ['no slots', 11, () => send(HOME, PRICE, [])],
    ['96 slots', 0, () => send(HOME, PRICE, many(96))],
    ['97 slots', 11, () => send(HOME, PRICE, many(97))],
    ['duration 0', 11, () => send(HOME, PRICE, [price, { ...price, duration: 0 }])],
    ['level 10', 0, () => send(HOME, PRICE, [{ ...price, priceLevel: 10 }])],
    ['level 11', 11, () => send(HOME, PRICE, [{ ...price, priceLevel: 11 }])],
    ['percent 100', 0, () => send(HOME, PRICE, [{ ...price, renewablePercent: 100 }])],
    ['percent 101', 11, () => send(HOME, PRICE, [{ ...price, renewablePercent: 101 }])],
    ['consumption bound below 0', 11, () => send(HOME, CONSTRAINT, [{ duration: 1, consumptionMax: -1 }])],
    ['production bound below 0', 11, () => send(HOME, CONSTRAINT, [{ duration: 1, productionMin: -1 }])],
    ['consumption min above max', 11, () => send(HOME, CONSTRAINT, [{ duration: 1, consumptionMax: 1, consumptionMin: 2 }])],
    ['production min above max', 11, () => send(HOME, CONSTRAINT, [{ duration: 1, productionMax: 1, productionMin: 2 }])],
    ['min = max', 0, () => send(HOME, CONSTRAINT, [{ duration: 1, consumptionMax: 2, consumptionMin: 2 }])],
    ['min alone', 0, () => send(HOME, CONSTRAINT, [{ duration: 1, consumptionMin: 2 }])],
    ['validUntil at the start', 11, () => send(HOME, PRICE, [price], { startTime: START + 10, validUntil: START + 10 })],
    ['validUntil before now', 11, () => send(HOME, PRICE, [price], { validUntil: START - 10 })],
    ['all past by its slots', 11, () => send(HOME, PRICE, [price], { startTime: START - 60 })],
    ['all past by its validity', 11, () => send(HOME, PRICE, many(9), { startTime: START - 60, validUntil: START - 1 })],
    ['begun and not over', 0, () => send(HOME, PRICE, [price], { startTime: START - 59 })],
    ['a missing field', 5, () => send(HOME, PRICE, [{ duration: 60 }])],
    ['a mistyped field', 5, () => send(HOME, PRICE, [{ duration: 60, price: 'x' }])],
    ['slots missing', 5, () => run(HOME, PRICE, { source: 0, startTime: 0 })],
    ['no such source', 5, () => send(HOME, PRICE, [price], { source: 4 })],
    ['a text that names no kind', 5, () => run(HOME, CLEAR, { signalType: 'limits' })],
    ['a kind that is no text', 5, () => run(HOME, CLEAR, { signalType: 1 })],
    ['no such command', 4, () => run(HOME, 9, {})],
  ])('%s: %i', async (_name, expected, act) => {
    expect(await status(act())).toBe(expected);
    if (expected !== 0)
      expect([shown(), reports, constraints, changes]).toEqual([{ 1: null, 2: null, 3: null, 10: null, 20: null, 30: null }, [], [], 0]);
  });

  it('a clock that was never set: start 0 alone, and no validity', async () => {
    clockSet = false;
    expect(await status(send(HOME, PRICE, [price], { startTime: START }))).toBe(11);
    expect(await status(send(HOME, PRICE, [price], { validUntil: START + 100 }))).toBe(11);
    expect(await status(send(HOME, PRICE, [price]))).toBe(0);
    expect(shown()).toMatchObject({ 1: 0, 2: null, 3: null });
  });

  it('opted out: 8 for every command, after the shape, before the values', async () => {
    refused = [HOME.id];
    expect(await status(send(HOME, PRICE, []))).toBe(8);
    expect(await status(send(HOME, CONSTRAINT, []))).toBe(8);
    expect(await status(send(HOME, FORECAST, []))).toBe(8);
    expect(await status(run(HOME, CLEAR, {}))).toBe(8);
    expect(await status(run(HOME, CLEAR, { signalType: 'x' }))).toBe(5);
    expect(await status(send(HOME, PRICE, [{ duration: 60 }]))).toBe(5);
    expect(await status(send(GRID, PRICE, [price]))).toBe(0);
  });

  it('a refused signal leaves the former one in force', async () => {
    await send(HOME, PRICE, [price]);
    await status(send(HOME, PRICE, [{ ...price, priceLevel: 11 }]));
    expect(shown()[10]).toEqual([map(price)]);
  });
});

describe('constraint slots', () => {
  const slots = [
    { duration: 100, consumptionMax: 5_000_000 },
    { duration: 50, consumptionMin: 1 },
    { duration: 100, consumptionMax: 3_000_000, productionMax: 0 },
  ];

  it('act at each slot change, and end', async () => {
    await send(HOME, CONSTRAINT, slots, { startTime: START + 10 });
    expect(constraints).toEqual([]);
    await clock.advance(400_000);
    expect(constraints).toEqual([
      ['b2', [5_000_000, null], 10_000],
      ['b2', [null, null], 110_000],
      ['b2', [3_000_000, 0], 160_000],
      ['b2', [null, null], 260_000],
    ]);
    expect(shown()[20]).toBeNull();
    expect(clock.pending()).toEqual([]);
  });

  it('begun in the past: the slot of this moment acts at once; validity cuts the rest', async () => {
    await send(HOME, CONSTRAINT, slots, { startTime: START - 160, validUntil: START + 20 });
    await clock.advance(400_000);
    expect(constraints).toEqual([
      ['b2', [3_000_000, 0], 0],
      ['b2', [null, null], 20_000],
    ]);
  });

  it('slot times are monotonic deadlines: a clock that jumps moves nothing', async () => {
    await send(HOME, CONSTRAINT, slots, { startTime: START + 10 });
    clock.setWall(0);
    await clock.advance(10_000);
    clock.setWall((START + 10_000) * 1000);
    await clock.advance(100_000);
    expect(constraints.map(([, , at]) => at)).toEqual([10_000, 110_000]);
  });

  it("each zone's act side by side, whichever is shown; a new one replaces in one step", async () => {
    await send(HOME, CONSTRAINT, [{ duration: 100, consumptionMax: 1 }]);
    await send(GRID, CONSTRAINT, [{ duration: 100, consumptionMax: 2 }]);
    await send(HOME, CONSTRAINT, [{ duration: 100, consumptionMax: 3 }]);
    await run(GRID, CLEAR, {});
    expect(constraints.map(([zone, [consumption]]) => [zone, consumption])).toEqual([
      ['b2', 1],
      ['a1', 2],
      ['b2', 3],
      ['a1', null],
    ]);
  });

  it('the removal of their zone ends them', async () => {
    await send(HOME, CONSTRAINT, slots);
    await send(GRID, PRICE, [{ duration: 60, price: 1 }]);
    signals.removeZone(HOME.id);
    expect(constraints.at(-1)).toEqual(['b2', [null, null], 0]);
    expect(shown()).toMatchObject({ 20: null, 1: 0 });
  });
});

describe('what is shown: the highest priority, then the latest, TEST last', () => {
  it('1–3 are of the latest of what is shown', async () => {
    await send(GRID, PRICE, [{ duration: 60, price: 1 }], { source: 1 });
    await send(HOME, CONSTRAINT, [{ duration: 600, consumptionMax: 1 }], { source: 3, startTime: START + 9 });
    expect(shown()).toMatchObject({ 1: 3, 2: START + 9 });
    // Not shown: the grid operator's price stands above it.
    await send(HOME, PRICE, [{ duration: 60, price: 2 }], { source: 2 });
    expect(shown()).toMatchObject({ 1: 3, 10: [map({ duration: 60, price: 1 })] });
    await run(HOME, CLEAR, { signalType: 'constraint' });
    expect(shown()).toMatchObject({ 1: 1, 2: START, 20: null });
  });

  it('suspended zones are not shown and not counted until they return; the others are (features.md §4)', async () => {
    await send(GRID, PRICE, [{ duration: 600, price: 1 }]);
    await send(HOME, PRICE, [{ duration: 600, price: 2 }]);
    signals.suspend(new Set([GRID.id]));
    expect([signals.price?.zone.id, signals.book.length]).toEqual(['b2', 1]);
    signals.suspend(new Set([GRID.id, HOME.id]));
    expect([shown()[10], signals.price]).toEqual([null, undefined]);
    await clock.advance(1000);
    signals.suspend(new Set());
    expect(shown()[10]).toEqual([map({ duration: 600, price: 1 })]);
  });

  it("a TEST zone's is shown where there is no other, and steers nothing", async () => {
    await send(TEST, PRICE, [{ duration: 600, price: 1 }]);
    expect([shown()[10], signals.price]).toEqual([[map({ duration: 600, price: 1 })], undefined]);
    await send({ id: 'f6', type: 4, priority: 4 }, PRICE, [{ duration: 600, price: 2 }]);
    expect([shown()[10], signals.price?.zone.id]).toEqual([[map({ duration: 600, price: 2 })], 'f6']);
  });

  it('property: after every step the shown signal of each kind is the one of the rule', async () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 0x1_0000_0000) * below);
    };
    const zones: readonly Caller[] = [GRID, HOME, TEST, { id: 'e5', type: 4, priority: 3 }, { id: 'f6', type: 4, priority: 4 }];
    const kinds = ['price', 'constraint', 'forecast'] as const;
    let model: { zone: Caller; kind: number; until: number; mark: number }[] = [];
    let seen = 0;
    for (let step = 1; step <= 3000; step++) {
      const zone = zones[random(zones.length)] as Caller;
      const kind = random(3);
      const act = random(10);
      if (act < 6) {
        const duration = 1 + random(300);
        const slot = [{ price: step }, { consumptionMax: step }, { forecastPower: step }][kind] as Fields;
        await send(zone, kind + 1, [{ duration, ...slot }]);
        model = model.filter((one) => one.zone !== zone || one.kind !== kind);
        model.push({ zone, kind, until: clock.now() + duration * 1000, mark: step });
      } else if (act < 7) {
        await run(zone, CLEAR, { signalType: kinds[kind] as string });
        model = model.filter((one) => one.zone !== zone || one.kind !== kind);
      } else if (act < 8) {
        signals.removeZone(zone.id);
        model = model.filter((one) => one.zone !== zone);
      } else {
        await clock.advance(random(100_000));
        model = model.filter((one) => one.until > clock.now());
      }
      for (let k = 0; k < 3; k++) {
        const rank = (one: (typeof model)[number]): number => (one.zone === TEST ? 9 : one.zone.priority);
        const best = model.filter((one) => one.kind === k).sort((a, b) => rank(a) - rank(b) || b.mark - a.mark)[0];
        const [slot] = (signals.read([10, 20, 30][k] as number) ?? []) as ReadonlyMap<string, CborValue>[];
        expect([...(slot?.values() ?? [])][1]).toBe(best?.mark);
        if (best !== undefined) seen++;
      }
    }
    expect(seen).toBeGreaterThan(3000);
  });
});
