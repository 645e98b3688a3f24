import type { Clock, Timer } from '../../src/platform.js';

interface Entry {
  readonly name: string;
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Callbacks in one moment; what asks for more is a loop that no time ends. */
const MOST_AT_ONCE = 100_000;

/** A clock that moves only when the test says so. Callbacks run in the order of their deadlines, each at its own time. */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  #wallOffset: number;
  readonly #pending = new Set<Entry>();

  /** `wall` is the Unix time in milliseconds at monotonic 0. */
  constructor(wall = Date.UTC(2026, 10, 22)) {
    this.#wallOffset = wall;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wallOffset + this.#now;
  }

  /** Makes the wall clock jump without moving monotonic time. */
  setWall(unixMilliseconds: number): void {
    this.#wallOffset = unixMilliseconds - this.#now;
  }

  after(name: string, delay: number, callback: () => void): Timer {
    const entry: Entry = { name, at: this.#now + Math.max(0, delay), order: this.#order++, callback };
    this.#pending.add(entry);
    return { cancel: () => void this.#pending.delete(entry) };
  }

  /** Names and due times of what is pending, soonest first. */
  pending(): readonly { name: string; at: number }[] {
    return [...this.#pending].sort((a, b) => a.at - b.at || a.order - b.order).map(({ name, at }) => ({ name, at }));
  }

  /** Time jumps, as after a sleep: what fell due meanwhile is called at its end, in its order. */
  async jump(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
    const due = [...this.#pending].filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at || a.order - b.order);
    for (const entry of due) {
      if (!this.#pending.delete(entry)) continue;
      entry.callback();
      await settle();
    }
  }

  /** Moves time on by `milliseconds`, letting promises settle before and after every callback. */
  async advance(milliseconds: number, turns?: number): Promise<void> {
    const target = this.#now + milliseconds;
    let atOnce = 0;
    await settle(turns);
    for (;;) {
      let next: Entry | undefined;
      for (const entry of this.#pending) {
        if (entry.at <= target && (next === undefined || entry.at < next.at || (entry.at === next.at && entry.order < next.order)))
          next = entry;
      }
      if (next === undefined) break;
      this.#pending.delete(next);
      atOnce = next.at > this.#now ? 0 : atOnce + 1;
      if (atOnce > MOST_AT_ONCE) throw new Error(`time stands still: ${next.name} is due again and again at ${next.at}`);
      this.#now = next.at;
      next.callback();
      await settle(turns);
    }
    this.#now = target;
    await settle(turns);
  }
}

/** Lets every promise that can settle without time or input settle. */
export async function settle(turns = 50): Promise<void> {
  for (let i = 0; i < turns; i++) await Promise.resolve();
}
