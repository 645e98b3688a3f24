import type { Button } from '../../hal/index.js';
import type { Clock, Timer } from '../platform.js';

/** Holding the button this many milliseconds is a long press. */
export const LONG_PRESS_MS = 3000;

/** `held` is down with its long press already reported. */
export type PressState = { readonly kind: 'up' } | { readonly kind: 'down'; readonly deadline: number } | { readonly kind: 'held' };
export type PressEvent = { readonly kind: 'pressed' } | { readonly kind: 'released' } | { readonly kind: 'deadline' };
/** `press`: let go before the threshold. `longPress`: held for the threshold, reported once, while still held. */
export type Press = 'press' | 'longPress';

export interface PressStep {
  readonly state: PressState;
  readonly effects: readonly Press[];
}

export const UP: PressState = { kind: 'up' };
const HELD: PressState = { kind: 'held' };

/** One event at monotonic millisecond `now`: for an edge, when it happened. What a state does not expect, such as a bounce, changes nothing. */
export function nextPress(state: PressState, event: PressEvent, now: number, longPress = LONG_PRESS_MS): PressStep {
  switch (state.kind) {
    case 'up':
      return event.kind === 'pressed' ? { state: { kind: 'down', deadline: now + longPress }, effects: [] } : { state, effects: [] };
    case 'down': {
      const long = now >= state.deadline;
      if (event.kind === 'released') return { state: UP, effects: [long ? 'longPress' : 'press'] };
      return event.kind === 'deadline' && long ? { state: HELD, effects: ['longPress'] } : { state, effects: [] };
    }
    case 'held':
      return event.kind === 'released' ? { state: UP, effects: [] } : { state, effects: [] };
  }
}

/**
 * Watches `button` and calls back for every press and long press until the returned function is called. `longPress` in milliseconds.
 * A button that is down when the watch begins counts from its next press.
 */
export function watchPresses(button: Button, clock: Clock, listener: (press: Press) => void, longPress = LONG_PRESS_MS): () => void {
  let state: PressState = UP;
  let timer: Timer | undefined;
  let closed = false;

  function handle(event: PressEvent, at: number): void {
    if (closed) return;
    timer?.cancel();
    timer = undefined;
    const step = nextPress(state, event, at, longPress);
    state = step.state;
    if (state.kind === 'down') {
      const left = Math.max(0, state.deadline - clock.now());
      timer = clock.after('LONG_PRESS', left, () => handle({ kind: 'deadline' }, clock.now()));
    }
    for (const press of step.effects) listener(press);
  }

  const unwatch = button.watch(({ pressed, at }) => handle({ kind: pressed ? 'pressed' : 'released' }, at));
  return () => {
    closed = true;
    unwatch();
    timer?.cancel();
  };
}
