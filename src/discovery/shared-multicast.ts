import type { DatagramSource, Multicast, MulticastHandlers, NetworkInterface } from '../platform.js';

/**
 * One set of sockets for several users in one process: whoever publishes and whoever browses. Opened with the first user, closed with the
 * last one.
 */
export class SharedMulticast {
  readonly #multicast: Multicast;
  readonly #users = new Map<SharedPort, MulticastHandlers>();
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #ports = 0;

  constructor(multicast: Multicast) {
    this.#multicast = multicast;
  }

  /** A user's own port; it is to be closed even where it was never started. */
  port(): Multicast {
    this.#ports++;
    return new SharedPort(this);
  }

  get multicast(): Multicast {
    return this.#multicast;
  }

  start(port: SharedPort, handlers: MulticastHandlers): Promise<void> {
    this.#users.set(port, handlers);
    this.#starting ??= this.#multicast.start({
      onPacket: (packet: Uint8Array, source: DatagramSource) => this.#tell((user) => user.onPacket(packet, source)),
      onInterfaces: () => this.#tell((user) => user.onInterfaces()),
      onError: (interfaceName, reason) => this.#tell((user) => user.onError(interfaceName, reason)),
    });
    return this.#starting;
  }

  close(port: SharedPort): Promise<void> {
    this.#users.delete(port);
    this.#ports--;
    if (this.#ports === 0) this.#closing ??= this.#multicast.close();
    return this.#closing ?? Promise.resolve();
  }

  #tell(tell: (user: MulticastHandlers) => void): void {
    for (const user of [...this.#users.values()]) tell(user);
  }
}

class SharedPort implements Multicast {
  readonly #shared: SharedMulticast;
  #closing: Promise<void> | undefined;

  constructor(shared: SharedMulticast) {
    this.#shared = shared;
  }

  start(handlers: MulticastHandlers): Promise<void> {
    return this.#closing === undefined ? this.#shared.start(this, handlers) : Promise.resolve();
  }

  get alone(): boolean {
    return this.#shared.multicast.alone === true;
  }

  interfaces(): readonly NetworkInterface[] {
    return this.#shared.multicast.interfaces();
  }

  send(interfaceName: string, packet: Uint8Array, to?: { readonly address: string; readonly port: number }): void {
    this.#shared.multicast.send(interfaceName, packet, to);
  }

  close(): Promise<void> {
    this.#closing ??= this.#shared.close(this);
    return this.#closing;
  }
}
