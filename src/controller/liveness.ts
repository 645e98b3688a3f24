import type { Clock } from '../platform.js';
import type { KeepAliveSettings } from '../session/keep-alive.js';
import { Liveness } from '../session/liveness.js';
import type { ControllerSession } from './session.js';

/** protocol.md, row "liveness": the device is lost within 95 s. */
const SETTINGS: KeepAliveSettings = { interval: 30_000, timeout: 5000, missed: 3, mode: 'always' };

/** Pings the device while the connection is open, and ends it when nothing answers. Returns a function that stops. */
export function watchLiveness(session: ControllerSession, clock: Clock): () => void {
  const liveness = new Liveness(SETTINGS, clock, {
    probe: () => {
      session.ping(SETTINGS.timeout).then(
        () => liveness.received(),
        // The table counts what is missed.
        () => undefined,
      );
    },
    lost: () => session.destroy('the device does not answer'),
  });
  void session.ended.then(() => liveness.close());
  return () => liveness.close();
}
