/** The hardware of a simulated heat pump with a buffer. Power in mW, temperatures in centi-degrees, times in milliseconds. */
export interface HeatPumpRating {
  /** Electrical power of each step, rising; 0 is off and not among them. */
  readonly steps: readonly number[];
  readonly minimumRun: number;
  readonly minimumPause: number;
  /** How long ice on the evaporator takes to melt; the compressor runs at its lowest step for it. */
  readonly defrost: number;
  /** Coefficient of performance. */
  readonly performance: number;
  /** mWh for one degree of the buffer. */
  readonly heatCapacity: number;
  /** mW that the house draws from the buffer. */
  readonly heatLoss: number;
  /** What the thermostat holds. */
  readonly setPoint: number;
  /** How warm the buffer may become when a zone has it store heat. */
  readonly storeUpTo: number;
}

export interface HeatPumpOrder {
  /** mW, null: no limit. */
  readonly ceiling: number | null;
  readonly paused: boolean;
  /** Heat is to be stored beyond the set point. */
  readonly running: boolean;
}

export type HeatPumpOverride = 'minimumRun' | 'defrost';

const MILLISECONDS_PER_HOUR = 3_600_000;
/** The thermostat switches this far below and above its set point, centi-degrees. */
const HYSTERESIS = 200;
/** Storing is offered again when the buffer is this far below its highest temperature. */
const ROOM = 500;
/** The longest step of the integration. */
const MINUTE = 60_000;

/**
 * A compressor in front of a buffer, in time steps that the caller chooses. It steps down to what an order leaves, never starts within its minimum
 * pause, and does not stop within its minimum run: then it goes on at its lowest step and says so. Before the first order it does not run.
 */
export class SimulatedHeatPump {
  readonly #rating: HeatPumpRating;
  #now: number;
  #switchedAt: number;
  #defrostUntil = Number.NEGATIVE_INFINITY;
  #running = false;
  /** The thermostat calls. */
  #called = false;
  #full = false;
  #fault = false;
  #temperature: number;
  #order: HeatPumpOrder = { ceiling: 0, paused: false, running: false };
  #energy = 0;

  constructor(rating: HeatPumpRating, now: number, temperature = 4000) {
    this.#rating = rating;
    this.#now = now;
    this.#switchedAt = now - rating.minimumPause;
    this.#temperature = temperature;
    this.#decide();
  }

  /** Lets time pass until `now`, monotonic milliseconds. */
  advance(now: number): void {
    while (this.#now < now) this.#pass(Math.min(MINUTE, now - this.#now));
  }

  apply(order: HeatPumpOrder): void {
    this.#order = order;
    this.#decide();
  }

  /** Ice has to be melted now, whatever is ordered. */
  startDefrost(): void {
    if (this.#fault) return;
    this.#defrostUntil = this.#now + this.#rating.defrost;
    this.#decide();
  }

  /** A fault of the compressor: it stops at once and stays off until it is over. */
  set fault(fault: boolean) {
    this.#fault = fault;
    if (fault) this.#defrostUntil = Number.NEGATIVE_INFINITY;
    this.#decide();
  }

  get fault(): boolean {
    return this.#fault;
  }

  /** mW drawn now. */
  get power(): number {
    return this.#running ? this.#step : 0;
  }

  get running(): boolean {
    return this.#running;
  }

  get defrosting(): boolean {
    return this.#now < this.#defrostUntil;
  }

  /** Why it draws more than its order leaves: the device's own override. */
  get override(): HeatPumpOverride | undefined {
    if (!this.#running || this.#allowed) return undefined;
    return this.defrosting ? 'defrost' : 'minimumRun';
  }

  /** Whether the buffer takes more heat than the thermostat asks for. */
  get storing(): 'resting' | 'offered' | 'finished' {
    if (this.#full) return 'finished';
    return this.#called || this.#fault ? 'resting' : 'offered';
  }

  /** Centi-degrees. */
  get temperature(): number {
    return Math.round(this.#temperature);
  }

  /** mWh, never falling. */
  get energy(): number {
    return Math.floor(this.#energy);
  }

  #pass(milliseconds: number): void {
    const hours = milliseconds / MILLISECONDS_PER_HOUR;
    const { performance, heatCapacity, heatLoss } = this.#rating;
    // Ice takes the heat of a defrost.
    const heat = this.defrosting ? 0 : this.power * performance;
    this.#now += milliseconds;
    this.#energy += this.power * hours;
    this.#temperature += (100 * (heat - heatLoss) * hours) / heatCapacity;
    this.#decide();
  }

  /** The highest step that the order leaves; the lowest where it leaves none, or where nobody asks for the heat. */
  get #step(): number {
    const { steps } = this.#rating;
    const lowest = steps[0] ?? 0;
    const { ceiling } = this.#order;
    if (!this.#wanted || !this.#allowed || this.defrosting) return lowest;
    return steps.filter((step) => ceiling === null || step <= ceiling).at(-1) ?? lowest;
  }

  get #wanted(): boolean {
    return this.#called || (this.#order.running && !this.#full);
  }

  get #allowed(): boolean {
    const { ceiling, paused } = this.#order;
    return !paused && (ceiling === null || ceiling >= (this.#rating.steps[0] ?? 0));
  }

  #decide(): void {
    const { setPoint, storeUpTo, minimumRun, minimumPause } = this.#rating;
    if (this.#temperature <= setPoint - HYSTERESIS) this.#called = true;
    else if (this.#temperature >= setPoint + HYSTERESIS) this.#called = false;
    if (this.#temperature >= storeUpTo) this.#full = true;
    else if (this.#temperature <= storeUpTo - ROOM) this.#full = false;
    const rested = this.#now - this.#switchedAt >= (this.#running ? minimumRun : minimumPause);
    if (this.#fault) this.#switch(false);
    else if (this.defrosting) this.#switch(true);
    else if (rested) this.#switch(this.#wanted && this.#allowed);
  }

  #switch(running: boolean): void {
    if (running === this.#running) return;
    this.#running = running;
    this.#switchedAt = this.#now;
  }
}
