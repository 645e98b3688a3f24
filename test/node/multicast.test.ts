import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.js';
import { nodeMulticast } from '../../src/node/multicast.js';
import {
  ip,
  linkLocalOf,
  type Namespace,
  type NamespaceProcess,
  namespacesRefused,
  replug,
  runInNamespace,
  withNamespaces,
} from '../world/netns.js';

interface Line {
  readonly event?: string;
  readonly at: number;
  readonly type?: string;
  readonly instance?: string;
  readonly host?: string;
  readonly port?: number;
  readonly addresses?: readonly (readonly [string, string, string])[];
  readonly level?: string;
  readonly reason?: string;
}

const DEVICE = new URL('./fixtures/mdns-device.ts', import.meta.url);
const ARRIVALS = new URL('./fixtures/mdns-arrivals.ts', import.meta.url);
const STRANGER = new URL('./fixtures/mdns-stranger.ts', import.meta.url);
const CONTROLLER = new URL('./fixtures/mdns-controller.ts', import.meta.url);

async function start(namespace: Namespace, entry: URL, ...args: string[]): Promise<NamespaceProcess> {
  const child = await runInNamespace(namespace, entry, ...args);
  await child.heard<Line>((line) => line.event === 'started');
  return child;
}

function event(what: string, type: string): (line: Line) => boolean {
  return (line) => line.event === what && line.type === type;
}

describe('nodeMulticast', () => {
  it('refuses a configuration that names no interface', async () => {
    const handlers = { onPacket: () => undefined, onInterfaces: () => undefined, onError: () => undefined };
    for (const interfaces of [[], [''], ['eth0%1']]) {
      await expect(nodeMulticast({ interfaces }).start(handlers)).rejects.toThrow(ConfigError);
    }
  });

  it('runs without a usable interface, and says so once', async () => {
    const errors: [string | undefined, string][] = [];
    const multicast = nodeMulticast({ interfaces: ['none0'], pollInterval: 5, monitor: [] });
    await multicast.start({
      onPacket: () => undefined,
      onInterfaces: () => undefined,
      onError: (name, reason) => errors.push([name, reason]),
    });
    expect(multicast.interfaces()).toEqual([]);
    multicast.send('none0', new Uint8Array(12));
    multicast.send('none0', new Uint8Array(12));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(errors).toEqual([
      [undefined, 'no usable interface: none of none0 is up with an address'],
      ['none0', 'not in use'],
    ]);
    await multicast.close();
    await multicast.close();
  });
});

const title = namespacesRefused === undefined ? 'on real sockets' : `on real sockets (skipped: ${namespacesRefused})`;
describe.runIf(namespacesRefused === undefined)(title, () => {
  it('TC-MDNS-REC-1…3, TC-TRANS-2: a controller finds a device on another machine, follows its switch and hears its goodbye', async () => {
    await withNamespaces(2, async ([one, two]) => {
      const controller = await start(two as Namespace, CONTROLLER);
      const device = await start(one as Namespace, DEVICE);
      const found = await controller.heard<Line>(event('added', '_mash-comm._tcp'));
      expect([found.instance, found.port]).toEqual(['MASH-7', 8444]);
      const addresses = found.addresses ?? [];
      expect(addresses.slice(0, 2)).toEqual([
        [one?.ula, 'ula', 'mash0'],
        [one?.global, 'global', 'mash0'],
      ]);
      expect(addresses[2]?.[0]).toMatch(/^fe80::/);
      expect(addresses.slice(2)).toEqual([[addresses[2]?.[0], 'link-local', 'mash0']]);
      device.tell('switch');
      const switched = await device.heard<Line>((line) => line.event === 'switched');
      const zone = await controller.heard<Line>(event('added', '_mash._tcp'));
      expect([zone.instance, zone.port]).toEqual(['A1B2C3D4E5F6A7B8-F9E8D7C6B5A49382', 8443]);
      expect(zone.at - switched.at).toBeLessThan(1000);
      // RFC 6762 §10.1: what says goodbye is kept for one second more.
      const closed = await controller.heard<Line>(event('removed', '_mash-comm._tcp'));
      expect(closed.at - switched.at).toBeLessThan(2000);
      device.tell('close');
      expect(await device.exited()).toBe(0);
      await controller.heard<Line>(event('removed', '_mash._tcp'));
    });
  });

  it('a late controller on the same machine finds the device too; over IPv4 with A records', async () => {
    await withNamespaces(1, async ([one]) => {
      await start(one as Namespace, DEVICE, 'ipv4');
      const controller = await start(one as Namespace, CONTROLLER, 'ipv4');
      const found = await controller.heard<Line>(event('added', '_mash-comm._tcp'));
      expect(found.addresses?.map(([, scope]) => scope)).toEqual(['ula', 'global', 'link-local', 'ipv4']);
      expect(found.addresses?.at(-1)?.[0]).toBe(one?.ipv4);
    });
  });

  it.each(['none', 'early', 'late'])(
    'RFC 6762 §5.5, §6: tells what came to the group from what came to us; another responder: %s',
    async (shared) => {
      await withNamespaces(2, async ([one, two]) => {
        const [ours, theirs] = [one as Namespace, two as Namespace];
        const arrivals = await runInNamespace(ours, ARRIVALS, shared);
        const { alone } = await arrivals.heard<Line & { alone: boolean }>((line) => line.event === 'started');
        // Who has the port at every address gets nothing of ours; who has it at ours does.
        expect(alone).toBe(true);
        const second = await runInNamespace(ours, ARRIVALS);
        expect(await second.heard<Line & { alone: boolean }>((line) => line.event === 'started')).toMatchObject({ alone: false });
        await second.stop();
        const own = await linkLocalOf(ours);
        for (const [from, targets] of [
          [`${await linkLocalOf(theirs)}%mash0`, [undefined, `${own}%mash0`]],
          [theirs.ipv4, ['224.0.0.251', ours.ipv4]],
        ] as const) {
          const peer = await start(theirs, STRANGER, from);
          for (const to of targets) {
            peer.tell(to === undefined ? 'ask MASH-7' : `ask MASH-7 ${to}`);
            const heard = await arrivals.heard<Line & { from: string; unicast: boolean }>((line) => line.event === 'packet');
            expect([heard.from.split('%')[0], heard.unicast]).toEqual([from.split('%')[0], to === targets[1]]);
          }
        }
      });
    },
  );

  it('sockets follow the interface when it goes and comes back', async () => {
    await withNamespaces(2, async ([one, two]) => {
      const device = await start(one as Namespace, DEVICE);
      const name = (one as Namespace).name;
      await ip('-n', name, 'link', 'set', 'mash0', 'down');
      // What was just being sent may fail first.
      await device.heard<Line>((line) => line.reason === 'no usable interface: none is up with a link-local IPv6 address');
      await ip('-n', name, 'link', 'set', 'mash0', 'up');
      const controller = await start(two as Namespace, CONTROLLER);
      const found = await controller.heard<Line>((line) => line.event === 'added' || line.event === 'updated');
      expect(found.addresses?.map(([, scope]) => scope)).toContain('link-local');
    });
  });

  it.each([
    ['an interface made anew within the debounce', replug],
    ['every one after a sleep', (_: Namespace, device: NamespaceProcess) => device.tell('sleep')],
  ] as const)('RFC 6762 §8: %s is probed on and announced on again', async (_, happens) => {
    await withNamespaces(2, async ([one, two]) => {
      const [ours, theirs] = [one as Namespace, two as Namespace];
      const arrivals = await start(theirs, ARRIVALS);
      const device = await start(ours, DEVICE, 'polling');
      const from = await linkLocalOf(ours);
      const heard = (response: boolean) =>
        arrivals.heard<Line & { from: string; response: boolean }>((line) => line.from?.startsWith(from) && line.response === response);
      // Three probes and three announcements, then nothing more.
      for (const response of [false, false, false, true, true, true]) await heard(response);
      await happens(ours, device);
      expect(await linkLocalOf(ours)).toBe(from);
      for (const response of [false, false, false, true, true]) await heard(response);
    });
  });

  it('an interface that is renamed is followed', async () => {
    await withNamespaces(2, async ([one, two]) => {
      const [ours, theirs] = [one as Namespace, two as Namespace];
      const controller = await start(theirs, CONTROLLER);
      const device = await start(ours, DEVICE);
      await controller.heard<Line>(event('added', '_mash-comm._tcp'));
      for (const step of [['down'], ['name', 'lan0'], ['up']])
        await ip('-n', ours.name, 'link', 'set', step[0] === 'up' ? 'lan0' : 'mash0', ...step);
      await device.heard<Line & { interface?: string }>((line) => line.interface === 'lan0');
      device.tell('switch');
      await controller.heard<Line>(event('added', '_mash._tcp'));
    });
  });

  it('a bridge is used in place of its members, and a temporary address is not published', async () => {
    await withNamespaces(2, async ([one, two]) => {
      const [ours, theirs] = [one as Namespace, two as Namespace];
      const { name } = ours;
      await ip('-n', name, 'link', 'add', 'lan', 'type', 'bridge', 'mcast_snooping', '0');
      await ip('-n', name, 'link', 'set', 'mash0', 'master', 'lan');
      await ip('netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.lan.use_tempaddr=2', 'net.ipv6.conf.lan.accept_dad=0');
      await ip('-n', name, 'link', 'set', 'lan', 'up');
      await ip('-n', name, 'addr', 'add', 'fd77:1::b/64', 'dev', 'lan', 'mngtmpaddr');
      const temporary = () => ip('-n', name, 'addr', 'show', 'dev', 'lan', 'temporary');
      await expect.poll(temporary, { timeout: 60_000 }).toContain('fd77:1:');
      const controller = await start(theirs, CONTROLLER);
      await start(ours, DEVICE);
      const found = await controller.heard<Line>(event('added', '_mash-comm._tcp'));
      const texts = found.addresses?.map(([text]) => text) ?? [];
      const [, own] = /inet6 (fe80:\S+)\/64/.exec(await ip('-n', name, 'addr', 'show', 'dev', 'lan', 'scope', 'link')) ?? [];
      expect(texts).toEqual(['fd77:1::b', own]);
    });
  });

  it('an interface of a container is left out unless it is named', async () => {
    await withNamespaces(1, async ([one]) => {
      const name = (one as Namespace).name;
      for (const step of [['down'], ['name', 'veth0'], ['up']])
        await ip('-n', name, 'link', 'set', step[0] === 'up' ? 'veth0' : 'mash0', ...step);
      const device = await start(one as Namespace, DEVICE);
      const trouble = await device.heard<Line>((line) => line.level === 'warn');
      expect(trouble.reason).toBe('no usable interface: veth0 skipped by default, name them to use them');
    });
  });

  it('RFC 6762 §9: two devices with one host name: the second takes another, both are found at their own addresses', async () => {
    await withNamespaces(3, async ([one, two, three]) => {
      const controller = await start(three as Namespace, CONTROLLER);
      await start(one as Namespace, DEVICE, '7');
      const first = await controller.heard<Line>((line) => line.event === 'added' && line.instance === 'MASH-7');
      await start(two as Namespace, DEVICE, '9');
      const second = await controller.heard<Line>((line) => line.event === 'added' && line.instance === 'MASH-9');
      expect([first.host, second.host]).toEqual(['mash-1a2b3c4d.local', 'mash-1a2b3c4d-2.local']);
      expect([first.addresses?.[0]?.[0], second.addresses?.[0]?.[0]]).toEqual([one?.ula, two?.ula]);
    });
  });
});
