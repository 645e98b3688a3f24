/**
 * The stages of one resolution as a table (connection-establishment §7.4). `named`: the instance is known, its SRV is asked for. `nothing`:
 * the type is browsed. `announced`: a PTR named the device. `located`: its SRV is known, its address is not.
 */
export type Stage = 'named' | 'nothing' | 'announced' | 'located';

export type ResolutionState =
  | { readonly name: 'looking'; readonly stage: Stage; readonly until: number; readonly end: number }
  /** The time is over; what arrives late still counts. */
  | { readonly name: 'late'; readonly stage: Stage }
  | { readonly name: 'found' };

export type ResolutionEvent = 'announced' | 'located' | 'complete' | 'time';

/** §7.4: PTR 5 s, SRV 3 s, AAAA 3 s, all together 10 s. */
export const STAGE_TIMEOUT: Readonly<Record<Stage, number>> = { named: 3000, nothing: 5000, announced: 3000, located: 3000 };
export const RESOLUTION_TIMEOUT = 10_000;

const ORDER: readonly Stage[] = ['named', 'nothing', 'announced', 'located'];

export function startResolution(stage: 'named' | 'nothing', now: number): ResolutionState {
  return enter(stage, now, now + RESOLUTION_TIMEOUT);
}

export function nextResolution(state: ResolutionState, event: ResolutionEvent, now: number): ResolutionState {
  if (event === 'complete') return { name: 'found' };
  if (state.name !== 'looking') return state;
  if (event === 'time') {
    if (now < state.until) return state;
    // A name that nobody answers for: who is there?
    return state.stage === 'named' ? enter('nothing', now, state.end) : { name: 'late', stage: state.stage };
  }
  return ORDER.indexOf(event) > ORDER.indexOf(state.stage) ? enter(event, now, state.end) : state;
}

function enter(stage: Stage, now: number, end: number): ResolutionState {
  return { name: 'looking', stage, until: Math.min(now + STAGE_TIMEOUT[stage], end), end };
}
