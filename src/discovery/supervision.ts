import type { Clock, Log, MulticastHandlers } from '../platform.js';

/** A failure of any kind, a bug of ours too, costs one packet, one timer or one call: it is logged, and nothing else ends. */
export class Supervisor {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#log.error('discovery failed', { reason: error instanceof Error ? error.message : String(error) });
    }
  }

  /** The same clock; what its callbacks throw ends here. */
  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      wall: () => clock.wall(),
      after: (name, delay, callback) => clock.after(name, delay, () => this.guard(callback)),
    };
  }

  /** What the network tells; its own trouble is logged. */
  handlers({ onPacket, onInterfaces }: Pick<MulticastHandlers, 'onPacket' | 'onInterfaces'>): MulticastHandlers {
    return {
      onPacket: (packet, source) => this.guard(() => onPacket(packet, source)),
      onInterfaces: () => this.guard(onInterfaces),
      onError: (interfaceName, reason) => this.#log.warn('multicast failed', { interface: interfaceName, reason }),
    };
  }
}
