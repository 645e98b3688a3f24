import type { FeatureSchema, ValueType } from '../model/schema.js';
import {
  arrayOf,
  attribute,
  bool,
  command,
  enumeration,
  field,
  int64,
  milliwatts,
  optional,
  percent,
  seconds,
  struct,
  text,
  uint32,
  uint64,
} from '../model/table.js';

export const ChargingState = {
  NOT_PLUGGED_IN: 0,
  PLUGGED_IN_NO_DEMAND: 1,
  PLUGGED_IN_DEMAND: 2,
  PLUGGED_IN_CHARGING: 3,
  PLUGGED_IN_DISCHARGING: 4,
  SESSION_COMPLETE: 5,
  FAULT: 6,
} as const;
export const EVDemandMode = { NONE: 0, SINGLE_DEMAND: 1, SCHEDULED: 2, DYNAMIC: 3, DYNAMIC_BIDIRECTIONAL: 4 } as const;
export const EVIDType = { PCID: 0, MAC_EUI48: 1, MAC_EUI64: 2, RFID: 3, VIN: 4, CONTRACT_ID: 5, EVCC_ID: 6, OTHER: 255 } as const;
export const ChargingMode = { OFF: 0, PV_SURPLUS_ONLY: 1, PV_SURPLUS_THRESHOLD: 2, PRICE_OPTIMIZED: 3, SCHEDULED: 4 } as const;

const eVIdentification: ValueType = struct('EVIdentification', [field('type', enumeration(EVIDType)), field('value', text)]);

/** ChargingSession, feature 0x06: EV charging session, demands and optimization. */
export const CHARGING_SESSION: FeatureSchema = {
  id: 0x06,
  name: 'ChargingSession',
  attributes: [
    attribute(1, 'state', enumeration(ChargingState), { mandatory: true, default: ChargingState.NOT_PLUGGED_IN }),
    attribute(3, 'sessionStartTime', uint64, { nullable: true }),
    attribute(4, 'sessionEndTime', uint64, { nullable: true }),
    attribute(10, 'sessionEnergyCharged', uint64, { unit: 'mWh', default: 0 }),
    attribute(11, 'sessionEnergyDischarged', uint64, { unit: 'mWh', default: 0 }),
    attribute(20, 'evIdentifications', arrayOf(eVIdentification), { nullable: true }),
    attribute(30, 'evStateOfCharge', percent, { unit: '%', nullable: true }),
    attribute(31, 'evBatteryCapacity', uint64, { unit: 'mWh', nullable: true }),
    attribute(32, 'evMinStateOfCharge', percent, { unit: '%', nullable: true }),
    attribute(33, 'evTargetStateOfCharge', percent, { unit: '%', nullable: true }),
    attribute(40, 'evDemandMode', enumeration(EVDemandMode), { default: EVDemandMode.NONE }),
    attribute(41, 'evMinEnergyRequest', int64, { unit: 'mWh', nullable: true }),
    attribute(42, 'evMaxEnergyRequest', int64, { unit: 'mWh', nullable: true }),
    attribute(43, 'evTargetEnergyRequest', int64, { unit: 'mWh', nullable: true }),
    attribute(44, 'evDepartureTime', uint64, { nullable: true }),
    attribute(50, 'evMinDischargingRequest', int64, { unit: 'mWh', nullable: true }),
    attribute(51, 'evMaxDischargingRequest', int64, { unit: 'mWh', nullable: true }),
    attribute(52, 'evDischargeBelowTargetPermitted', bool, { nullable: true }),
    attribute(60, 'estimatedTimeToMinSoC', uint32, { unit: 's', nullable: true }),
    attribute(61, 'estimatedTimeToTargetSoC', uint32, { unit: 's', nullable: true }),
    attribute(62, 'estimatedTimeToFullSoC', uint32, { unit: 's', nullable: true }),
    attribute(70, 'chargingMode', enumeration(ChargingMode), { default: ChargingMode.OFF }),
    attribute(71, 'supportedChargingModes', arrayOf(enumeration(ChargingMode))),
    attribute(72, 'surplusThreshold', int64, { unit: 'mW', nullable: true }),
    attribute(80, 'startDelay', uint32, { unit: 's', default: 0 }),
    attribute(81, 'stopDelay', uint32, { unit: 's', default: 0 }),
  ],
  commands: [
    command(
      1,
      'setChargingMode',
      [
        field('mode', enumeration(ChargingMode)),
        optional('surplusThreshold', milliwatts),
        optional('startDelay', seconds),
        optional('stopDelay', seconds),
      ],
      { mandatory: true },
    ),
  ],
};
