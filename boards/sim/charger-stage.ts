import type { PowerOrder, PowerStage, PowerStageReading } from '../../hal/index.js';
import { type Car, type ChargerRating, SimulatedCharger } from './charger.js';

/** The hardware of `sim-evse`. */
export const CHARGER_RATING: ChargerRating = { phases: 3, voltage: 230, minimumCurrent: 6000, maximumCurrent: 16_000 };

/** The car that stands at the simulated charger when it starts. */
export const SIMULATED_CAR: Car = { capacity: 60_000_000, stateOfCharge: 35, target: 80, maximumCurrent: 16_000, phases: 3 };

const VIN = 4;
const MINIMUM_STATE_OF_CHARGE = 20;
const FREQUENCY = 50_000;
const FAULT = { code: 1, message: 'simulated fault' };

/** A simulated charger and car behind the contract of a power stage. `now`: monotonic milliseconds of the runtime's clock. */
export class SimulatedChargerStage implements PowerStage {
  readonly #charger: SimulatedCharger;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();

  constructor(rating: ChargerRating, now: () => number, car: Car | undefined = SIMULATED_CAR) {
    this.#now = now;
    this.#charger = new SimulatedCharger(rating, now());
    if (car !== undefined) this.#charger.plug(car);
  }

  /** The charger itself, for whoever plays the user: plugs a car, breaks the charger. */
  simulate(change: (charger: SimulatedCharger) => void): void {
    this.#charger.advance(this.#now());
    change(this.#charger);
    for (const listener of [...this.#listeners]) listener();
  }

  /** Frozen, the meter reads exact values. */
  set noiseFrozen(frozen: boolean) {
    this.#charger.noiseFrozen = frozen;
  }

  get noiseFrozen(): boolean {
    return this.#charger.noiseFrozen;
  }

  apply(order: PowerOrder): void {
    this.#charger.advance(this.#now());
    this.#charger.apply(order);
  }

  read(): PowerStageReading {
    const charger = this.#charger;
    charger.advance(this.#now());
    const { car } = charger;
    return {
      phases: charger.read().map(({ power, current, voltage }) => ({ active: power, reactive: 0, current, voltage })),
      frequency: FREQUENCY,
      energyConsumed: charger.energy,
      energyProduced: 0,
      temperature: null,
      process: undefined,
      override: undefined,
      fault: charger.fault ? FAULT : undefined,
      vehicle:
        car === undefined
          ? undefined
          : {
              demand: charger.demand,
              targetReached: charger.state === 'complete',
              energyCharged: charger.sessionEnergy,
              identifications: [{ type: VIN, value: 'SIMULATED00000001' }],
              stateOfCharge: charger.stateOfCharge ?? null,
              capacity: car.capacity,
              minimumStateOfCharge: MINIMUM_STATE_OF_CHARGE,
              targetStateOfCharge: car.target,
              bounds: charger.bounds ?? {},
            },
    };
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#charger.apply({ ceiling: 0, phaseLimits: [], paused: true, aborted: false, running: false });
    this.#listeners.clear();
  }
}
