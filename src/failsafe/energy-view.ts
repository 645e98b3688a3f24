import { countingConstraints, countingGroups } from '../zones/limit-book.js';
import { isObserver, least, leastPhases, leastPower } from '../zones/resolution.js';
import { effectivePhaseSetpoints, effectiveSetpoint } from '../zones/setpoint-book.js';
import { type Book, groupOf, SIDES, type Side, valuesOf } from '../zones/timed-values.js';
import { type ControlEvent, type ControlFacts, nextControl } from './control-state.js';
import { type EnergyConfig, type EnergyState, type EnergyStep, hasConnection } from './energy-state.js';
import { inFailsafe } from './failsafe.js';
import { overrideKind } from './override.js';

/** Current per phase, mA, ascending. */
export type Phases = ReadonlyMap<number, number>;
export type EnergyValue = number | null | Phases;

export function sameValue(a: EnergyValue, b: EnergyValue): boolean {
  if (a === null || b === null || typeof a === 'number' || typeof b === 'number') return a === b;
  return a.size === b.size && [...a].every(([phase, value]) => b.get(phase) === value);
}

/** Attributes whose value differs. */
export function changedIds(before: ReadonlyMap<number, EnergyValue>, after: ReadonlyMap<number, EnergyValue>): number[] {
  const ids: number[] = [];
  for (const [id, value] of after) if (!sameValue(before.get(id) ?? null, value)) ids.push(id);
  return ids;
}

/** Carries a step to its end: the control state follows from its table. */
export function settle(config: EnergyConfig, before: EnergyState | undefined, { state, control }: EnergyStep): EnergyState {
  // Profile `reference`: CONTROLLED "until the next change of limits"; the failsafe limit that goes is none.
  const changed = before !== undefined && !inFailsafe(before.failsafe) && limitsDiffer(before, state);
  const next = { ...state, returned: state.returned && !changed };
  return { ...next, control: nextControl(config.variant, state.control, row(state, control), controlFacts(next)) };
}

// A device-made override may go on below the user's that ends.
function row(state: EnergyState, control: ControlEvent): ControlEvent {
  return control === 'overrideOff' && overrideKind(state.override) !== 'none' ? 'overrideOn' : control;
}

function limitsDiffer(a: EnergyState, b: EnergyState): boolean {
  return SIDES.some(
    (side) =>
      effectiveLimit(a, side) !== effectiveLimit(b, side) || !sameValue(effectivePhaseLimits(a, side), effectivePhaseLimits(b, side)),
  );
}

export function controlFacts(state: EnergyState): ControlFacts {
  return {
    override: overrideKind(state.override) !== 'none',
    failsafe: inFailsafe(state.failsafe),
    connected: hasConnection(state),
    limitInForce: SIDES.some((side) => effectiveLimit(state, side) !== null || effectivePhaseLimits(state, side) !== null),
    setpointInForce: SIDES.some((side) => setpoint(state, side) !== null || phaseSetpoint(state, side) !== null),
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

export function setpoint(state: EnergyState, side: Side): number | null {
  return effectiveSetpoint(state.setpoints, side, (zone) => priorityOf(state, zone));
}

export function phaseSetpoint(state: EnergyState, side: Side): Phases | null {
  return effectivePhaseSetpoints(state.setpoints, side, (zone) => priorityOf(state, zone));
}

/** The limits of zones that count: TEST and suspended ones do not. */
export function counting(state: EnergyState): Book {
  return countingGroups(state.limits, (zone) => counts(state, zone));
}

function counts(state: EnergyState, id: string): boolean {
  const zone = state.zones.get(id);
  return zone !== undefined && !isObserver(zone);
}

function priorityOf(state: EnergyState, id: string): number | undefined {
  return counts(state, id) ? state.zones.get(id)?.priority : undefined;
}
