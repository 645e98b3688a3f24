import { type CborKey, type CborMap, type CborValue, isMap } from '../codec/cbor.js';
import { integerAt, mapOf, ShapeError } from '../codec/shape.js';
import { InteractionStatus } from '../model/status.js';
import { type Notification, Operation, type Response } from '../session/wire.js';
import type { Intervals } from './subscription.js';

/** The session under it: `settle` is called once, in the turn of the response, or with undefined where none comes. */
export interface RemoteLink {
  request(
    operation: number,
    endpoint: number,
    feature: number,
    payload: CborValue | undefined,
    timeout: number,
    settle: (response: Response | undefined) => void,
  ): void;
}

export type ReadAnswer =
  | { readonly kind: 'values'; readonly values: CborMap }
  /** Refused, unanswered in time, of the wrong shape, or the connection has ended; `reason` is for the log. */
  | { readonly kind: 'failed'; readonly reason: string };
export type SubscribeAnswer =
  | { readonly kind: 'subscribed'; readonly subscription: number; readonly values: CborMap }
  | { readonly kind: 'failed'; readonly reason: string };

/** Time for an answer, milliseconds. */
const TIMEOUT = 10_000;
/** Subscriptions that this device holds on one connection. */
export const MAX_REMOTE_SUBSCRIPTIONS = 8;

interface Remote {
  readonly endpoint: number;
  readonly feature: number;
  readonly listener: (values: CborMap) => void;
}

/**
 * What the other end of a connection exposes, read and subscribed by this device (protocol.md §3: the same messages, in the other direction).
 * Answers are told in the turn in which they arrive: a notification in the frame behind them finds its subscription.
 */
export class RemoteFeatures {
  readonly #link: RemoteLink;
  readonly #subscriptions = new Map<number, Remote>();
  #opening = 0;
  #closed = false;

  constructor(link: RemoteLink) {
    this.#link = link;
  }

  read(endpoint: number, feature: number, attributes: readonly number[], settle: (answer: ReadAnswer) => void): void {
    this.#ask<ReadAnswer>(Operation.READ, endpoint, feature, new Map([[1, attributes]]), settle, (payload) => ({
      kind: 'values',
      values: mapOf(payload, 'read response'),
    }));
  }

  /** `listener` hears of every notification, until `unsubscribe` or the end of the connection; the values of the moment are in the answer. */
  subscribe(
    endpoint: number,
    feature: number,
    attributes: readonly number[],
    intervals: Intervals,
    listener: (values: CborMap) => void,
    settle: (answer: SubscribeAnswer) => void,
  ): void {
    if (this.#subscriptions.size + this.#opening >= MAX_REMOTE_SUBSCRIPTIONS) {
      settle({ kind: 'failed', reason: 'too many subscriptions' });
      return;
    }
    const payload = new Map<CborKey, CborValue>([
      [1, attributes],
      [2, intervals.minimum],
      [3, intervals.maximum],
    ]);
    this.#opening += 1;
    const settled = (answer: SubscribeAnswer): void => {
      this.#opening -= 1;
      settle(answer);
    };
    this.#ask<SubscribeAnswer>(Operation.SUBSCRIBE, endpoint, feature, payload, settled, (answer) => {
      const map = mapOf(answer, 'subscribe response');
      const subscription = integerAt(map, 1, 'subscribe response key 1, subscription', 0, 0xffff_ffff);
      const values = mapOf(map.get(2) ?? new Map(), 'subscribe response key 2, values');
      if (this.#subscriptions.has(subscription)) throw new ShapeError(`subscription ${subscription} exists already`);
      this.#subscriptions.set(subscription, { endpoint, feature, listener });
      return { kind: 'subscribed', subscription, values };
    });
  }

  /** Nothing of it is heard any more, whatever the other end answers. */
  unsubscribe(subscription: number): void {
    if (!this.#subscriptions.delete(subscription)) return;
    this.#link.request(Operation.SUBSCRIBE, 0, 0, new Map([[1, subscription]]), TIMEOUT, () => {});
  }

  /** A notification of nothing that is subscribed here is ignored. */
  receive({ subscription, endpoint, feature, values }: Notification): void {
    const remote = this.#subscriptions.get(subscription);
    if (remote !== undefined && remote.endpoint === endpoint && remote.feature === feature) remote.listener(values);
  }

  /** The connection has ended: nothing is told any more. */
  close(): void {
    this.#closed = true;
    this.#subscriptions.clear();
  }

  #ask<T>(
    operation: number,
    endpoint: number,
    feature: number,
    payload: CborMap,
    settle: (answer: T | { readonly kind: 'failed'; readonly reason: string }) => void,
    read: (payload: CborValue | undefined) => T,
  ): void {
    this.#link.request(operation, endpoint, feature, payload, TIMEOUT, (response) => {
      if (this.#closed) return;
      settle(this.#judge(response, read));
    });
  }

  #judge<T>(response: Response | undefined, read: (payload: CborValue | undefined) => T): T | { kind: 'failed'; reason: string } {
    if (response === undefined) return { kind: 'failed', reason: 'no answer' };
    if (response.status !== InteractionStatus.SUCCESS) {
      const text = isMap(response.payload) ? response.payload.get(1) : undefined;
      return { kind: 'failed', reason: `status ${response.status}${typeof text === 'string' ? `: ${text.slice(0, 80)}` : ''}` };
    }
    try {
      return read(response.payload);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      return { kind: 'failed', reason: error.message };
    }
  }
}
