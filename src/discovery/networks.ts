import { addressScope, samePrefix } from './address.js';

type Network = readonly [readonly number[], number];

/** IPv4 networks of homes: RFC 1918, loop-back, link-local. */
const HOME: readonly Network[] = [
  [[10, 0, 0, 0], 8],
  [[172, 16, 0, 0], 12],
  [[192, 168, 0, 0], 16],
  [[127, 0, 0, 0], 8],
  [[169, 254, 0, 0], 16],
];
/** RFC 6598 §7: shared by a provider's customers; RFC 1122 §3.2.1.3: this network. */
const NOBODY: readonly Network[] = [
  [[100, 64, 0, 0], 10],
  [[0, 0, 0, 0], 8],
];

/** Whether an address means something in a home alone, whoever's it is. */
export function isHomeAddress(bytes: Uint8Array): boolean {
  if (bytes.length === 4) return isIn(bytes, HOME);
  const loopback = bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
  return loopback || addressScope(bytes) !== 'global';
}

/** Whether the internet can reach an address. */
export function isPublicAddress(bytes: Uint8Array): boolean {
  return !isHomeAddress(bytes) && !(bytes.length === 4 && isIn(bytes, NOBODY));
}

function isIn(bytes: Uint8Array, networks: readonly Network[]): boolean {
  return networks.some(([network, length]) => samePrefix(Uint8Array.from(network), bytes, length));
}
