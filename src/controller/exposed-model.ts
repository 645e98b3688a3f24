import { Exchange } from '../interaction/exchange.js';
import { Notifier } from '../interaction/notifier.js';
import { Subscriptions } from '../interaction/subscriptions.js';
import type { DeviceModel } from '../model/model.js';
import type { Clock, Log } from '../platform.js';
import { makeProfile } from '../profile.js';
import { ZoneType } from '../zones/zone.js';
import type { ControllerSession } from './session.js';

export interface ExposedModelParts {
  readonly model: DeviceModel;
  readonly clock: Clock;
  readonly log: Log;
}

/** A model of the controller's own, read and subscribed by devices over their connections (protocol.md §3), with the rules that a device has for its own. */
export class ExposedModel {
  readonly #parts: ExposedModelParts;
  readonly #notifier: Notifier;
  readonly #profile = makeProfile('draft');

  constructor(parts: ExposedModelParts) {
    this.#parts = parts;
    this.#notifier = new Notifier(parts.model);
  }

  /** The device at the other end may ask from now on, until its session ends. */
  attach(session: ControllerSession, deviceId: string): void {
    const { clock } = this.#parts;
    const subscriptions = new Subscriptions(clock, this.#profile['subscriptions.coalescing'], (notification) =>
      session.notify(notification),
    );
    // A device has no rank among zones: it gets the lowest.
    const caller = { id: deviceId, type: ZoneType.USER_APP, priority: 4 };
    const exchange = new Exchange({ ...this.#parts, profile: this.#profile, notifier: this.#notifier }, caller, subscriptions);
    session.serve({
      onRequest: (request, answer) => exchange.onRequest(request, answer),
      onDrain: () => subscriptions.drained(),
      onClose: () => exchange.close(),
    });
  }

  /** Nothing is notified any more. */
  close(): void {
    this.#notifier.close();
  }
}
