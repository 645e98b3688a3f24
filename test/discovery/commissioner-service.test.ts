import { describe, expect, it } from 'vitest';
import { Advertiser } from '../../src/discovery/advertiser.js';
import { commissionerService } from '../../src/discovery/commissioner-service.js';
import { encodeMessage, responseMessage } from '../../src/discovery/message.js';
import { instanceName, recordPolicy, serviceRecords } from '../../src/discovery/service.js';
import { SeededEntropy } from '../world/entropy.js';
import { VirtualMulticast } from '../world/network.js';
import { DiscoveryWorld } from './world.js';

describe('_mashd._udp (discovery §2.3, §3.4)', () => {
  it('has the zone for a name, ZN and ZI always, the rest where it is known', () => {
    expect(commissionerService({ zoneName: 'Home Energy', zoneId: 'A1B2C3D4E5F6A7B8', port: 8443 })).toEqual({
      type: '_mashd._udp',
      instance: 'Home Energy',
      port: 8443,
      txt: [
        ['ZN', 'Home Energy'],
        ['ZI', 'A1B2C3D4E5F6A7B8'],
      ],
      renames: true,
    });
    const all = { zoneName: 'Home', zoneId: 'A1', controllerName: 'EMS', devices: 5, discriminator: 0, port: 1 };
    expect(commissionerService(all).txt.slice(2)).toEqual([
      ['DN', 'EMS'],
      ['DC', '5'],
      ['D', '0'],
    ]);
  });

  it('fits into a label whatever the zone is called', () => {
    const service = commissionerService({ zoneName: 'Ä'.repeat(60), zoneId: 'A1', port: 1 });
    expect(() => instanceName(service)).not.toThrow();
    expect(service.instance).toBe('Ä'.repeat(31));
  });

  it('is named in precomposed letters (RFC 6762 §16)', () => {
    const service = commissionerService({ zoneName: 'Ku\u0308che', zoneId: 'A1', port: 1 });
    expect(service.instance).toBe('K\u00fcche');
  });

  it('with a tag leaves the plain name to the owner', () => {
    const data = { zoneName: 'Home', zoneId: 'A1', controllerName: 'cellar', tag: '3f2a', port: 0 };
    expect(commissionerService(data).instance).toBe('Home (cellar 3f2a)');
    const long = commissionerService({ ...data, zoneName: 'Z'.repeat(63), controllerName: 'Ä'.repeat(40) });
    expect(long.instance).toBe(`${'Z'.repeat(23)} (${'Ä'.repeat(16)} 3f2a)`);
    expect(long.txt[2]).toEqual(['DN', 'Ä'.repeat(16)]);
  });
});

describe('owners whose zones have one name (discovery §2.3, RFC 6763 §4.1.1)', () => {
  async function owners(zoneName: string, count: number) {
    const world = new DiscoveryWorld();
    const published = [];
    for (let i = 1; i <= count; i++) {
      const advertiser = new Advertiser({
        multicast: new VirtualMulticast([{ name: 'eth0', link: world.link, addresses: [`fe80::a${i}/64`] }]),
        clock: world.clock,
        entropy: new SeededEntropy(i),
        log: world.log,
        hostName: `mash-0000000${i}.local`,
        policy: recordPolicy('draft', false),
      });
      await advertiser.start();
      published.push({ advertiser, service: advertiser.publish(commissionerService({ zoneName, zoneId: `A${i}`, port: 8440 + i })) });
    }
    const { browser } = world.controller();
    await browser.start();
    const browse = browser.browse('_mashd._udp', {});
    await world.clock.advance(30_000);
    const seen = () => browse.services().map(({ instance, port, txt }) => `${instance} | ${txt.get('ZN')} ${txt.get('ZI')} ${port}`);
    return { world, published, seen };
  }

  it('are all found, at once or one after the other; ZN stays, ZI tells them apart', async () => {
    const { world, published, seen } = await owners('Home', 3);
    const found = seen();
    expect(found.map((text) => text.split(' | ')[0]).sort()).toEqual(['Home', 'Home 2', 'Home 3']);
    expect(found.map((text) => text.split(' | ')[1]).sort()).toEqual(['Home A1 8441', 'Home A2 8442', 'Home A3 8443']);
    expect(published.map(({ advertiser }) => advertiser.conflicts)).toEqual([[], [], []]);
    expect(world.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    // Changes and goodbyes follow the name.
    for (const { service } of published) service.update({ port: 1, txt: [['ZN', 'Home']] });
    await world.clock.advance(10_000);
    expect(seen().map((text) => text.split(' | ')[1])).toEqual(new Array(3).fill('Home undefined 1'));
    for (const { service } of published) service.withdraw();
    await world.clock.advance(10_000);
    expect(seen()).toEqual([]);
  });

  it('a number fits behind the longest name', async () => {
    const { seen } = await owners('Ä'.repeat(40), 2);
    expect(
      seen()
        .map((text) => text.split(' | ')[0])
        .sort(),
    ).toEqual([`${'Ä'.repeat(30)} 2`, 'Ä'.repeat(31)]);
  });

  it('a name lost after it was announced is left to the winner, and its record stays in the caches', async () => {
    const { world, published, seen } = await owners('Home', 1);
    const peer = await world.peer();
    const theirs = serviceRecords(
      commissionerService({ zoneName: 'Home', zoneId: 'B', port: 9 }),
      ['z', 'local'],
      recordPolicy('draft', false),
    );
    const say = () => peer.send('p0', encodeMessage(responseMessage({ answers: [theirs.srv, theirs.txt, theirs.ptr] })));
    say();
    await world.clock.advance(600);
    say();
    await world.clock.advance(10_000);
    expect(seen()).toEqual(['Home 2 | Home A1 8441']);
    const goodbyes = world.responses().filter(({ from, message }) => from === 'fe80::a1' && message.answers.some(({ ttl }) => ttl === 0));
    expect(goodbyes).toEqual([]);
    expect(published[0]?.advertiser.conflicts).toEqual([]);
  });
});
