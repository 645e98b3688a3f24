export type { Button, ButtonEdge } from './button.js';
export type { Display } from './display.js';
export type { FlashMedium } from './flash-medium.js';
export type { PhasePower, PowerOrder, PowerStage, PowerStageReading, VehicleReading } from './power-stage.js';
export type { Relay, RelayDriver } from './relay.js';
