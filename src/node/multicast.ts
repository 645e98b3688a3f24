import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { addressScope, compareAddresses, parseAddress } from '../discovery/address.js';
import { ConfigError } from '../errors.js';
import type { InterfaceAddress, Multicast, MulticastHandlers, NetworkInterface } from '../platform.js';
import { InterfaceSockets } from './multicast-sockets.js';

export interface NodeMulticastOptions {
  /** Exactly these interfaces, whatever their kind; default: all that are up, except containers', bridges' and tunnels'. */
  readonly interfaces?: readonly string[];
  /** Also 224.0.0.251, and IPv4 addresses in `interfaces()`. Default: IPv6 only. */
  readonly ipv4?: boolean;
  /** How often the interfaces are looked at, ms. */
  readonly pollInterval?: number;
}

/** Left out unless named: a container's or a VPN's peers are not the home network. */
const SKIPPED = ['docker', 'br-', 'veth', 'tun'];
const POLL_INTERVAL = 2000;

/** Multicast DNS sockets on node:dgram. The interfaces are polled: Node reports no changes. */
export function nodeMulticast(options: NodeMulticastOptions = {}): Multicast {
  return new NodeMulticast(options);
}

class NodeMulticast implements Multicast {
  readonly #options: NodeMulticastOptions;
  readonly #sockets = new Map<string, InterfaceSockets>();
  /** The last reason told for each interface; one that lasts is told once. */
  readonly #told = new Map<string | undefined, string>();
  #handlers: MulticastHandlers | undefined;
  #seen = '';
  #poll: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: NodeMulticastOptions) {
    this.#options = options;
  }

  async start(handlers: MulticastHandlers): Promise<void> {
    const named = this.#options.interfaces;
    if (named?.length === 0) throw new ConfigError('interfaces', 'the list is empty');
    for (const name of named ?? []) {
      if (name === '' || name.includes('%') || name.includes('/')) throw new ConfigError('interfaces', `'${name}' is no interface name`);
    }
    if (this.#closing !== undefined) return;
    this.#handlers = handlers;
    await this.#look();
    if (this.#closing !== undefined) return;
    this.#poll = setInterval(() => void this.#lookAgain(), this.#options.pollInterval ?? POLL_INTERVAL);
    this.#poll.unref();
  }

  interfaces(): readonly NetworkInterface[] {
    return [...this.#sockets.values()].filter((sockets) => sockets.ready).map((sockets) => sockets.on);
  }

  send(interfaceName: string, packet: Uint8Array, to?: { readonly address: string; readonly port: number }): void {
    const sockets = this.#sockets.get(interfaceName);
    if (sockets?.ready) sockets.send(packet, to);
    else this.#tell(interfaceName, 'not in use');
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#poll);
    this.#handlers = undefined;
    await Promise.all([...this.#sockets.values()].map((sockets) => sockets.close()));
    this.#sockets.clear();
  }

  async #lookAgain(): Promise<void> {
    const before = this.#seen;
    await this.#look();
    if (this.#seen !== before) this.#handlers?.onInterfaces();
  }

  /** Opens sockets on what is new, closes those of what is gone, and replaces those whose own address changed. */
  async #look(): Promise<void> {
    const usable = this.#usable();
    const openings: Promise<void>[] = [];
    for (const [name, sockets] of this.#sockets) {
      const on = usable.find((candidate) => candidate.name === name);
      if (on !== undefined && sockets.fits(on)) {
        sockets.on = on;
        continue;
      }
      this.#sockets.delete(name);
      void sockets.close();
    }
    for (const on of usable) {
      if (this.#sockets.has(on.name)) continue;
      const sockets = new InterfaceSockets(on, this.#options.ipv4 ?? false, {
        onPacket: (packet, source) => this.#handlers?.onPacket(packet, source),
        onError: (reason) => this.#tell(on.name, reason),
      });
      this.#sockets.set(on.name, sockets);
      openings.push(this.#open(sockets));
    }
    await Promise.all(openings);
    this.#seen = JSON.stringify(this.interfaces().map((on) => [on.name, on.addresses.map((address) => address.text)]));
  }

  /** What could not be opened (an address still tentative, RFC 4862 §5.4) is tried again at the next look. */
  async #open(sockets: InterfaceSockets): Promise<void> {
    if (await sockets.open()) this.#told.delete(sockets.on.name);
    else if (this.#sockets.get(sockets.on.name) === sockets) this.#sockets.delete(sockets.on.name);
  }

  #usable(): readonly NetworkInterface[] {
    const ipv4 = this.#options.ipv4 ?? false;
    const skipped: string[] = [];
    const usable: NetworkInterface[] = [];
    for (const [name, infos] of Object.entries(networkInterfaces())) {
      const addresses = readAddresses(infos ?? [], ipv4);
      const reachable = addresses.some(({ family, bytes }) => family === 4 || addressScope(bytes) === 'link-local');
      if (!reachable || !(this.#options.interfaces?.includes(name) ?? true)) continue;
      if (this.#options.interfaces === undefined && SKIPPED.some((prefix) => name.startsWith(prefix))) skipped.push(name);
      else usable.push({ name, addresses });
    }
    if (usable.length > 0) this.#told.delete(undefined);
    else this.#tell(undefined, nothingUsable(this.#options.interfaces, skipped));
    return usable;
  }

  #tell(interfaceName: string | undefined, reason: string): void {
    if (this.#told.get(interfaceName) === reason) return;
    this.#told.set(interfaceName, reason);
    this.#handlers?.onError(interfaceName, reason);
  }
}

function nothingUsable(named: readonly string[] | undefined, skipped: readonly string[]): string {
  if (named !== undefined) return `no usable interface: none of ${named.join(', ')} is up with an address`;
  if (skipped.length > 0) return `no usable interface: ${skipped.join(', ')} skipped by default, name them to use them`;
  return 'no usable interface: none is up with a link-local IPv6 address';
}

/** Node lists interfaces that are up. Sorted, so that the order in which the system reports them is no change. */
function readAddresses(infos: readonly NetworkInterfaceInfo[], ipv4: boolean): readonly InterfaceAddress[] {
  const addresses: InterfaceAddress[] = [];
  for (const info of infos) {
    const bytes = parseAddress(info.address);
    if (info.internal || bytes === undefined || (info.family === 'IPv4' && !ipv4)) continue;
    const prefixLength = Number(info.cidr?.split('/')[1] ?? bytes.length * 8);
    addresses.push({ family: info.family === 'IPv6' ? 6 : 4, bytes, text: info.address, prefixLength });
  }
  return addresses.sort((a, b) => compareAddresses(a.bytes, b.bytes));
}
