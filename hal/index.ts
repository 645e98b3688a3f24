export type { Button, ButtonEdge } from './button.js';
export type { Display } from './display.js';
export type { FlashMedium } from './flash-medium.js';
export type { Relay, RelayDriver } from './relay.js';
