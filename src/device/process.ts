import type { PowerStageReading } from '../../hal/index.js';

/** What the power stage shows of its endpoint's process. `resting`: there is nothing to be done. */
export type ProcessSight = 'resting' | 'offered' | 'demanded' | 'finished';

/** What the device itself does to the process of an endpoint. */
export type DeviceProcessEvent = 'offered' | 'withdrawn' | 'demanded' | 'finished' | 'cleared' | 'reset';

/** By who decides and what came in sight (features.md §2); what is not due in a state changes nothing there. */
export const DEVICE_EVENTS = {
  vehicle: { resting: ['reset'], offered: [], demanded: ['demanded'], finished: ['finished'] },
  other: { resting: ['withdrawn', 'cleared'], offered: ['offered'], demanded: [], finished: ['finished'] },
} as const satisfies Readonly<Record<string, Readonly<Record<ProcessSight, readonly DeviceProcessEvent[]>>>>;

/** A car that is there, not full and wants nothing changes nothing. */
export function processSight({ vehicle, process }: PowerStageReading, before: ProcessSight): ProcessSight {
  if (process !== undefined) return process;
  if (vehicle === undefined) return 'resting';
  if (vehicle.targetReached) return 'finished';
  return vehicle.demand ? 'demanded' : before;
}
