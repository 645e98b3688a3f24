import { ExposedModel } from '../../src/controller/exposed-model.js';
import { ControllerSession } from '../../src/controller/session.js';
import { SimulatedMeter } from '../../src/controller/simulated-meter.js';
import type { RemoteLink } from '../../src/interaction/remote-features.js';
import { FramedConnection } from '../../src/session/framed-connection.js';
import { OperationalSession } from '../../src/session/operational-session.js';
import type { Notification } from '../../src/session/wire.js';
import type { Zone } from '../../src/zones/zone.js';
import { VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';
import { type StreamPair, streamPair } from '../world/stream-pair.js';

/** Who hears of notifications and of the end. */
export interface Listener {
  receive(notification: Notification): void;
  close(): void;
}

/** A device's sessions and the controllers at their other ends, in memory. */
export class DuplexWorld {
  readonly clock = new VirtualClock();
  readonly log = new MemoryLog();

  /** A device's session; `listen` is told of the link before anything is received. */
  device(pair: StreamPair, listen: (link: RemoteLink) => Listener | undefined): OperationalSession {
    const settings = { form: 'text' as const, keepAlive: undefined, closeTimeout: 5000 };
    let listener: Listener | undefined;
    const session = new OperationalSession(
      new FramedConnection(pair.device, { clock: this.clock, maximum: 65_536 }),
      settings,
      this.clock,
      this.log,
      {
        onRequest: (request, answer) => answer({ id: request.id, status: 0, payload: new Map([[4, 'SIM-1']]) }),
        onRenewal: () => undefined,
        onNotification: (notification) => listener?.receive(notification),
        onClose: () => listener?.close(),
      },
    );
    listener = listen(session);
    session.start();
    return session;
  }

  /** A controller's session, with a meter of that power (mW) where one is given. */
  controller(pair: StreamPair, power?: number): { session: ControllerSession; meter: SimulatedMeter } {
    const session = new ControllerSession(pair.peer, 'draft', this.clock);
    const meter = new SimulatedMeter('Home Energy', 'A1B2');
    if (power !== undefined) {
      meter.power = power;
      new ExposedModel({ model: meter.model, clock: this.clock, log: this.log }).attach(session, 'D1');
    }
    return { session, meter };
  }

  pair(): StreamPair {
    return streamPair();
  }
}

/** A zone as far as a meter's reader looks at it. */
export function zone(over: Partial<Zone> = {}): Zone {
  return { id: 'Z1', type: 3, priority: 3, dialect: 'draft', ...over } as Zone;
}
