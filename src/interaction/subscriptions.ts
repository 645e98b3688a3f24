import type { CborKey, CborValue } from '../codec/cbor.js';
import type { Clock, Timer } from '../platform.js';
import type { Notification } from '../session/wire.js';
import { type AttributeIds, type Coalescing, type Intervals, Subscription, type SubscriptionTarget } from './subscription.js';

/** Subscriptions of one connection (features.md §6). */
export const MAX_SUBSCRIPTIONS = 50;
/** A notification is read as a response first, whose status is 8 bits at the same key: ids stay below 256 (features.md §6). */
const LAST_ID = 255;

/** Takes a notification. `full`: taken, but the peer reads slower than we write; nothing more until `drained`. */
export type NotificationSink = (notification: Notification) => 'sent' | 'full' | 'tooLarge' | 'closed';

/**
 * The subscriptions of one connection, driven by the clock and by `mark`. They end with `close`; nothing is sent then, and nothing resumes.
 * One timer for all; for a slow reader one mark per attribute is all that is kept.
 */
export class Subscriptions {
  readonly #clock: Clock;
  readonly #coalescing: Coalescing;
  readonly #send: NotificationSink;
  readonly #active = new Map<number, Subscription>();
  /** Ids given back, the longest unused first. */
  readonly #returned: number[] = [];
  #fresh = 1;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #held = false;
  #blocked = false;
  #closed = false;

  constructor(clock: Clock, coalescing: Coalescing, send: NotificationSink) {
    this.#clock = clock;
    this.#coalescing = coalescing;
    this.#send = send;
  }

  get count(): number {
    return this.#active.size;
  }

  /** Undefined when there are fifty already. The subscription's `sent` is its priming report. */
  add(target: SubscriptionTarget, attributes: AttributeIds, intervals: Intervals): Subscription | undefined {
    if (this.#closed || this.#active.size >= MAX_SUBSCRIPTIONS) return undefined;
    // An id is used again last: 255 ids for 50 subscriptions.
    const id = this.#fresh <= LAST_ID ? this.#fresh++ : (this.#returned.shift() as number);
    const subscription = new Subscription(id, target, attributes, intervals, this.#coalescing, this.#clock.now());
    this.#active.set(id, subscription);
    this.#arm();
    return subscription;
  }

  /** False when there is none of this id. */
  remove(id: number): boolean {
    if (!this.#active.delete(id)) return false;
    this.#returned.push(id);
    this.#arm();
    return true;
  }

  removeAll(): void {
    for (const id of [...this.#active.keys()]) this.remove(id);
  }

  /** Attributes of a feature may have other values now. What is due leaves with `flush`, or in a later turn. */
  mark(endpoint: number, feature: number, ids: readonly number[]): void {
    const now = this.#clock.now();
    let any = false;
    for (const subscription of this.#active.values()) {
      if (subscription.target.feature !== feature || subscription.target.endpoint !== endpoint) continue;
      subscription.mark(ids, now);
      any = true;
    }
    if (any) this.#arm();
  }

  /** Sends what is due. */
  flush(): void {
    const now = this.#clock.now();
    for (const subscription of this.#active.values()) {
      if (this.#resting) return;
      const values = subscription.take(now);
      if (values === undefined) continue;
      this.#deliver(subscription, values);
    }
    this.#arm();
  }

  /** features.md §6: one frame; where the peer takes none of that length, as few as it takes. */
  #deliver(subscription: Subscription, values: ReadonlyMap<CborKey, CborValue>): void {
    const { endpoint, feature } = subscription.target;
    const sent = this.#send({ subscription: subscription.id, endpoint, feature, values });
    if (sent === 'full') this.#blocked = true;
    if (sent !== 'tooLarge' || values.size < 2) return;
    const entries = [...values];
    const middle = Math.ceil(entries.length / 2);
    this.#deliver(subscription, new Map(entries.slice(0, middle)));
    this.#deliver(subscription, new Map(entries.slice(middle)));
  }

  /** On the writer's own connection the response comes first (features.md §6): nothing leaves until `release`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.flush();
  }

  /** The peer has read everything. */
  drained(): void {
    this.#blocked = false;
    this.flush();
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#active.clear();
    this.#arm();
  }

  get #resting(): boolean {
    return this.#closed || this.#blocked || this.#held;
  }

  #arm(): void {
    let at = Number.POSITIVE_INFINITY;
    if (!this.#resting) for (const subscription of this.#active.values()) at = Math.min(at, subscription.due);
    if (at === this.#timerAt) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.after('notification', Math.max(0, at - this.#clock.now()), () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.flush();
    });
  }
}
