import type { PowerStageReading } from '../../hal/index.js';
import { ChargingState } from './charging-session-table.js';

/** What decides the state of a charging session at one moment. */
export interface ChargingObservation {
  readonly reading: PowerStageReading;
  readonly fault: boolean;
}

/**
 * ChargingSession.state (features.md §5), as the first that holds: fault, unplugged, target reached, no demand, power in, power out, else demand. What a
 * ceiling below the minimum, a Pause or a lack of surplus do is seen in the power alone.
 */
export function chargingState({ reading, fault }: ChargingObservation): number {
  if (fault) return ChargingState.FAULT;
  const { vehicle, phases } = reading;
  if (vehicle === undefined) return ChargingState.NOT_PLUGGED_IN;
  if (vehicle.targetReached) return ChargingState.SESSION_COMPLETE;
  if (!vehicle.demand) return ChargingState.PLUGGED_IN_NO_DEMAND;
  const power = phases.reduce((sum, phase) => sum + phase.active, 0);
  if (power > 0) return ChargingState.PLUGGED_IN_CHARGING;
  return power < 0 ? ChargingState.PLUGGED_IN_DISCHARGING : ChargingState.PLUGGED_IN_DEMAND;
}
