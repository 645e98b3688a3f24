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
  readonly #ratings: ElectricalRatings;
  readonly #values: Values;

  constructor(ratings: ElectricalRatings) {
    this.#ratings = ratings;
    this.#values = new Values(describe(ratings, {}));
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
    this.#values.update(describe(this.#ratings, bounds));
  }
}

function describe(ratings: ElectricalRatings, bounds: ElectricalBounds): ReadonlyMap<number, CborValue> {
  const phases = Array.from({ length: ratings.phaseCount }, (_, phase) => [phase, phase] as const);
  return new Map<number, CborValue>([
    [1, ratings.phaseCount],
    [2, new Map(phases)],
    [3, ratings.nominalVoltage],
    [4, ratings.nominalFrequency],
    [5, ratings.directions],
    [10, Math.min(ratings.maxConsumption, bounds.maxConsumption ?? ratings.maxConsumption)],
    [11, ratings.maxProduction],
    [12, Math.max(ratings.minPower, bounds.minPower ?? ratings.minPower)],
    [13, Math.min(ratings.maxCurrent, bounds.maxCurrent ?? ratings.maxCurrent)],
    [14, Math.max(ratings.minCurrent, bounds.minCurrent ?? ratings.minCurrent)],
    [15, ratings.asymmetric],
    [20, ratings.energyCapacity],
  ]);
}
