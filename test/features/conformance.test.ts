import { describe, expect, it } from 'vitest';
import { boards } from '../../boards/index.js';
import type { CborValue } from '../../src/codec/cbor.js';
import { ConfigError } from '../../src/errors.js';
import { checkConformance, checkValues } from '../../src/features/conformance.js';
import { DEVICE_INFO } from '../../src/features/device-info-table.js';
import { ELECTRICAL } from '../../src/features/electrical-table.js';
import { ENERGY_CONTROL } from '../../src/features/energy-control-table.js';
import { MEASUREMENT } from '../../src/features/measurement-table.js';
import type { FeatureInstance } from '../../src/model/feature.js';
import type { EndpointDefinition } from '../../src/model/model.js';
import type { FeatureSchema } from '../../src/model/schema.js';

function instance(schema: FeatureSchema, without: readonly (string | number)[] = []): FeatureInstance {
  const keep = ({ name }: { name: string }) => !without.includes(name);
  const extra = without.filter((id) => typeof id === 'number');
  return {
    schema,
    attributes: [...schema.attributes.filter(keep).map(({ id }) => id), ...extra],
    commands: schema.commands.filter(keep).map(({ id }) => id),
    read: () => null,
  };
}
const root: EndpointDefinition = { id: 0, type: 0, featureMap: 1, features: [instance(DEVICE_INFO)] };
const charger = (...features: FeatureInstance[]): EndpointDefinition => ({ id: 1, type: 5, featureMap: 9, features });
const complete = charger(instance(MEASUREMENT), instance(ELECTRICAL), instance(ENERGY_CONTROL));

function missing(...endpoints: readonly EndpointDefinition[]): string {
  try {
    checkConformance('b', endpoints);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

it('takes an endpoint that lists what is mandatory, and types without a table', () => {
  expect(missing(root, complete)).toBe('');
  expect(missing(root, { id: 2, type: 99, featureMap: 1, features: [] })).toBe('');
});

it.each<readonly [string, readonly EndpointDefinition[]]>([
  [
    'endpoint 1 (EV_CHARGER): Measurement.acActivePower is mandatory',
    [root, charger(instance(MEASUREMENT, ['acActivePower']), instance(ELECTRICAL))],
  ],
  ['endpoint 1 (EV_CHARGER): Measurement.acActivePower is mandatory', [root, charger(instance(ELECTRICAL))]],
  [
    'endpoint 1 (EV_CHARGER): Electrical.maxCurrentPerPhase is mandatory',
    [root, charger(instance(MEASUREMENT), instance(ELECTRICAL, ['maxCurrentPerPhase']))],
  ],
  [
    'endpoint 1 (EV_CHARGER): Electrical.phaseCount is mandatory',
    [root, charger(instance(MEASUREMENT), instance(ELECTRICAL, ['phaseCount']))],
  ],
  ['endpoint 1 (EV_CHARGER): EnergyControl.setLimit() is mandatory', [root, charger(instance(ENERGY_CONTROL, ['setLimit']))]],
  ['endpoint 1 (EV_CHARGER): Measurement has no attribute 99', [root, charger(instance(MEASUREMENT, [99]))]],
  ['endpoint 1 (EV_CHARGER): Electrical is there twice', [root, charger(instance(ELECTRICAL), instance(ELECTRICAL))]],
  ['endpoint 0 (DEVICE_ROOT): DeviceInfo.serialNumber is mandatory', [{ ...root, features: [instance(DEVICE_INFO, ['serialNumber'])] }]],
  ['endpoint 0 (DEVICE_ROOT): DeviceInfo is missing', [{ ...root, features: [] }]],
  ['endpoint 2 (type 99): DeviceInfo belongs to endpoint 0', [root, { ...root, id: 2, type: 99 }]],
  ['endpoint 0 (DEVICE_ROOT): two endpoints have this id', [root, root]],
])('%s', (message, endpoints) => {
  expect(missing(...endpoints)).toBe(`board b, ${message}`);
});

describe('features.md, "Forms": values of a board', () => {
  const reading = (schema: FeatureSchema, values: Readonly<Record<number, CborValue>>): FeatureInstance => ({
    ...instance(schema),
    attributes: Object.keys(values).map(Number),
    read: (id) => values[id] ?? null,
  });
  const problem = (feature: FeatureInstance): string => {
    try {
      checkValues('b', [charger(feature)]);
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
    return '';
  };

  it.each<readonly [string, FeatureInstance]>([
    ['', reading(ELECTRICAL, { 1: 3, 2: new Map([[0, 0]]), 3: 230, 10: 11_040_000 })],
    ['', reading(MEASUREMENT, { 1: null, 24: -1000 })],
    ['Electrical.phaseCount: 4 is outside 1…3', reading(ELECTRICAL, { 1: 4 })],
    ['Electrical.nominalVoltage: 24 is outside 85…600', reading(ELECTRICAL, { 3: 24 })],
    ['Electrical.nominalMaxConsumption: 0.5 is no int64', reading(ELECTRICAL, { 10: 0.5 })],
    ['Electrical.nominalMaxConsumption: NaN is no int64', reading(ELECTRICAL, { 10: Number.NaN })],
    ['Electrical.supportedDirections: there is no value 3', reading(ELECTRICAL, { 5: 3 })],
    ['Electrical.phaseCount cannot be null', reading(ELECTRICAL, { 1: null })],
    ['DeviceInfo.vendorName: a text is due, not an integer', reading(DEVICE_INFO, { 2: 5 })],
  ])('%s: %#', (message, feature) => {
    expect(problem(feature)).toBe(message === '' ? '' : `board b, endpoint 1 (EV_CHARGER): ${message}`);
  });
});

it('wants endpoint 0', () => {
  expect(missing(complete)).toBe('board b: endpoint 0 is missing');
  expect(boards.size).toBeGreaterThan(0);
});
