import { expect, it } from 'vitest';
import { boards } from '../../boards/index.js';
import { ConfigError } from '../../src/errors.js';
import { checkConformance } from '../../src/features/conformance.js';
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

it('wants endpoint 0', () => {
  expect(missing(complete)).toBe('board b: endpoint 0 is missing');
  expect(boards.size).toBeGreaterThan(0);
});
