import { beforeAll, describe, expect, it } from 'vitest';
import { avahi, beside, refused, resolvectl, resolved, resolvedRefused, TextProcess } from '../world/foreign.js';
import { NetWorld, QR, type Sighting } from '../world/net-world.js';
import { linkLocalOf, namespacesRefused, runScript } from '../world/netns.js';
import { bundle } from '../world/project.js';

const without = refused('avahi-daemon', 'avahi-browse', 'avahi-publish', 'dbus-daemon', 'unshare', 'nsenter');

describe.skipIf(without !== undefined)(without === undefined ? 'Avahi on the same link' : `SKIPPED Avahi: ${without}`, () => {
  beforeAll(async () => {
    await bundle('mash-device');
    await bundle('mash-controller');
  });

  it('resolves every service of the device, hears its goodbyes, and is resolved by our browser', async () => {
    await NetWorld.run(3, async (world, [device, controller, foreign]) => {
      if (foreign === undefined) return expect.fail('three namespaces are due');
      await using daemon = await avahi(foreign);
      const types = ['_mash-comm._tcp', '_mashc._udp', '_mash._tcp'];
      const [window, older, operational] = types.map((type) => beside(daemon, 'avahi-browse', '-rpk', type));
      if (window === undefined || older === undefined || operational === undefined) return expect.fail('three are due');
      await using _window = window;
      await using _older = older;
      await using _operational = operational;

      const running = await world.device(device, 'device', ['--open-window']);
      const resolved = (await window.heard((line) => line.startsWith('=;mash0;IPv6;MASH-1234;'))).split(';');
      expect(resolved[6]).toMatch(/^mash-[0-9a-f]{8}\.local$/);
      expect(resolved[7]).toMatch(/^(fd77:1::1|2001:db8:77::1|fe80:.*)$/);
      expect([resolved[8], resolved[9]]).toEqual(['8444', expect.stringContaining('"D=1234"')]);
      await older.heard((line) => line.startsWith('=;mash0;IPv6;'));

      expect((await world.controller(controller, 'commission', QR)).code).toBe(0);
      const zone = (await operational.heard((line) => line.startsWith('=;mash0;IPv6;'))).split(';');
      expect([zone[3], zone[8]]).toEqual([expect.stringMatching(/^[0-9A-F]{16}-[0-9A-F]{16}$/), '8443']);
      // RFC 6762 §10.1: gone one second after the goodbye; their TTL of 75 minutes is far beyond what is waited for.
      await window.heard((line) => line.startsWith('-;mash0;IPv6;MASH-1234;'));
      await older.heard((line) => line.startsWith('-;mash0;IPv6;'));

      const watcher = await world.watcher(controller);
      await using _published = beside(daemon, 'avahi-publish', '-s', 'MASH-77', '_mash-comm._tcp', '8444', 'D=77', 'cat=3');
      const found = await watcher.heard<Sighting>((line) => line.event === 'added' && line.instance === 'MASH-77');
      // Avahi tells no link-local address where it has others.
      expect([found.port, found.addresses?.map(([text]) => text)]).toEqual([8444, [foreign.ula, foreign.global]]);

      const since = performance.now();
      const stopped = running.stop();
      await operational.heard((line) => line.startsWith('-;mash0;IPv6;'));
      gone('Avahi', since);
      await stopped;
    });
  });
});

/** A peer that keeps what said goodbye for its TTL, 75 minutes, has not heard it. RFC 6762 §10.1 keeps it for a second. */
const GONE_WITHIN = 60_000;

function gone(peer: string, since: number): void {
  const late = performance.now() - since;
  process.stdout.write(`${peer}: gone ${Math.round(late)} ms after it was withdrawn\n`);
  expect(late).toBeLessThan(GONE_WITHIN);
}

interface Up {
  readonly event: string;
  readonly type?: string;
  readonly name?: string;
  readonly port?: number;
  readonly addresses?: readonly string[];
  readonly txt?: Readonly<Record<string, string>>;
}

describe.skipIf(namespacesRefused !== undefined)(
  namespacesRefused === undefined ? 'bonjour-service' : `SKIPPED: ${namespacesRefused}`,
  () => {
    beforeAll(async () => {
      await bundle('mash-device');
      await bundle('mash-controller');
    });

    it('resolves every service with every address, hears the goodbyes, and is resolved by our browser', async () => {
      await NetWorld.run(3, async (world, [device, controller, foreign]) => {
        if (foreign === undefined) return expect.fail('three namespaces are due');
        const library = runScript(foreign, new URL('../node/fixtures/npm-browser.mjs', import.meta.url), foreign.interfaceName);
        await library.heard<Up>(({ event }) => event === 'started');
        const hears = (event: string, type: string) => library.heard<Up>((line) => line.event === event && line.type === type);
        const running = await world.device(device, 'device', ['--open-window']);
        const all = [device.ula, device.global, await linkLocalOf(device)].sort();
        const shown = async (type: string) => {
          const { name, port, addresses, txt } = await hears('up', type);
          return { name, port, addresses: [...(addresses ?? [])].sort(), txt };
        };
        const [window, older] = [await shown('_mash-comm._tcp'), await shown('_mashc._udp')];
        expect(window).toMatchObject({ name: 'MASH-1234', port: 8444, addresses: all, txt: { D: '1234' } });
        expect(older).toMatchObject({ port: 8444, addresses: all });
        expect((await world.controller(controller, 'commission', QR)).code).toBe(0);
        expect(await shown('_mash._tcp')).toMatchObject({
          name: expect.stringMatching(/^[0-9A-F]{16}-[0-9A-F]{16}$/),
          port: 8443,
          addresses: all,
        });
        await hears('down', '_mash-comm._tcp');
        await hears('down', '_mashc._udp');

        const watcher = await world.watcher(controller);
        library.tell(JSON.stringify({ name: 'MASH-55', type: 'mash-comm', protocol: 'tcp', port: 8444, txt: { D: '55', cat: '3' } }));
        const found = await watcher.heard<Sighting>((line) => line.event === 'added' && line.instance === 'MASH-55');
        expect([found.port, found.addresses?.map(([text]) => text)]).toEqual([
          8444,
          [foreign.ula, foreign.global, await linkLocalOf(foreign), foreign.ipv4],
        ]);
        library.tell('goodbye');
        await watcher.heard<Sighting>((line) => line.event === 'removed' && line.instance === 'MASH-55');

        const since = performance.now();
        const stopped = running.stop();
        await hears('down', '_mash._tcp');
        gone('bonjour-service', since);
        await stopped;
      });
    });
  },
);

const noResolved = resolvedRefused();
describe.skipIf(noResolved !== undefined)(noResolved === undefined ? 'systemd-resolved' : `SKIPPED systemd-resolved: ${noResolved}`, () => {
  beforeAll(async () => {
    await bundle('mash-device');
    await bundle('mash-controller');
  });

  it('resolves every service with every address, and forgets them with their goodbyes', async () => {
    await NetWorld.run(3, async (world, [device, controller, foreign]) => {
      if (foreign === undefined) return expect.fail('three namespaces are due');
      await using daemon = await resolved(foreign);
      const running = await world.device(device, 'device', ['--open-window']);
      const watcher = await world.watcher(controller);
      await watcher.heard<Sighting>((line) => line.event === 'added' && line.instance === 'MASH-1234');
      const all = [device.ula, device.global, await linkLocalOf(device)];
      /** The instances of a type, and the first of them with host, port, addresses and texts. */
      const resolves = async (type: string, port: number, ...texts: readonly string[]): Promise<string> => {
        const listed = await resolvectl(daemon, '--protocol=mdns', '--type=PTR', 'query', `${type}.local`);
        const instance = /IN PTR (\S+?)\._/.exec(listed ?? '')?.[1];
        const told = await resolvectl(daemon, '--protocol=mdns', 'service', instance ?? 'none', type, 'local');
        expect(told).toMatch(new RegExp(`mash-[0-9a-f]{8}\\.local:${port}`));
        for (const text of [...all, ...texts]) expect(told).toContain(text);
        return instance ?? '';
      };
      expect(await resolves('_mash-comm._tcp', 8444, 'D=1234')).toBe('MASH-1234');
      await resolves('_mashc._udp', 8444);
      expect((await world.controller(controller, 'commission', QR)).code).toBe(0);
      const instance = await resolves('_mash._tcp', 8443);
      expect(instance).toMatch(/^[0-9A-F]{16}-[0-9A-F]{16}$/);

      const cached = (name: string, type: string) =>
        resolvectl(daemon, '--protocol=mdns', '--network=no', `--type=${type}`, 'query', `${name}.local`);
      expect(await cached(`${instance}._mash._tcp`, 'SRV')).toContain('8443');
      const forgets = async (name: string, type: string, since: number): Promise<void> => {
        while ((await cached(name, type)) !== undefined && performance.now() - since < GONE_WITHIN);
        gone(`systemd-resolved, ${type}`, since);
      };
      // Closed by the commissioning.
      await forgets('_mash-comm._tcp', 'PTR', performance.now());
      const since = performance.now();
      const stopped = running.stop();
      await forgets(`${instance}._mash._tcp`, 'SRV', since);
      await forgets('_mash._tcp', 'PTR', since);
      await stopped;
    });
  });
});

const noCapture = refused('tshark');
describe.skipIf(noCapture !== undefined)(noCapture === undefined ? 'on the wire' : `SKIPPED capture: ${noCapture}`, () => {
  it('RFC 6762 §10.2, §18.4, protocol.md row `records`: TTLs, cache-flush bits, AA and hop limit of an announcement and of its goodbye', async () => {
    await NetWorld.run(2, async (world, [device, controller]) => {
      const fields = ['ipv6.hlim', 'udp.srcport', 'dns.flags.authoritative', 'dns.resp.type', 'dns.resp.ttl', 'dns.resp.cache_flush'];
      const options = ['-l', '-i', 'mash0', '-f', 'udp port 5353', '-Y', 'dns.flags.response == 1 && dns.resp.name contains "_mash-comm"'];
      await using capture = new TextProcess([
        ...['ip', 'netns', 'exec', controller.name, 'sh', '-c', 'exec "$@" 2>&1', 'sh', 'tshark', ...options],
        ...['-T', 'fields', ...fields.flatMap((field) => ['-e', field])],
      ]);
      await capture.heard((line) => line.startsWith('Capturing on'));
      const running = await world.device(device, 'device', ['--open-window']);
      // Each record as type, TTL, cache-flush bit: SRV, TXT, PTR, AAAA.
      const records = (line: string): readonly string[] => {
        const [hops, port, authoritative, types = '', ttls = '', flush = ''] = line.split('\t');
        const [a, b, c] = [types, ttls, flush].map((list) => list.split(','));
        // The types in the bitmap of the NSEC record, the last one, have no TTL.
        const rows = (b ?? []).map((ttl, i) => `${a?.[i]} ${ttl} ${c?.[i]}`);
        return [`${hops} ${port} ${authoritative}`, ...new Set(rows)];
      };
      const announced = records(await capture.heard((line) => line.startsWith('255\t5353\t') && line.includes('4500')));
      expect(announced).toEqual(['255 5353 1', '33 4500 1', '16 4500 1', '12 4500 0', '28 120 1', '47 120 1']);
      await running.stop();
      const goodbye = records(await capture.heard((line) => line.startsWith('255\t5353\t') && /\t0(,0)+\t/.test(line)));
      expect(goodbye).toEqual(expect.arrayContaining(['255 5353 1', '33 0 1', '16 0 1', '12 0 0', '28 0 1']));
    });
  });
});
