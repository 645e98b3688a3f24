import type { Pair, Side } from '../zones/timed-values.js';
import type { EnergyConfig, EnergyState } from './energy-state.js';

/** Parameters as the tables name them. `values` by side: undefined is absent, null clears. Durations in s, 0 or undefined: none. */
export type EnergyCommand = ValueCommand | ProcessCommand;

export type ValueCommand =
  | PowerCommand<'setLimit'>
  | PowerCommand<'setSetpoint'>
  | PhaseCommand<'setCurrentLimits'>
  | PhaseCommand<'setCurrentSetpoints'>
  | { readonly name: ClearName; readonly sides: readonly Side[] };

export type ClearName = 'clearLimit' | 'clearCurrentLimits' | 'clearSetpoint' | 'clearCurrentSetpoints';

export interface PowerCommand<Name extends string> {
  readonly name: Name;
  readonly values: Pair<number | null | undefined>;
  readonly duration?: number;
  readonly cause: number;
}

export interface PhaseCommand<Name extends string> {
  readonly name: Name;
  readonly phases: ReadonlyMap<number, number | null>;
  readonly sides: readonly Side[];
  readonly duration?: number;
  readonly cause: number;
}

export type ProcessCommand =
  | { readonly name: 'pause'; readonly duration?: number }
  | { readonly name: 'resume' | 'stop' }
  /** `startsIn`: ms from receipt; 0 or less is at once; undefined: told in wall time to a device whose clock was never set. */
  | { readonly name: 'scheduleProcess'; readonly startsIn: number | undefined; readonly processId?: number }
  | { readonly name: 'adjustStartTime'; readonly startsIn: number | undefined }
  | { readonly name: 'cancelProcess'; readonly processId?: number };

/** LimitRejectReason; 0 and 1 are unused (features.md §3). */
export const Reject = { INVALID_VALUE: 2, DEVICE_OVERRIDE: 3, NOT_SUPPORTED: 4 } as const;

export type EnergyResult =
  | { readonly kind: 'success' }
  | {
      readonly kind: 'limit';
      readonly applied: boolean;
      readonly controlState: number;
      readonly effective: Pair<number | null>;
      readonly rejectReason: number | undefined;
    }
  /** Status 0, `{success:false, applied:false, retryAfter}`, s. */
  | { readonly kind: 'retry'; readonly retryAfter: number }
  /** `startsIn`: ms from receipt; undefined for a cancelled process. */
  | { readonly kind: 'process'; readonly startsIn: number | undefined; readonly newState: number };

export interface CommandStep {
  readonly state: EnergyState;
  readonly result: EnergyResult;
}

/** Whether 0xFFFA lists it; SetLimit always is, and answers `applied: false` where limits are not accepted. */
export function isAccepted(config: EnergyConfig, name: EnergyCommand['name']): boolean {
  switch (name) {
    case 'setLimit':
    case 'clearLimit':
      return config.acceptsLimits;
    case 'setCurrentLimits':
    case 'clearCurrentLimits':
      return config.acceptsCurrentLimits;
    case 'setSetpoint':
    case 'clearSetpoint':
      return config.acceptsSetpoints;
    case 'setCurrentSetpoints':
    case 'clearCurrentSetpoints':
      return config.acceptsCurrentSetpoints;
    case 'pause':
    case 'resume':
      return config.isPausable;
    case 'stop':
      return config.isStoppable;
    case 'scheduleProcess':
    case 'cancelProcess':
      return config.schedulesProcess;
    case 'adjustStartTime':
      return config.isShiftable;
  }
}
