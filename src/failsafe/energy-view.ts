import { countingConstraints, countingGroups, isProtective } from '../zones/limit-book.js';
import { ceiling, isObserver, least, leastPhases, leastPower, phaseCeilings, target } from '../zones/resolution.js';
import { effectivePhaseSetpoints, effectiveSetpoint } from '../zones/setpoint-book.js';
import { type Book, groupOf, type Pair, type Side, valuesOf } from '../zones/timed-values.js';
import { type ControlEvent, type ControlFacts, nextControl } from './control-state.js';
import { type EnergyConfig, type EnergyState, type EnergyStep, hasConnection } from './energy-state.js';
import { inFailsafe } from './failsafe.js';
import { overrideKind } from './override.js';
import { Process } from './process-state.js';

/** Current per phase, mA, ascending. */
export type Phases = ReadonlyMap<number, number>;
export type EnergyValue = number | null | Phases;

/** What the power stage obeys; each pair is consumption, production; null is unbounded. */
export interface StageTarget {
  /** mW. */
  readonly ceiling: Pair<number | null>;
  /** mA. */
  readonly phaseCeiling: Pair<Phases | null>;
  /** The ceiling that holds beneath a device-made override; otherwise the same. */
  readonly beneath: Pair<number | null>;
  /** mW, never above the ceiling; null: the device decides. */
  readonly setpoint: Pair<number | null>;
  readonly phaseSetpoint: Pair<Phases | null>;
  /** By Pause. */
  readonly paused: boolean;
  /** By Stop or CancelProcess: the process does not go on. */
  readonly aborted: boolean;
  /** The process runs. */
  readonly running: boolean;
}

/** Carries a step to its end: the control state follows from its table. */
export function settle(config: EnergyConfig, before: EnergyState | undefined, { state, control }: EnergyStep): EnergyState {
  const limitsChanged = before !== undefined && before.limits !== state.limits && control === 'valuesChanged';
  const returned = state.returned && !limitsChanged;
  const next = { ...state, returned };
  return { ...next, control: nextControl(config.variant, state.control, row(state, control), controlFacts(next)) };
}

// A device-made override may go on below the user's that ends.
function row(state: EnergyState, control: ControlEvent): ControlEvent {
  return control === 'overrideOff' && overrideKind(state.override) !== 'none' ? 'overrideOn' : control;
}

export function controlFacts(state: EnergyState): ControlFacts {
  return {
    override: overrideKind(state.override) !== 'none',
    failsafe: inFailsafe(state.failsafe),
    connected: hasConnection(state),
    limitInForce: both((side) => effectiveLimit(state, side) !== null || effectivePhaseLimits(state, side) !== null).includes(true),
    setpointInForce: both((side) => setpoint(state, side) !== null || phaseSetpoint(state, side) !== null).includes(true),
    returned: state.returned,
  };
}

/** Least over zones and constraint slots, in failsafe of the failsafe limit too; not capped by Electrical. mW. */
export function effectiveLimit(state: EnergyState, side: Side): number | null {
  const stored = leastPower(counting(state), side);
  const failsafe = inFailsafe(state.failsafe) ? state.settings.failsafeLimits[side] : null;
  return least([stored, failsafe, ...countingConstraints(state.limits, (zone) => counts(state, zone), side)]);
}

export function effectivePhaseLimits(state: EnergyState, side: Side): Phases | null {
  return leastPhases(counting(state), side);
}

/** The attributes that every zone sees alike, by id. */
export function sharedValues(state: EnergyState): ReadonlyMap<number, EnergyValue> {
  const { device } = state.override;
  return new Map<number, EnergyValue>([
    [2, state.control],
    [3, state.settings.optOut],
    [20, effectiveLimit(state, 0)],
    [22, effectiveLimit(state, 1)],
    [30, effectivePhaseLimits(state, 0)],
    [32, effectivePhaseLimits(state, 1)],
    [40, setpoint(state, 0)],
    [42, setpoint(state, 1)],
    [50, phaseSetpoint(state, 0)],
    [52, phaseSetpoint(state, 1)],
    [70, state.settings.failsafeLimits[0]],
    [71, state.settings.failsafeLimits[1]],
    [72, state.settings.failsafeDuration],
    [75, device?.reason ?? null],
    [76, device?.direction ?? null],
    [80, state.process.name],
  ]);
}

/** The `my*` attributes of one zone, by id. */
export function ownValues(state: EnergyState, zone: string): ReadonlyMap<number, EnergyValue> {
  const { limits, setpoints } = state;
  const power = (book: Book, side: Side): number | null => groupOf(book, zone, 'power', side)?.entries.get(0)?.value ?? null;
  const phases = (book: Book, side: Side): Phases | null => valuesOf(groupOf(book, zone, 'phases', side));
  return new Map<number, EnergyValue>([
    [21, power(limits.groups, 0)],
    [23, power(limits.groups, 1)],
    [31, phases(limits.groups, 0)],
    [33, phases(limits.groups, 1)],
    [41, power(setpoints, 0)],
    [43, power(setpoints, 1)],
    [51, phases(setpoints, 0)],
    [53, phases(setpoints, 1)],
  ]);
}

export function stageTarget(state: EnergyState): StageTarget {
  const { ratings } = state;
  const override = overrideKind(state.override);
  const binding = pairOf((side) => bindingLimits(state, override, side));
  const ceilings = pairOf((side) => ceiling(binding[side].power, binding[side].phases, ratings, side));
  const phases = pairOf((side) => phaseCeilings(binding[side].phases, ratings, side));
  const otherwise = overrideKind({ ...state.override, device: undefined });
  const beneath = pairOf((side) => {
    const { power, phases: limits } = bindingLimits(state, otherwise, side);
    return ceiling(power, limits, ratings, side);
  });
  // In OVERRIDE the device follows itself: setpoints wait, as the limits do that do not bind.
  const free = override !== 'none';
  return {
    ceiling: ceilings,
    phaseCeiling: phases,
    beneath,
    setpoint: pairOf((side) => (free ? null : target(setpoint(state, side), ceilings[side]))),
    phaseSetpoint: pairOf((side) => (free ? null : cappedPhases(phaseSetpoint(state, side), phases[side]))),
    paused: state.process.name === Process.PAUSED,
    aborted: state.process.name === Process.ABORTED,
    running: state.process.name === Process.RUNNING,
  };
}

/** features.md §1: a device-made override follows the ratings alone; no button lifts causes 0 and 2 and the failsafe limit. */
function bindingLimits(
  state: EnergyState,
  override: 'none' | 'user' | 'device',
  side: Side,
): { power: number | null; phases: Phases | null } {
  if (override === 'none') return { power: effectiveLimit(state, side), phases: effectivePhaseLimits(state, side) };
  if (override === 'device') return { power: null, phases: null };
  const protective = counting(state).map((group) => ({
    ...group,
    entries: new Map([...group.entries].filter(([, entry]) => isProtective(entry.cause))),
  }));
  const failsafe = inFailsafe(state.failsafe) ? state.settings.failsafeLimits[side] : null;
  return { power: least([leastPower(protective, side), failsafe]), phases: leastPhases(protective, side) };
}

function cappedPhases(setpoints: Phases | null, ceilings: Phases | null): Phases | null {
  if (setpoints === null) return null;
  return new Map([...setpoints].map(([phase, value]) => [phase, Math.min(value, ceilings?.get(phase) ?? value)]));
}

function setpoint(state: EnergyState, side: Side): number | null {
  return effectiveSetpoint(state.setpoints, side, (zone) => priorityOf(state, zone));
}

function phaseSetpoint(state: EnergyState, side: Side): Phases | null {
  return effectivePhaseSetpoints(state.setpoints, side, (zone) => priorityOf(state, zone));
}

function counting(state: EnergyState): Book {
  return countingGroups(state.limits, (zone) => counts(state, zone));
}

function counts(state: EnergyState, id: string): boolean {
  const zone = state.zones.get(id);
  return zone !== undefined && !isObserver(zone);
}

function priorityOf(state: EnergyState, id: string): number | undefined {
  return counts(state, id) ? state.zones.get(id)?.priority : undefined;
}

function pairOf<T>(make: (side: Side) => T): Pair<T> {
  return [make(0), make(1)];
}

function both<T>(make: (side: Side) => T): readonly T[] {
  return pairOf(make);
}
