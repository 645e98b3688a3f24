import type { Relay, RelayDriver } from '../relay.js';

/** A relay line with one owner at a time. `onChange` is called with the level of the line after every change. */
export class MockRelayDriver implements RelayDriver {
  readonly #onChange: (closed: boolean) => void;
  readonly #history: boolean[] = [];
  #level: boolean | undefined;
  #owner: Relay | undefined;
  #stuck = false;

  constructor(onChange: (closed: boolean) => void = () => {}) {
    this.#onChange = onChange;
  }

  /** Every value driven, the safe values of request and release included; oldest first. */
  get history(): readonly boolean[] {
    return this.#history;
  }

  /** The level of the line; undefined before the first request. */
  get level(): boolean | undefined {
    return this.#level;
  }

  get owned(): boolean {
    return this.#owner !== undefined;
  }

  /** A welded contact: the line keeps its level whatever is driven, until told otherwise. */
  stick(stuck: boolean): void {
    this.#stuck = stuck;
  }

  request(safe: boolean): Relay {
    if (this.#owner !== undefined) throw new Error('relay: held by another owner');
    const relay: Relay = {
      set: (closed) => {
        this.#checkOwner(relay);
        this.#drive(closed);
      },
      read: () => {
        this.#checkOwner(relay);
        return this.#level ?? safe;
      },
      release: () => {
        if (this.#owner !== relay) return;
        this.#drive(safe);
        this.#owner = undefined;
      },
    };
    this.#owner = relay;
    this.#drive(safe);
    return relay;
  }

  #checkOwner(relay: Relay): void {
    if (this.#owner !== relay) throw new Error('relay: released');
  }

  #drive(closed: boolean): void {
    this.#history.push(closed);
    if (this.#stuck || this.#level === closed) return;
    this.#level = closed;
    this.#onChange(closed);
  }
}
