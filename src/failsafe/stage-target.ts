import { isProtective } from '../zones/limit-book.js';
import { ceiling, least, leastPhases, leastPower, phaseCeilings, phaseTargets, target } from '../zones/resolution.js';
import { type Pair, SIDES, type Side } from '../zones/timed-values.js';
import type { EnergyState } from './energy-state.js';
import { counting, effectiveLimit, effectivePhaseLimits, type Phases, phaseSetpoint, sameValue, setpoint } from './energy-view.js';
import { inFailsafe } from './failsafe.js';
import { overrideKind } from './override.js';
import { Process } from './process-state.js';

/** What the power stage obeys; each pair is consumption, production; null is unbounded. */
export interface StageTarget {
  /** mW. */
  readonly ceiling: Pair<number | null>;
  /** mW: the ceiling that holds beneath a device-made override; otherwise the same. */
  readonly beneath: Pair<number | null>;
  /** mA, beneath a device-made override too. */
  readonly phaseCeiling: Pair<Phases | null>;
  /** mW, never above the ceiling; null: the device decides. */
  readonly setpoint: Pair<number | null>;
  /** mA, never above the ceiling of the phase. */
  readonly phaseSetpoint: Pair<Phases | null>;
  /** By Pause. */
  readonly paused: boolean;
  /** By Stop or CancelProcess: the process does not go on. */
  readonly aborted: boolean;
  /** The process runs. */
  readonly running: boolean;
}

export function stageTarget(state: EnergyState): StageTarget {
  const { ratings } = state;
  const override = overrideKind(state.override);
  const otherwise = overrideKind({ ...state.override, device: undefined });
  const ceilings = pairOf((side) => ceilingIn(state, override, side));
  const phaseCeiling = pairOf((side) => phaseCeilings(bindingLimits(state, otherwise, side).phases, ratings, side));
  // In OVERRIDE the device follows itself: setpoints wait, as the limits do that do not bind.
  const free = override !== 'none';
  return {
    ceiling: ceilings,
    beneath: pairOf((side) => ceilingIn(state, otherwise, side)),
    phaseCeiling,
    setpoint: pairOf((side) => (free ? null : target(setpoint(state, side), ceilings[side]))),
    phaseSetpoint: pairOf((side) => (free ? null : phaseTargets(phaseSetpoint(state, side), phaseCeiling[side], ratings, side))),
    paused: state.process.name === Process.PAUSED,
    aborted: state.process.name === Process.ABORTED,
    running: state.process.name === Process.RUNNING,
  };
}

/** `ceiling` of one side alone, mW: for who asks for many moments. */
export function powerCeiling(state: EnergyState, side: Side): number | null {
  return ceilingIn(state, overrideKind(state.override), side);
}

function ceilingIn(state: EnergyState, override: ReturnType<typeof overrideKind>, side: Side): number | null {
  const { power, phases } = bindingLimits(state, override, side);
  return ceiling(power, phases, state.ratings, side);
}

export function sameTarget(a: StageTarget, b: StageTarget): boolean {
  return (
    a.paused === b.paused &&
    a.aborted === b.aborted &&
    a.running === b.running &&
    SIDES.every(
      (side) =>
        a.ceiling[side] === b.ceiling[side] &&
        a.beneath[side] === b.beneath[side] &&
        a.setpoint[side] === b.setpoint[side] &&
        sameValue(a.phaseCeiling[side], b.phaseCeiling[side]) &&
        sameValue(a.phaseSetpoint[side], b.phaseSetpoint[side]),
    )
  );
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

function pairOf<T>(make: (side: Side) => T): Pair<T> {
  return [make(0), make(1)];
}
