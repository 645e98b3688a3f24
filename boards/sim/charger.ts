import type { PowerOrder } from '../../hal/index.js';
import { MeterNoise, type PhaseReading } from './meter.js';

/** The hardware of a simulated charger. */
export interface ChargerRating {
  readonly phases: 1 | 3;
  /** Volt, phase to neutral. */
  readonly voltage: number;
  /** mA a phase: below the minimum a car cannot charge at all (IEC 61851). */
  readonly minimumCurrent: number;
  readonly maximumCurrent: number;
}

/** The car at the plug. Energies in mWh, charge in percent. */
export interface Car {
  readonly capacity: number;
  readonly stateOfCharge: number;
  readonly target: number;
  /** mA a phase. */
  readonly maximumCurrent: number;
  readonly phases: 1 | 3;
}

export type ChargerState = 'notPluggedIn' | 'noDemand' | 'demand' | 'charging' | 'complete';

const MILLISECONDS_PER_HOUR = 3_600_000;
const VOLTAGE_NOISE = 0.004;
const CURRENT_NOISE = 0.002;

/**
 * A charger with a car, in time steps that the caller chooses: pure arithmetic, no clock of its own. What is ordered acts at once; what flows is
 * integrated when time is told.
 */
export class SimulatedCharger {
  readonly #rating: ChargerRating;
  readonly #noise: MeterNoise;
  #now: number;
  #car: Car | undefined;
  /** mWh in the car's battery. */
  #charge = 0;
  #demand = true;
  #fault = false;
  #order: PowerOrder = { ceiling: 0, phaseLimits: [], paused: false, aborted: false, running: false };
  /** mWh since the meter was made, and since the car was plugged in. */
  #energy = 0;
  #sessionEnergy = 0;

  constructor(rating: ChargerRating, now: number, seed = 1) {
    this.#rating = rating;
    this.#now = now;
    this.#noise = new MeterNoise(seed);
  }

  /** Lets time pass until `now`, monotonic milliseconds. */
  advance(now: number): void {
    const elapsed = Math.max(0, now - this.#now);
    this.#now = now;
    if (this.#car === undefined || elapsed === 0) return;
    // mA × V = mW.
    const flowing = this.setCurrent * this.#rating.voltage * this.#activePhases;
    const room = (this.#car.target / 100) * this.#car.capacity - this.#charge;
    const added = Math.min(Math.max(0, room), flowing * (elapsed / MILLISECONDS_PER_HOUR));
    this.#charge += added;
    this.#sessionEnergy += added;
    this.#energy += added;
  }

  plug(car: Car): void {
    this.#car = car;
    this.#charge = (car.stateOfCharge / 100) * car.capacity;
    this.#sessionEnergy = 0;
  }

  unplug(): void {
    this.#car = undefined;
  }

  /** Whether the car wants energy at all. */
  setDemand(demand: boolean): void {
    this.#demand = demand;
  }

  get demand(): boolean {
    return this.#demand;
  }

  /** A fault of the charger: nothing flows until it is over. */
  set fault(fault: boolean) {
    this.#fault = fault;
  }

  get fault(): boolean {
    return this.#fault;
  }

  get car(): Car | undefined {
    return this.#car;
  }

  apply(order: PowerOrder): void {
    this.#order = order;
  }

  set noiseFrozen(frozen: boolean) {
    this.#noise.frozen = frozen;
  }

  get noiseFrozen(): boolean {
    return this.#noise.frozen;
  }

  get state(): ChargerState {
    if (this.#car === undefined) return 'notPluggedIn';
    if (this.#charge >= (this.#car.target / 100) * this.#car.capacity) return 'complete';
    if (!this.#demand) return 'noDemand';
    return this.setCurrent > 0 ? 'charging' : 'demand';
  }

  /** mA on each active phase: 0 where the order leaves less than the minimum. */
  get setCurrent(): number {
    const car = this.#car;
    if (car === undefined || !this.#demand || this.#fault || this.#order.paused || this.#order.aborted) return 0;
    if (this.#charge >= (car.target / 100) * car.capacity) return 0;
    const { ceiling, phaseLimits } = this.#order;
    let current = Math.min(car.maximumCurrent, this.#rating.maximumCurrent);
    if (ceiling !== null) current = Math.min(current, Math.floor(ceiling / (this.#rating.voltage * this.#activePhases)));
    for (const limit of phaseLimits.slice(0, this.#activePhases)) if (limit !== null) current = Math.min(current, limit);
    return current < this.#rating.minimumCurrent ? 0 : current;
  }

  /** One reading a phase of the installation. */
  read(): readonly PhaseReading[] {
    const current = this.setCurrent;
    return Array.from({ length: this.#rating.phases }, (_, phase) => {
      const voltage = this.#noise.around(this.#rating.voltage * 1000, VOLTAGE_NOISE);
      // Neither the current nor the power that was ordered is exceeded: at a higher voltage less flows.
      const regulated = Math.min(current, (current * this.#rating.voltage * 1000) / voltage);
      const flowing = phase < this.#activePhases && current > 0 ? this.#noise.below(regulated, CURRENT_NOISE) : 0;
      return { voltage, current: flowing, power: Math.round((flowing * voltage) / 1000) };
    });
  }

  /** mWh, never falling. */
  get energy(): number {
    return Math.floor(this.#energy);
  }

  get sessionEnergy(): number {
    return Math.floor(this.#sessionEnergy);
  }

  /** What the car leaves of the ratings: mA a phase, mW. */
  get bounds(): { readonly maxConsumption: number; readonly minPower: number; readonly maxCurrent: number } | undefined {
    const car = this.#car;
    if (car === undefined) return undefined;
    const perAmpere = this.#rating.voltage * this.#activePhases;
    return {
      maxConsumption: car.maximumCurrent * perAmpere,
      minPower: this.#rating.minimumCurrent * perAmpere,
      maxCurrent: car.maximumCurrent,
    };
  }

  /** Percent; undefined without a car. */
  get stateOfCharge(): number | undefined {
    return this.#car === undefined ? undefined : Math.floor((100 * this.#charge) / this.#car.capacity);
  }

  get #activePhases(): number {
    return Math.min(this.#car?.phases ?? this.#rating.phases, this.#rating.phases);
  }
}
