import { describe, expect, it } from 'vitest';
import { mdnsPortIsFree } from '../../src/node/mdns-port.js';

const HEAD = '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';
const socket = (local: string): string =>
  `  370: ${local} 00000000:0000 07 00000000:00000000 00:00000000 00000000   107        0 14872 2 0 0\n`;
const free = HEAD + socket('00000000:0044');

describe('mdnsPortIsFree', () => {
  it.each<[string, string, string, boolean]>([
    ['nobody', free, free, true],
    ['another responder at every address of IPv4', free + socket('00000000:14E9'), free, true],
    ['another responder at every address of IPv6', free, free + socket('00000000000000000000000000000000:14E9'), true],
    ['another responder at 224.0.0.251', free + socket('FB0000E0:14E9'), free, true],
    ['another responder at ff02::fb', free, free + socket('000002FF0000000000000000FB000000:14E9'), true],
    ['another responder at 10.0.0.1', free + socket('0100000A:14E9'), free, false],
    ['another responder at fe80::1', free, free + socket('000080FE000000000000000001000000:14E9'), false],
    [
      'another one at fe80::1 beside one at every address',
      free,
      free + socket(`${'0'.repeat(32)}:14E9`) + socket('000080FE000000000000000001000000:14E9'),
      false,
    ],
    ['a peer at 5353 is none of ours', `${free}  1: 00000000:0044 00000000:14E9 07\n`, free, true],
  ])('%s', (_name, udp, udp6, expected) => {
    expect(mdnsPortIsFree((path) => (path.endsWith('6') ? udp6 : udp))).toBe(expected);
  });

  it('where the tables cannot be read nobody can tell', () => {
    const refuse = (): string => {
      throw new Error('ENOENT');
    };
    expect(mdnsPortIsFree(refuse)).toBe(false);
  });
});
