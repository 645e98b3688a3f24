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
    return this.frozen ? value : Math.round(value * (1 + share * (2 * this.#next() - 1)));
  }

  /** `value`, or up to `share` less: what is regulated stays below what it may be. */
  below(value: number, share: number): number {
    return this.frozen ? value : Math.floor(value * (1 - share * this.#next()));
  }

  /** 0…1. */
  #next(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 0x1_0000_0000;
  }
}
