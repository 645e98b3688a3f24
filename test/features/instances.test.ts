import { describe, expect, it } from 'vitest';
import { boards } from '../../boards/index.js';
import type { CborValue } from '../../src/codec/cbor.js';
import { Electrical } from '../../src/features/electrical.js';
import { idleReading, Measurement } from '../../src/features/measurement.js';
import { Status } from '../../src/features/status.js';
import { OperatingState } from '../../src/features/status-table.js';
import type { BoardDefinition } from '../../src/model/board.js';
import type { FeatureInstance } from '../../src/model/feature.js';
import { examine } from '../../src/model/validate.js';

const caller = { id: 'A', type: 3, priority: 3 };
const board = boards.get('sim-evse') as BoardDefinition;
const endpoint = board.endpoints[1] ?? expect.fail('no endpoint 1');
const ratings = endpoint.electrical ?? expect.fail('no ratings');

function valuesOf(feature: FeatureInstance): Readonly<Record<number, CborValue>> {
  return Object.fromEntries(feature.attributes.map((id) => [id, feature.read(id, caller)]));
}
function reports(feature: FeatureInstance): (readonly number[])[] {
  const seen: (readonly number[])[] = [];
  feature.attach?.((ids) => seen.push(ids));
  return seen;
}
/** Every value fits its own table; null only where the table has it. */
function fits(feature: FeatureInstance): void {
  for (const id of feature.attributes) {
    const attribute = feature.schema.attributes.find((candidate) => candidate.id === id) ?? expect.fail(`${id} is not in the table`);
    const value = feature.read(id, caller);
    if (value === null) expect([id, attribute.nullable]).toEqual([id, true]);
    else expect(examine(attribute.type, value, attribute.name)).toEqual({ value, violation: undefined });
  }
}
const perPhase = (value: number) =>
  new Map([
    [0, value],
    [1, value],
    [2, value],
  ]);

describe('Measurement of sim-evse', () => {
  it('lists 1–3, 10, 20, 21, 23, 24, 30; nothing flows at first', () => {
    const measurement = new Measurement(endpoint.measures ?? [], idleReading(3, 230, 50));
    expect(valuesOf(measurement)).toEqual({
      1: 0,
      2: 0,
      3: 0,
      10: perPhase(0),
      20: perPhase(0),
      21: perPhase(230_000),
      23: 50_000,
      24: 1000,
      30: 0,
    });
    fits(measurement);
  });

  it('follows the power stage: one report of what differs', () => {
    const measurement = new Measurement(endpoint.measures ?? [], idleReading(3, 230, 50));
    const seen = reports(measurement);
    const phase = { active: 3_000_000, reactive: 400_000, current: 13_160, voltage: 230_000 };
    measurement.update({ phases: [phase, phase, phase], frequency: 50_000, energyConsumed: 12, energyProduced: 9, temperature: null });
    expect(seen).toEqual([[1, 2, 3, 10, 20, 24, 30]]);
    expect(valuesOf(measurement)).toMatchObject({ 1: 9_000_000, 2: 1_200_000, 3: 9_079_648, 10: perPhase(3_000_000), 24: 991, 30: 12 });
    fits(measurement);
    measurement.update({ phases: [phase, phase, phase], frequency: 50_000, energyConsumed: 12, energyProduced: 9, temperature: null });
    expect(seen).toHaveLength(1);
    measurement.update(undefined);
    expect(Object.values(valuesOf(measurement)).every((value) => value === null)).toBe(true);
    fits(measurement);
  });
});

describe('Electrical of sim-evse', () => {
  it('lists 1–5, 10–15, 20 and is consistent with itself', () => {
    const electrical = new Electrical(ratings);
    expect(valuesOf(electrical)).toEqual({
      1: 3,
      2: new Map([
        [0, 0],
        [1, 1],
        [2, 2],
      ]),
      3: 230,
      4: 50,
      5: 0,
      10: 11_040_000,
      11: 0,
      12: 1_380_000,
      13: 16_000,
      14: 6000,
      15: 0,
      20: 0,
    });
    expect(ratings.maxConsumption).toBe(ratings.phaseCount * ratings.nominalVoltage * ratings.maxCurrent);
    fits(electrical);
  });

  it('10, 12–14 are hardware ∩ car', () => {
    const electrical = new Electrical(ratings);
    const seen = reports(electrical);
    electrical.bound({ maxConsumption: 7_360_000, minPower: 0, maxCurrent: 32_000, minCurrent: 8000 });
    expect(valuesOf(electrical)).toMatchObject({ 10: 7_360_000, 12: 1_380_000, 13: 16_000, 14: 8000 });
    electrical.bound({});
    expect([seen, electrical.read(10)]).toEqual([
      [
        [10, 14],
        [10, 14],
      ],
      11_040_000,
    ]);
  });
});

describe('Status', () => {
  it('has fault fields with a fault alone', () => {
    const status = new Status();
    const seen = reports(status);
    expect(valuesOf(status)).toEqual({ 1: OperatingState.STANDBY, 2: null, 3: null, 4: null });
    status.update(OperatingState.RUNNING, { code: 7, message: 'too hot' });
    expect(valuesOf(status)).toEqual({ 1: OperatingState.FAULT, 2: null, 3: 7, 4: 'too hot' });
    fits(status);
    status.update(OperatingState.RUNNING);
    expect(valuesOf(status)).toEqual({ 1: OperatingState.RUNNING, 2: null, 3: null, 4: null });
    expect(seen).toEqual([
      [1, 3, 4],
      [1, 3, 4],
    ]);
  });
});
