/** Endpoint types by name. */
export const EndpointType = {
  DEVICE_ROOT: 0,
  GRID_CONNECTION: 1,
  INVERTER: 2,
  PV_STRING: 3,
  BATTERY: 4,
  EV_CHARGER: 5,
  HEAT_PUMP: 6,
  WATER_HEATER: 7,
  HVAC: 8,
  APPLIANCE: 9,
  SUB_METER: 10,
} as const;

/** Attributes that an endpoint of a type must list, by feature, beside those that the feature itself makes mandatory. */
export const ENDPOINT_MANDATORY: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  GRID_CONNECTION: { Measurement: ['acActivePower'], Electrical: ['phaseCount', 'supportedDirections', 'nominalMaxConsumption'] },
  INVERTER: {
    Measurement: ['acActivePower'],
    Electrical: ['phaseCount', 'supportedDirections', 'nominalMaxConsumption', 'nominalMaxProduction'],
  },
  PV_STRING: { Measurement: ['dcPower'] },
  BATTERY: {
    Measurement: ['dcPower', 'stateOfCharge'],
    Electrical: ['supportedDirections', 'nominalMaxConsumption', 'nominalMaxProduction', 'energyCapacity'],
  },
  EV_CHARGER: {
    Measurement: ['acActivePower'],
    Electrical: ['phaseCount', 'supportedDirections', 'nominalMaxConsumption', 'maxCurrentPerPhase'],
  },
  HEAT_PUMP: { Measurement: ['acActivePower'], Electrical: ['phaseCount', 'nominalMaxConsumption'] },
  WATER_HEATER: { Measurement: ['acActivePower'], Electrical: ['phaseCount', 'nominalMaxConsumption'] },
  HVAC: { Measurement: ['acActivePower'], Electrical: ['phaseCount', 'nominalMaxConsumption'] },
  APPLIANCE: { Measurement: ['acActivePower'], Electrical: ['nominalMaxConsumption'] },
  SUB_METER: { Measurement: ['acActivePower'], Electrical: ['phaseCount'] },
};
