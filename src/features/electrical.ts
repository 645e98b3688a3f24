import type { CborValue } from '../codec/cbor.js';
import type { ElectricalRatings } from '../model/board.js';
import type { FeatureInstance, ReportChange } from '../model/feature.js';
import { ELECTRICAL } from './electrical-table.js';
import { Values } from './values.js';

/** What stands at the other end narrows it: a connected car. Absent: it does not. */
export interface ElectricalBounds {
  /** mW. */
  readonly maxConsumption?: number;
  /** mW. */
  readonly minPower?: number;
  /** mA per phase. */
  readonly maxCurrent?: number;
  /** mA per phase. */
  readonly minCurrent?: number;
}

/** The capability envelope of one endpoint: 10, 12–14 are hardware ∩ car (features.md §5). */
export class Electrical implements FeatureInstance {
  readonly schema = ELECTRICAL;
  readonly attributes: readonly number[];
  readonly commands = [];
  readonly #hardware: ElectricalRatings;
  readonly #values: Values;
  #ratings: ElectricalRatings;

  constructor(ratings: ElectricalRatings) {
    this.#hardware = ratings;
    this.#ratings = ratings;
    this.#values = new Values(describe(ratings));
    this.attributes = this.#values.ids;
  }

  attach(report: ReportChange): void {
    this.#values.attach(report);
  }

  read(id: number): CborValue {
    return this.#values.read(id);
  }

  /** Replaces the bounds of what is connected; `{}` when nothing is. */
  bound(bounds: ElectricalBounds): void {
    this.#ratings = narrowed(this.#hardware, bounds);
    this.#values.update(describe(this.#ratings));
  }

  /** What holds now. */
  get ratings(): ElectricalRatings {
    return this.#ratings;
  }
}

function narrowed(hardware: ElectricalRatings, bounds: ElectricalBounds): ElectricalRatings {
  return {
    ...hardware,
    maxConsumption: Math.min(hardware.maxConsumption, bounds.maxConsumption ?? hardware.maxConsumption),
    minPower: Math.max(hardware.minPower, bounds.minPower ?? hardware.minPower),
    maxCurrent: Math.min(hardware.maxCurrent, bounds.maxCurrent ?? hardware.maxCurrent),
    minCurrent: Math.max(hardware.minCurrent, bounds.minCurrent ?? hardware.minCurrent),
  };
}

function describe(ratings: ElectricalRatings): ReadonlyMap<number, CborValue> {
  const phases = Array.from({ length: ratings.phaseCount }, (_, phase) => [phase, phase] as const);
  return new Map<number, CborValue>([
    [1, ratings.phaseCount],
    [2, new Map(phases)],
    [3, ratings.nominalVoltage],
    [4, ratings.nominalFrequency],
    [5, ratings.directions],
    [10, ratings.maxConsumption],
    [11, ratings.maxProduction],
    [12, ratings.minPower],
    [13, ratings.maxCurrent],
    [14, ratings.minCurrent],
    [15, ratings.asymmetric],
    [20, ratings.energyCapacity],
  ]);
}
