/** The hardware of a simulated heat pump with a buffer. Power in mW, temperatures in centi-degrees, times in milliseconds. */
export interface HeatPumpRating {
  /** Electrical power of each step, rising; 0 is off and not among them. */
  readonly steps: readonly number[];
  readonly minimumRun: number;
  readonly minimumPause: number;
  /** Coefficient of performance. */
  readonly performance: number;
  /** mWh for one degree of the buffer. */
  readonly heatCapacity: number;
  /** mW that the house draws from the buffer. */
  readonly heatLoss: number;
}

export interface HeatPumpOrder {
  /** mW, null: no limit. */
  readonly ceiling: number | null;
  readonly paused: boolean;
}

const MILLISECONDS_PER_HOUR = 3_600_000;
/** The thermostat switches this far below and above its set point, centi-degrees. */
const HYSTERESIS = 200;

/**
 * A compressor in front of a buffer, in time steps that the caller chooses. It steps down to what an order leaves, never starts within its minimum
 * pause, and does not stop within its minimum run: then it goes on at its lowest step and says so (`forced`).
 */
export class SimulatedHeatPump {
  readonly #rating: HeatPumpRating;
  readonly #setPoint: number;
  #now: number;
  #switchedAt: number;
  #running = false;
  #wanted = false;
  #temperature: number;
  #order: HeatPumpOrder = { ceiling: null, paused: false };
  #energy = 0;

  constructor(rating: HeatPumpRating, now: number, temperature = 4000, setPoint = 4500) {
    this.#rating = rating;
    this.#now = now;
    this.#switchedAt = now - rating.minimumPause;
    this.#temperature = temperature;
    this.#setPoint = setPoint;
    this.#decide();
  }

  /** Lets time pass until `now`, monotonic milliseconds. Long spans should be told in steps of a minute or less. */
  advance(now: number): void {
    const hours = Math.max(0, now - this.#now) / MILLISECONDS_PER_HOUR;
    this.#now = Math.max(this.#now, now);
    const { performance, heatCapacity, heatLoss } = this.#rating;
    this.#energy += this.power * hours;
    this.#temperature += (100 * (this.power * performance - heatLoss) * hours) / heatCapacity;
    this.#decide();
  }

  apply(order: HeatPumpOrder): void {
    this.#order = order;
    this.#decide();
  }

  /** mW drawn now. */
  get power(): number {
    return this.#running ? this.#step : 0;
  }

  get running(): boolean {
    return this.#running;
  }

  /** It runs against its order, because it must not stop yet: the device's own override. */
  get forced(): boolean {
    return this.#running && !this.#allowed;
  }

  /** Centi-degrees. */
  get temperature(): number {
    return Math.round(this.#temperature);
  }

  /** mWh, never falling. */
  get energy(): number {
    return Math.floor(this.#energy);
  }

  /** The highest step that the order leaves; the lowest where it leaves none. */
  get #step(): number {
    const { steps } = this.#rating;
    const lowest = steps[0] ?? 0;
    const { ceiling } = this.#order;
    if (!this.#allowed) return lowest;
    return ceiling === null ? (steps.at(-1) ?? lowest) : (steps.filter((step) => step <= ceiling).at(-1) ?? lowest);
  }

  get #allowed(): boolean {
    const { ceiling, paused } = this.#order;
    return !paused && (ceiling === null || ceiling >= (this.#rating.steps[0] ?? 0));
  }

  #decide(): void {
    if (this.#temperature <= this.#setPoint - HYSTERESIS) this.#wanted = true;
    else if (this.#temperature >= this.#setPoint + HYSTERESIS) this.#wanted = false;
    const wish = this.#wanted && this.#allowed;
    if (wish === this.#running) return;
    const rest = this.#running ? this.#rating.minimumRun : this.#rating.minimumPause;
    if (this.#now - this.#switchedAt < rest) return;
    this.#running = wish;
    this.#switchedAt = this.#now;
  }
}
