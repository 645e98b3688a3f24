import type { Book, Side } from './timed-values.js';

/** A zone as far as resolution knows it. */
export interface ZoneRank {
  /** Zone id. */
  readonly id: string;
  /** 0 TEST, 1 GRID_OPERATOR – 4 USER_APP. */
  readonly type: number;
  /** 1 (highest) – 4. */
  readonly priority: number;
}

/** A TEST zone: its values show in its own `my*` and count nowhere else. */
export function isObserver(zone: ZoneRank): boolean {
  return zone.type === 0;
}

/** What the connection to the grid, the board and the car allow; 0 is unknown and bounds nothing. */
export interface Ratings {
  /** mW per direction: hardware ∩ car. */
  readonly power: readonly [number, number];
  /** mA. */
  readonly currentPerPhase: number;
  /** 1–3. */
  readonly phaseCount: number;
  /** V. */
  readonly voltage: number;
  /** False: all phases run at the least of them (AsymmetricSupport). */
  readonly asymmetric: readonly [boolean, boolean];
}

/** The least of what is there; null when nothing is. */
export function least(values: Iterable<number | null>): number | null {
  let result: number | null = null;
  for (const value of values) if (value !== null && (result === null || value < result)) result = value;
  return result;
}

/** The smallest power limit of `groups` (protocol.md §4), mW. */
export function leastPower(groups: Book, side: Side): number | null {
  return least(groups.filter((group) => group.kind === 'power' && group.side === side).map((group) => group.entries.get(0)?.value ?? null));
}

/** The smallest limit of each phase, mA; only limited phases appear, none = null. */
export function leastPhases(groups: Book, side: Side): ReadonlyMap<number, number> | null {
  const phases = new Map<number, number>();
  for (let phase = 0; phase < 3; phase++) {
    const limit = least(
      groups.filter((group) => group.kind === 'phases' && group.side === side).map((group) => group.entries.get(phase)?.value ?? null),
    );
    if (limit !== null) phases.set(phase, limit);
  }
  return phases.size === 0 ? null : phases;
}

/** What each phase may carry at the power stage, mA; null: no bound at all. */
export function phaseCeilings(
  limits: ReadonlyMap<number, number> | null,
  ratings: Ratings,
  side: Side,
): ReadonlyMap<number, number> | null {
  const rating = ratings.currentPerPhase === 0 ? null : ratings.currentPerPhase;
  const common = ratings.asymmetric[side] ? null : least(limits?.values() ?? []);
  const phases = new Map<number, number>();
  for (let phase = 0; phase < ratings.phaseCount; phase++) {
    const ceiling = least([limits?.get(phase) ?? null, common, rating]);
    if (ceiling !== null) phases.set(phase, ceiling);
  }
  return phases.size === 0 ? null : phases;
}

/** Least of effective limit, Σ phase limit × nominalVoltage, Electrical (features.md §3), mW; null: unbounded. */
export function ceiling(limit: number | null, phases: ReadonlyMap<number, number> | null, ratings: Ratings, side: Side): number | null {
  return least([limit, phasePower(phaseCeilings(phases, ratings, side), ratings), ratings.power[side] === 0 ? null : ratings.power[side]]);
}

// A phase without any bound leaves the sum without one.
function phasePower(phases: ReadonlyMap<number, number> | null, { phaseCount, voltage }: Ratings): number | null {
  if (phases === null || phases.size < phaseCount || voltage === 0) return null;
  let sum = 0;
  for (const current of phases.values()) sum += current * voltage;
  return sum;
}

/** target = min(setpoint, ceiling); null without a setpoint. */
export function target(setpoint: number | null, limit: number | null): number | null {
  return setpoint === null ? null : least([setpoint, limit]);
}

/** What each phase is to carry, never above its ceiling, mA; without asymmetry all at the least of them. */
export function phaseTargets(
  setpoints: ReadonlyMap<number, number> | null,
  ceilings: ReadonlyMap<number, number> | null,
  ratings: Ratings,
  side: Side,
): ReadonlyMap<number, number> | null {
  if (setpoints === null) return null;
  const common = ratings.asymmetric[side] ? null : least(setpoints.values());
  const phases = new Map<number, number>();
  for (let phase = 0; phase < ratings.phaseCount; phase++) {
    const wanted = common ?? setpoints.get(phase);
    if (wanted !== undefined) phases.set(phase, Math.min(wanted, ceilings?.get(phase) ?? wanted));
  }
  return phases;
}

/** optOutState: 1 refuses types 2–4, 2 type 1, 3 all (features.md §3). */
export function refusesZone(optOutState: number, zone: ZoneRank): boolean {
  if (optOutState === 1) return zone.type >= 2;
  if (optOutState === 2) return zone.type === 1;
  return optOutState === 3;
}

/** Ranks by type, then by priority (protocol.md §2.14). */
export function ranksAbove(a: ZoneRank, b: ZoneRank): boolean {
  return a.type < b.type || (a.type === b.type && a.priority < b.priority);
}
