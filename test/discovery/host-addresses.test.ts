import { expect, it } from 'vitest';
import { addressScope, formatAddress, parseAddress } from '../../src/discovery/address.js';
import { nameOf } from '../../src/discovery/name.js';
import { addressRecords, recordPolicy } from '../../src/discovery/service.js';
import type { InterfaceAddress } from '../../src/platform.js';

const address = (text: string): InterfaceAddress => {
  const bytes = parseAddress(text) as Uint8Array;
  return { family: addressScope(bytes) === 'ipv4' ? 4 : 6, bytes, text, prefixLength: bytes.length * 4 };
};
const told = (own: readonly string[], elsewhere: readonly string[] | undefined, ipv4 = false): readonly string[] => {
  const on = { name: 'eth0', addresses: own.map(address), ...(elsewhere && { elsewhere: elsewhere.map(address) }) };
  return addressRecords(nameOf('mash-1.local'), on, recordPolicy('draft', ipv4)).map((record) => formatAddress(record.address));
};

it('TC-MULTIIF-1: the addresses of every interface are told on each, link-local ones on their own link alone', () => {
  expect(told(['fd00::1', 'fe80::1'], ['fd00::2', '2001:db8::2'])).toEqual(['fd00::1', 'fd00::2', '2001:db8::2', 'fe80::1']);
  expect(told(['fe80::1'], undefined)).toEqual(['fe80::1']);
});

it('A records of other interfaces only where IPv4 is on; nothing on an interface without an address of its own to tell', () => {
  expect(told(['fe80::1'], ['10.0.0.2'])).toEqual(['fe80::1']);
  expect(told(['fe80::1', '10.0.0.1'], ['10.0.0.2'], true)).toEqual(['fe80::1', '10.0.0.1', '10.0.0.2']);
  expect(told(['10.0.0.1'], ['fd00::2'])).toEqual([]);
});

it("of more than 16 addresses the interface's own are told first, its link-local one among them whatever there is", () => {
  const many = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}::${(i + 1).toString(16)}`);
  const others = told(['fd00::1', 'fe80::1'], many('fd09', 20));
  expect(others).toEqual(['fd00::1', ...many('fd09', 14), 'fe80::1']);
  const own = told([...many('fd01', 20), 'fe80::1'], many('fd00', 3));
  expect(own).toEqual([...many('fd01', 15), 'fe80::1']);
});
