import { type CborMap, type CborValue, isMap } from '../codec/cbor.js';
import { ShapeError } from '../codec/shape.js';
import { decodeNotification } from '../session/wire.js';
import { ControllerError } from './errors.js';

export interface SubscribeOptions {
  /** All of the feature where none are named. */
  readonly attributes?: readonly number[] | undefined;
  /** Milliseconds; the device's defaults are 1 000 and 60 000 (features.md §6). */
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
}

/** Told a notification's values, by attribute id. */
export type OnValues = (values: CborMap) => void;

export interface Subscribed {
  readonly id: number;
  /** The priming values. */
  readonly values: CborMap;
}

/** The subscriptions of a controller's connection, by their ids. They end with it. */
export class SessionSubscriptions {
  readonly #open = new Map<number, OnValues>();

  /** The payload of a Subscribe (protocol.md §3). */
  request({ attributes, minimum, maximum }: SubscribeOptions): CborMap {
    const payload = new Map<number, CborValue>();
    if (attributes !== undefined) payload.set(1, attributes);
    if (minimum !== undefined) payload.set(2, minimum);
    if (maximum !== undefined) payload.set(3, maximum);
    return payload;
  }

  /** Takes the answer. Throws PROTOCOL where it is none. */
  open(answer: CborValue | undefined, onValues: OnValues): Subscribed {
    const id = isMap(answer) ? answer.get(1) : undefined;
    const values = isMap(answer) ? answer.get(2) : undefined;
    if (typeof id !== 'number' || !isMap(values))
      throw new ControllerError('PROTOCOL', 'The device answered a Subscribe without an id and values');
    this.#open.set(id, onValues);
    return { id, values };
  }

  end(id: number): void {
    this.#open.delete(id);
  }

  /** One of no subscription, or of the wrong shape, is ignored. */
  deliver(value: CborValue): void {
    try {
      const { subscription, values } = decodeNotification(value);
      this.#open.get(subscription)?.(values);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
    }
  }
}
