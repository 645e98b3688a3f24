import { ceilingAt, knownChanges } from '../failsafe/energy-outlook.js';
import type { EnergyState } from '../failsafe/energy-state.js';
import type { Segment } from '../features/plan-maker.js';
import { allowedBy, boundaries, type Signal, type SignalBook, slotAt } from '../zones/signal-book.js';

/** What is known of the time ahead. */
export interface Known {
  /** Undefined on an endpoint that nobody controls. */
  readonly state: EnergyState | undefined;
  readonly signals: SignalBook;
  readonly price: Signal | undefined;
  /** mW: what stands where nothing limits. */
  readonly rating: number;
}

/** Limits, constraint slots and prices between two moments, monotonic ms: neither gap nor overlap. */
export function outlook({ state, signals, price, rating }: Known, from: number, until: number): readonly Segment[] {
  const changes = [...boundaries(signals, from), ...(state === undefined ? [] : knownChanges(state))];
  const constraints = signals.filter(({ kind }) => kind === 'constraint');
  const cuts = [...new Set([from, ...changes.filter((at) => at > from && at < until), until])].sort((a, b) => a - b);
  return cuts.slice(0, -1).map((start, index) => ({
    from: start,
    until: cuts[index + 1] as number,
    ceiling: state === undefined ? rating : (ceilingAt(state, allowedAt(constraints, start), start) ?? rating),
    price: slotAt(price, start)?.fields.get('price') ?? null,
  }));
}

function allowedAt(constraints: SignalBook, at: number): ReadonlyMap<string, readonly [number | null, number | null]> {
  return new Map(constraints.map((constraint) => [constraint.zone.id, allowedBy(constraint, at)]));
}
