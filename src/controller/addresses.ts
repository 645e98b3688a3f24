import { addressScope, compareAddresses, parseAddress } from '../discovery/address.js';
import type { DiscoveredService } from '../discovery/discovered.js';
import { NetworkError } from '../errors.js';
import type { Clock, Timer } from '../platform.js';
import { ControllerError, messageOf } from './errors.js';
import type { DeviceAddress } from './zone.js';

/** connection-establishment §6.5.6: the next address is tried when the one before has not succeeded after a second. */
const NEXT_ADDRESS = 1000;

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
 * Tries addresses in their order, the next one when one failed or has not succeeded after a second; the first success wins and the others are
 * aborted. `connect` judges the peer too: a wrong one at an address is a failure of that address (§6.5.5). Where all fail for the same
 * reason, that ControllerError is the result; otherwise CONNECTION_FAILED with all of them.
 */
export function connectFirst<T>(
  clock: Clock,
  addresses: readonly DeviceAddress[],
  connect: (address: DeviceAddress, signal: AbortSignal) => Promise<T>,
  discard: (late: T) => void,
): Promise<Reached<T>> {
  return new Promise((resolve, reject) => {
    const abort = new AbortController();
    const failures: unknown[] = [];
    let next = 0;
    let settled = false;
    let timer: Timer | undefined;
    const start = (): void => {
      timer?.cancel();
      const address = addresses[next++];
      if (address === undefined) return;
      if (next < addresses.length) timer = clock.after('NEXT_ADDRESS', NEXT_ADDRESS, start);
      connect(address, abort.signal).then(
        (value) => {
          if (settled) discard(value);
          else {
            settled = true;
            timer?.cancel();
            resolve({ address, value });
            abort.abort();
          }
        },
        (error: unknown) => {
          if (settled) return;
          failures.push(error);
          if (failures.length < addresses.length) start();
          else {
            settled = true;
            reject(failureOf(failures));
          }
        },
      );
    };
    if (addresses.length === 0) reject(failureOf([]));
    else start();
  });
}

function failureOf(failures: readonly unknown[]): unknown {
  const [first] = failures;
  const known = (error: unknown): boolean => error instanceof ControllerError || error instanceof NetworkError;
  // A bug of ours is no failure of the network.
  const bug = failures.find((error) => !known(error));
  if (bug !== undefined) return bug;
  if (first instanceof ControllerError && failures.every((error) => error instanceof ControllerError && error.code === first.code))
    return first;
  const reasons = failures.map(messageOf).join('; ');
  return new ControllerError('CONNECTION_FAILED', `Device not responding (${reasons === '' ? 'no address is known' : reasons})`, {
    suggestions: ['Device may be busy or unresponsive', 'Firewall may be blocking connection', 'Try power-cycling the device'],
  });
}
