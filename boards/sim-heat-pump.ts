import type { BoardDefinition } from '../src/model/board.js';

/** Simulated heat pump with a buffer on a desktop: mock parts, real network. */
export const simHeatPump: BoardDefinition = {
  name: 'sim-heat-pump',
  vendorId: 0x1234,
  productId: 0x0002,
  brand: 'MASH Reference',
  model: 'Simulated Heat Pump',
  hardwareVersion: 'sim-1',
  deviceType: 'HEAT_PUMP',
  categories: [4],
  serialPrefix: 'SIM-HP-',
  windowAtStart: 'open',
  parts: {
    // Open at boot, on exit and on a crash: no current flows without a decision.
    relay: { safe: false, line: 'mock:relay' },
    button: { line: 'mock:button', longPress: 3000 },
    display: true,
  },
  endpoints: [
    // CORE | FLEX | PROCESS
    { id: 0, type: 0, featureMap: 0x0083 },
    {
      id: 1,
      type: 6,
      label: 'Heat Pump',
      // CORE | FLEX | SIGNALS | TARIFF | PLAN | PROCESS | FORECAST
      featureMap: 0x01f3,
      electrical: {
        phaseCount: 3,
        nominalVoltage: 230,
        nominalFrequency: 50,
        directions: 0,
        maxConsumption: 6_000_000,
        maxProduction: 0,
        minPower: 1_500_000,
        maxCurrent: 16_000,
        minCurrent: 0,
        asymmetric: 0,
        energyCapacity: 0,
      },
      control: {
        deviceType: 1,
        accepts: {
          acceptsLimits: true,
          acceptsCurrentLimits: false,
          acceptsSetpoints: false,
          acceptsCurrentSetpoints: false,
          isPausable: true,
          isStoppable: true,
          isShiftable: true,
        },
        // 4.2 kW: what a controllable device may always draw.
        failsafeLimits: [4_200_000, 0],
        // What zones may schedule is the heat that the buffer stores beyond the set point; the house's own is the thermostat's.
        process: {
          optional: true,
          minRunDuration: 600,
          minPauseDuration: 300,
          maxRunDuration: null,
          maxPauseDuration: 7200,
          power: 6_000_000,
        },
      },
      measures: [1, 2, 3, 10, 20, 21, 23, 24, 30, 60],
    },
  ],
};
