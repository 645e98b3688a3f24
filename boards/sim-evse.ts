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
  // CORE | FLEX | EMOB
  endpoints: [
    { id: 0, type: 0, featureMap: 0x000b },
    { id: 1, type: 5, label: 'EV Charger', featureMap: 0x000b },
  ],
};
