import { ChargingMode } from './charging-session-table.js';

/** What SetChargingMode has set. */
export interface ModeSettings {
  /** ChargingMode. */
  readonly mode: number;
  /** mW; of PV_SURPLUS_THRESHOLD alone. */
  readonly surplusThreshold: number | null;
  /** s, 0…3 600. */
  readonly startDelay: number;
  readonly stopDelay: number;
}

export const DEFAULT_MODE: ModeSettings = { mode: ChargingMode.OFF, surplusThreshold: null, startDelay: 0, stopDelay: 0 };

/** What a mode goes by. */
export interface ModeFacts {
  /** mW that the site has over, what this charger draws included; null: nobody measures it. */
  readonly surplus: number | null;
  /** mW below which the car does not charge. */
  readonly minPower: number;
  /** The car is below its minimum state of charge: it charges as soon as possible (ChargingSession 32). */
  readonly urgent: boolean;
  /** PRICE_OPTIMIZED: whether energy is taken at this moment; undefined: no price is known. */
  readonly worthwhile: boolean | undefined;
  /** SCHEDULED: mW that the plan says for this moment; null: there is none. */
  readonly planned: number | null;
}

/** `cap`: mW while it runs; null: what limits leave. */
export interface ModeWish {
  readonly run: boolean;
  readonly cap: number | null;
}

const FREE: ModeWish = { run: true, cap: null };

/** features.md §5 and the meaning of each mode. */
export function wishOf({ mode, surplusThreshold }: ModeSettings, facts: ModeFacts): ModeWish {
  if (facts.urgent) return FREE;
  // Unknown is none: nothing may come from the grid.
  const surplus = Math.max(0, facts.surplus ?? 0);
  switch (mode) {
    case ChargingMode.PV_SURPLUS_ONLY:
      return { run: surplus >= facts.minPower && surplus > 0, cap: surplus };
    case ChargingMode.PV_SURPLUS_THRESHOLD:
      // The grid fills up to the minimum once the surplus has reached the threshold.
      return { run: facts.surplus !== null && surplus >= (surplusThreshold ?? 0), cap: Math.max(surplus, facts.minPower) };
    case ChargingMode.PRICE_OPTIMIZED:
      return { run: facts.worthwhile ?? true, cap: null };
    case ChargingMode.SCHEDULED:
      return facts.planned === null ? FREE : { run: facts.planned > 0, cap: facts.planned };
    default:
      return FREE;
  }
}

/** Whether the mode lets the charge run. `since`: monotonic ms of the wish that the delay holds back. */
export type ModeState =
  | { readonly name: 'running' | 'stopped' }
  | { readonly name: 'starting'; readonly since: number }
  | { readonly name: 'stopping'; readonly since: number };

export const RUNNING: ModeState = { name: 'running' };
export const STOPPED: ModeState = { name: 'stopped' };

/** startDelay and stopDelay as a table; a wish that changes back within its delay changes nothing. */
export function nextMode(settings: ModeSettings, state: ModeState, run: boolean, now: number): ModeState {
  switch (state.name) {
    case 'running':
      return run ? state : settled(settings, { name: 'stopping', since: now }, now);
    case 'stopped':
      return run ? settled(settings, { name: 'starting', since: now }, now) : state;
    case 'starting':
      return run ? settled(settings, state, now) : STOPPED;
    case 'stopping':
      return run ? RUNNING : settled(settings, state, now);
  }
}

/** When a delay is over; infinity without one. */
export function modeDeadline(settings: ModeSettings, state: ModeState): number {
  if (state.name === 'starting') return state.since + settings.startDelay * 1000;
  return state.name === 'stopping' ? state.since + settings.stopDelay * 1000 : Number.POSITIVE_INFINITY;
}

/** mW that the mode leaves; null: it bounds nothing. While a stop is delayed the charge goes on at its least. */
export function modeCap(state: ModeState, { cap }: ModeWish, minPower: number): number | null {
  if (state.name === 'running') return cap;
  return state.name === 'stopping' ? minPower : 0;
}

function settled(settings: ModeSettings, state: Extract<ModeState, { since: number }>, now: number): ModeState {
  if (now < modeDeadline(settings, state)) return state;
  return state.name === 'starting' ? RUNNING : STOPPED;
}
