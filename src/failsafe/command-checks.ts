import { PeerError } from '../errors.js';
import { isProtective } from '../zones/limit-book.js';
import { isObserver, ranksAbove, refusesZone, type ZoneRank } from '../zones/resolution.js';
import type { Pair, Side } from '../zones/timed-values.js';
import type { EnergyCommand } from './command-types.js';
import type { EnergyConfig, EnergyState } from './energy-state.js';

/** The longest duration, s. */
export const LONGEST_DURATION = 86_400;

const NOT_AUTHORIZED = 8;
const CONSTRAINT = 11;

/** Who may command, before any value is looked at; throws PeerError 8. SetLimit answers in its result, Clear is everyone's. */
export function checkAuthority(state: EnergyState, caller: ZoneRank, command: EnergyCommand): void {
  switch (command.name) {
    case 'setLimit':
    case 'clearLimit':
    case 'clearCurrentLimits':
    case 'clearSetpoint':
    case 'clearCurrentSetpoints':
      return;
    case 'setCurrentLimits':
      // features.md §3: causes 0 and 2 outlast the opt-out.
      if (!isProtective(command.cause)) checkOptOut(state, caller);
      return;
    case 'setSetpoint':
    case 'setCurrentSetpoints':
      checkOptOut(state, caller);
      return;
    case 'resume':
      checkOptOut(state, caller);
      checkRank(caller, state.process.pause?.by);
      return;
    default:
      checkOptOut(state, caller);
      checkRank(caller, state.process.owner);
  }
}

/** Judges a write of optOutState: "Refusing a zone ranked above the writer: 8". */
export function checkOptOutWrite(state: EnergyState, caller: ZoneRank, optOut: number): void {
  for (const zone of state.zones.values())
    if (!isObserver(zone) && refusesZone(optOut, zone) && (isObserver(caller) || ranksAbove(zone, caller)))
      throw new PeerError(NOT_AUTHORIZED, 'this would refuse a zone ranked above the writer');
}

export function checkDuration(duration: number | undefined): void {
  if (duration !== undefined && (duration < 0 || duration > LONGEST_DURATION)) throw violated(`duration is outside 0…${LONGEST_DURATION}`);
}

export function checkPhases({ ratings }: EnergyState, phases: ReadonlyMap<number, number | null>, duration: number | undefined): void {
  for (const [phase, value] of phases) {
    if (phase < 0 || phase >= ratings.phaseCount) throw violated(`there is no phase ${phase}`);
    const above = ratings.currentPerPhase > 0 && (value ?? 0) > ratings.currentPerPhase;
    if (value !== null && (value < 0 || above)) throw violated(`the current of phase ${phase} is outside 0…${ratings.currentPerPhase}`);
  }
  checkDuration(duration);
}

/** True when a value is above the board's rating in its direction; 0 is unchecked. */
export function exceeds({ boardRating }: EnergyConfig, values: Pair<number | null | undefined>): boolean {
  return values.some((value, side) => {
    const rating = boardRating[side as Side];
    return rating > 0 && (value ?? 0) > rating;
  });
}

/** ms; undefined: none. */
export function milliseconds(duration: number | undefined): number | undefined {
  return duration === undefined || duration === 0 ? undefined : duration * 1000;
}

export function violated(text: string): PeerError {
  return new PeerError(CONSTRAINT, text);
}

function checkOptOut(state: EnergyState, caller: ZoneRank): void {
  if (refusesZone(state.settings.optOut, caller)) throw new PeerError(NOT_AUTHORIZED, 'the device has opted out');
}

function checkRank(caller: ZoneRank, needed: { readonly priority: number } | undefined): void {
  if (needed !== undefined && caller.priority > needed.priority)
    throw new PeerError(NOT_AUTHORIZED, 'the process belongs to a zone of higher priority');
}
