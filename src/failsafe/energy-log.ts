import type { EnergyState } from './energy-state.js';
import { overrideKind } from './override.js';
import { processName } from './process-state.js';

/** One state machine that went from one state to another, by their names. */
export interface StateChange {
  readonly machine: 'process state' | 'failsafe' | 'override';
  readonly from: string;
  readonly to: string;
}

/** What of a step the log tells beside the control state. */
export function stateChanges(before: EnergyState, after: EnergyState): readonly StateChange[] {
  const pairs: readonly (readonly [StateChange['machine'], string, string])[] = [
    ['process state', processName(before.process.name), processName(after.process.name)],
    ['failsafe', before.failsafe.name, after.failsafe.name],
    ['override', overrideKind(before.override), overrideKind(after.override)],
  ];
  return pairs.filter(([, from, to]) => from !== to).map(([machine, from, to]) => ({ machine, from, to }));
}
