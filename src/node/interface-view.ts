import { readFileSync } from 'node:fs';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { addressScope, compareAddresses, formatAddress, parseAddress } from '../discovery/address.js';
import type { InterfaceAddress } from '../platform.js';
import { type InterfaceChoice, interfaceKind, judge } from './interface-choice.js';

/** One interface as the system shows it now. */
export interface SeenInterface {
  readonly name: string;
  readonly addresses: readonly InterfaceAddress[];
  /** The system's number: an interface made anew under the same name has another. */
  readonly index: number;
  /** The same as long as nothing changed that sockets or records depend on. */
  readonly key: string;
}

export interface View {
  readonly usable: ReadonlyMap<string, SeenInterface>;
  /** Interfaces that have an address still tentative (RFC 4862 §5.4). */
  readonly waiting: ReadonlySet<string>;
  /** What could be used if it were allowed. */
  readonly skipped: readonly string[];
}

/** Flags of an address, IFA_F_* of Linux. */
interface AddressFlags {
  /** Not to be used yet, or never: tentative, or duplicate detection found another owner. */
  readonly unusable: boolean;
  readonly tentative: boolean;
  /** RFC 4862 §5.5.4: still valid, but not for new connections while there is another of its scope. */
  readonly deprecated: boolean;
  /** RFC 8981: for connections that this host opens, gone in a day; published while there is no other of its scope. */
  readonly temporary: boolean;
}
const TEMPORARY = 0x01;
const DAD_FAILED = 0x08;
const DEPRECATED = 0x20;
const TENTATIVE = 0x40;

/** Node lists interfaces that are up and have a carrier. Throws what the system says when it cannot list them. */
export function lookAtInterfaces(choice: InterfaceChoice, ipv4: boolean): View {
  const flags = addressFlags(readFlags());
  const usable = new Map<string, SeenInterface>();
  const waiting = new Set<string>();
  const skipped: string[] = [];
  for (const [name, infos] of Object.entries(networkInterfaces())) {
    const external = (infos ?? []).filter((info) => !info.internal && (info.family === 'IPv6' || ipv4));
    const verdict = external.length === 0 ? 'not allowed' : judge(choice, name, interfaceKind(name));
    if (verdict === 'denied by default') skipped.push(name);
    if (verdict !== 'used') continue;
    if (external.some((info) => flags(name, info.address).tentative)) waiting.add(name);
    const addresses = publishable(name, external, flags);
    if (!addresses.some(({ family, bytes }) => family === 4 || addressScope(bytes) === 'link-local')) continue;
    const index = external.find((info) => info.family === 'IPv6' && info.scopeid !== 0)?.scopeid ?? 0;
    const key = [index, ...addresses.map(({ text, prefixLength }) => `${text}/${prefixLength}`)].join(' ');
    usable.set(name, { name, addresses, index, key });
  }
  return { usable, waiting, skipped };
}

/** Sorted, so that the order in which the system reports them is no change. */
function publishable(name: string, infos: readonly NetworkInterfaceInfo[], flags: FlagsOf): readonly InterfaceAddress[] {
  const found: { readonly address: InterfaceAddress; readonly isSpare: boolean }[] = [];
  for (const info of infos) {
    const bytes = parseAddress(info.address);
    const { unusable, deprecated, temporary } = flags(name, info.address);
    if (bytes === undefined || unusable) continue;
    const prefixLength = Number(info.cidr?.split('/')[1] ?? bytes.length * 8);
    found.push({
      address: { family: info.family === 'IPv6' ? 6 : 4, bytes, text: info.address, prefixLength },
      isSpare: deprecated || temporary,
    });
  }
  const preferred = new Set(found.filter((one) => !one.isSpare).map((one) => addressScope(one.address.bytes)));
  return found
    .filter((one) => !one.isSpare || !preferred.has(addressScope(one.address.bytes)))
    .map((one) => one.address)
    .sort((a, b) => compareAddresses(a.bytes, b.bytes));
}

type FlagsOf = (interfaceName: string, address: string) => AddressFlags;
const NO_FLAGS: AddressFlags = { unusable: false, tentative: false, deprecated: false, temporary: false };

/** Reads the text of /proc/net/if_inet6: address, index, prefix length, scope, flags (all hexadecimal) and name, one address a line. */
export function addressFlags(text: string): FlagsOf {
  const known = new Map<string, AddressFlags>();
  for (const line of text.split('\n')) {
    const [address = '', , , , hex = '', name] = line.split(' ').filter((word) => word !== '');
    const bits = Number.parseInt(hex, 16);
    if (name === undefined || address.length !== 32 || Number.isNaN(bits)) continue;
    const bytes = Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(address.slice(2 * i, 2 * i + 2), 16));
    const tentative = (bits & TENTATIVE) !== 0 && (bits & DAD_FAILED) === 0;
    const unusable = (bits & (TENTATIVE | DAD_FAILED)) !== 0;
    const [deprecated, temporary] = [(bits & DEPRECATED) !== 0, (bits & TEMPORARY) !== 0];
    known.set(`${name} ${formatAddress(bytes)}`, { unusable, tentative, deprecated, temporary });
  }
  return (interfaceName, address) => {
    const bytes = parseAddress(address);
    return (bytes && known.get(`${interfaceName} ${formatAddress(bytes)}`)) ?? NO_FLAGS;
  };
}

/** Empty where the system has no such file; every address then counts as preferred. */
function readFlags(): string {
  try {
    return readFileSync('/proc/net/if_inet6', 'latin1');
  } catch {
    return '';
  }
}
