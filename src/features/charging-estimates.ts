import type { PowerStageReading } from '../../hal/index.js';
import type { CborValue } from '../codec/cbor.js';
import { requests } from './car.js';

/** Told in whole minutes: an estimate that ticks would be a notification a second. */
const MINUTE = 60;
const LONGEST = 0xffff_ffff;

/** ChargingSession 60–62: listed by every charger. */
export const ESTIMATES = [60, 61, 62];

/**
 * Seconds until the car's minimum, its target and its full charge at the power of this moment: 0 where it is reached, null where the car does not tell or
 * nothing flows into it.
 */
export function describeEstimates({ vehicle, phases }: PowerStageReading): ReadonlyMap<number, CborValue> {
  const power = phases.reduce((sum, { active }) => sum + active, 0);
  const { minimum, target, full } = vehicle === undefined ? { minimum: null, target: null, full: null } : requests(vehicle);
  return new Map([
    [60, secondsTo(minimum, power)],
    [61, secondsTo(target, power)],
    [62, secondsTo(full, power)],
  ]);
}

function secondsTo(energy: number | null, power: number): number | null {
  if (energy === null) return null;
  if (energy <= 0) return 0;
  // mWh ÷ mW = h.
  return power <= 0 ? null : Math.min(LONGEST, Math.ceil((energy / power) * 60) * MINUTE);
}
