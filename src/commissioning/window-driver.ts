import type { Clock, Log, Timer } from '../platform.js';
import type { Profile } from '../profile.js';
import { CLOSED, nextWindow, type WindowEffect, type WindowEvent, type WindowState } from './window.js';

export interface WindowEvents {
  /** Open until that monotonic time. */
  opened(until: number): void;
  /** Open until another time. */
  moved(until: number): void;
  closed(): void;
}

/** Carries out the table of `window.ts`. */
export class WindowDriver {
  readonly #profile: Profile;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #events: WindowEvents;
  #state: WindowState = CLOSED;
  #timer: Timer | undefined;
  #duration: number | undefined;

  constructor(profile: Profile, clock: Clock, log: Log, events: WindowEvents) {
    this.#profile = profile;
    this.#clock = clock;
    this.#log = log;
    this.#events = events;
  }

  get open(): boolean {
    return this.#state.name === 'open';
  }

  /** Milliseconds until it may be opened again. */
  get coolDown(): number {
    return this.#state.name === 'closed' ? Math.max(0, this.#state.notBefore - this.#clock.now()) : 0;
  }

  /** ms; undefined: that of the profile. An open window stays as it is. */
  set duration(duration: number | undefined) {
    this.#duration = duration;
  }

  feed(event: WindowEvent): readonly WindowEffect[] {
    const duration = this.#duration ?? this.#profile['commissioning.window'];
    const settings = { duration, coolDown: this.#profile['commissioning.coolDown'] };
    const step = nextWindow(settings, this.#state, event, this.#clock.now());
    this.#state = step.state;
    for (const effect of step.effects) {
      if (effect === 'closed') this.#onClosed(event);
      else if (effect !== 'refused' && step.state.name === 'open') this.#onOpen(effect, step.state.until);
    }
    return step.effects;
  }

  #onOpen(effect: 'opened' | 'moved', until: number): void {
    const left = until - this.#clock.now();
    this.#timer?.cancel();
    this.#timer = this.#clock.after('commissioning window', left, () => void this.feed('time'));
    const message = effect === 'opened' ? 'commissioning window opened' : 'commissioning window begins anew';
    this.#log.info(message, { seconds: Math.round(left / 1000) });
    this.#events[effect](until);
  }

  #onClosed(event: WindowEvent): void {
    this.#timer?.cancel();
    this.#log.info('commissioning window closed', { because: event === 'time' ? 'its time is over' : event });
    this.#events.closed();
  }
}
