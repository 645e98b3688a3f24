import { describe, expect, it } from 'vitest';
import type { CborKey, CborValue } from '../../src/codec/cbor.js';
import {
  gridEndpoint,
  type MeterEffect,
  type MeterEvent,
  type MeterState,
  meterDeadline,
  nextMeter,
  PROBE_DELAY,
  powerOf,
  STALE,
  startMeter,
} from '../../src/interaction/grid-meter.js';

const NOW = 1_000_000;
const unknown: MeterState = { kind: 'unknown', earliest: NOW, wanted: false };
const unknownWanted: MeterState = { kind: 'unknown', earliest: NOW + 1, wanted: true };
const probing: MeterState = { kind: 'probing', wanted: true };
const probingInVain: MeterState = { kind: 'probing', wanted: false };
const none: MeterState = { kind: 'none' };
const known: MeterState = { kind: 'known', endpoint: 3 };
const subscribing: MeterState = { kind: 'subscribing', endpoint: 3, wanted: true };
const subscribingInVain: MeterState = { kind: 'subscribing', endpoint: 3, wanted: false };
const following: MeterState = { kind: 'following', endpoint: 3, subscription: 7, power: -5, staleAt: NOW + 1 };
const stale: MeterState = { kind: 'following', endpoint: 3, subscription: 7, power: null, staleAt: NOW };

const time: MeterEvent = { type: 'time' };
const wanted: MeterEvent = { type: 'wanted', wanted: true };
const unwanted: MeterEvent = { type: 'wanted', wanted: false };
const found: MeterEvent = { type: 'probed', endpoint: 3 };
const missing: MeterEvent = { type: 'probed', endpoint: undefined };
const subscribed: MeterEvent = { type: 'subscribed', subscription: 7, power: -5 };
const reported: MeterEvent = { type: 'reported', power: -9 };
const refused: MeterEvent = { type: 'refused' };
const ALL = [time, wanted, unwanted, found, missing, subscribed, reported, refused];

type Row = readonly [MeterState, MeterEvent, MeterState, readonly MeterEffect[]];
const ROWS: readonly Row[] = [
  [unknown, wanted, probing, [{ type: 'probe' }]],
  [unknownWanted, unwanted, { kind: 'unknown', earliest: NOW + 1, wanted: false }, []],
  [{ ...unknown, earliest: NOW + 1 } as MeterState, wanted, unknownWanted, []],
  [{ kind: 'unknown', earliest: NOW, wanted: true }, time, probing, [{ type: 'probe' }]],
  [probing, unwanted, probingInVain, []],
  [probingInVain, wanted, probing, []],
  [probing, found, subscribing, [{ type: 'subscribe', endpoint: 3 }]],
  [probingInVain, found, known, []],
  [probing, missing, none, []],
  [probing, refused, none, []],
  [probingInVain, refused, none, []],
  [probingInVain, missing, none, []],
  [known, wanted, subscribing, [{ type: 'subscribe', endpoint: 3 }]],
  [subscribing, unwanted, subscribingInVain, []],
  [subscribingInVain, wanted, subscribing, []],
  [subscribing, subscribed, { kind: 'following', endpoint: 3, subscription: 7, power: -5, staleAt: NOW + STALE }, []],
  [subscribingInVain, subscribed, known, [{ type: 'unsubscribe', subscription: 7 }]],
  [subscribing, refused, none, []],
  [subscribingInVain, refused, none, []],
  [following, reported, { kind: 'following', endpoint: 3, subscription: 7, power: -9, staleAt: NOW + STALE }, []],
  [stale, reported, { kind: 'following', endpoint: 3, subscription: 7, power: -9, staleAt: NOW + STALE }, []],
  [stale, time, stale, []],
  [{ ...following, staleAt: NOW } as MeterState, time, stale, []],
  [following, unwanted, known, [{ type: 'unsubscribe', subscription: 7 }]],
  [stale, unwanted, known, [{ type: 'unsubscribe', subscription: 7 }]],
];

describe('the table of a grid meter', () => {
  it.each(ROWS)('%j, %j', (state, event, next, effects) => {
    expect(nextMeter(state, event, NOW)).toEqual({ state: next, effects });
  });

  it('lets nothing else change anything', () => {
    const states = [unknown, unknownWanted, probing, probingInVain, none, known, subscribing, subscribingInVain, following, stale];
    const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
    let checked = 0;
    for (const state of states) {
      for (const event of ALL) {
        if (ROWS.some(([from, on]) => same(from, state) && same(on, event))) continue;
        expect(nextMeter(state, event, NOW)).toEqual({ state, effects: [] });
        checked += 1;
      }
    }
    expect(checked).toBeGreaterThan(50);
  });

  it('waits for what is due and for nothing else', () => {
    expect(meterDeadline(startMeter(NOW, false))).toBe(Number.POSITIVE_INFINITY);
    expect(meterDeadline(startMeter(NOW, true))).toBe(NOW + PROBE_DELAY);
    expect(meterDeadline(following)).toBe(NOW + 1);
    for (const state of [probing, none, known, subscribing, stale]) expect(meterDeadline(state)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('what a controller tells', () => {
  const entry = (id: CborValue, type: number, features: CborValue): Map<CborKey, CborValue> =>
    new Map<CborKey, CborValue>([
      [1, id],
      [2, type],
      [4, features],
    ]);

  it.each<[string, CborValue, number | undefined]>([
    ['a grid connection with Measurement', [entry(0, 0, [1]), entry(2, 1, [3, 4])], 2],
    ['its features as a byte string (protocol.md §1)', [entry(2, 1, Uint8Array.of(3, 4))], 2],
    ['one without Measurement', [entry(2, 1, [3])], undefined],
    ['an endpoint id that is none', [entry(256, 1, [4]), entry('x', 1, [4])], undefined],
    ['other types', [entry(1, 5, [4]), entry(2, 10, [4])], undefined],
    ['what is no endpoint', [1, 'x', null], undefined],
    ['nothing', [], undefined],
  ])('%s', (_name, endpoints, id) => {
    expect(gridEndpoint(endpoints)).toBe(id);
  });

  it('refuses what is no list', () => {
    for (const bad of [undefined, null, 5, new Map()]) expect(() => gridEndpoint(bad)).toThrow('an array is due');
    expect(() => gridEndpoint([entry(2, 1, 'x')])).toThrow('features');
  });

  it('takes whole numbers of mW alone', () => {
    const report = (value: CborValue): Map<CborKey, CborValue> => new Map([[1, value]]);
    expect(powerOf(report(-3_500_000))).toBe(-3_500_000);
    expect(powerOf(report(null))).toBeNull();
    expect(powerOf(report('much'))).toBeNull();
    expect(powerOf(new Map())).toBeUndefined();
  });
});
