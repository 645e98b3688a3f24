/**
 * Liveness of a session (protocol.md, row "liveness"; pics-registry §2.5) as a table. The grid of probes is fixed: it counts from the session's start,
 * so that a loss is found within interval · missed + timeout (30 · 3 + 5 = 95 s), whatever arrived in between.
 */
export interface KeepAliveSettings {
  readonly interval: number;
  readonly timeout: number;
  readonly missed: number;
  /** `always`: a probe at every grid point (pings). `silence`: only when nothing was received since the last one (reference zones). */
  readonly mode: 'always' | 'silence';
}

export interface KeepAliveState {
  /** Next grid point. */
  readonly next: number;
  /** When the answer to the last probe is due; undefined while none is outstanding. */
  readonly due: number | undefined;
  /** Probes in a row that nothing answered. */
  readonly missed: number;
  /** Something was received since the last grid point. */
  readonly heard: boolean;
}

export type KeepAliveEvent = 'received' | 'time';
export type KeepAliveEffect = 'probe' | 'lost';

export function startKeepAlive(settings: KeepAliveSettings, now: number): KeepAliveState {
  return { next: now + settings.interval, due: undefined, missed: 0, heard: false };
}

/** The longest time until a loss is found, ms. */
export function longestDetection({ interval, timeout, missed }: KeepAliveSettings): number {
  return interval * missed + timeout;
}

/** The moment at which `time` must be fed in next. */
export function keepAliveDeadline(state: KeepAliveState): number {
  return state.due === undefined ? state.next : Math.min(state.due, state.next);
}

export function nextKeepAlive(
  settings: KeepAliveSettings,
  state: KeepAliveState,
  event: KeepAliveEvent,
  now: number,
): { state: KeepAliveState; effects: readonly KeepAliveEffect[] } {
  // Any received frame proves life (protocol.md §2.13).
  if (event === 'received') return { state: { next: state.next, due: undefined, missed: 0, heard: true }, effects: [] };
  if (state.due !== undefined && now >= state.due) {
    const missed = state.missed + 1;
    return { state: { ...state, due: undefined, missed }, effects: missed >= settings.missed ? ['lost'] : [] };
  }
  if (now < state.next) return { state, effects: [] };
  // The grid stays; points missed while the machine slept are left out.
  const next = state.next + settings.interval * (Math.floor((now - state.next) / settings.interval) + 1);
  if (settings.mode === 'silence' && state.heard) return { state: { ...state, next, heard: false }, effects: [] };
  // Where the answer may take longer than the interval, the oldest probe without one decides.
  return { state: { ...state, next, due: state.due ?? now + settings.timeout, heard: false }, effects: ['probe'] };
}
