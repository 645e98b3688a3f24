import { ExposedModel } from '../controller/exposed-model.js';
import { parseQuantity } from '../controller/quantities.js';
import { SimulatedMeter } from '../controller/simulated-meter.js';
import { ConfigError } from '../errors.js';
import type { Clock, Log, Timer } from '../platform.js';

/** How long the simulated meter shows one value, milliseconds. */
export const METER_STEP = 10_000;
/** mW: three phases of 63 A. */
const LIMIT = 43_470_000;

/** `-6.9,0,2.07`: kW, + drawn from the grid. In mW. Throws ConfigError. */
export function meterArgument(text: string): readonly number[] {
  return text.split(',').map((item) => {
    const power = parseQuantity(item.trim(), 'mW', '--expose-meter');
    if (Math.abs(power) > LIMIT) throw new ConfigError('--expose-meter', `'${item.trim()}' is outside -43.47…43.47 kW`);
    return power;
  });
}

/** A simulated grid meter that devices may read over every connection; shows `powers` (mW) one after the other, around and around. */
export class ExposedMeter {
  readonly exposed: ExposedModel;
  #timer: Timer | undefined;

  constructor(powers: readonly number[], clock: Clock, log: Log) {
    const meter = new SimulatedMeter('Simulated grid meter', 'SIM-METER');
    this.exposed = new ExposedModel({ model: meter.model, clock, log });
    const show = (at: number): void => {
      meter.power = powers[at];
      if (powers.length > 1) this.#timer = clock.after('METER_STEP', METER_STEP, () => show((at + 1) % powers.length));
    };
    show(0);
  }

  close(): void {
    this.#timer?.cancel();
    this.exposed.close();
  }
}
