import type { Book, Entry, Kind, Side } from './timed-values.js';

/**
 * The setpoint in force for one key (0, or a phase): the lowest priority number of the slots, then the latest (features.md §3).
 * `priorityOf` gives undefined for a zone that does not count.
 */
export function winningEntry(
  book: Book,
  kind: Kind,
  side: Side,
  key: number,
  priorityOf: (zone: string) => number | undefined,
): Entry | undefined {
  let best: Entry | undefined;
  let bestPriority = Number.POSITIVE_INFINITY;
  for (const group of book) {
    const entry = group.entries.get(key);
    const priority = priorityOf(group.zone);
    if (entry === undefined || priority === undefined || group.kind !== kind || group.side !== side) continue;
    if (best !== undefined && (priority > bestPriority || (priority === bestPriority && entry.order < best.order))) continue;
    best = entry;
    bestPriority = priority;
  }
  return best;
}

/** mW; null without one. */
export function effectiveSetpoint(book: Book, side: Side, priorityOf: (zone: string) => number | undefined): number | null {
  return winningEntry(book, 'power', side, 0, priorityOf)?.value ?? null;
}

/** mA by phase, each phase on its own; null without one. */
export function effectivePhaseSetpoints(
  book: Book,
  side: Side,
  priorityOf: (zone: string) => number | undefined,
): ReadonlyMap<number, number> | null {
  const phases = new Map<number, number>();
  for (let phase = 0; phase < 3; phase++) {
    const entry = winningEntry(book, 'phases', side, phase, priorityOf);
    if (entry !== undefined) phases.set(phase, entry.value);
  }
  return phases.size === 0 ? null : phases;
}
