import { EndpointType } from './endpoint-types.js';

/** What a scenario needs of one feature, by the names of its table. A feature without more is needed as a whole. */
export interface FeatureNeed {
  readonly feature: string;
  /** Listed. */
  readonly attributes?: readonly string[];
  /** Listed, and true. */
  readonly flags?: readonly string[];
  /** Listed. */
  readonly commands?: readonly string[];
}

export interface Scenario {
  /** Its bit in the declaration. Without bit 0 a use case is not declared. */
  readonly bit: number;
  readonly needs: readonly FeatureNeed[];
  /** Endpoint types for which it is defined; absent: those of the use case. */
  readonly types?: readonly number[];
  /** Bits that must hold too. */
  readonly requires?: readonly number[];
  /** Bits of which one must hold too. */
  readonly requiresAny?: readonly number[];
}

export interface UseCase {
  readonly id: number;
  readonly name: string;
  readonly major: number;
  readonly minor: number;
  /** Endpoint types for which it is defined; undefined: any. */
  readonly types: readonly number[] | undefined;
  readonly scenarios: readonly Scenario[];
}

const { GRID_CONNECTION, INVERTER, PV_STRING, BATTERY, EV_CHARGER, HEAT_PUMP, WATER_HEATER, HVAC, APPLIANCE, SUB_METER } = EndpointType;
const LOADS = [HEAT_PUMP, WATER_HEATER, HVAC, APPLIANCE];

const measurement = (bit: number): Scenario => ({ bit, needs: [{ feature: 'Measurement' }] });
const electrical = (...attributes: readonly string[]): FeatureNeed => ({ feature: 'Electrical', attributes });
const control = (need: Omit<FeatureNeed, 'feature'> = {}): FeatureNeed => ({ feature: 'EnergyControl', ...need });
const LIMITS = control({ flags: ['acceptsLimits'], commands: ['setLimit', 'clearLimit'] });
const SETPOINTS = { flags: ['acceptsSetpoints'], commands: ['setSetpoint', 'clearSetpoint'] };

/** The use cases of version 1.0 (protocol-versions.yaml; public documents, usecases/1.0). */
export const USE_CASES: readonly UseCase[] = [
  {
    id: 0x01,
    name: 'GPL',
    major: 1,
    minor: 0,
    types: [INVERTER, EV_CHARGER, BATTERY, ...LOADS, GRID_CONNECTION],
    scenarios: [
      {
        bit: 0,
        requiresAny: [1, 2],
        needs: [control({ flags: ['acceptsLimits'], attributes: ['failsafeDuration'], commands: ['setLimit', 'clearLimit'] })],
      },
      {
        bit: 1,
        requires: [0],
        needs: [electrical('nominalMaxConsumption'), control({ attributes: ['failsafeConsumptionLimit', 'contractualConsumptionMax'] })],
      },
      {
        bit: 2,
        requires: [0],
        types: [INVERTER, BATTERY, GRID_CONNECTION],
        needs: [electrical('nominalMaxProduction'), control({ attributes: ['failsafeProductionLimit', 'contractualProductionMax'] })],
      },
      measurement(3),
      { bit: 4, needs: [control({ attributes: ['overrideReason', 'overrideDirection'] })] },
    ],
  },
  {
    id: 0x02,
    name: 'MPD',
    major: 1,
    minor: 0,
    types: [GRID_CONNECTION, INVERTER, PV_STRING, BATTERY, EV_CHARGER, ...LOADS, SUB_METER],
    scenarios: [
      measurement(0),
      { bit: 1, needs: [electrical('nominalMaxConsumption', 'nominalMaxProduction', 'energyCapacity')] },
      { bit: 2, needs: [{ feature: 'Status' }] },
    ],
  },
  {
    id: 0x03,
    name: 'EVC',
    major: 1,
    minor: 0,
    types: [EV_CHARGER],
    scenarios: [
      { bit: 0, needs: [LIMITS, electrical('nominalMaxConsumption'), { feature: 'Measurement' }] },
      {
        bit: 1,
        needs: [
          {
            feature: 'ChargingSession',
            attributes: ['evStateOfCharge', 'evBatteryCapacity', 'evMinStateOfCharge', 'evTargetStateOfCharge'],
          },
        ],
      },
      { bit: 2, needs: [control({ flags: ['acceptsCurrentLimits'], commands: ['setCurrentLimits', 'clearCurrentLimits'] })] },
      {
        bit: 3,
        needs: [
          control({ ...SETPOINTS, attributes: ['acceptsCurrentSetpoints'] }),
          electrical('nominalMaxProduction'),
          {
            feature: 'ChargingSession',
            attributes: ['evMinDischargingRequest', 'evMaxDischargingRequest', 'evDischargeBelowTargetPermitted'],
          },
        ],
      },
      {
        bit: 4,
        needs: [
          { feature: 'Signals', commands: ['sendPriceSignal', 'sendConstraintSignal'] },
          { feature: 'Plan', commands: ['requestPlan', 'acceptPlan'] },
        ],
      },
      {
        bit: 5,
        needs: [
          {
            feature: 'ChargingSession',
            attributes: ['evDemandMode', 'evMinEnergyRequest', 'evMaxEnergyRequest', 'evTargetEnergyRequest', 'evDepartureTime'],
            commands: ['setChargingMode'],
          },
        ],
      },
    ],
  },
  {
    id: 0x04,
    name: 'COB',
    major: 1,
    minor: 0,
    types: [BATTERY],
    scenarios: [
      {
        bit: 0,
        needs: [control(SETPOINTS), electrical('nominalMaxConsumption', 'nominalMaxProduction'), { feature: 'Measurement' }],
      },
      { bit: 1, needs: [LIMITS] },
      { bit: 2, needs: [control({ attributes: ['controlMode'] })] },
    ],
  },
  {
    id: 0x05,
    name: 'OHPCF',
    major: 1,
    minor: 0,
    types: [HEAT_PUMP],
    scenarios: [
      {
        bit: 0,
        needs: [
          control({
            flags: ['acceptsLimits', 'isPausable'],
            attributes: [
              'processState',
              'optionalProcess',
              'minRunDuration',
              'minPauseDuration',
              'maxRunDuration',
              'maxPauseDuration',
              'optionalProcessPower',
            ],
            commands: ['setLimit', 'clearLimit', 'pause', 'resume'],
          }),
          electrical('nominalMaxConsumption'),
        ],
      },
      measurement(1),
    ],
  },
  {
    id: 0x06,
    name: 'ITPCM',
    major: 1,
    minor: 0,
    types: [...LOADS, EV_CHARGER],
    scenarios: [
      {
        bit: 0,
        needs: [
          { feature: 'Signals', commands: ['sendPriceSignal', 'clearSignals'] },
          { feature: 'Plan', commands: ['requestPlan', 'acceptPlan'] },
        ],
      },
      { bit: 1, needs: [control()] },
      measurement(2),
    ],
  },
  {
    id: 0x07,
    name: 'FLOA',
    major: 1,
    minor: 0,
    types: LOADS,
    scenarios: [{ bit: 0, needs: [LIMITS, electrical('nominalMaxConsumption')] }, measurement(1), { bit: 2, needs: [control(SETPOINTS)] }],
  },
  {
    id: 0x08,
    name: 'POEN',
    major: 1,
    minor: 0,
    types: [INVERTER, EV_CHARGER, BATTERY, ...LOADS],
    scenarios: [
      {
        bit: 0,
        needs: [{ feature: 'Signals', commands: ['sendConstraintSignal', 'clearSignals'] }, electrical('nominalMaxConsumption')],
      },
      measurement(1),
    ],
  },
  {
    id: 0x09,
    name: 'PODF',
    major: 1,
    minor: 0,
    types: undefined,
    scenarios: [
      {
        bit: 0,
        needs: [{ feature: 'Plan', attributes: ['commitment', 'startTime', 'endTime', 'totalEnergyPlanned'], commands: ['requestPlan'] }],
      },
    ],
  },
  {
    id: 0x0a,
    name: 'TOUT',
    major: 1,
    minor: 0,
    // features.md §5: a charger declares the recorded session's six, with a Tariff too; prices are EVC's there.
    types: Object.values(EndpointType).filter((type) => type !== EV_CHARGER),
    scenarios: [
      {
        bit: 0,
        needs: [
          { feature: 'Tariff', attributes: ['currency'], commands: ['setTariff'] },
          { feature: 'Signals', commands: ['sendPriceSignal', 'clearSignals'] },
        ],
      },
    ],
  },
];
