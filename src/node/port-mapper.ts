import { parseAddress } from '../discovery/address.js';
import { isPublicAddress } from '../discovery/networks.js';
import { ConfigError, NetworkError } from '../errors.js';
import type { PortMapper, PortOpening } from '../platform.js';
import type { InterfaceChoice } from './interface-choice.js';
import { lookAtInterfaces } from './interface-view.js';
import { FIREWALL, RouterFault, RouterQuery, WAN_CONNECTION } from './router-query.js';
import { type FoundRouter, findRouters } from './router-search.js';

const PACKAGE = '@achingbrain/nat-port-mapper';
/** The shortest that the library asks for, and the longest that this device allows, s. */
const LEASE = 3600;
/** One exchange with the router, ms. */
const PATIENCE = 5000;
/** No such entry: WANIPConnection:2 §2.5, WANIPv6FirewallControl:1 §2.4; miniupnpd calls a pinhole's number invalid (402) once it is gone. */
const NO_ENTRY: Readonly<Record<4 | 6, readonly number[]>> = { 4: [714], 6: [704, 402] };

type Library = Pick<typeof import('@achingbrain/nat-port-mapper'), 'upnpNat'>;
type Gateway = Awaited<ReturnType<ReturnType<Library['upnpNat']>['getGateway']>>;
type PortMapping = Awaited<ReturnType<Gateway['map']>>;

export interface NodePortMapperOptions {
  readonly interfaces: InterfaceChoice;
  /** Whether the device listens on IPv4: else a mapping there leads nowhere. */
  readonly ipv4: boolean;
  readonly load?: () => Promise<Library>;
}

/** What is open, as far as this device knows. */
interface Mapped {
  readonly router: FoundRouter;
  readonly query: RouterQuery;
  readonly port: number;
  /** IPv4: the port on the router; IPv6: the number of its pinhole. */
  readonly entry: number | undefined;
}

/** Through UPnP, with the library for the mapping and questions of our own for the truth. IPv6 pinholes are preferred. */
export function nodePortMapper(options: NodePortMapperOptions): PortMapper {
  return new NodePortMapper(options);
}

class NodePortMapper implements PortMapper {
  readonly #options: NodePortMapperOptions;
  #mapped: Mapped | undefined;

  constructor(options: NodePortMapperOptions) {
    this.#options = options;
  }

  async open(port: number): Promise<PortOpening> {
    const { upnpNat } = await this.#library();
    const { interfaces, ipv4 } = this.#options;
    const usable = [...lookAtInterfaces(interfaces, ipv4).usable.values()];
    const routers = await findRouters(usable, ipv4);
    if (routers.length === 0)
      throw new NetworkError(`no router answers that opens ports by UPnP (IGD 2) over ${ipv4 ? 'IPv6 or IPv4' : 'IPv6'}`);
    let reason: unknown;
    for (const router of routers) {
      try {
        return await this.#openOn(router, port, await upnpNat({ autoRefresh: false }).getGateway(router.location, { signal: patience() }));
      } catch (error) {
        reason = error;
      }
    }
    throw asNetworkError(reason);
  }

  async release(): Promise<void> {
    const mapped = this.#mapped;
    this.#mapped = undefined;
    if (mapped !== undefined) await remove(mapped);
  }

  async #openOn(router: FoundRouter, port: number, gateway: Gateway): Promise<PortOpening> {
    const query = await RouterQuery.read(router.location, patience());
    const { own } = router;
    const former = this.#mapped;
    const same = former?.router.own.text === own.text && former.router.location.href === router.location.href;
    // The address changed, or another router answers first: what leads to the former one is taken away.
    if (former !== undefined && !same) await this.release().catch(() => undefined);
    const wanted = same ? former.entry : port;
    const given = { protocol: 'tcp', ttl: LEASE * 1000, autoRefresh: false, description: 'MASH' } as const;
    // The library sends an external port as the only source port that an IPv6 pinhole lets in.
    const external = own.family === 4 && wanted !== undefined ? { externalPort: wanted } : {};
    let mapping: PortMapping | undefined;
    try {
      mapping = await gateway.map(port, own.text, { ...given, ...external, signal: patience() });
      this.#mapped = { router, query, port, entry: own.family === 4 ? mapping.externalPort : pinholeOf(gateway, port) };
      const lease = await verify(this.#mapped);
      // Of an IPv6 pinhole the library may name the router's IPv4 address.
      const address = publicAddress(own.family === 4 ? mapping.externalHost : own.text);
      return { address, port: mapping.externalPort, lease: lease * 1000 };
    } catch (error) {
      // The router may have done it though the library failed afterwards.
      if (mapping === undefined) this.#mapped = { router, query, port, entry: own.family === 4 ? wanted : pinholeOf(gateway, port) };
      await this.release().catch(() => undefined);
      throw error;
    }
  }

  async #library(): Promise<Library> {
    try {
      return await (this.#options.load ?? (() => import('@achingbrain/nat-port-mapper')))();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConfigError('remote.portMapping', `the optional package ${PACKAGE} cannot be loaded, 'npm install' brings it: ${reason}`);
    }
  }
}

/** The lease in s. Rejects with NetworkError where the router did something else than it said. */
async function verify({ router: { own }, query, port, entry }: Mapped): Promise<number> {
  if (entry === undefined) throw new NetworkError('the router names no entry');
  if (own.family === 6) {
    await query.ask(FIREWALL, 'GetPinholePackets', { UniqueID: entry }, patience());
    return LEASE;
  }
  const answer = await query.ask(WAN_CONNECTION, 'GetSpecificPortMappingEntry', ipv4Entry(entry), patience());
  const [client, internal, enabled] = ['NewInternalClient', 'NewInternalPort', 'NewEnabled'].map(answer);
  if (client !== own.text || Number(internal) !== port || enabled !== '1')
    throw new NetworkError(`the router forwards port ${entry} to ${client} port ${internal}, enabled ${enabled}, not to this device`);
  const lease = Number(answer('NewLeaseDuration'));
  // UPnP's zero is for ever: it would outlive the device.
  if (!(lease >= 1 && lease <= LEASE)) throw new NetworkError(`the router opens the port for ${lease} s, not for at most ${LEASE}`);
  return lease;
}

/** The library's own removal sends an empty protocol and hides every error. Somebody else's entry stays. */
async function remove({ router: { own }, query, entry }: Mapped): Promise<void> {
  if (entry === undefined) throw new NetworkError('the router named no entry that could be taken away');
  const [service, look, take, which] =
    own.family === 6
      ? ([FIREWALL, 'GetPinholePackets', 'DeletePinhole', { UniqueID: entry }] as const)
      : ([WAN_CONNECTION, 'GetSpecificPortMappingEntry', 'DeletePortMapping', ipv4Entry(entry)] as const);
  const there = async (): Promise<boolean> => {
    try {
      const answer = await query.ask(service, look, which, patience());
      return own.family === 6 || answer('NewInternalClient') === own.text;
    } catch (error) {
      if (error instanceof RouterFault && NO_ENTRY[own.family].includes(error.code)) return false;
      throw error;
    }
  };
  if (!(await there())) return;
  await query.ask(service, take, which, patience());
  if (await there()) throw new NetworkError('the router says that the port is closed, but lists it still');
}

function ipv4Entry(port: number): Readonly<Record<string, string | number>> {
  return { NewRemoteHost: '', NewExternalPort: port, NewProtocol: 'TCP' };
}

/** The library knows the pinhole's number and does not tell it; the protocol has no action that lists pinholes. */
function pinholeOf(gateway: Gateway, port: number): number | undefined {
  const { mappings } = gateway as unknown as { readonly mappings?: ReadonlyMap<number, readonly { readonly uniqueId?: number }[]> };
  const id = mappings?.get(port)?.at(-1)?.uniqueId;
  return Number.isInteger(id) ? id : undefined;
}

/** A router behind another one opens a port that nobody reaches. */
function publicAddress(text: string): string {
  const bytes = parseAddress(text);
  if (bytes === undefined) throw new NetworkError(`the router names '${text}' as its address on the internet`);
  if (!isPublicAddress(bytes))
    throw new NetworkError(`the router's own address ${text} is none of the internet: another router stands before it`);
  return text;
}

function patience(): AbortSignal {
  return AbortSignal.timeout(PATIENCE);
}

function asNetworkError(error: unknown): NetworkError {
  return error instanceof NetworkError ? error : new NetworkError(error instanceof Error ? error.message : String(error));
}
