/** What a simulated meter reads on one phase. Units as on the wire: mW, mA, mV. */
export interface PhaseReading {
  readonly power: number;
  readonly current: number;
  readonly voltage: number;
}

/** Small deterministic deviations (a linear congruential sequence), so that a simulated meter looks alive and a test can repeat it. */
export class MeterNoise {
  #state: number;
  /** While frozen, readings are exact. */
  frozen = false;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** `value` within ± `share` of itself. */
  around(value: number, share: number): number {
    if (this.frozen) return value;
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.round(value * (1 + share * (this.#state / 0x8000_0000 - 1)));
  }
}
