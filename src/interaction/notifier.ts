import type { DeviceModel } from '../model/model.js';
import type { Subscriptions } from './subscriptions.js';

/** Brings the model's changes to the subscriptions of all connections. */
export class Notifier {
  /** By connection, with the zone that it belongs to. */
  readonly #connections = new Map<Subscriptions, string>();
  readonly #stop: () => void;

  constructor(model: DeviceModel) {
    this.#stop = model.onChange((feature, ids, onlyZone) => {
      for (const [subscriptions, zone] of this.#connections)
        if (onlyZone === undefined || onlyZone === zone) subscriptions.mark(feature.endpoint, feature.id, ids);
    });
  }

  add(subscriptions: Subscriptions, zone: string): void {
    this.#connections.set(subscriptions, zone);
  }

  /** The connection is over. */
  remove(subscriptions: Subscriptions): void {
    this.#connections.delete(subscriptions);
    subscriptions.close();
  }

  /** What is due goes to the other subscribers before the writer's response (features.md §6). */
  flushOthers(own: Subscriptions): void {
    for (const subscriptions of this.#connections.keys()) if (subscriptions !== own) subscriptions.flush();
  }

  close(): void {
    this.#stop();
    for (const subscriptions of [...this.#connections.keys()]) this.remove(subscriptions);
  }
}
