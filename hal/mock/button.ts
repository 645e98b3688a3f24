import type { Button, ButtonEdge } from '../button.js';

/** A button that a test or a simulator presses. `now` is the runtime's monotonic clock, in milliseconds. */
export class MockButton implements Button {
  readonly #now: () => number;
  readonly #listeners = new Set<(edge: ButtonEdge) => void>();
  #pressed = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  get pressed(): boolean {
    return this.#pressed;
  }

  /** Listeners that watch now. */
  get watchers(): number {
    return this.#listeners.size;
  }

  watch(listener: (edge: ButtonEdge) => void): () => void {
    // One function may watch twice; each watch ends on its own.
    const own = (edge: ButtonEdge): void => listener(edge);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Pushes the button down; nothing when it is down. */
  press(): void {
    this.#move(true);
  }

  /** Lets go of it; nothing when it is up. */
  release(): void {
    this.#move(false);
  }

  #move(pressed: boolean): void {
    if (this.#pressed === pressed) return;
    this.#pressed = pressed;
    const edge: ButtonEdge = { pressed, at: this.#now() };
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) listener(edge);
  }
}
