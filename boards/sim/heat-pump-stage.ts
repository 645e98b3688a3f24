import type { PowerOrder, PowerStage, PowerStageReading } from '../../hal/index.js';
import { type HeatPumpRating, SimulatedHeatPump } from './heat-pump.js';
import { MeterNoise } from './meter.js';

/** The hardware of `sim-heat-pump`: an inverter compressor of 1.5–6 kW in front of a buffer of 500 l. */
export const HEAT_PUMP_RATING: HeatPumpRating = {
  steps: [1_500_000, 2_400_000, 3_600_000, 4_800_000, 6_000_000],
  minimumRun: 600_000,
  minimumPause: 300_000,
  defrost: 300_000,
  performance: 3.5,
  heatCapacity: 580_000,
  heatLoss: 6_000_000,
  setPoint: 4500,
  storeUpTo: 5500,
};

const PHASES = 3;
const VOLTAGE = 230;
const FREQUENCY = 50_000;
const NOISE = 0.002;
const FAULT = { code: 1, message: 'simulated fault' };
const CONSUMPTION = 0;
/** OverrideReason: 0 SELF_PROTECTION, 1 SAFETY (a defrost). */
const REASONS = { minimumRun: 0, defrost: 1 } as const;

/** A simulated heat pump behind the contract of a power stage. `now`: monotonic milliseconds of the runtime's clock. */
export class SimulatedHeatPumpStage implements PowerStage {
  readonly #pump: SimulatedHeatPump;
  readonly #now: () => number;
  readonly #noise = new MeterNoise(1);
  readonly #listeners = new Set<() => void>();

  constructor(rating: HeatPumpRating, now: () => number) {
    this.#now = now;
    this.#pump = new SimulatedHeatPump(rating, now());
  }

  /** The pump itself, for whoever plays the weather: ice, a fault. */
  simulate(change: (pump: SimulatedHeatPump) => void): void {
    this.#pump.advance(this.#now());
    change(this.#pump);
    for (const listener of [...this.#listeners]) listener();
  }

  /** Frozen, the meter reads exact values. */
  set noiseFrozen(frozen: boolean) {
    this.#noise.frozen = frozen;
  }

  get noiseFrozen(): boolean {
    return this.#noise.frozen;
  }

  apply({ ceiling, paused, running }: PowerOrder): void {
    this.#pump.advance(this.#now());
    this.#pump.apply({ ceiling, paused, running });
  }

  read(): PowerStageReading {
    const pump = this.#pump;
    pump.advance(this.#now());
    const { override } = pump;
    return {
      phases: Array.from({ length: PHASES }, () => this.#phase()),
      frequency: FREQUENCY,
      energyConsumed: pump.energy,
      energyProduced: 0,
      temperature: pump.temperature,
      vehicle: undefined,
      process: pump.storing,
      override: override === undefined ? undefined : { reason: REASONS[override], direction: CONSUMPTION },
      fault: pump.fault ? FAULT : undefined,
    };
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The contactor opens: the compressor stops whatever its minimum run is. */
  close(): void {
    this.#pump.fault = true;
    this.#listeners.clear();
  }

  #phase(): PowerStageReading['phases'][number] {
    const active = this.#noise.below(this.#pump.power / PHASES, NOISE);
    const voltage = this.#noise.around(VOLTAGE * 1000, NOISE);
    return { active, reactive: 0, current: Math.round((active * 1000) / voltage), voltage };
  }
}
