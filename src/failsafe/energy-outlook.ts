import { expireLimits } from '../zones/limit-book.js';
import type { Pair } from '../zones/timed-values.js';
import type { EnergyState } from './energy-state.js';
import { Process } from './process-state.js';
import { powerCeiling } from './stage-target.js';

/** What may be drawn at a later moment by all that is known now, mW; null: unbounded. `constraints`: the slots in force then. */
export function ceilingAt(state: EnergyState, constraints: ReadonlyMap<string, Pair<number | null>>, at: number): number | null {
  if (rests(state, at)) return 0;
  const limits = { ...expireLimits(state.limits, at), constraints };
  return powerCeiling({ ...state, limits }, 0);
}

/** When `ceilingAt` may change by itself, constraint slots aside; unordered. */
export function knownChanges({ limits, process }: EnergyState): readonly number[] {
  return [...limits.groups.map(({ until }) => until), process.startAt, process.pause?.until].filter((at) => at !== undefined);
}

function rests({ process }: EnergyState, at: number): boolean {
  switch (process.name) {
    case Process.ABORTED:
      return true;
    case Process.PAUSED:
      return at < (process.pause?.until ?? Number.POSITIVE_INFINITY);
    case Process.SCHEDULED:
      return at < (process.startAt ?? Number.POSITIVE_INFINITY);
    default:
      return false;
  }
}
