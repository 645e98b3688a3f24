import type { FeatureSchema } from '../model/schema.js';
import { attribute, int16, int64, mapOf, measuredIn, milliamps, milliwatts, percent, ranged, uint32, uint64 } from '../model/table.js';
import { Phase, PhasePair } from './shared.js';

/** Measurement, feature 0x04: telemetry: power, energy, voltage, current. + is into the device, − out of it. */
export const MEASUREMENT: FeatureSchema = {
  id: 0x04,
  name: 'Measurement',
  attributes: [
    attribute(1, 'acActivePower', int64, { unit: 'mW', nullable: true }),
    attribute(2, 'acReactivePower', int64, { unit: 'mVAR', nullable: true }),
    attribute(3, 'acApparentPower', uint64, { unit: 'mVA', nullable: true }),
    attribute(10, 'acActivePowerPerPhase', mapOf(Phase, milliwatts), { nullable: true }),
    attribute(11, 'acReactivePowerPerPhase', mapOf(Phase, measuredIn('mVAR', 'int64')), { nullable: true }),
    attribute(12, 'acApparentPowerPerPhase', mapOf(Phase, measuredIn('mVA', 'uint64')), { nullable: true }),
    attribute(20, 'acCurrentPerPhase', mapOf(Phase, milliamps), { nullable: true }),
    attribute(21, 'acVoltagePerPhase', mapOf(Phase, measuredIn('mV', 'uint32')), { nullable: true }),
    attribute(22, 'acVoltagePhaseToPhasePair', mapOf(PhasePair, measuredIn('mV', 'uint32')), { nullable: true }),
    attribute(23, 'acFrequency', ranged('uint32', 45000, 65000), { unit: 'mHz', nullable: true }),
    attribute(24, 'powerFactor', ranged('int16', -1000, 1000), { nullable: true }),
    attribute(30, 'acEnergyConsumed', uint64, { unit: 'mWh', nullable: true }),
    attribute(31, 'acEnergyProduced', uint64, { unit: 'mWh', nullable: true }),
    attribute(40, 'dcPower', int64, { unit: 'mW', nullable: true }),
    attribute(41, 'dcCurrent', int64, { unit: 'mA', nullable: true }),
    attribute(42, 'dcVoltage', uint32, { unit: 'mV', nullable: true }),
    attribute(43, 'dcEnergyIn', uint64, { unit: 'mWh', nullable: true }),
    attribute(44, 'dcEnergyOut', uint64, { unit: 'mWh', nullable: true }),
    attribute(50, 'stateOfCharge', percent, { unit: '%', nullable: true }),
    attribute(51, 'stateOfHealth', percent, { unit: '%', nullable: true }),
    attribute(52, 'stateOfEnergy', uint64, { unit: 'mWh', nullable: true }),
    attribute(53, 'useableCapacity', uint64, { unit: 'mWh', nullable: true }),
    attribute(54, 'cycleCount', uint32, { nullable: true }),
    attribute(60, 'temperature', int16, { unit: 'centi-C', nullable: true }),
  ],
  commands: [],
};
