import type { BoardDefinition } from '../src/model/board.js';

/** Simulated EV charger on a desktop: mock parts, real network. */
export const simEvse: BoardDefinition = {
  name: 'sim-evse',
  vendorId: 0x1234,
  productId: 0x0001,
  brand: 'MASH Reference',
  model: 'Simulated EVSE',
  hardwareVersion: 'sim-1',
  deviceType: 'EVSE',
  categories: [3],
  serialPrefix: 'SIM-EVSE-',
  windowAtStart: 'open',
  parts: {
    // Open at boot, on exit and on a crash: no current flows without a decision.
    relay: { safe: false, line: 'mock:relay' },
    button: { line: 'mock:button', longPress: 3000 },
    display: true,
  },
  endpoints: [
    // CORE | FLEX | EMOB
    { id: 0, type: 0, featureMap: 0x000b },
    {
      id: 1,
      type: 5,
      label: 'EV Charger',
      // CORE | FLEX | EMOB | SIGNALS | PLAN | FORECAST
      featureMap: 0x015b,
      electrical: {
        phaseCount: 3,
        nominalVoltage: 230,
        nominalFrequency: 50,
        directions: 0,
        // 3 × 16 A × 230 V; at least 6 A (IEC 61851) on one phase.
        maxConsumption: 11_040_000,
        maxProduction: 0,
        minPower: 1_380_000,
        maxCurrent: 16_000,
        minCurrent: 6000,
        asymmetric: 0,
        energyCapacity: 0,
      },
      control: {
        deviceType: 0,
        accepts: {
          acceptsLimits: true,
          acceptsCurrentLimits: true,
          acceptsSetpoints: true,
          acceptsCurrentSetpoints: false,
          isPausable: true,
          isStoppable: true,
          isShiftable: false,
        },
        // 4.2 kW: what a controllable device may always draw.
        failsafeLimits: [4_200_000, 0],
        process: {
          optional: false,
          minRunDuration: null,
          minPauseDuration: null,
          maxRunDuration: null,
          maxPauseDuration: null,
          power: null,
        },
      },
      // PV_SURPLUS_ONLY, PV_SURPLUS_THRESHOLD, PRICE_OPTIMIZED, SCHEDULED
      chargingModes: [1, 2, 3, 4],
      measures: [1, 2, 3, 10, 20, 21, 23, 24, 30],
    },
  ],
};
