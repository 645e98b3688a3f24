import type { FeatureSchema } from '../model/schema.js';
import { attribute, enumeration, int64, mapOf, ranged } from '../model/table.js';
import { AsymmetricSupport, Direction, GridPhase, Phase } from './shared.js';

/** Electrical, feature 0x03: electrical characteristics and the capability envelope of an endpoint. */
export const ELECTRICAL: FeatureSchema = {
  id: 0x03,
  name: 'Electrical',
  attributes: [
    attribute(1, 'phaseCount', ranged('uint8', 1, 3), { mandatory: true, default: 1 }),
    attribute(2, 'phaseMapping', mapOf(Phase, enumeration(GridPhase))),
    attribute(3, 'nominalVoltage', ranged('uint16', 85, 600), { unit: 'V', default: 230 }),
    attribute(4, 'nominalFrequency', ranged('uint8', 45, 65), { unit: 'Hz', default: 50 }),
    attribute(5, 'supportedDirections', enumeration(Direction), { mandatory: true, default: Direction.CONSUMPTION }),
    attribute(10, 'nominalMaxConsumption', int64, { unit: 'mW', default: 0 }),
    attribute(11, 'nominalMaxProduction', int64, { unit: 'mW', default: 0 }),
    attribute(12, 'nominalMinPower', int64, { unit: 'mW', default: 0 }),
    attribute(13, 'maxCurrentPerPhase', int64, { unit: 'mA', default: 0 }),
    attribute(14, 'minCurrentPerPhase', int64, { unit: 'mA', default: 0 }),
    attribute(15, 'supportsAsymmetric', enumeration(AsymmetricSupport), { default: AsymmetricSupport.NONE }),
    attribute(20, 'energyCapacity', int64, { unit: 'mWh', default: 0 }),
  ],
  commands: [],
};
