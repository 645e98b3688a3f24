import type { BoundPort, ListenerHandlers, PendingConnection, RouteDecision, SecureStream, Timer } from '../platform.js';
import type { Admission } from '../session/admission.js';
import { type Route, type RoutingState, routeHello } from '../session/routing.js';
import type { DeviceOptions } from './options.js';

export interface PortsHandlers {
  state(): RoutingState;
  decide(route: Exclude<Route, { kind: 'refuse' }>, serverName: string | undefined, remote: string): RouteDecision;
  /** Says what became of the connection: an operational one no longer counts as pre-operational. */
  onSecure(stream: SecureStream, connection: PendingConnection): 'operational' | 'commissioning' | 'refused';
}

/** The listening ports, and who may be on them before a client certificate was accepted. */
export class DevicePorts {
  readonly #options: DeviceOptions;
  readonly #admission: Admission;
  readonly #handlers: PortsHandlers;
  readonly #connections = new Set<PendingConnection>();
  #operational: BoundPort | undefined;
  #commissioning: Promise<BoundPort | undefined> | undefined;
  #sweep: Timer | undefined;
  #closed = false;

  constructor(options: DeviceOptions, admission: Admission, handlers: PortsHandlers) {
    this.#options = options;
    this.#admission = admission;
    this.#handlers = handlers;
  }

  /** The bound port of operational connections. */
  get operational(): number {
    return this.#operational?.port ?? this.#options.port;
  }

  async start(): Promise<void> {
    this.#operational = await this.#options.platform.listener.listen('operational', this.#options.port, this.#listener);
    this.#scheduleSweep();
  }

  /** Opens the commissioning port where the profile has one; resolves with the port on which commissioning goes on. */
  async openCommissioning(): Promise<number> {
    const { profile, platform, commissioningPort } = this.#options;
    if (profile['commissioning.port8444'] === 'off') return this.operational;
    const former = this.#commissioning;
    this.#commissioning = (async () => {
      await former;
      try {
        return await platform.listener.listen('commissioning', commissioningPort, this.#listener);
      } catch (error) {
        // `mash-comm/1` works on the operational port too (protocol.md §1).
        platform.log.error('the commissioning port cannot be opened, the operational port serves', { error });
        return undefined;
      }
    })();
    return (await this.#commissioning)?.port ?? this.operational;
  }

  /** Stops accepting there; a commissioning under way goes on. */
  closeCommissioning(): void {
    const closing = this.#commissioning;
    if (closing === undefined) return;
    this.#commissioning = closing.then(async (bound) => {
      // Resolves when the last connection has ended: not waited for, the next opening binds anew at once.
      void bound?.close();
      return undefined;
    });
  }

  async stopAccepting(): Promise<void> {
    this.#closed = true;
    this.#sweep?.cancel();
    this.closeCommissioning();
    await this.#commissioning;
    void this.#operational?.close();
  }

  /** Ends what is left. */
  async close(): Promise<void> {
    for (const connection of [...this.#connections]) connection.destroy('the device stops');
    await this.#operational?.close();
  }

  readonly #listener: ListenerHandlers = {
    onAccept: (connection) => {
      if (this.#closed || !this.#admission.admit(connection, this.#now())) return false;
      this.#connections.add(connection);
      return true;
    },
    onActivity: (connection) => this.#admission.active(connection, this.#now()),
    route: (role, hello, remote) => {
      const route = routeHello(role, hello, this.#handlers.state());
      return route.kind === 'refuse' ? route : this.#handlers.decide(route, hello.serverName, remote);
    },
    onSecure: (stream, connection) => {
      // A handshake that was under way when the device began to stop.
      if (this.#closed) connection.destroy('the device stops');
      else if (this.#handlers.onSecure(stream, connection) === 'operational') this.#admission.release(connection);
    },
    onGone: (connection) => {
      this.#connections.delete(connection);
      this.#admission.release(connection);
    },
  };

  #now(): number {
    return this.#options.platform.clock.now();
  }

  #scheduleSweep(): void {
    this.#sweep = this.#options.platform.clock.after('stale connections', this.#options.profile['connections.sweep'], () => {
      this.#admission.sweep(this.#now());
      this.#scheduleSweep();
    });
  }
}
