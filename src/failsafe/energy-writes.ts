import { PeerError } from '../errors.js';
import { isObserver, type ZoneRank } from '../zones/resolution.js';
import type { Pair } from '../zones/timed-values.js';
import { checkOptOutWrite, exceeds, violated } from './command-checks.js';
import type { EnergyCommand } from './command-types.js';
import { runCommand } from './energy-commands.js';
import type { EnergyConfig, EnergySettings, EnergyState } from './energy-state.js';
import { settle } from './energy-view.js';

/** s. */
export const SHORTEST_FAILSAFE = 7200;
export const LONGEST_FAILSAFE = 86_400;

/** LimitCause LOCAL_OPTIMIZATION and SetpointCause SELF_CONSUMPTION (features.md §3). */
const WRITTEN_LIMIT = 3;
const WRITTEN_SETPOINT = 1;

/** Who may write an attribute, before its value is looked at; throws PeerError 10 or 8. */
export function checkAttributeWriter(config: EnergyConfig, state: EnergyState, caller: ZoneRank, id: number): void {
  if (id >= 70 && id <= 72) checkFailsafeWriter(config, state, caller);
}

/** A write of several attributes at monotonic ms `now`, one after the other in ascending order. Throws PeerError; what it refuses has changed nothing. */
export function writeAttributes(
  config: EnergyConfig,
  state: EnergyState,
  caller: ZoneRank,
  values: ReadonlyMap<number, number | null>,
  now: number,
): EnergyState {
  const ascending = [...values].sort(([a], [b]) => a - b);
  return ascending.reduce((draft, [id, value]) => writeAttribute(config, draft, caller, id, value, now), state);
}

function writeAttribute(
  config: EnergyConfig,
  state: EnergyState,
  caller: ZoneRank,
  id: number,
  value: number | null,
  now: number,
): EnergyState {
  checkAttributeWriter(config, state, caller, id);
  switch (id) {
    case 3:
      if (value === null || value < 0 || value > 3) throw violated('there is no such opt-out state');
      checkOptOutWrite(state, caller, value);
      return configured(config, state, { ...state.settings, optOut: value });
    case 21:
    case 23:
      return asCommand(config, state, caller, { name: 'setLimit', values: pairAt(id === 21, value), cause: WRITTEN_LIMIT }, now);
    case 41:
    case 43:
      return asCommand(config, state, caller, { name: 'setSetpoint', values: pairAt(id === 41, value), cause: WRITTEN_SETPOINT }, now);
    case 70:
    case 71: {
      if (value === null || value < 0 || exceeds(config, pairAt(id === 70, value))) throw violated('a failsafe limit is outside 0…rating');
      const [consumption, production] = state.settings.failsafeLimits;
      const failsafeLimits: Pair<number | null> = id === 70 ? [value, production] : [consumption, value];
      return configured(config, state, { ...state.settings, failsafeLimits });
    }
    case 72:
      if (value === null || value < SHORTEST_FAILSAFE || value > LONGEST_FAILSAFE)
        throw violated(`failsafeDuration is outside ${SHORTEST_FAILSAFE}…${LONGEST_FAILSAFE} s`);
      return configured(config, state, { ...state.settings, failsafeDuration: value });
    default:
      throw new PeerError(6, `attribute ${id} is read-only`);
  }
}

// "that command without duration …, a refusal is 11" (features.md §3).
function asCommand(config: EnergyConfig, state: EnergyState, caller: ZoneRank, command: EnergyCommand, now: number): EnergyState {
  try {
    const { state: next, result } = runCommand(config, state, caller, command, now);
    if (result.kind === 'limit' && !result.applied) throw violated(`refused, reason ${result.rejectReason}`);
    return next;
  } catch (error) {
    throw error instanceof PeerError ? violated(error.message) : error;
  }
}

/** "By a zone of the highest priority stored, others 8 (r any); acceptsLimits false 10." */
function checkFailsafeWriter(config: EnergyConfig, { zones }: EnergyState, caller: ZoneRank): void {
  if (!config.acceptsLimits) throw new PeerError(10, 'limits are not supported');
  if (isObserver(caller)) throw new PeerError(8, 'a TEST zone does not configure the failsafe');
  const outranked = [...zones.values()].some((zone) => !isObserver(zone) && zone.priority < caller.priority);
  if (config.variant === 'd' && outranked) throw new PeerError(8, 'only a zone of the highest priority configures the failsafe');
}

function configured(config: EnergyConfig, before: EnergyState, settings: EnergySettings): EnergyState {
  return settle(config, before, { state: { ...before, settings }, control: 'valuesChanged' });
}

function pairAt(consumption: boolean, value: number | null): Pair<number | null | undefined> {
  return consumption ? [value, undefined] : [undefined, value];
}
