/** Why and in which direction the device itself exceeds limits. */
export interface OverrideCause {
  /** OverrideReason: 0 SELF_PROTECTION, 1 SAFETY. */
  readonly reason: number;
  /** 0 CONSUMPTION, 1 PRODUCTION, 2 BIDIRECTIONAL. */
  readonly direction: number;
}

/** The user's override ends by itself at `userUntil`; the device's lasts as long as its cause. Both may stand at once. */
export interface OverrideState {
  /** Monotonic ms; undefined: the user overrides nothing. */
  readonly userUntil: number | undefined;
  readonly device: OverrideCause | undefined;
}

export type OverrideEvent =
  /** A long press: on, or off again. */
  | { readonly type: 'press' }
  /** "until the second long press, 4 h, F or boot" (features.md §1), and the removal of the last zone. */
  | { readonly type: 'failsafe' | 'unzoned' | 'time' }
  | { readonly type: 'device'; readonly cause: OverrideCause | undefined };

export const NO_OVERRIDE: OverrideState = { userUntil: undefined, device: undefined };

/** `longest`: `override.maxDuration`, ms. */
export function nextOverride(longest: number, state: OverrideState, event: OverrideEvent, now: number): OverrideState {
  switch (event.type) {
    case 'press':
      return { ...state, userUntil: state.userUntil === undefined ? now + longest : undefined };
    case 'failsafe':
    case 'unzoned':
      return { ...state, userUntil: undefined };
    case 'time':
      return state.userUntil !== undefined && now >= state.userUntil ? { ...state, userUntil: undefined } : state;
    case 'device':
      return { ...state, device: event.cause };
  }
}

/** `device` stands above `user`: ratings alone bind it, while the user's leaves protective limits in force. */
export function overrideKind(state: OverrideState): 'none' | 'user' | 'device' {
  if (state.device !== undefined) return 'device';
  return state.userUntil === undefined ? 'none' : 'user';
}
