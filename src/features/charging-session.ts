import type { VehicleReading } from '../../hal/index.js';
import type { CborValue } from '../codec/cbor.js';
import { PeerError } from '../errors.js';
import type { Caller, CommandOutcome, FeatureInstance, ReportChange } from '../model/feature.js';
import { CHARGING_SESSION, ChargingMode, EVDemandMode } from './charging-session-table.js';
import { type ChargingObservation, chargingState } from './charging-state.js';
import { Values } from './values.js';

const SET_CHARGING_MODE = 1;
const MAX_DELAY = 3600;
const CONSTRAINT = 11;
/** What is null, or NONE, while no car is plugged in (features.md §5: 20–62). */
const CAR_ATTRIBUTES = [20, 30, 31, 32, 33, 41, 42, 43, 44];

export interface ChargingSessionOptions {
  /** Unix seconds; undefined while the clock was never set. */
  now(): number | undefined;
  /** Modes that the charger can follow besides OFF. */
  readonly modes: readonly number[];
}

/** The charging session of a charger that cannot discharge: 50–52 are not listed. */
export class ChargingSession implements FeatureInstance {
  readonly schema = CHARGING_SESSION;
  readonly attributes: readonly number[];
  readonly commands = [SET_CHARGING_MODE];
  readonly #options: ChargingSessionOptions;
  readonly #values: Values;
  #plugged = false;

  constructor(options: ChargingSessionOptions) {
    this.#options = options;
    this.#values = new Values(
      new Map<number, CborValue>([
        [1, 0],
        [3, null],
        [4, null],
        [10, 0],
        [11, 0],
        ...CAR_ATTRIBUTES.map((id) => [id, null] as const),
        [40, EVDemandMode.NONE],
        [70, ChargingMode.OFF],
        [71, [ChargingMode.OFF, ...options.modes]],
        [72, null],
        [80, 0],
        [81, 0],
      ]),
    );
    this.attributes = this.#values.ids;
  }

  attach(report: ReportChange): void {
    this.#values.attach(report);
  }

  read(id: number): CborValue {
    return this.#values.read(id);
  }

  /** Takes what is so now; one report for all that changed. */
  update(observation: ChargingObservation): void {
    const { vehicle } = observation.reading;
    const changes = new Map<number, CborValue>([[1, chargingState(observation)]]);
    if (vehicle !== undefined && !this.#plugged) this.#begin(changes);
    if (vehicle === undefined && this.#plugged) changes.set(4, this.#options.now() ?? null);
    this.#plugged = vehicle !== undefined;
    if (vehicle !== undefined) changes.set(10, vehicle.energyCharged);
    for (const [id, value] of describeCar(vehicle)) changes.set(id, value);
    this.#values.update(changes);
  }

  /** features.md §5: a mode not in 71, or a threshold mode without threshold, is answered in the result; a delay beyond an hour is status 11. */
  invoke(_command: number, parameters: ReadonlyMap<string, CborValue>, _caller: Caller): CommandOutcome {
    const mode = parameters.get('mode') as number;
    const threshold = parameters.get('surplusThreshold') ?? null;
    for (const name of ['startDelay', 'stopDelay']) {
      const delay = parameters.get(name);
      if (typeof delay === 'number' && delay > MAX_DELAY) throw new PeerError(CONSTRAINT, `${name}: at most ${MAX_DELAY} s`);
    }
    const supported = mode === ChargingMode.OFF || this.#options.modes.includes(mode);
    if (!supported) return this.#refused(`charging mode ${mode} is not supported`);
    if (mode === ChargingMode.PV_SURPLUS_THRESHOLD && threshold === null) return this.#refused('surplusThreshold is missing');
    const changes = new Map<number, CborValue>([
      [70, mode],
      [72, mode === ChargingMode.PV_SURPLUS_THRESHOLD ? threshold : null],
    ]);
    const delays = [
      [80, parameters.get('startDelay')],
      [81, parameters.get('stopDelay')],
    ] as const;
    for (const [id, delay] of delays) if (typeof delay === 'number') changes.set(id, delay);
    this.#values.update(changes);
    return {
      values: new Map<string, CborValue>([
        ['success', true],
        ['activeMode', mode],
      ]),
    };
  }

  #begin(changes: Map<number, CborValue>): void {
    changes.set(3, this.#options.now() ?? null);
    changes.set(4, null);
    changes.set(10, 0);
    changes.set(11, 0);
  }

  #refused(reason: string): CommandOutcome {
    return {
      values: new Map<string, CborValue>([
        ['success', false],
        ['activeMode', this.#values.read(70)],
        ['reason', reason],
      ]),
    };
  }
}

function describeCar(vehicle: VehicleReading | undefined): ReadonlyMap<number, CborValue> {
  if (vehicle === undefined)
    return new Map<number, CborValue>([...CAR_ATTRIBUTES.map((id) => [id, null] as const), [40, EVDemandMode.NONE]]);
  const { capacity, stateOfCharge, identifications } = vehicle;
  // Requests are distances from now: negative = may be taken out (features.md §5).
  const distance = (percent: number | null): number | null =>
    percent === null || capacity === null || stateOfCharge === null ? null : Math.round(((percent - stateOfCharge) * capacity) / 100);
  const target = distance(vehicle.targetStateOfCharge);
  return new Map<number, CborValue>([
    [
      20,
      identifications === null
        ? null
        : identifications.map(
            ({ type, value }) =>
              new Map<string, CborValue>([
                ['type', type],
                ['value', value],
              ]),
          ),
    ],
    [30, stateOfCharge],
    [31, capacity],
    [32, vehicle.minimumStateOfCharge],
    [33, vehicle.targetStateOfCharge],
    [40, target === null ? EVDemandMode.NONE : EVDemandMode.SINGLE_DEMAND],
    [41, distance(vehicle.minimumStateOfCharge)],
    [42, distance(100)],
    [43, target],
    [44, null],
  ]);
}
