/**
 * The commissioning window as a table (commissioning-pase §5.1). It does not extend on activity: only its own deadline, a completed
 * commissioning or a reset ends it.
 */
export type WindowState =
  /** `notBefore`: the end of the cool-down. */
  { readonly name: 'closed'; readonly notBefore: number } | { readonly name: 'open'; readonly until: number };

export interface WindowSettings {
  readonly duration: number;
  readonly coolDown: number;
}

/** `open`: button, start, or a request of the profile. `anew`: a removal in profile `reference`, or a test: no cool-down, and from the beginning. `commissioned`: CERT_ACK was written. `shut`: stop or reset. */
export type WindowEvent = 'open' | 'anew' | 'commissioned' | 'shut' | 'time';
export type WindowEffect = 'opened' | 'moved' | 'closed' | 'refused';

export const CLOSED: WindowState = { name: 'closed', notBefore: Number.NEGATIVE_INFINITY };

export function nextWindow(
  settings: WindowSettings,
  state: WindowState,
  event: WindowEvent,
  now: number,
): { readonly state: WindowState; readonly effects: readonly WindowEffect[] } {
  if (state.name === 'closed') {
    if (event !== 'open' && event !== 'anew') return { state, effects: [] };
    if (event === 'open' && now < state.notBefore) return { state, effects: ['refused'] };
    return { state: { name: 'open', until: now + settings.duration }, effects: ['opened'] };
  }
  if (event === 'anew') return { state: { name: 'open', until: now + settings.duration }, effects: ['moved'] };
  if (event === 'open' || (event === 'time' && now < state.until)) return { state, effects: [] };
  return { state: { name: 'closed', notBefore: now + settings.coolDown }, effects: ['closed'] };
}
