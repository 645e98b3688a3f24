import type { Clock, Timer } from '../platform.js';

/** After the window was closed by a command or a commissioning, it does not open by itself for so long, ms (reference-behaviour §3.5). */
const HOLD_OFF = 3000;

/** When the window opens by itself in test mode of profile `reference`, so that a harness can always come back. */
export class AutoReentry {
  readonly #clock: Clock;
  readonly #slotFree: () => boolean;
  readonly #open: () => void;
  /** Zones commissioned and not connected since. */
  readonly #awaited = new Set<string>();
  #notBefore = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  /** It opened the window since the last reset. */
  entered = false;

  /** `open`: as EnterCommissioningMode; a window that is open begins anew. */
  constructor(clock: Clock, slotFree: () => boolean, open: () => void) {
    this.#clock = clock;
    this.#slotFree = slotFree;
    this.#open = open;
  }

  /** CERT_ACK was written: the window is closed until the controller has come back. */
  commissioned(zoneId: string): void {
    this.#awaited.add(zoneId);
    this.exited();
  }

  /** The window was closed by a command. */
  exited(): void {
    this.#notBefore = this.#clock.now() + HOLD_OFF;
  }

  /** The window was opened: nothing is due any more. */
  opened(): void {
    this.#timer?.cancel();
    this.#notBefore = Number.NEGATIVE_INFINITY;
  }

  connected(zoneId: string): void {
    this.#timer?.cancel();
    if (this.#awaited.delete(zoneId) && this.#slotFree()) this.#enter();
  }

  /** With a free slot a removal opens the window by itself (reference-behaviour §4.6). */
  removed(zoneId: string): void {
    this.#awaited.delete(zoneId);
    if (this.#slotFree()) this.opened();
  }

  /** The last connection of all zones is gone. Whether a slot is free does not matter: those that are away make room. */
  allDisconnected(): void {
    this.#timer?.cancel();
    const wait = this.#notBefore - this.#clock.now();
    if (wait <= 0) this.#enter();
    else this.#timer = this.#clock.after('re-entry', wait, () => this.#enter());
  }

  reset(): void {
    this.opened();
    this.entered = false;
  }

  #enter(): void {
    this.opened();
    this.entered = true;
    this.#open();
  }
}
