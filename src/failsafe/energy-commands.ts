import { PeerError } from '../errors.js';
import { isProtective, withGroups } from '../zones/limit-book.js';
import { refusesZone, type ZoneRank } from '../zones/resolution.js';
import { type Book, clear, type Kind, merge, type Pair, type Side, type Stamp } from '../zones/timed-values.js';
import { checkAuthority, checkDuration, checkPhases, exceeds, milliseconds, violated } from './command-checks.js';
import { type ClearName, type CommandStep, type EnergyCommand, isAccepted, type PowerCommand, Reject } from './command-types.js';
import { Control } from './control-state.js';
import type { EnergyConfig, EnergyState } from './energy-state.js';
import { effectiveLimit, settle } from './energy-view.js';
import { runProcess } from './process-commands.js';

const UNSUPPORTED = 10;

/** One command at monotonic ms `now`, its receipt. Throws PeerError(10, 8 or 11), in this order; what it refuses has changed nothing. */
export function runCommand(config: EnergyConfig, state: EnergyState, caller: ZoneRank, command: EnergyCommand, now: number): CommandStep {
  if (command.name === 'setLimit') return setLimit(config, state, caller, command, now);
  if (!isAccepted(config, command.name)) throw new PeerError(UNSUPPORTED, `${command.name} is not supported`);
  checkAuthority(state, caller, command);
  switch (command.name) {
    case 'setSetpoint':
      checkDuration(command.duration);
      if (command.values.some((value) => value !== undefined && value !== null && value < 0)) throw violated('a setpoint is negative');
      if ((command.values[0] ?? 0) > 0 && (command.values[1] ?? 0) > 0) throw violated('both setpoints are positive');
      return done(config, state, withSetpoints(state, setPower(state.setpoints, caller.id, command.values, stamp(state, command, now))));
    case 'setCurrentLimits':
      checkPhases(state, command.phases, command.duration);
      return done(config, state, withLimits(state, setPhases(state.limits.groups, caller.id, command, stamp(state, command, now))));
    case 'setCurrentSetpoints':
      checkPhases(state, command.phases, command.duration);
      return done(config, state, withSetpoints(state, setPhases(state.setpoints, caller.id, command, stamp(state, command, now))));
    case 'clearLimit':
    case 'clearCurrentLimits':
      return done(config, state, withLimits(state, clear(state.limits.groups, caller.id, kindOf(command.name), command.sides)));
    case 'clearSetpoint':
    case 'clearCurrentSetpoints':
      return done(config, state, withSetpoints(state, clear(state.setpoints, caller.id, kindOf(command.name), command.sides)));
    default:
      return runProcess(config, state, caller, command, now);
  }
}

// features.md §3, "SetLimit, in order".
function setLimit(config: EnergyConfig, state: EnergyState, caller: ZoneRank, command: PowerCommand<'setLimit'>, now: number): CommandStep {
  if (!config.acceptsLimits) return limitResult(state, Reject.NOT_SUPPORTED);
  const { values } = command;
  if (values.some((value) => value !== undefined && value !== null && value < 0)) return limitResult(state, Reject.INVALID_VALUE);
  if (exceeds(config, values)) throw violated("a limit is above the board's rating");
  checkDuration(command.duration);
  const refused = state.control === Control.OVERRIDE || refusesZone(state.settings.optOut, caller);
  if (refused && !isProtective(command.cause)) return limitResult(state, Reject.DEVICE_OVERRIDE);
  const next = withLimits(state, setPower(state.limits.groups, caller.id, values, stamp(state, command, now)));
  return limitResult(settle(config, state, { state: next, control: 'valuesChanged' }), undefined);
}

function limitResult(state: EnergyState, rejectReason: number | undefined): CommandStep {
  const effective = [effectiveLimit(state, 0), effectiveLimit(state, 1)] as const;
  return { state, result: { kind: 'limit', applied: rejectReason === undefined, controlState: state.control, effective, rejectReason } };
}

function done(config: EnergyConfig, before: EnergyState, state: EnergyState): CommandStep {
  return { state: settle(config, before, { state, control: 'valuesChanged' }), result: { kind: 'success' } };
}

// Both absent: both cleared.
function setPower(book: Book, zone: string, values: Pair<number | null | undefined>, marks: Stamp): Book {
  let next = book;
  const none = values[0] === undefined && values[1] === undefined;
  for (const side of [0, 1] as const) {
    const value = none ? null : values[side];
    if (value !== undefined) next = merge(next, zone, 'power', side, new Map([[0, value]]), marks);
  }
  return next;
}

function setPhases(
  book: Book,
  zone: string,
  { phases, sides }: { readonly phases: ReadonlyMap<number, number | null>; readonly sides: readonly Side[] },
  marks: Stamp,
): Book {
  return sides.reduce((next, side) => merge(next, zone, 'phases', side, phases, marks), book);
}

function stamp(state: EnergyState, { duration, cause }: { readonly duration?: number; readonly cause: number }, now: number): Stamp {
  const length = milliseconds(duration);
  return { cause, order: state.order + 1, until: length === undefined ? undefined : now + length };
}

function withLimits(state: EnergyState, groups: Book): EnergyState {
  return { ...state, limits: withGroups(state.limits, groups), order: state.order + 1 };
}

function withSetpoints(state: EnergyState, setpoints: Book): EnergyState {
  return { ...state, setpoints, order: state.order + 1 };
}

function kindOf(name: ClearName): Kind {
  return name === 'clearLimit' || name === 'clearSetpoint' ? 'power' : 'phases';
}
