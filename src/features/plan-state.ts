import type { PlannedStretch } from './plan-maker.js';
import { Commitment } from './plan-table.js';

/** The plan of an endpoint; before the first one id and version are 0. Immutable; times are monotonic ms. */
export interface PlanState {
  readonly planId: number;
  readonly version: number;
  /** Commitment. */
  readonly commitment: number;
  /** Undefined: none yet, or its end is past. */
  readonly body: PlanBody | undefined;
}

export interface PlanBody {
  readonly from: number;
  readonly until: number;
  readonly stretches: readonly PlannedStretch[];
}

export const NO_PLAN: PlanState = { planId: 0, version: 0, commitment: Commitment.PRELIMINARY, body: undefined };

export type PlanEvent =
  | { readonly type: 'requested'; readonly body: PlanBody }
  /** By the device, with other stretches than before. */
  | { readonly type: 'remade'; readonly body: PlanBody }
  | { readonly type: 'accepted'; readonly planId: number; readonly version: number }
  /** Its start or its end may have come. */
  | { readonly type: 'time' };

/** features.md §5, Plan. Undefined: refused, the one place where it is. */
export function nextPlan(state: PlanState, event: PlanEvent, now: number): PlanState | undefined {
  const { body } = state;
  switch (event.type) {
    case 'requested':
      return { planId: state.planId + 1, version: 1, commitment: Commitment.PRELIMINARY, body: event.body };
    case 'remade':
      return body === undefined
        ? undefined
        : { ...state, version: state.version + 1, commitment: Commitment.PRELIMINARY, body: event.body };
    case 'accepted':
      if (body === undefined || event.planId !== state.planId || event.version !== state.version) return undefined;
      return { ...state, commitment: body.from <= now ? Commitment.EXECUTING : Commitment.COMMITTED };
    case 'time':
      if (body === undefined) return state;
      if (now >= body.until) return { ...state, commitment: Commitment.PRELIMINARY, body: undefined };
      return state.commitment === Commitment.COMMITTED && now >= body.from ? { ...state, commitment: Commitment.EXECUTING } : state;
  }
}

/** Its next start or end; infinity without one. */
export function planDeadline({ body, commitment }: PlanState): number {
  if (body === undefined) return Number.POSITIVE_INFINITY;
  return commitment === Commitment.COMMITTED ? Math.min(body.from, body.until) : body.until;
}

/** mW that it intends at a moment; null outside of it. */
export function plannedPower({ body }: PlanState, at: number): number | null {
  return body?.stretches.find(({ from, until }) => from <= at && at < until)?.power ?? null;
}
