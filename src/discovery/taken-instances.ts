import type { Log } from '../platform.js';

/** Instances that are somebody else's, each with the interfaces on which they are. */
export class TakenInstances {
  readonly #log: Log;
  readonly #changed: () => void;
  readonly #taken = new Map<string, Set<string>>();

  constructor(log: Log, changed: () => void) {
    this.#log = log;
    this.#changed = changed;
  }

  get names(): readonly string[] {
    return [...this.#taken.keys()];
  }

  /** Logs and tells a change; without effect for what is known. */
  set(name: string, interfaceName: string, taken: boolean): void {
    const on = this.#taken.get(name) ?? new Set();
    if (on.has(interfaceName) === taken) return;
    if (taken) this.#taken.set(name, on.add(interfaceName));
    else on.delete(interfaceName);
    if (on.size === 0) this.#taken.delete(name);
    if (taken) this.#log.warn('instance taken', { interface: interfaceName, name });
    else this.#log.info('instance free again', { interface: interfaceName, name });
    this.#changed();
  }
}
