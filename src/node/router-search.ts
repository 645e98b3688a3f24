import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { addressScope, parseAddress, samePrefix } from '../discovery/address.js';
import type { InterfaceAddress } from '../platform.js';
import type { SeenInterface } from './interface-view.js';
import { urlOf } from './router-query.js';

/** A router that speaks UPnP, and the address of ours that it is to forward to. */
export interface FoundRouter {
  /** Of its description; the host is an address on our link. */
  readonly location: URL;
  readonly own: InterfaceAddress;
}

const SSDP_PORT = 1900;
const ROUTER = 'urn:schemas-upnp-org:device:InternetGatewayDevice:2';
/** Answers come within the second that `MX` gives; searches are repeated once (UPnP Device Architecture 2.0 §1.3.2). */
const REPEAT = 500;
const SEARCH = 1500;
/** After the first answer: for the other family's. */
const MORE = 500;
const FOUND_MAXIMUM = 8;

/** Searches on these interfaces: IPv6 from a global address, IPv4 where asked for. IPv6 routers come first. Never rejects. */
export async function findRouters(interfaces: readonly SeenInterface[], ipv4: boolean): Promise<readonly FoundRouter[]> {
  const found: FoundRouter[] = [];
  const sockets: Socket[] = [];
  await new Promise<void>((resolve) => {
    setTimeout(resolve, SEARCH).unref();
    const onAnswer = (own: InterfaceAddress, location: URL | undefined): void => {
      if (location === undefined || found.length === FOUND_MAXIMUM || found.some((router) => router.location.href === location.href))
        return;
      if (found.length === 0) setTimeout(resolve, MORE).unref();
      found.push({ location, own });
    };
    for (const { name, addresses } of interfaces) {
      const global = addresses.find(({ bytes }) => addressScope(bytes) === 'global');
      const old = ipv4 ? addresses.find(({ family }) => family === 4) : undefined;
      for (const own of [global, old])
        if (own !== undefined)
          sockets.push(searchFrom(own, name, (answer, sender) => onAnswer(own, locationOf(answer, sender, addresses))));
    }
    if (sockets.length === 0) resolve();
  });
  for (const socket of sockets) socket.close();
  return found.sort((a, b) => b.own.family - a.own.family);
}

function searchFrom(own: InterfaceAddress, interfaceName: string, onAnswer: (text: string, sender: string) => void): Socket {
  const six = own.family === 6;
  const group = six ? 'ff02::c' : '239.255.255.250';
  const socket = createSocket(six ? 'udp6' : 'udp4');
  const lines = [
    'M-SEARCH * HTTP/1.1',
    `HOST: ${six ? `[${group}]` : group}:${SSDP_PORT}`,
    'MAN: "ssdp:discover"',
    'MX: 1',
    `ST: ${ROUTER}`,
  ];
  const search = `${lines.join('\r\n')}\r\n\r\n`;
  const send = (): void => socket.send(search, SSDP_PORT, six ? `${group}%${interfaceName}` : group, () => undefined);
  let repeat: NodeJS.Timeout | undefined;
  socket.on('message', (data, from) => onAnswer(data.toString('latin1'), from.address));
  // An address that has just gone: nothing is found from it.
  socket.on('error', () => undefined);
  socket.once('close', () => clearTimeout(repeat));
  socket.bind({ port: 0, address: own.text }, () => {
    socket.setMulticastInterface(six ? `::%${interfaceName}` : own.text);
    send();
    repeat = setTimeout(send, REPEAT);
  });
  return socket;
}

/** Undefined for what is no answer of a router on this link: nobody else may tell the device whom to talk to. */
export function locationOf(answer: string, sender: string, own: readonly InterfaceAddress[]): URL | undefined {
  const [status = '', ...lines] = answer.split('\r\n');
  if (!/^HTTP\/1\.[01] 200 /.test(status)) return undefined;
  const header = (name: string): string | undefined =>
    lines
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  if (header('st') !== ROUTER || !isOnLink(sender, own)) return undefined;
  const location = urlOf(header('location'));
  if (location?.protocol !== 'http:') return undefined;
  const host = location.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 0 || isIP(host) !== isIP(sender.split('%')[0] as string)) return undefined;
  // A URL has no zone: a link-local address cannot be asked.
  return isOnLink(host, own) && !host.startsWith('fe80') ? location : undefined;
}

function isOnLink(text: string, own: readonly InterfaceAddress[]): boolean {
  const bytes = parseAddress(text);
  return bytes !== undefined && own.some((address) => samePrefix(address.bytes, bytes, address.prefixLength));
}
