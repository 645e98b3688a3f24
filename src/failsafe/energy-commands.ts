import { PeerError } from '../errors.js';
import { isProtective, withGroups } from '../zones/limit-book.js';
import { isObserver, ranksAbove, refusesZone, type ZoneRank } from '../zones/resolution.js';
import { type Book, clear, type Kind, merge, type Pair, type Side, type Stamp } from '../zones/timed-values.js';
import { Control } from './control-state.js';
import { type EnergyConfig, type EnergyState, processLimits } from './energy-state.js';
import { effectiveLimit, settle } from './energy-view.js';
import { nextProcess, type ProcessEvent, retryAfter } from './process-state.js';

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
  /** `startsIn`: ms from receipt; 0 or less is at once. */
  | { readonly name: 'scheduleProcess'; readonly startsIn: number; readonly processId?: number }
  | { readonly name: 'adjustStartTime'; readonly startsIn: number }
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

/** The longest duration, s. */
export const LONGEST_DURATION = 86_400;

const UNSUPPORTED = 10;
const NOT_AUTHORIZED = 8;
const CONSTRAINT = 11;
const SUCCESS: EnergyResult = { kind: 'success' };

/** One command at monotonic ms `now`, its receipt. Throws PeerError(10, 8 or 11), in this order; what it refuses has changed nothing. */
export function runCommand(config: EnergyConfig, state: EnergyState, caller: ZoneRank, command: EnergyCommand, now: number): CommandStep {
  if (command.name === 'setLimit') return setLimit(config, state, caller, command, now);
  if (!isAccepted(config, command.name)) throw new PeerError(UNSUPPORTED, `${command.name} is not supported`);
  switch (command.name) {
    case 'setSetpoint':
      checkOptOut(state, caller, undefined);
      checkDuration(command.duration);
      if (command.values.some((value) => value !== undefined && value !== null && value < 0)) throw violated('a setpoint is negative');
      if ((command.values[0] ?? 0) > 0 && (command.values[1] ?? 0) > 0) throw violated('both setpoints are positive');
      return done(config, state, withSetpoints(state, setPower(state.setpoints, caller.id, command.values, stamp(state, command, now))));
    case 'setCurrentLimits':
      checkOptOut(state, caller, command.cause);
      checkPhases(state, command.phases, command.duration);
      return done(config, state, withLimits(state, setPhases(state.limits.groups, caller.id, command, stamp(state, command, now))));
    case 'setCurrentSetpoints':
      checkOptOut(state, caller, undefined);
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

function runProcess(config: EnergyConfig, state: EnergyState, caller: ZoneRank, command: ProcessCommand, now: number): CommandStep {
  const { process } = state;
  checkOptOut(state, caller, undefined);
  const needed = command.name === 'resume' ? process.pause?.by : process.owner;
  if (needed !== undefined && caller.priority > needed.priority)
    throw new PeerError(NOT_AUTHORIZED, 'the process belongs to a zone of higher priority');
  if ('processId' in command && (command.processId ?? 1) !== 1) throw violated('there is no such process');
  if (command.name === 'pause') checkDuration(command.duration);
  if ('startsIn' in command && now + command.startsIn > Number.MAX_SAFE_INTEGER) throw violated('requestedStart: no clock reaches it');
  const limits = processLimits(config);
  const next = nextProcess(limits, process, processEvent(command, caller, now), now);
  if (next === undefined) throw violated(`${command.name} is not due in process state ${process.name}`);
  if (command.name === 'pause' || command.name === 'stop' || command.name === 'resume') {
    const seconds = retryAfter(limits, process, command.name, now);
    if (seconds > 0) return { state, result: { kind: 'retry', retryAfter: seconds } };
  }
  const { state: after } = done(config, state, { ...state, process: next });
  if (command.name === 'cancelProcess') return { state: after, result: { kind: 'process', startsIn: undefined, newState: next.name } };
  if (!('startsIn' in command)) return { state: after, result: SUCCESS };
  return { state: after, result: { kind: 'process', startsIn: Math.max(0, command.startsIn), newState: next.name } };
}

function processEvent(command: ProcessCommand, caller: ZoneRank, now: number): ProcessEvent {
  switch (command.name) {
    case 'pause':
      return { type: 'pause', by: caller, duration: milliseconds(command.duration) };
    case 'scheduleProcess':
      return { type: 'schedule', by: caller, startAt: now + command.startsIn };
    case 'adjustStartTime':
      return { type: 'adjust', startAt: now + command.startsIn };
    case 'cancelProcess':
      return { type: 'cancel' };
    case 'resume':
    case 'stop':
      return { type: command.name };
  }
}

function done(config: EnergyConfig, before: EnergyState, state: EnergyState): CommandStep {
  return { state: settle(config, before, { state, control: 'valuesChanged' }), result: SUCCESS };
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

/** `cause` of a limit: 0 and 2 outlast the opt-out. */
function checkOptOut(state: EnergyState, caller: ZoneRank, cause: number | undefined): void {
  if (!refusesZone(state.settings.optOut, caller) || (cause !== undefined && isProtective(cause))) return;
  throw new PeerError(NOT_AUTHORIZED, 'the device has opted out');
}

function checkPhases({ ratings }: EnergyState, phases: ReadonlyMap<number, number | null>, duration: number | undefined): void {
  for (const [phase, value] of phases) {
    if (phase < 0 || phase >= ratings.phaseCount) throw violated(`there is no phase ${phase}`);
    const above = ratings.currentPerPhase > 0 && (value ?? 0) > ratings.currentPerPhase;
    if (value !== null && (value < 0 || above)) throw violated(`the current of phase ${phase} is outside 0…${ratings.currentPerPhase}`);
  }
  checkDuration(duration);
}

function checkDuration(duration: number | undefined): void {
  if (duration !== undefined && (duration < 0 || duration > LONGEST_DURATION)) throw violated(`duration is outside 0…${LONGEST_DURATION}`);
}

/** True when a value is above the board's rating in its direction; 0 is unchecked. */
export function exceeds({ boardRating }: EnergyConfig, values: Pair<number | null | undefined>): boolean {
  return values.some((value, side) => {
    const rating = boardRating[side as Side];
    return rating > 0 && (value ?? 0) > rating;
  });
}

function milliseconds(duration: number | undefined): number | undefined {
  return duration === undefined || duration === 0 ? undefined : duration * 1000;
}

export function violated(text: string): PeerError {
  return new PeerError(CONSTRAINT, text);
}

/** Judges a write of optOutState: "Refusing a zone ranked above the writer: 8". */
export function checkOptOutWrite(state: EnergyState, caller: ZoneRank, optOut: number): void {
  for (const zone of state.zones.values())
    if (!isObserver(zone) && refusesZone(optOut, zone) && (isObserver(caller) || ranksAbove(zone, caller)))
      throw new PeerError(NOT_AUTHORIZED, 'this would refuse a zone ranked above the writer');
}
