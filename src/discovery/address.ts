/** Text form of IPv4 and IPv6 addresses, and what kind of address it is; engine-neutral. */

/** `ula` fc00::/7, `link-local` fe80::/10, `global` any other IPv6 address; connection-establishment §6.1. */
export type AddressScope = 'ula' | 'global' | 'link-local' | 'ipv4';

/** connection-establishment §6.2: the order in which a controller tries them. IPv4 comes last. */
export const SCOPE_ORDER: readonly AddressScope[] = ['ula', 'global', 'link-local', 'ipv4'];

export function addressScope(bytes: Uint8Array): AddressScope {
  if (bytes.length === 4) return 'ipv4';
  const first = bytes[0] as number;
  if ((first & 0xfe) === 0xfc) return 'ula';
  return first === 0xfe && ((bytes[1] as number) & 0xc0) === 0x80 ? 'link-local' : 'global';
}

/** By scope as in `SCOPE_ORDER`, then by bytes: a stable order, whatever the system reports. */
export function compareAddresses(a: Uint8Array, b: Uint8Array): number {
  const scope = SCOPE_ORDER.indexOf(addressScope(a)) - SCOPE_ORDER.indexOf(addressScope(b));
  if (scope !== 0) return scope;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  return 0;
}

/** RFC 5952 for 16 bytes, dotted decimals for 4. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number));
  let start = -1;
  let longest = 1;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (groups[i + run] === 0) run++;
    if (run > longest) [start, longest] = [i, run];
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  return start < 0 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + longest))}`;
}

/** 16 or 4 bytes; a scope (`%eth0`) is cut off; undefined for anything that is not an address. */
export function parseAddress(text: string): Uint8Array | undefined {
  const plain = text.split('%')[0] as string;
  if (!plain.includes(':')) return parseIpv4(plain);
  const halves = plain.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] as string);
  const tail = parseGroups(halves[1] ?? '');
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

function parseGroups(text: string): number[] | undefined {
  const bytes: number[] = [];
  const groups = text === '' ? [] : text.split(':');
  for (const [i, group] of groups.entries()) {
    if (i === groups.length - 1 && group.includes('.')) {
      const ipv4 = parseIpv4(group);
      if (ipv4 === undefined) return undefined;
      bytes.push(...ipv4);
      continue;
    }
    const value = digits(group, 16, 4);
    if (value === undefined) return undefined;
    bytes.push(value >> 8, value & 0xff);
  }
  return bytes.length <= 16 ? bytes : undefined;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.').map((part) => digits(part, 10, 3));
  if (parts.length !== 4 || parts.some((part) => part === undefined || part > 255)) return undefined;
  return Uint8Array.from(parts as number[]);
}

function digits(text: string, radix: 10 | 16, maximum: number): number | undefined {
  if (text.length === 0 || text.length > maximum) return undefined;
  for (const character of text.toLowerCase()) if (!'0123456789abcdef'.slice(0, radix).includes(character)) return undefined;
  return Number.parseInt(text, radix);
}

/** True when both addresses lie in one prefix of `prefixLength` bits. */
export function samePrefix(a: Uint8Array, b: Uint8Array, prefixLength: number): boolean {
  if (a.length !== b.length) return false;
  for (let bit = 0; bit < prefixLength; bit += 8) {
    const mask = 0xff & (0xff << Math.max(0, 8 - (prefixLength - bit)));
    if ((((a[bit >> 3] as number) ^ (b[bit >> 3] as number)) & mask) !== 0) return false;
  }
  return true;
}
