import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.js';
import {
  checkChoice,
  type InterfaceChoice,
  type InterfaceKind,
  interfaceKind,
  judge,
  type Verdict,
} from '../../src/node/interface-choice.js';

it.each<[InterfaceChoice, string, InterfaceKind | undefined, Verdict]>([
  [{}, 'eth0', 'ethernet', 'used'],
  [{}, 'wlan0', 'wireless', 'used'],
  [{}, 'br0', 'bridge', 'used'],
  [{}, 'mesh7', undefined, 'used'],
  ...['docker0', 'br-5f1', 'veth12', 'virbr0', 'tun0', 'tap3', 'wg0', 'ppp0', 'tailscale0'].map(
    (name): [InterfaceChoice, string, undefined, Verdict] => [{}, name, undefined, 'denied by default'],
  ),
  [{}, 'company', 'tunnel', 'denied by default'],
  [{}, 'eth0', 'port', 'denied by default'],
  [{ allow: ['eth0'] }, 'eth0', 'port', 'used'],
  [{ allow: ['tun0'] }, 'tun0', 'tunnel', 'used'],
  [{ allow: ['tun0'] }, 'eth0', 'ethernet', 'not allowed'],
  [{ allow: ['eth*'] }, 'eth7', 'ethernet', 'used'],
  [{ allow: ['kind:wireless'] }, 'wlp3s0', 'wireless', 'used'],
  [{ allow: ['kind:wireless'] }, 'eth0', 'ethernet', 'not allowed'],
  [{ deny: ['eth1'] }, 'eth1', 'ethernet', 'denied'],
  [{ deny: ['eth1'] }, 'eth10', 'ethernet', 'used'],
  [{ deny: ['kind:wireless'] }, 'wlan0', 'wireless', 'denied'],
  [{ deny: ['eth1'] }, 'docker0', 'ethernet', 'denied by default'],
  [{ allow: ['eth*'], deny: ['eth1'] }, 'eth1', 'ethernet', 'denied'],
])('%j: %s of kind %s is %s', (choice, name, kind, verdict) => {
  expect(judge(choice, name, kind)).toBe(verdict);
});

it.each<InterfaceChoice>([
  { allow: [] },
  { allow: [''] },
  { deny: [''] },
  { allow: ['eth0%1'] },
  { allow: ['a/b'] },
  { deny: ['e*0'] },
  { deny: ['kind:radio'] },
])('%j is refused', (choice) => {
  expect(() => checkChoice(choice)).toThrow(ConfigError);
});

it('the kind is what the system says of it', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mash-kinds-'));
  const make = (name: string, type: string, entry?: string): void => {
    mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, name, 'type'), `${type}\n`);
    if (entry !== undefined) mkdirSync(path.join(folder, name, entry));
  };
  make('a', '1');
  make('b', '1', 'phy80211');
  make('c', '1', 'bridge');
  make('d', '1', 'tun_flags');
  make('e', '65534');
  make('f', '280');
  make('g', '1', 'brport');
  try {
    expect(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'none'].map((name) => interfaceKind(name, folder))).toEqual([
      'ethernet',
      'wireless',
      'bridge',
      'tunnel',
      'tunnel',
      undefined,
      'port',
      undefined,
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
