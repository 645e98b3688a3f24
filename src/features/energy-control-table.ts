import type { FeatureSchema } from '../model/schema.js';
import {
  attribute,
  bool,
  command,
  enumeration,
  field,
  int64,
  mapOf,
  milliamps,
  milliwatts,
  optional,
  ranged,
  seconds,
  uint8,
  uint32,
  uint64,
} from '../model/table.js';
import { Direction, Phase } from './shared.js';

export const DeviceType = { EVSE: 0, HEAT_PUMP: 1, WATER_HEATER: 2, BATTERY: 3, INVERTER: 4, FLEXIBLE_LOAD: 5, OTHER: 255 } as const;
export const ControlState = { AUTONOMOUS: 0, CONTROLLED: 1, LIMITED: 2, FAILSAFE: 3, OVERRIDE: 4 } as const;
export const ProcessState = { NONE: 0, AVAILABLE: 1, SCHEDULED: 2, RUNNING: 3, PAUSED: 4, COMPLETED: 5, ABORTED: 6 } as const;
export const OptOutState = { NONE: 0, LOCAL: 1, GRID: 2, ALL: 3 } as const;
export const LimitCause = {
  GRID_EMERGENCY: 0,
  GRID_OPTIMIZATION: 1,
  LOCAL_PROTECTION: 2,
  LOCAL_OPTIMIZATION: 3,
  USER_PREFERENCE: 4,
} as const;
export const SetpointCause = {
  GRID_REQUEST: 0,
  SELF_CONSUMPTION: 1,
  PRICE_OPTIMIZATION: 2,
  PHASE_BALANCING: 3,
  USER_PREFERENCE: 4,
} as const;
export const OverrideReason = {
  SELF_PROTECTION: 0,
  SAFETY: 1,
  LEGAL_REQUIREMENT: 2,
  UNCONTROLLED_LOAD: 3,
  UNCONTROLLED_PRODUCER: 4,
} as const;
export const LimitRejectReason = {
  BELOW_MINIMUM: 0,
  ABOVE_CONTRACTUAL: 1,
  INVALID_VALUE: 2,
  DEVICE_OVERRIDE: 3,
  NOT_SUPPORTED: 4,
} as const;
export const ControlMode = { DIRECT: 0, PCC: 1, AUTO: 2 } as const;

/** EnergyControl, feature 0x05: limits, setpoints and process control. */
export const ENERGY_CONTROL: FeatureSchema = {
  id: 0x05,
  name: 'EnergyControl',
  attributes: [
    attribute(1, 'deviceType', enumeration(DeviceType), { mandatory: true, default: DeviceType.OTHER }),
    attribute(2, 'controlState', enumeration(ControlState), { mandatory: true, default: ControlState.AUTONOMOUS }),
    attribute(3, 'optOutState', enumeration(OptOutState), { writable: true, default: OptOutState.NONE }),
    attribute(10, 'acceptsLimits', bool, { default: false }),
    attribute(11, 'acceptsCurrentLimits', bool, { default: false }),
    attribute(12, 'acceptsSetpoints', bool, { default: false }),
    attribute(13, 'acceptsCurrentSetpoints', bool, { default: false }),
    attribute(14, 'isPausable', bool, { default: false }),
    attribute(15, 'isShiftable', bool, { default: false }),
    attribute(16, 'isStoppable', bool, { default: false }),
    attribute(20, 'effectiveConsumptionLimit', int64, { unit: 'mW', nullable: true }),
    attribute(21, 'myConsumptionLimit', int64, { unit: 'mW', nullable: true, writable: true }),
    attribute(22, 'effectiveProductionLimit', int64, { unit: 'mW', nullable: true }),
    attribute(23, 'myProductionLimit', int64, { unit: 'mW', nullable: true, writable: true }),
    attribute(30, 'effectiveCurrentLimitsConsumption', mapOf(Phase, milliamps), { nullable: true }),
    attribute(31, 'myCurrentLimitsConsumption', mapOf(Phase, milliamps), { nullable: true }),
    attribute(32, 'effectiveCurrentLimitsProduction', mapOf(Phase, milliamps), { nullable: true }),
    attribute(33, 'myCurrentLimitsProduction', mapOf(Phase, milliamps), { nullable: true }),
    attribute(40, 'effectiveConsumptionSetpoint', int64, { unit: 'mW', nullable: true }),
    attribute(41, 'myConsumptionSetpoint', int64, { unit: 'mW', nullable: true, writable: true }),
    attribute(42, 'effectiveProductionSetpoint', int64, { unit: 'mW', nullable: true }),
    attribute(43, 'myProductionSetpoint', int64, { unit: 'mW', nullable: true, writable: true }),
    attribute(50, 'effectiveCurrentSetpointsConsumption', mapOf(Phase, milliamps), { nullable: true }),
    attribute(51, 'myCurrentSetpointsConsumption', mapOf(Phase, milliamps), { nullable: true }),
    attribute(52, 'effectiveCurrentSetpointsProduction', mapOf(Phase, milliamps), { nullable: true }),
    attribute(53, 'myCurrentSetpointsProduction', mapOf(Phase, milliamps), { nullable: true }),
    attribute(70, 'failsafeConsumptionLimit', int64, { unit: 'mW', nullable: true, writable: true }),
    attribute(71, 'failsafeProductionLimit', int64, { unit: 'mW', nullable: true, writable: true }),
    attribute(72, 'failsafeDuration', ranged('uint32', 7200, 86400), { unit: 's', mandatory: true, writable: true, default: 7200 }),
    attribute(73, 'contractualConsumptionMax', int64, { unit: 'mW', nullable: true }),
    attribute(74, 'contractualProductionMax', int64, { unit: 'mW', nullable: true }),
    attribute(75, 'overrideReason', enumeration(OverrideReason), { nullable: true }),
    attribute(76, 'overrideDirection', enumeration(Direction), { nullable: true }),
    attribute(80, 'processState', enumeration(ProcessState), { default: ProcessState.NONE }),
    attribute(81, 'optionalProcess', bool, { default: false }),
    attribute(82, 'minRunDuration', uint32, { unit: 's', nullable: true }),
    attribute(83, 'minPauseDuration', uint32, { unit: 's', nullable: true }),
    attribute(84, 'maxRunDuration', uint32, { unit: 's', nullable: true }),
    attribute(85, 'maxPauseDuration', uint32, { unit: 's', nullable: true }),
    attribute(86, 'optionalProcessPower', int64, { unit: 'mW', nullable: true }),
    attribute(87, 'controlMode', enumeration(ControlMode), { nullable: true, writable: true }),
  ],
  commands: [
    command(
      1,
      'setLimit',
      [
        optional('consumptionLimit', milliwatts),
        optional('productionLimit', milliwatts),
        optional('duration', seconds),
        field('cause', enumeration(LimitCause)),
      ],
      {
        mandatory: true,
        response: [
          field('applied', bool),
          field('controlState', enumeration(ControlState)),
          optional('effectiveConsumptionLimit', milliwatts),
          optional('effectiveProductionLimit', milliwatts),
          optional('rejectReason', enumeration(LimitRejectReason)),
        ],
      },
    ),
    command(2, 'clearLimit', [optional('direction', enumeration(Direction))], { mandatory: true, flag: 'acceptsLimits' }),
    command(3, 'setCurrentLimits', [
      field('phases', { kind: 'map', keys: Phase, value: milliamps, nullableValues: true }),
      field('direction', enumeration(Direction)),
      optional('duration', seconds),
      field('cause', enumeration(LimitCause)),
    ]),
    command(4, 'clearCurrentLimits', [optional('direction', enumeration(Direction))]),
    command(5, 'setSetpoint', [
      optional('consumptionSetpoint', milliwatts),
      optional('productionSetpoint', milliwatts),
      optional('duration', seconds),
      field('cause', enumeration(SetpointCause)),
    ]),
    command(6, 'clearSetpoint', [optional('direction', enumeration(Direction))]),
    command(7, 'setCurrentSetpoints', [
      field('phases', { kind: 'map', keys: Phase, value: milliamps, nullableValues: true }),
      field('direction', enumeration(Direction)),
      optional('duration', seconds),
      field('cause', enumeration(SetpointCause)),
    ]),
    command(8, 'clearCurrentSetpoints', [optional('direction', enumeration(Direction))]),
    command(9, 'pause', [optional('duration', seconds)]),
    command(10, 'resume', []),
    command(11, 'stop', []),
    // features.md §2: these three stand in the public documents only.
    command(
      12,
      'scheduleProcess',
      [optional('requestedStart', uint64), optional('startDelay', seconds), optional('processId', uint32), optional('cause', uint8)],
      { response: [field('success', bool), field('actualStart', uint64), field('newState', enumeration(ProcessState))] },
    ),
    command(13, 'cancelProcess', [optional('processId', uint32)], {
      response: [field('success', bool), field('newState', enumeration(ProcessState))],
    }),
    command(14, 'adjustStartTime', [field('requestedStart', uint64)], { response: [field('success', bool), field('actualStart', uint64)] }),
  ],
};
