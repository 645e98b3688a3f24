import { beforeAll, describe, expect, it } from 'vitest';
import { addressesThat, type Finished, NetWorld, QR, type Sighting } from '../world/net-world.js';
import { ip, linkLocalOf, namespacesRefused, runInNamespace, setCarrier, up } from '../world/netns.js';
import { bundle } from '../world/project.js';

const title = namespacesRefused === undefined ? 'several interfaces, and interfaces that change' : `SKIPPED: ${namespacesRefused}`;
const READ = ['--verbose', 'read', '0/DeviceInfo/serialNumber'];

/** The addresses in the order in which a command first tried them, by its log. */
function tried({ progress }: Finished): readonly string[] {
  return [...new Set([...progress.matchAll(/ trying address=\[([^\]]+)\]/g)].map(([, address = '']) => address))];
}

interface Discovered {
  readonly commissionable: readonly { readonly addresses: readonly string[] }[];
}

// Each world is apart from the others, and most of each is waiting: for debouncing, probing, announcing.
describe.skipIf(namespacesRefused !== undefined).concurrent(title, () => {
  beforeAll(async () => {
    await bundle('mash-device');
    await bundle('mash-controller');
  });

  it('TC-MULTIIF-1, TC-MULTIIF-7, TC-IPV6-2, TC-IPV6-4: every interface is told, ULA first, link-local ones with the interface that heard them', async () => {
    await NetWorld.run(
      2,
      async (world, [device, controller]) => {
        await world.device(device, 'device', ['--open-window']);
        const { code, json } = await world.controller(controller, 'discover');
        expect(code).toBe(0);
        const shown = (json as unknown as Discovered).commissionable[0]?.addresses ?? [];
        const hosts = shown.map((address) => address.slice(1, address.lastIndexOf(']')));
        expect(hosts.slice(0, 4)).toEqual([device.ula, device.second.ula, device.global, device.second.global]);
        expect(
          hosts
            .slice(4)
            .map((host) => host.replace(/^fe80:[^%]*/, 'fe80'))
            .sort(),
        ).toEqual(['fe80%mash0', 'fe80%mash1']);
        expect(hosts[4]?.split('%')[0]).not.toBe(hosts[5]?.split('%')[0]);
        const commissioned = await world.controller(controller, 'commission', QR);
        expect(commissioned.code).toBe(0);
        expect(commissioned.progress).toContain(device.ula);
      },
      { links: 2 },
    );
  });

  it('TC-MULTIIF-2, TC-MULTIIF-6: a lost carrier takes its addresses away, its return brings them back, a flap says nothing', async () => {
    await NetWorld.run(
      2,
      async (world, [device, controller]) => {
        await world.device(device, 'device', ['--open-window']);
        // Where the cable is out nothing can be said: what was told there ends by its TTL. The other link hears of it.
        const watcher = await world.watcher(controller, 'mash1');
        await watcher.heard<Sighting>(addressesThat((texts) => texts.includes(device.ula) && texts.includes(device.second.ula)));
        expect((await world.controller(controller, 'commission', QR)).code).toBe(0);

        await setCarrier(device, 0, 'down');
        await watcher.heard<Sighting>(addressesThat((texts) => !texts.includes(device.ula) && texts.includes(device.second.ula)));
        const read = await world.controller(controller, ...READ);
        expect(read.code).toBe(0);

        await setCarrier(device, 0, 'up');
        await watcher.heard<Sighting>(addressesThat((texts) => texts.includes(device.ula)));

        // The flap alone would be silence, which nobody can wait for: what comes after it must be the first that is heard.
        await setCarrier(device, 0, 'down');
        await setCarrier(device, 0, 'up');
        await ip('-n', device.name, 'addr', 'add', 'fd77:2::99/64', 'dev', 'mash1', 'nodad');
        const last = await watcher.heard<Sighting>(addressesThat((texts) => texts.includes('fd77:2::99')));
        expect(last.addresses?.map(([text]) => text)).toContain(device.ula);
        const without = addressesThat((texts) => !texts.includes(device.ula));
        expect(watcher.unheard.filter((line) => without(line as Sighting))).toEqual([]);
      },
      { links: 2 },
    );
  });

  it('TC-MULTIIF-3: starts with no interface at all; each that comes is joined and told', async () => {
    await NetWorld.run(
      2,
      async (world, [device, controller]) => {
        const started = await world.device(device, 'device', ['--open-window']);
        const watcher = await world.watcher(controller);
        await started.heard<{ reason?: string }>((line) => line.reason?.startsWith('no usable interface') === true);
        await up(device, 0);
        await watcher.heard<Sighting>(addressesThat((texts) => texts.includes(device.ula) && !texts.includes(device.second.ula)));
        await up(device, 1);
        await watcher.heard<Sighting>(addressesThat((texts) => texts.includes(device.ula) && texts.includes(device.second.ula)));
        expect((await world.controller(controller, 'commission', QR)).code).toBe(0);
      },
      { links: 2, down: [1] },
    );
  });

  it('TC-MDNS-REC-1…4, TC-IPV6-3: renumbered and with a new prefix, found again at the new address; duplicate detection on', async () => {
    await NetWorld.run(
      2,
      async (world, [device, controller]) => {
        await world.device(device, 'device', ['--open-window']);
        expect((await world.controller(controller, 'commission', QR)).code).toBe(0);
        const watcher = await world.watcher(controller);
        const first = await watcher.heard<Sighting>(addressesThat((texts) => texts.includes(device.ula)));
        expect([first.type, first.port]).toEqual(['_mash._tcp', 8443]);
        expect(first.host).toMatch(/^mash-[0-9a-f]{8}\.local$/);
        expect(first.addresses?.map(([, scope]) => scope)).toEqual(['ula', 'global', 'link-local']);

        const address = (...args: string[]) => ip('-n', device.name, 'addr', ...args, 'dev', 'mash0');
        await address('add', 'fd77:1::51/64');
        await address('del', `${device.ula}/64`);
        await watcher.heard<Sighting>(addressesThat((texts) => texts.includes('fd77:1::51') && !texts.includes(device.ula)));
        const renumbered = await world.controller(controller, ...READ);
        expect([renumbered.code, JSON.stringify(renumbered.json)]).toEqual([0, expect.stringContaining('SIM-EVSE-')]);
        expect(tried(renumbered)[0]).toBe('fd77:1::51');

        // The router gave another prefix: the former one is deprecated, RFC 4862 §5.5.4.
        await ip('-n', controller.name, 'addr', 'add', 'fd99:1::2/64', 'dev', 'mash0', 'nodad');
        await address('add', 'fd99:1::51/64');
        await address('change', 'fd77:1::51/64', 'preferred_lft', '0');
        await watcher.heard<Sighting>(addressesThat((texts) => texts.includes('fd99:1::51') && !texts.includes('fd77:1::51')));
        const moved = await world.controller(controller, ...READ);
        expect([moved.code, tried(moved)[0]]).toEqual([0, 'fd99:1::51']);
      },
      { detection: true },
    );
  });

  it('TC-IPV6-1: link-local addresses are enough to be found, commissioned and read', async () => {
    await NetWorld.run(2, async (world, [device, controller]) => {
      for (const { name } of [device, controller]) await ip('-n', name, '-6', 'addr', 'flush', 'dev', 'mash0', 'scope', 'global');
      await world.device(device, 'device', ['--open-window']);
      const commissioned = await world.controller(controller, 'commission', QR);
      expect([commissioned.code, commissioned.progress]).toEqual([0, expect.stringMatching(/fe80:[^ ]*%mash0/)]);
      expect((await world.controller(controller, ...READ)).code).toBe(0);
    });
  });

  it('TC-MULTIIF-4, TC-MULTIIF-10, TC-MULTIIF-5: an address that is dead or another device is passed over; none left is "Device unreachable"', async () => {
    await NetWorld.run(3, async (world, [device, controller, stranger]) => {
      await world.device(device, 'device', ['--open-window']);
      expect((await world.controller(controller, 'commission', QR)).code).toBe(0);
      // Nobody answers for the best address; the device tells it still.
      await ip('-n', controller.name, 'neigh', 'replace', device.ula as string, 'lladdr', '02:00:00:00:00:01', 'dev', 'mash0');
      const dead = await world.controller(controller, ...READ);
      expect([dead.code, tried(dead).slice(0, 2)]).toEqual([0, [device.ula, device.global]]);

      await ip('-n', controller.name, 'neigh', 'del', device.ula, 'dev', 'mash0');
      await ip('-n', stranger?.name as string, 'addr', 'add', `${device.ula}/64`, 'dev', 'mash0', 'nodad');
      const lladdr = /link\/ether (\S+)/.exec(await ip('-n', stranger?.name as string, 'link', 'show', 'mash0'))?.[1] as string;
      await ip('-n', controller.name, 'neigh', 'replace', device.ula, 'lladdr', lladdr, 'dev', 'mash0');
      if (stranger === undefined) return expect.fail('three namespaces are due');
      await world.device(stranger, 'stranger', ['--discriminator', '77']);
      const wrong = await world.controller(controller, ...READ);
      expect([wrong.code, tried(wrong).slice(0, 2)]).toEqual([0, [device.ula, device.global]]);
      expect(wrong.progress).toContain(`not there address=[${device.ula}]:8443`);

      for (const [at, address] of [device.ula, device.global].entries())
        await ip('-n', controller.name, 'neigh', 'replace', address, 'lladdr', `02:00:00:00:00:0${at + 1}`, 'dev', 'mash0');
      await ip(
        'netns',
        'exec',
        controller.name,
        'nft',
        'add table inet t; add chain inet t o { type filter hook output priority 0; }; add rule inet t o tcp dport 8443 reject',
      );
      const none = await world.controller(controller, ...READ);
      expect([none.code, JSON.stringify(none.json) + none.progress]).toEqual([3, expect.stringContaining('Device unreachable')]);
      const all = [device.ula, device.global, `${await linkLocalOf(device)}%mash0`];
      expect(tried(none)).toEqual(expect.arrayContaining(all));
    });
  });

  it('RFC 6762 §14: cable and radio on one link: the device does not take itself for another', async () => {
    await NetWorld.run(
      2,
      async (world, [device, controller]) => {
        await ip('-n', device.hub, 'link', 'set', 'port1b', 'master', 'hub0');
        const running = await world.device(device, 'device', ['--open-window']);
        const watcher = await world.watcher(controller, 'mash0');
        const found = await watcher.heard<Sighting>((line) => line.event === 'added' && line.type === '_mash-comm._tcp');
        expect(found.host).toMatch(/^mash-[0-9a-f]{8}\.local$/);
        expect(found.addresses?.map(([text]) => text)).toEqual(expect.arrayContaining([device.ula, device.second.ula]));
        expect((await world.controller(controller, 'commission', QR)).code).toBe(0);
        expect(running.unheard.filter((line) => JSON.stringify(line).includes('conflict'))).toEqual([]);
      },
      { links: 2 },
    );
  });

  it('TC-MULTIIF-8, TC-MULTIIF-9: back within 30 s it is tried where it was, first; where that is no longer it, it is searched and found', async () => {
    await NetWorld.run(2, async (world, [device, controller]) => {
      const first = await world.device(device, 'device', ['--open-window']);
      expect((await world.controller(controller, 'commission', QR)).code).toBe(0);
      await using following = world.following(controller, '--verbose', 'subscribe', '0/DeviceInfo/softwareVersion', '--follow');
      const tries = async () => (await following.heard((line) => line.includes(' trying address='))).split(' trying ')[1];
      const last = `address=[${device.ula}]:8443`;
      expect(await tries()).toBe(last);
      await following.heard((line) => line.includes('softwareVersion'));
      following.forget();
      process.kill(first.pid, 'SIGKILL');
      await first.exited();
      const second = await world.device(device);
      expect(await tries()).toBe(last);
      await following.heard((line) => line.includes('softwareVersion'));

      following.forget();
      process.kill(second.pid, 'SIGKILL');
      await second.exited();
      await ip('-n', device.name, 'addr', 'del', `${device.ula}/64`, 'dev', 'mash0');
      await ip('-n', device.name, 'addr', 'add', 'fd77:1::61/64', 'dev', 'mash0', 'nodad');
      await world.device(device);
      expect(await tries()).toBe(last);
      await following.heard((line) => line.includes('not at its last address'));
      await following.heard((line) => line.includes(' trying address=[fd77:1::61]:8443'));
      await following.heard((line) => line.includes('softwareVersion'));
    });
  });

  it('issue 5: a sender outside of the prefixes of the link is not heard, neither by the device nor by the browser', async () => {
    await NetWorld.run(3, async (world, [device, controller, stranger]) => {
      if (stranger === undefined) return expect.fail('three namespaces are due');
      await ip('-n', stranger.name, 'addr', 'add', '2001:db8:dead::9/128', 'dev', 'mash0', 'nodad');
      // An answer would find its way.
      for (const { name } of [device, controller]) await ip('-n', name, 'route', 'add', '2001:db8:dead::/64', 'dev', 'mash0');
      const entry = new URL('../node/fixtures/mdns-stranger.ts', import.meta.url);
      const [off, on] = await Promise.all(['2001:db8:dead::9', stranger.global].map((address) => runInNamespace(stranger, entry, address)));
      if (off === undefined || on === undefined) return expect.fail('two are due');
      const sends = async (from: typeof off, line: string) => {
        from.tell(line);
        await from.heard<{ event: string; line?: string }>((heard) => heard.event === 'sent' && heard.line === line);
      };
      for (const each of [off, on]) await each.heard<{ event: string }>(({ event }) => event === 'started');
      await world.device(device, 'device', ['--open-window']);
      const watcher = await world.watcher(controller);
      await watcher.heard<Sighting>((line) => line.event === 'added' && line.instance === 'MASH-1234');

      // In order: what comes later shows that what came before was dropped.
      await sends(off, 'announce MASH-66');
      await sends(on, 'announce MASH-67');
      await watcher.heard<Sighting>((line) => line.event === 'added' && line.instance === 'MASH-67');
      expect(JSON.stringify(watcher.unheard)).not.toContain('MASH-66');
      await sends(off, 'ask MASH-1234');
      await sends(on, 'ask MASH-1234');
      await on.heard<{ event: string }>(({ event }) => event === 'answer');
      expect(JSON.stringify(off.unheard)).not.toContain('answer');
    });
  });

  it('two controllers find, commission and read one device', async () => {
    await NetWorld.run(3, async (world, [device, one, two]) => {
      if (two === undefined) return expect.fail('three namespaces are due');
      const running = await world.device(device, 'device', ['--open-window', '--set', 'commissioning.coolDown=0']);
      expect((await world.controllerOf('one', one, 'commission', QR)).code).toBe(0);
      expect((await world.controllerOf('two', two, '--zone-type', 'grid', 'discover')).code).toBe(3);
      // The simulated button.
      process.kill(running.pid, 'SIGUSR1');
      expect((await world.controllerOf('two', two, '--zone-type', 'grid', 'commission', QR)).code).toBe(0);
      const both = await Promise.all([world.controllerOf('one', one, ...READ), world.controllerOf('two', two, ...READ)]);
      for (const { code, json } of both) expect([code, JSON.stringify(json)]).toEqual([0, expect.stringContaining('SIM-EVSE-')]);
    });
  });
});
