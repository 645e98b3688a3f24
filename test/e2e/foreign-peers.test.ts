import { beforeAll, describe, expect, it } from 'vitest';
import { avahi, beside, refused, TextProcess } from '../world/foreign.js';
import { NetWorld, QR, type Sighting } from '../world/net-world.js';
import { bundle } from '../world/project.js';

const without = refused('avahi-daemon', 'avahi-browse', 'avahi-publish', 'dbus-daemon', 'unshare', 'nsenter');
const TIMEOUT = { timeout: 60_000 };

describe.skipIf(without !== undefined)(without === undefined ? 'Avahi on the same link' : `SKIPPED Avahi: ${without}`, () => {
  beforeAll(async () => {
    await bundle('mash-device');
    await bundle('mash-controller');
  }, 120_000);

  it('resolves every service of the device, hears its goodbyes, and is resolved by our browser', TIMEOUT, async () => {
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

      await running.stop();
      await operational.heard((line) => line.startsWith('-;mash0;IPv6;'));
    });
  });
});

const noCapture = refused('tshark');
describe.skipIf(noCapture !== undefined)(noCapture === undefined ? 'on the wire' : `SKIPPED capture: ${noCapture}`, () => {
  it(
    'RFC 6762 §10.2, §18.4, protocol.md row `records`: TTLs, cache-flush bits, AA and hop limit of an announcement and of its goodbye',
    TIMEOUT,
    async () => {
      await NetWorld.run(2, async (world, [device, controller]) => {
        const fields = ['ipv6.hlim', 'udp.srcport', 'dns.flags.authoritative', 'dns.resp.type', 'dns.resp.ttl', 'dns.resp.cache_flush'];
        const options = [
          '-l',
          '-i',
          'mash0',
          '-f',
          'udp port 5353',
          '-Y',
          'dns.flags.response == 1 && dns.resp.name contains "_mash-comm"',
        ];
        await using capture = new TextProcess([
          ...['ip', 'netns', 'exec', controller.name, 'sh', '-c', 'exec "$@" 2>&1', 'sh', 'tshark', ...options],
          ...['-T', 'fields', ...fields.flatMap((field) => ['-e', field])],
        ]);
        await capture.heard((line) => line.startsWith('Capturing on'), 20_000);
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
    },
  );
});
