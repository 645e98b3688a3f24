import { expect, it } from 'vitest';
import { addressFlags } from '../../src/node/interface-view.js';

const TEXT = `fe8000000000000000fc00fffe000001 04 40 20 80     eth0
fd000000000000000000000000000002 04 40 00 c0     eth0
20010db8000000000000000000000003 04 40 00 20     eth0
20010db8000000000000000000000004 04 40 00 48     eth0
20010db8000000000000000000000006 04 40 00 01     eth0
fd000000000000000000000000000002 05 40 00 80     eth1
nonsense
fd00 05 40 00 zz eth1
`;

it.each([
  ['eth0', 'fe80::fc:ff:fe00:1', { unusable: false, tentative: false, deprecated: false, temporary: false }],
  ['eth0', 'fd00::2', { unusable: true, tentative: true, deprecated: false, temporary: false }],
  ['eth1', 'fd00::2', { unusable: false, tentative: false, deprecated: false, temporary: false }],
  ['eth0', '2001:db8::3', { unusable: false, tentative: false, deprecated: true, temporary: false }],
  // Another owner was found: never usable, and nothing to wait for.
  ['eth0', '2001:db8::4', { unusable: true, tentative: false, deprecated: false, temporary: false }],
  ['eth0', '2001:db8::5', { unusable: false, tentative: false, deprecated: false, temporary: false }],
  ['eth0', '2001:db8::6', { unusable: false, tentative: false, deprecated: false, temporary: true }],
  ['eth0', '10.0.0.1', { unusable: false, tentative: false, deprecated: false, temporary: false }],
])('RFC 4862 §5.4, §5.5.4, RFC 8981: the flags of %s %s', (name, address, flags) => {
  expect(addressFlags(TEXT)(name, address)).toEqual(flags);
});
