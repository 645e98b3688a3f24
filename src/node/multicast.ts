import { addressScope } from '../discovery/address.js';
import type { Multicast, MulticastHandlers, NetworkInterface } from '../platform.js';
import { monotonic } from './clock.js';
import { checkChoice } from './interface-choice.js';
import { lookAtInterfaces, type SeenInterface, type View } from './interface-view.js';
import { mdnsPortIsFree } from './mdns-port.js';
import { InterfaceSockets } from './multicast-sockets.js';
import { NetworkChanges } from './network-changes.js';
import { DEBOUNCE, restsAt, type Settling, settle } from './settling.js';
import { SleepWatch } from './sleep.js';

export interface NodeMulticastOptions {
  /** These alone, whatever their kind: `eth0`, `eth*`, `kind:wireless`. Default: all that are up, except `DENIED_BY_DEFAULT`. */
  readonly interfaces?: readonly string[] | undefined;
  /** Never these, in the same form. */
  readonly denied?: readonly string[] | undefined;
  /** Also 224.0.0.251, and IPv4 addresses in `interfaces()`. Default: IPv6 only. */
  readonly ipv4?: boolean;
  /** How often the interfaces are looked at where the kernel's messages are not heard, ms. */
  readonly pollInterval?: number;
  /** How long a change has to last, ms. */
  readonly debounce?: number;
  /** In place of `ip -o monitor address link`; empty: polling alone. */
  readonly monitor?: readonly string[] | undefined;
  /** Whether the machine has slept since this was last asked. Default: by its uptime. */
  readonly slept?: () => boolean;
}

const POLL_INTERVAL = 2000;
/** Before sockets that could not be opened, or that failed, are opened anew, ms. */
const RETRY = 2000;
/** How long the start waits for duplicate address detection (RFC 4862 §5.4: a second or two), and how often it looks, ms. */
const TENTATIVE_MAXIMUM = 3000;
const TENTATIVE_INTERVAL = 100;

/** Multicast DNS sockets on node:dgram, one set an interface, which follow the interfaces as they come, change and go. */
export function nodeMulticast(options: NodeMulticastOptions = {}): Multicast {
  return new NodeMulticast(options);
}

class NodeMulticast implements Multicast {
  alone = false;
  readonly #options: NodeMulticastOptions;
  readonly #debounce: number;
  readonly #slept: () => boolean;
  readonly #sockets = new Map<string, InterfaceSockets>();
  readonly #states = new Map<string, Settling<SeenInterface>>();
  /** The last reason told for each interface; one that lasts is told once. */
  readonly #told = new Map<string | undefined, string>();
  #changes: NetworkChanges | undefined;
  #handlers: MulticastHandlers | undefined;
  #seen = '';
  #next: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #lookOnceMore = false;
  #closing: Promise<void> | undefined;

  constructor(options: NodeMulticastOptions) {
    this.#options = options;
    this.#debounce = options.debounce ?? DEBOUNCE;
    const watch = new SleepWatch();
    this.#slept = options.slept ?? (() => watch.slept());
  }

  async start(handlers: MulticastHandlers): Promise<void> {
    checkChoice({ allow: this.#options.interfaces, deny: this.#options.denied });
    if (this.#closing !== undefined) return;
    this.#handlers = handlers;
    this.alone = mdnsPortIsFree();
    const { pollInterval = POLL_INTERVAL, monitor } = this.#options;
    this.#changes = new NetworkChanges({ pollInterval, monitor }, () => this.#lookAgain());
    // Before the first look, so that no change falls between the two.
    this.#changes.start();
    this.#looking = this.#firstLook();
    await this.#looking;
    this.#looking = undefined;
  }

  async #firstLook(): Promise<void> {
    // What is there at the start counts at once.
    for (const [name, value] of await this.#firstView()) this.#states.set(name, { kind: 'settled', value });
    if (this.#closing !== undefined) return;
    await this.#look();
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
    this.#changes?.close();
    clearTimeout(this.#next);
    this.#handlers = undefined;
    await Promise.all([...this.#sockets.values()].map((sockets) => sockets.close()));
    this.#sockets.clear();
  }

  /** One look at a time; what changes meanwhile is looked at after it. */
  #lookAgain(): void {
    if (this.#closing !== undefined) return;
    if (this.#looking !== undefined) {
      this.#lookOnceMore = true;
      return;
    }
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
      if (!this.#lookOnceMore) return;
      this.#lookOnceMore = false;
      this.#lookAgain();
    });
  }

  async #look(): Promise<void> {
    const now = monotonic();
    const { usable, waiting } = this.#view();
    for (const name of new Set([...this.#states.keys(), ...usable.keys()])) {
      const before = this.#states.get(name) ?? { kind: 'settled', value: undefined };
      const after = settle(before, usable.get(name), waiting.has(name), now, this.#debounce);
      if (after.kind === 'settled' && after.value === undefined) this.#states.delete(name);
      else this.#states.set(name, after);
    }
    const failed = await this.#apply();
    if (this.#closing !== undefined) return;
    const rests = [...this.#states.values()].map((state) => restsAt(state, this.#debounce)).filter((at) => at !== undefined);
    const due = Math.min(...rests.map((at) => at - monotonic()), ...(failed ? [RETRY] : []));
    clearTimeout(this.#next);
    if (due !== Number.POSITIVE_INFINITY) this.#lookIn(due);
    const before = this.#seen;
    this.#seen = JSON.stringify([...this.#sockets.values()].filter(({ ready }) => ready).map(({ on, index }) => [on, index]));
    if (before !== '' && this.#seen !== before) this.#handlers?.onInterfaces();
  }

  #lookIn(delay: number): void {
    clearTimeout(this.#next);
    if (this.#closing === undefined) this.#next = setTimeout(() => this.#lookAgain(), Math.max(1, Math.ceil(delay))).unref();
  }

  /**
   * Opens sockets on what is new, closes those of what is gone, and replaces those that failed or whose own address changed. An interface made anew
   * under its name may be on another link, and so may all of them after a sleep: they are gone before they come (RFC 6762 §8).
   */
  async #apply(): Promise<boolean> {
    const counting = [...this.#states.values()].flatMap(({ value }) => value ?? []);
    const slept = this.#slept();
    let isElsewhere = slept;
    for (const [name, sockets] of this.#sockets) {
      const seen = counting.find((one) => one.name === name);
      if (!slept && seen !== undefined && sockets.fits(seen, seen.index)) continue;
      if (seen !== undefined && seen.index !== sockets.index) isElsewhere = true;
      this.#sockets.delete(name);
      void sockets.close();
    }
    if (isElsewhere) {
      this.#seen = '[]';
      this.#handlers?.onInterfaces();
    }
    const openings: Promise<boolean>[] = [];
    for (const { name, addresses, index } of counting) {
      const others = counting.filter((other) => other.name !== name).flatMap((other) => other.addresses);
      const elsewhere = others.filter(({ bytes }) => addressScope(bytes) !== 'link-local');
      const on: NetworkInterface = { name, addresses, elsewhere };
      const open = this.#sockets.get(name);
      if (open !== undefined) {
        open.on = on;
        continue;
      }
      const sockets = new InterfaceSockets(on, index, this.#options.ipv4 ?? false, {
        onPacket: (packet, source) => this.#handlers?.onPacket(packet, source),
        onError: (reason) => this.#tell(name, reason),
        onBroken: () => this.#lookIn(RETRY),
      });
      this.#sockets.set(name, sockets);
      openings.push(this.#open(sockets));
    }
    return (await Promise.all(openings)).includes(false);
  }

  /** False for what could not be opened. */
  async #open(sockets: InterfaceSockets): Promise<boolean> {
    const opened = await sockets.open();
    if (opened) this.#told.delete(sockets.on.name);
    else if (this.#sockets.get(sockets.on.name) === sockets) this.#sockets.delete(sockets.on.name);
    return opened;
  }

  /** A link just up has nothing but tentative addresses: they are waited for, so that a short command finds an interface. */
  async #firstView(): Promise<ReadonlyMap<string, SeenInterface>> {
    const until = monotonic() + TENTATIVE_MAXIMUM;
    for (;;) {
      const { usable, waiting } = this.#view();
      if (usable.size > 0 || waiting.size === 0 || monotonic() > until || this.#closing !== undefined) return usable;
      await new Promise((resolve) => setTimeout(resolve, TENTATIVE_INTERVAL));
    }
  }

  /** What the system cannot tell now leaves everything as it was. */
  #view(): View {
    const { interfaces: allow, denied: deny, ipv4 = false } = this.#options;
    try {
      const view = lookAtInterfaces({ allow, deny }, ipv4);
      if (view.usable.size > 0) this.#told.delete(undefined);
      else if (view.waiting.size === 0) this.#tell(undefined, nothingUsable(allow, view.skipped));
      return view;
    } catch (error) {
      this.#tell(undefined, error instanceof Error ? error.message : String(error));
      const usable = new Map([...this.#states].flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value] as const])));
      return { usable, waiting: new Set(), skipped: [] };
    }
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
