import type { CborKey, CborValue } from '../codec/cbor.js';
import { sameValue } from '../codec/same-value.js';

/** What a subscription looks at: one feature, through the eyes of one zone. */
export interface SubscriptionTarget {
  readonly endpoint: number;
  readonly feature: number;
  /** Primed, and nothing follows. */
  readonly silent: boolean;
  read(id: number): CborValue;
}

/** When a change leaves: minInterval after the last frame, or after the first change (features.md §6). */
export type Coalescing = 'sinceLast' | 'sinceChange';

/** Milliseconds. */
export interface Intervals {
  readonly minimum: number;
  readonly maximum: number;
}

/** Attribute ids, ascending: the feature's own list, or one of 16 bits each that a peer gave. */
export type AttributeIds = readonly number[] | Uint16Array;

/** One subscription: which values were sent, which may differ now, and when something is due. Pure: time and values come from outside. */
export class Subscription {
  readonly id: number;
  readonly target: SubscriptionTarget;
  readonly #attributes: AttributeIds;
  readonly #intervals: Intervals;
  readonly #coalescing: Coalescing;
  /** The last value sent, by position. */
  readonly #sent: CborValue[];
  /** Positions whose value may differ. The one pending value of each is the value of the moment it is sent: a mark is all that is kept. */
  readonly #marked: number[] = [];
  #markedSince: number | undefined;
  #lastFrame: number;

  constructor(id: number, target: SubscriptionTarget, attributes: AttributeIds, intervals: Intervals, coalescing: Coalescing, now: number) {
    this.id = id;
    this.target = target;
    this.#attributes = attributes;
    this.#intervals = intervals;
    this.#coalescing = coalescing;
    // As long as it will ever be: one that grew would keep room for half as many again.
    this.#sent = new Array<CborValue>(attributes.length);
    for (let i = 0; i < attributes.length; i++) this.#sent[i] = target.read(attributes[i] as number);
    this.#lastFrame = now;
  }

  /** The values last sent: right after the construction the priming report. */
  get sent(): ReadonlyMap<CborKey, CborValue> {
    return new Map(Array.from(this.#attributes, (attribute, i) => [attribute, this.#sent[i] as CborValue]));
  }

  /** Attributes that may have another value now. */
  mark(ids: readonly number[], now: number): void {
    if (this.target.silent) return;
    for (const id of ids) {
      const at = this.#attributes.indexOf(id);
      if (at < 0) continue;
      if (!this.#marked.includes(at)) this.#marked.push(at);
      this.#markedSince ??= now;
    }
  }

  /** The monotonic time at which `take` is to be asked next. */
  get due(): number {
    if (this.target.silent) return Number.POSITIVE_INFINITY;
    return Math.min(this.#heartbeatDue, this.#changeDue);
  }

  /** The values of the frame that is due, if one is: all at maxInterval, else what differs from the last value sent. */
  take(now: number): ReadonlyMap<CborKey, CborValue> | undefined {
    if (this.target.silent) return undefined;
    if (now >= this.#heartbeatDue) return this.#frame(now, true);
    return now >= this.#changeDue ? this.#frame(now, false) : undefined;
  }

  get #heartbeatDue(): number {
    return this.#lastFrame + this.#intervals.maximum;
  }

  get #changeDue(): number {
    if (this.#markedSince === undefined) return Number.POSITIVE_INFINITY;
    return (this.#coalescing === 'sinceLast' ? this.#lastFrame : this.#markedSince) + this.#intervals.minimum;
  }

  #frame(now: number, all: boolean): ReadonlyMap<CborKey, CborValue> | undefined {
    const values = new Map<CborKey, CborValue>();
    for (const i of all ? this.#attributes.keys() : this.#marked) {
      const attribute = this.#attributes[i] as number;
      const value = this.target.read(attribute);
      // Bounce-back: what is again as it was last sent is not sent.
      if (!all && sameValue(value, this.#sent[i] as CborValue)) continue;
      this.#sent[i] = value;
      values.set(attribute, value);
    }
    this.#marked.length = 0;
    this.#markedSince = undefined;
    // An empty frame is none: bounced back, it leaves the heartbeat where it was.
    if (all || values.size > 0) this.#lastFrame = now;
    return values.size === 0 ? undefined : values;
  }
}
