import type { LimitBook } from '../zones/limit-book.js';
import { isObserver, type Ratings, type ZoneRank } from '../zones/resolution.js';
import { type Book, nextExpiry, type Pair } from '../zones/timed-values.js';
import type { Control, ControlEvent, ControlVariant } from './control-state.js';
import { type FailsafeSettings, type FailsafeState, failsafeDeadline } from './failsafe.js';
import type { OverrideState } from './override.js';
import { type ProcessLimits, type ProcessState, processDeadline } from './process-state.js';

/** What does not change while the runtime is up. */
export interface EnergyConfig {
  readonly variant: ControlVariant;
  readonly acceptsLimits: boolean;
  readonly acceptsCurrentLimits: boolean;
  readonly acceptsSetpoints: boolean;
  readonly acceptsCurrentSetpoints: boolean;
  readonly isPausable: boolean;
  readonly isStoppable: boolean;
  readonly isShiftable: boolean;
  /** Bit 7 of the feature map: ScheduleProcess and CancelProcess. */
  readonly schedulesProcess: boolean;
  /** The board's own rating in mW, not the car's: what SetLimit is checked against; 0 is unchecked. */
  readonly boardRating: Pair<number>;
  /** ms; `duration` is the zones' to write, in seconds. */
  readonly failsafe: Pick<FailsafeSettings, 'grace' | 'afterDuration'>;
  /** `override.maxDuration`, ms. */
  readonly longestOverride: number;
  readonly process: Omit<ProcessLimits, 'fromAnyState'>;
}

/** What zones and the user have configured; journalled. */
export interface EnergySettings {
  /** mW; null: none in this direction. */
  readonly failsafeLimits: Pair<number | null>;
  /** s, 7 200–86 400. */
  readonly failsafeDuration: number;
  /** OptOutState 0–3. */
  readonly optOut: number;
}

export interface ConnectedZone extends ZoneRank {
  readonly connected: boolean;
}

/** EnergyControl of one endpoint, whole. Immutable. */
export interface EnergyState {
  /** Every stored zone, TEST included. */
  readonly zones: ReadonlyMap<string, ConnectedZone>;
  readonly limits: LimitBook;
  readonly setpoints: Book;
  readonly settings: EnergySettings;
  readonly failsafe: FailsafeState;
  readonly override: OverrideState;
  readonly process: ProcessState;
  readonly ratings: Ratings;
  readonly control: Control;
  /** A zone returned from FAILSAFE and no limit has changed since. */
  readonly returned: boolean;
  /** Of the last command. */
  readonly order: number;
}

/** A step, and which row of the control state's table it is. */
export interface EnergyStep {
  readonly state: EnergyState;
  readonly control: ControlEvent;
}

export interface JournalledEnergy {
  readonly limits?: LimitBook;
  readonly settings?: EnergySettings;
  /** ms. */
  readonly failsafeRemainder?: number;
}

/** When the next duration, failsafe, override or process deadline comes; infinity without one. */
export function energyDeadline(state: EnergyState): number {
  return Math.min(
    nextExpiry(state.limits.groups),
    nextExpiry(state.setpoints),
    failsafeDeadline(state.failsafe),
    state.override.userUntil ?? Number.POSITIVE_INFINITY,
    processDeadline(state.process),
  );
}

export function processLimits(config: EnergyConfig): ProcessLimits {
  return { ...config.process, fromAnyState: config.variant === 'r' };
}

export function hasConnection(state: EnergyState): boolean {
  return [...state.zones.values()].some((zone) => zone.connected && !isObserver(zone));
}
