import { formatAddress, parseAddress } from '../../src/discovery/address.js';
import type { Clock, DatagramSource, InterfaceAddress, Multicast, MulticastHandlers, NetworkInterface } from '../../src/platform.js';
import type { SeededEntropy } from './entropy.js';

export interface LinkPacket {
  /** Monotonic ms of sending. */
  readonly at: number;
  readonly from: string;
  readonly packet: Uint8Array;
  /** Undefined for the group. */
  readonly to: { readonly address: string; readonly port: number } | undefined;
}

export interface LinkOptions {
  /** ms from sender to receivers. */
  readonly delay?: number;
  /** Up to so many ms more, decided by `entropy`: packets overtake each other. */
  readonly jitter?: number;
  /** Part of the deliveries that get lost, 0…1. */
  readonly loss?: number;
  /** Decides what gets lost. */
  readonly entropy?: SeededEntropy;
}

interface Port {
  readonly owner: VirtualMulticast;
  readonly interfaceName: string;
}

/** One broadcast domain. It remembers every packet sent on it. */
export class VirtualLink {
  readonly packets: LinkPacket[] = [];
  readonly #clock: Clock;
  readonly #options: LinkOptions;
  readonly #ports = new Set<Port>();

  constructor(clock: Clock, options: LinkOptions = {}) {
    this.#clock = clock;
    this.#options = options;
  }

  join(port: Port): void {
    this.#ports.add(port);
  }

  leave(port: Port): void {
    this.#ports.delete(port);
  }

  /** Like the kernel's loop-back, the sender hears its own multicast packets. */
  send(sender: VirtualMulticast, from: string, packet: Uint8Array, to: LinkPacket['to']): void {
    this.packets.push({ at: this.#clock.now(), from, packet, to });
    for (const port of this.#ports) {
      if (to !== undefined && !port.owner.isAt(port.interfaceName, to)) continue;
      const { loss = 0, entropy } = this.#options;
      if (entropy !== undefined && entropy.below(1000) < loss * 1000) continue;
      const late = entropy === undefined ? 0 : entropy.below((this.#options.jitter ?? 0) + 1);
      this.#clock.after('VIRTUAL_LINK', (this.#options.delay ?? 1) + late, () => {
        const source = { interfaceName: port.interfaceName, address: from, port: sender.port, unicast: to !== undefined };
        if (this.#ports.has(port)) port.owner.deliver(packet, source);
      });
    }
  }
}

/** An interface of a host: `addresses` with prefix lengths (`fd00::1/64`), the first link-local one is the packets' source. */
export interface VirtualInterface {
  readonly name: string;
  readonly link: VirtualLink;
  readonly addresses: readonly string[];
  /** Those of the host's other interfaces that are told here too; default none. */
  readonly elsewhere?: readonly string[];
}

/** The Multicast port of one process on a virtual network. */
export class VirtualMulticast implements Multicast {
  /** The source port of what it sends; another than 5353 makes it a legacy resolver. */
  readonly port: number;
  /** Interfaces on which sending fails. */
  readonly broken = new Set<string>();
  closed = false;
  /** Whether no other process of the machine has port 5353. */
  alone = false;
  #handlers: MulticastHandlers | undefined;
  #interfaces: readonly VirtualInterface[];
  #ports: { readonly link: VirtualLink; readonly port: Port }[] = [];

  constructor(interfaces: readonly VirtualInterface[], port = 5353) {
    this.#interfaces = interfaces;
    this.port = port;
  }

  async start(handlers: MulticastHandlers): Promise<void> {
    this.#handlers = handlers;
    this.#join();
  }

  interfaces(): readonly NetworkInterface[] {
    return this.#interfaces.map(({ name, addresses, elsewhere }) => ({
      name,
      addresses: addresses.map(readAddress),
      ...(elsewhere === undefined ? {} : { elsewhere: elsewhere.map(readAddress) }),
    }));
  }

  send(interfaceName: string, packet: Uint8Array, to?: { readonly address: string; readonly port: number }): void {
    const on = this.#interfaces.find((candidate) => candidate.name === interfaceName);
    if (on === undefined || this.broken.has(interfaceName)) this.#handlers?.onError(interfaceName, 'ENETUNREACH');
    else on.link.send(this, sourceOf(on), packet, to);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.#handlers = undefined;
    for (const { link, port } of this.#ports) link.leave(port);
  }

  /** The machine's interfaces change. */
  setInterfaces(interfaces: readonly VirtualInterface[]): void {
    for (const { link, port } of this.#ports) link.leave(port);
    this.#interfaces = interfaces;
    this.#join();
    this.#handlers?.onInterfaces();
  }

  isAt(interfaceName: string, to: { readonly address: string; readonly port: number }): boolean {
    const on = this.#interfaces.find((candidate) => candidate.name === interfaceName);
    return to.port === this.port && (on?.addresses.some((address) => address.split('/')[0] === to.address) ?? false);
  }

  deliver(packet: Uint8Array, source: DatagramSource): void {
    this.#handlers?.onPacket(packet, source);
  }

  #join(): void {
    this.#ports = this.#interfaces.map(({ name, link }) => ({ link, port: { owner: this, interfaceName: name } }));
    for (const { link, port } of this.#ports) link.join(port);
  }
}

function sourceOf(on: VirtualInterface): string {
  const plain = on.addresses.map((address) => address.split('/')[0] as string);
  return plain.find((address) => address.startsWith('fe80:')) ?? plain[0] ?? '::';
}

function readAddress(text: string): InterfaceAddress {
  const [address = '', length = ''] = text.split('/');
  const bytes = parseAddress(address);
  if (bytes === undefined) throw new Error(`no address: ${text}`);
  return { family: bytes.length === 4 ? 4 : 6, bytes, text: formatAddress(bytes), prefixLength: Number(length) };
}
