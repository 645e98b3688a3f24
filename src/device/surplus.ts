export interface DeviceSurplusParts {
  /** A meter of the board's own, mW: what the site has over, this device's draw included; null: unknown now. */
  readonly own: (() => number | null) | undefined;
  /** Power at the grid connection, mW; + is drawn; null: nobody tells. */
  grid(): number | null;
  /** mW that this device draws now. */
  drawn(): number;
}

/** What the site has over for this device (features.md §5, PV surplus modes). */
export class DeviceSurplus {
  readonly #parts: DeviceSurplusParts;
  #told: number | null = null;

  constructor(parts: DeviceSurplusParts) {
    this.#parts = parts;
  }

  /** mW, this device's own draw included; null: unknown. */
  get value(): number | null {
    return this.#parts.own?.() ?? this.#told;
  }

  /**
   * The grid meter has told another value. It is put together with what was drawn then: with a later draw, which it does not know of yet, each step of
   * this device would look like more sun.
   */
  measured(): void {
    const grid = this.#parts.grid();
    this.#told = grid === null ? null : this.#parts.drawn() - grid;
  }
}
