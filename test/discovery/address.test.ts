import { isIPv4, isIPv6 } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addressScope, compareAddresses, formatAddress, parseAddress, samePrefix } from '../../src/discovery/address.js';
import { SeededEntropy } from '../world/entropy.js';

function parsed(text: string): Uint8Array {
  const bytes = parseAddress(text);
  if (bytes === undefined) throw new Error(text);
  return bytes;
}

describe('addresses', () => {
  it('are read and written in the canonical form of RFC 5952', () => {
    const random = new SeededEntropy(1);
    for (let i = 0; i < 2000; i++) {
      const bytes = random.bytes(16);
      for (let group = 0; group < 8; group++) if (random.below(2) === 0) bytes.fill(0, 2 * group, 2 * group + 2);
      const text = formatAddress(bytes);
      expect(text).toBe(new URL(`http://[${text}]/`).hostname.slice(1, -1));
      expect(parsed(text)).toEqual(bytes);
    }
    expect(formatAddress(parsed('FE80::0001%eth0'))).toBe('fe80::1');
    expect(formatAddress(parsed('::ffff:10.0.0.1'))).toBe('::ffff:a00:1');
    expect(formatAddress(parsed('10.77.0.255'))).toBe('10.77.0.255');
  });

  it('are refused where node:net refuses them', () => {
    const texts = [
      '',
      ':',
      ':::',
      '::1::',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1::2:3:4:5:6:7:8',
      '12345::',
      'g::',
      '1.2.3',
      '1.2.3.256',
      'host',
    ];
    for (const text of texts) expect([text, parseAddress(text), isIPv6(text) || isIPv4(text)]).toEqual([text, undefined, false]);
  });

  it('are tried ULA first, then global, link-local and IPv4 (connection-establishment §6.5.4)', () => {
    const texts = ['10.0.0.1', 'fe80::2', 'febf::1', '2001:db8::1', 'fd00::2', 'fc00::9', 'fe80::1'];
    const sorted = texts.map(parsed).sort(compareAddresses);
    expect(sorted.map(formatAddress)).toEqual(['fc00::9', 'fd00::2', '2001:db8::1', 'fe80::1', 'fe80::2', 'febf::1', '10.0.0.1']);
    expect(sorted.map(addressScope)).toEqual(['ula', 'ula', 'global', 'link-local', 'link-local', 'link-local', 'ipv4']);
  });

  it('share a prefix or do not', () => {
    expect(samePrefix(parsed('fd00::1'), parsed('fd00::ffff'), 64)).toBe(true);
    expect(samePrefix(parsed('fd00::1'), parsed('fd00:0:0:1::1'), 64)).toBe(false);
    expect(samePrefix(parsed('10.0.0.1'), parsed('10.0.3.1'), 22)).toBe(true);
    expect(samePrefix(parsed('10.0.0.1'), parsed('10.0.4.1'), 22)).toBe(false);
    expect(samePrefix(parsed('10.0.0.1'), parsed('fd00::1'), 0)).toBe(false);
  });
});
