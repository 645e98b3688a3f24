import { createSocket, type Socket } from 'node:dgram';
import { addressScope, parseAddress, samePrefix } from '../discovery/address.js';
import type { DatagramSource, NetworkInterface } from '../platform.js';

const PORT = 5353;
const GROUP6 = 'ff02::fb';
const GROUP4 = '224.0.0.251';
/** RFC 6762 §11: IP TTL 255. */
const HOPS = 255;
/** Longest wait of `close` for what is queued, ms. */
const DRAIN_MAXIMUM = 500;

export interface SocketHandlers {
  onPacket(packet: Uint8Array, source: DatagramSource): void;
  onError(reason: string): void;
  /** A socket failed for good: these are no longer `ready`, and `fits` says so. */
  onBroken(): void;
}

/**
 * The sockets of one interface. For each family one bound to the group, which hears what was sent to the group and nothing else, and one bound to
 * the interface's own address, which sends, and hears what was sent to this host alone. All share port 5353 with other responders of the machine: each of them gets every multicast
 * packet, but only one of them gets a unicast one.
 */
export class InterfaceSockets {
  /** With the addresses of the moment. */
  on: NetworkInterface;
  /** The system's number of the interface. */
  readonly index: number;
  readonly #handlers: SocketHandlers;
  readonly #ipv4: boolean;
  readonly #address6: string | undefined;
  readonly #address4: string | undefined;
  readonly #sockets: Socket[] = [];
  #send6: Socket | undefined;
  #send4: Socket | undefined;
  #queued = 0;
  #drained: (() => void) | undefined;
  #state: 'opening' | 'ready' | 'broken' | 'closed' = 'opening';

  constructor(on: NetworkInterface, index: number, ipv4: boolean, handlers: SocketHandlers) {
    this.on = on;
    this.index = index;
    this.#ipv4 = ipv4;
    this.#handlers = handlers;
    this.#address6 = linkLocalOf(on);
    this.#address4 = ipv4 ? ipv4Of(on) : undefined;
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  /** False for what failed or was made anew, and when the address that a socket is bound to is gone or one has come that none is bound to. */
  fits(on: NetworkInterface, index: number): boolean {
    if (this.#state === 'broken' || this.#state === 'closed' || index !== this.index) return false;
    return linkLocalOf(on) === this.#address6 && (this.#ipv4 ? ipv4Of(on) : undefined) === this.#address4;
  }

  /** False when a socket could not be opened; the reason went to `onError`, and what was open is closed. */
  async open(): Promise<boolean> {
    try {
      if (this.#address6 !== undefined) await this.#open6(this.#address6);
      if (this.#address4 !== undefined) await this.#open4(this.#address4);
    } catch (error) {
      this.#fail(error);
      await this.close();
    }
    if (this.#state === 'opening') this.#state = 'ready';
    return this.#state === 'ready';
  }

  /** To the group, or to one address. Failures go to `onError`. */
  send(packet: Uint8Array, to?: { readonly address: string; readonly port: number }): void {
    if (to === undefined) {
      this.#transmit(this.#send6, packet, PORT, `${GROUP6}%${this.on.name}`);
      this.#transmit(this.#send4, packet, PORT, GROUP4);
    } else if (to.address.includes(':')) {
      const bytes = parseAddress(to.address);
      const scoped = bytes !== undefined && addressScope(bytes) === 'link-local' && !to.address.includes('%');
      this.#transmit(this.#send6, packet, to.port, scoped ? `${to.address}%${this.on.name}` : to.address);
    } else {
      this.#transmit(this.#send4, packet, to.port, to.address);
    }
  }

  /** Waits for what is queued, at most half a second. Idempotent; no callback follows. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    if (this.#queued > 0) {
      await new Promise<void>((resolve) => {
        const deadline = setTimeout(resolve, DRAIN_MAXIMUM);
        this.#drained = () => {
          clearTimeout(deadline);
          resolve();
        };
      });
    }
    await Promise.all(this.#sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }

  // Bound to the group on this interface, the kernel delivers this interface's packets alone; the membership needs the interface as its
  // second argument (a scope in the first one is ignored, and the group is joined on the first interface).
  async #open6(address: string): Promise<void> {
    const { name } = this.on;
    const receive = await this.#bind('udp6', `${GROUP6}%${name}`, false);
    receive.addMembership(GROUP6, `::%${name}`);
    const send = await this.#bind('udp6', `${address}%${name}`, true);
    send.setMulticastInterface(`::%${name}`);
    this.#send6 = configure(send);
  }

  async #open4(address: string): Promise<void> {
    const receive = await this.#bind('udp4', GROUP4, false);
    receive.addMembership(GROUP4, address);
    const send = await this.#bind('udp4', address, true);
    send.setMulticastInterface(address);
    this.#send4 = configure(send);
  }

  async #bind(type: 'udp6' | 'udp4', address: string, unicast: boolean): Promise<Socket> {
    const socket = createSocket({ type, reuseAddr: true, lookup: literal });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ port: PORT, address, exclusive: true }, () => {
          socket.off('error', reject).on('error', (error) => this.#break(error));
          resolve();
        });
      });
      if (this.#state === 'closed') throw new Error('closed while opening');
    } catch (error) {
      socket.close();
      throw error;
    }
    this.#sockets.push(socket);
    socket.on('message', (data, from) => {
      if (this.#state !== 'ready' || (type === 'udp4' && !this.#isNeighbour(from.address))) return;
      const packet = new Uint8Array(data.buffer, data.byteOffset, data.length);
      try {
        this.#handlers.onPacket(packet, { interfaceName: this.on.name, address: from.address, port: from.port, unicast });
      } catch (error) {
        // No packet of anyone's ends the process, not even by a bug of ours.
        this.#fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
    return socket;
  }

  /** A group socket of IPv4 hears every interface that anyone joined on; the sender's network tells which one it was. */
  #isNeighbour(address: string): boolean {
    const bytes = parseAddress(address);
    return bytes !== undefined && this.on.addresses.some((own) => samePrefix(own.bytes, bytes, own.prefixLength));
  }

  #transmit(socket: Socket | undefined, packet: Uint8Array, port: number, address: string): void {
    if (socket === undefined || this.#state !== 'ready') return;
    this.#queued++;
    socket.send(packet, port, address, (error) => {
      this.#queued--;
      if (error) this.#fail(error);
      if (this.#queued === 0) this.#drained?.();
    });
  }

  #break(error: Error): void {
    this.#fail(error);
    if (this.#state !== 'ready') return;
    this.#state = 'broken';
    this.#handlers.onBroken();
  }

  #fail(error: unknown): void {
    if (this.#state !== 'closed') this.#handlers.onError(error instanceof Error ? error.message : String(error));
  }
}

/** RFC 6762 §11: hop limit 255 for both kinds; loop-back lets a device and a controller on one machine hear each other. */
function configure(socket: Socket): Socket {
  socket.setMulticastTTL(HOPS);
  socket.setTTL(HOPS);
  socket.setMulticastLoopback(true);
  return socket;
}

function linkLocalOf(on: NetworkInterface): string | undefined {
  return on.addresses.find((address) => address.family === 6 && addressScope(address.bytes) === 'link-local')?.text;
}

function ipv4Of(on: NetworkInterface): string | undefined {
  return on.addresses.find((address) => address.family === 4)?.text;
}

/** Every address here is one already; Node's own look-up finds that out with two regular expressions a packet. */
function literal(address: string, _options: unknown, done: (error: null, address: string, family: number) => void): void {
  process.nextTick(done, null, address, address.includes(':') ? 6 : 4);
}
