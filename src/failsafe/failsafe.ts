/**
 * The failsafe timer as a table (protocol.md §4, features.md §1, §4). Times are monotonic milliseconds: a wall clock that jumps changes nothing, and time
 * without power does not count.
 */
export type FailsafeState =
  /** A zone is connected, or there is none. */
  | { readonly name: 'off' }
  /** `until`: its end. `saved`: the remainder that the journal holds, next written at `saveAt`. */
  | { readonly name: 'running'; readonly until: number; readonly saved: number; readonly saveAt: number; readonly step: number }
  /** Its duration is over and `afterDuration` is `hold`: the failsafe limit stays until a zone returns. */
  | { readonly name: 'held' }
  /** Its duration is over: AUTONOMOUS, stored limits suspended. */
  | { readonly name: 'over' };

export interface FailsafeSettings {
  /** ms, 2–24 h. */
  readonly duration: number;
  /** ms, 0–3600 s: failsafe lasts longer. */
  readonly grace: number;
  readonly afterDuration: 'autonomous' | 'hold';
}

/** `lost`: the last connection, by any cause, zones are stored. `unzoned`: the last zone was removed. `time`: a deadline may have come. */
export type FailsafeEvent = 'lost' | 'connected' | 'unzoned' | 'time';

export const FAILSAFE_OFF: FailsafeState = { name: 'off' };
/** The longest remainder: 24 h and an hour of grace. */
export const LONGEST_REMAINDER = 90_000_000;

/** "at entry, then every max(60 s, 0.5 %)" (features.md §4). */
const LEAST_STEP = 60_000;
export const STEP_SHARE = 0.005;

type Row = Partial<Record<FailsafeEvent, (state: FailsafeState, settings: FailsafeSettings, now: number) => FailsafeState>>;

const off = (): FailsafeState => FAILSAFE_OFF;

const TABLE: Readonly<Record<FailsafeState['name'], Row>> = {
  off: { lost: (_state, settings, now) => enter(settings, now, settings.duration + settings.grace) },
  running: { connected: off, unzoned: off, time: tick },
  held: { connected: off, unzoned: off },
  over: { connected: off, unzoned: off },
};

export function nextFailsafe(settings: FailsafeSettings, state: FailsafeState, event: FailsafeEvent, now: number): FailsafeState {
  return TABLE[state.name][event]?.(state, settings, now) ?? state;
}

/** Before the first accept: the journalled remainder (ms), else the full duration; remainder 0: what comes after it. */
export function bootFailsafe(settings: FailsafeSettings, hasZones: boolean, remainder: number | undefined, now: number): FailsafeState {
  if (!hasZones) return FAILSAFE_OFF;
  return enter(settings, now, remainder ?? settings.duration + settings.grace);
}

/** In force: controlState FAILSAFE unless an override stands above it. */
export function inFailsafe(state: FailsafeState): boolean {
  return state.name === 'running' || state.name === 'held';
}

/** What the journal holds, ms; undefined: no record. */
export function journalledRemainder(state: FailsafeState): number | undefined {
  if (state.name === 'off') return undefined;
  return state.name === 'running' ? state.saved : 0;
}

/** Its next deadline; infinity without one. */
export function failsafeDeadline(state: FailsafeState): number {
  return state.name === 'running' ? Math.min(state.until, state.saveAt) : Number.POSITIVE_INFINITY;
}

function enter({ afterDuration }: FailsafeSettings, now: number, remainder: number): FailsafeState {
  if (remainder <= 0) return { name: afterDuration === 'hold' ? 'held' : 'over' };
  const step = Math.max(LEAST_STEP, Math.ceil(remainder * STEP_SHARE));
  return { name: 'running', until: now + remainder, saved: remainder, saveAt: now + step, step };
}

function tick(state: FailsafeState, settings: FailsafeSettings, now: number): FailsafeState {
  if (state.name !== 'running') return state;
  if (now >= state.until) return enter(settings, now, 0);
  if (now < state.saveAt) return state;
  return { ...state, saved: Math.ceil(state.until - now), saveAt: now + state.step };
}
