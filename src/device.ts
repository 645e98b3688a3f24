import { loadIdentity } from './device/identity.js';
import type { DeviceOptions, DeviceStatus } from './device/options.js';
import { DevicePanel } from './device/panel.js';
import { DeviceRuntime } from './device/runtime.js';
import type { Signal } from './platform.js';
import { Journal } from './store/journal.js';

export type { DeviceOptions, DeviceStatus, Platform } from './device/options.js';

/** One device: `start`, then `close`, once each. */
export class MashDevice {
  readonly #options: DeviceOptions;
  readonly #panel: DevicePanel;
  readonly #changed = new Set<() => void>();
  #runtime: DeviceRuntime | undefined;
  #journal: Journal | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.#panel = new DevicePanel(options.board, options.parts, options.platform.log);
  }

  /**
   * Relay safe first, then the journal, and only when everything in it was read back the network. Resolves when the device is announced.
   * Rejects with StoreError, NetworkError or ConfigError, everything closed again. An aborted signal closes it.
   */
  async start(signal?: Signal): Promise<void> {
    const { platform, board, identity } = this.#options;
    try {
      this.#panel.start(platform.clock, (press) => this.#runtime?.onPress(press));
      this.#journal = await Journal.open(platform.medium, platform.log);
      if (this.#journal.damaged) platform.log.error('the journal is damaged', { records: this.#journal.quarantined });
      const known = await loadIdentity(this.#journal, platform.crypto, board, identity, platform.log);
      this.#runtime = new DeviceRuntime(this.#options, this.#panel, this.#journal, known, () => this.#notify());
      await this.#runtime.start();
    } catch (error) {
      await this.close();
      throw error;
    }
    signal?.onAbort(() => void this.close());
  }

  /** Throws when the device is not started. */
  get status(): DeviceStatus {
    if (this.#runtime === undefined) throw new Error('the device is not started');
    return this.#runtime.status;
  }

  /** Calls back after every change of the status. Returns a function that takes the listener away. */
  onChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
  }

  /** Closes the zones, withdraws the records, leaves every part in its safe state. Idempotent; within two seconds. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#changed.clear();
    // The parts are safe before anything is waited for.
    this.#panel.close();
    await this.#runtime?.close();
    const { medium, log } = this.#options.platform;
    try {
      await (this.#journal ?? medium).close();
    } catch (error) {
      // Everything acknowledged was durable before; a medium that fails now must not keep the device from stopping.
      log.error('the journal could not be closed', { error });
    }
  }

  #notify(): void {
    for (const listener of [...this.#changed]) listener();
  }
}
