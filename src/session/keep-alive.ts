/**
 * Liveness of a session (protocol.md, row "liveness"; pics-registry §2.5) as a table. The grid of pings is fixed: it counts from the session's start; that
 * of Reads counts from the last frame. Either way a loss is found within interval · missed + timeout (30 · 3 + 5 = 95 s) after the last frame.
 */
export interface KeepAliveSettings {
  readonly interval: number;
  readonly timeout: number;
  readonly missed: number;
  /** `always`: a probe at every grid point (pings). `silence`: only when nothing was received for an interval (reference zones). */
  readonly mode: 'always' | 'silence';
}

export interface KeepAliveState {
  /** Next grid point. */
  readonly next: number;
  /** When the answer to the last probe is due; undefined while none is outstanding. */
  readonly due: number | undefined;
  /** Probes in a row that nothing answered. */
  readonly missed: number;
}

export type KeepAliveEvent = 'received' | 'time';
export type KeepAliveEffect = 'probe' | 'lost';

export function startKeepAlive(settings: KeepAliveSettings, now: number): KeepAliveState {
  return { next: now + settings.interval, due: undefined, missed: 0 };
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
  if (event === 'received') {
    const next = settings.mode === 'silence' ? now + settings.interval : state.next;
    return { state: { next, due: undefined, missed: 0 }, effects: [] };
  }
  if (state.due !== undefined && now >= state.due) {
    const missed = state.missed + 1;
    return { state: { ...state, due: undefined, missed }, effects: missed >= settings.missed ? ['lost'] : [] };
  }
  if (now < state.next) return { state, effects: [] };
  // The grid stays; points missed while the machine slept are left out.
  const next = state.next + settings.interval * (Math.floor((now - state.next) / settings.interval) + 1);
  // Where the answer may take longer than the interval, the oldest probe without one decides.
  return { state: { ...state, next, due: state.due ?? now + settings.timeout }, effects: ['probe'] };
}
