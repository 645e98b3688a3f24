/** Contract of a relay or contactor. */
export interface RelayDriver {
  /**
   * Takes exclusive ownership of the line and drives `safe` in the same operation that makes it an output, so that it never fires at boot.
   * Throws when another owner holds it.
   */
  request(safe: boolean): Relay;
}

export interface Relay {
  /** True = closed (power flows). */
  set(closed: boolean): void;
  /** The level read back from the line, not the last value written. */
  read(): boolean;
  /** Drives the safe value and gives the line back. Idempotent. */
  release(): void;
}
