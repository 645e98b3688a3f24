import { addressScope, compareAddresses, parseAddress } from '../discovery/address.js';
import type { DiscoveredService } from '../discovery/discovered.js';
import { NetworkError } from '../errors.js';
import type { Clock } from '../platform.js';
import { ControllerError, messageOf } from './errors.js';
import { authenticationFailed, unreachable } from './not-found.js';
import { raceInTurn } from './race.js';
import type { DeviceAddress } from './zone.js';

/** The addresses of a service, best first: ULA, global, link-local with the scope of the receiving interface (§6.2, §6.4). */
export function serviceAddresses(service: DiscoveredService): readonly DeviceAddress[] {
  return [...service.addresses]
    .sort((a, b) => compareAddresses(a.bytes, b.bytes))
    .map(({ text, scope, interfaceName }) => ({ host: scope === 'link-local' ? `${text}%${interfaceName}` : text, port: service.port }));
}

/** `[fe80::1%eth0]:8443`, `192.0.2.1:8443`. */
export function formatTarget({ host, port }: DeviceAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Reads `HOST:PORT` with an IPv6 address in brackets, an IPv4 address or a host name; undefined for anything else. A link-local address
 * needs its interface: `[fe80::1%eth0]:8444`.
 */
export function parseTarget(text: string): DeviceAddress | undefined {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (colon < 1 || !/^\d{1,5}$/.test(text.slice(colon + 1)) || port < 1 || port > 65_535) return undefined;
  const bracketed = text.startsWith('[') && text[colon - 1] === ']';
  const host = bracketed ? text.slice(1, colon - 1) : text.slice(0, colon);
  if (bracketed !== host.includes(':') || /[\s[\]/]/.test(host)) return undefined;
  if (bracketed && parseAddress(host) === undefined) return undefined;
  return { host, port };
}

/** True for a link-local address without its interface. */
export function lacksScope({ host }: DeviceAddress): boolean {
  const bytes = parseAddress(host);
  return bytes !== undefined && addressScope(bytes) === 'link-local' && !host.includes('%');
}

export interface Reached<T> {
  readonly address: DeviceAddress;
  readonly value: T;
}

/**
 * Connects at the first of several addresses (`raceInTurn`). `connect` judges the peer too: a wrong one at an address is a failure of that
 * address (§6.5.5). Where all fail with NOT_TRUSTED the result is the first that says what helps, else "Device authentication failed"; where all fail with another
 * ControllerError of one code the first of them; otherwise what `failed` makes of the reasons.
 */
export async function connectFirst<T>(
  clock: Clock,
  addresses: readonly DeviceAddress[],
  connect: (address: DeviceAddress, signal: AbortSignal) => Promise<T>,
  discard: (late: T) => void,
  failed: (reasons: readonly string[]) => ControllerError = unreachable,
): Promise<Reached<T>> {
  const { way, value } = await raceInTurn(clock, addresses, connect, discard, (errors) => failureOf(errors, failed));
  return { address: way, value };
}

function failureOf(failures: readonly unknown[], failed: (reasons: readonly string[]) => ControllerError): unknown {
  const [first] = failures;
  const known = (error: unknown): boolean => error instanceof ControllerError || error instanceof NetworkError;
  // A bug of ours is no failure of the network.
  const bug = failures.find((error) => !known(error));
  if (bug !== undefined) return bug;
  const reasons = failures.map(messageOf);
  if (!(first instanceof ControllerError)) return failed(reasons);
  if (!failures.every((error) => error instanceof ControllerError && error.code === first.code)) return failed(reasons);
  // connection-establishment §6.5.5
  if (first.code !== 'NOT_TRUSTED') return first;
  return failures.find((error) => (error as ControllerError).details.suggestions !== undefined) ?? authenticationFailed(reasons);
}
