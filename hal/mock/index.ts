export { MockButton } from './button.js';
export { MockDisplay, type Shown } from './display.js';
export { MockFlash, type MockFlashOptions } from './flash.js';
export { MockRelayDriver } from './relay.js';
