import type { Clock, Timer } from '../platform.js';
import { type KeepAliveSettings, keepAliveDeadline, nextKeepAlive, startKeepAlive } from '../session/keep-alive.js';
import type { ControllerSession } from './session.js';

/** protocol.md, row "liveness": the device is lost within 95 s. */
const SETTINGS: KeepAliveSettings = { interval: 30_000, timeout: 5000, missed: 3, mode: 'always' };

/** Pings the device while the connection is open, and ends it when nothing answers. Returns a function that stops. */
export function watchLiveness(session: ControllerSession, clock: Clock): () => void {
  let state = startKeepAlive(SETTINGS, clock.now());
  let timer: Timer | undefined;
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    timer?.cancel();
  };
  const arm = (): void => {
    timer?.cancel();
    if (!stopped) timer = clock.after('liveness', keepAliveDeadline(state) - clock.now(), tick);
  };
  const tick = (): void => {
    const next = nextKeepAlive(SETTINGS, state, 'time', clock.now());
    state = next.state;
    if (next.effects.includes('lost')) session.destroy('the device does not answer');
    if (next.effects.includes('probe')) probe();
    arm();
  };
  const probe = (): void => {
    session.ping(SETTINGS.timeout).then(
      () => {
        state = nextKeepAlive(SETTINGS, state, 'received', clock.now()).state;
        arm();
      },
      // The table counts what is missed.
      () => undefined,
    );
  };
  void session.ended.then(stop);
  arm();
  return stop;
}
