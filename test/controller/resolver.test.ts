import { beforeEach, describe, expect, it } from 'vitest';
import { Resolver } from '../../src/controller/resolver.js';
import { Advertiser } from '../../src/discovery/advertiser.js';
import { commissionableService, commissionableUdpService } from '../../src/discovery/mash-services.js';
import { encodeMessage, responseMessage } from '../../src/discovery/message.js';
import { nameOf } from '../../src/discovery/name.js';
import { TYPE } from '../../src/discovery/records.js';
import { recordPolicy, serviceRecords } from '../../src/discovery/service.js';
import { COMMISSIONABLE, DiscoveryWorld, HOST, OPERATIONAL } from '../discovery/world.js';
import { SeededEntropy } from '../world/entropy.js';
import { VirtualLink, VirtualMulticast } from '../world/network.js';

let world: DiscoveryWorld;
let resolver: Resolver;

beforeEach(async () => {
  world = new DiscoveryWorld();
  const multicast = new VirtualMulticast([{ name: 'wlan0', link: world.link, addresses: ['fe80::c/64', 'fd77:1::c/64'] }]);
  resolver = new Resolver({ multicast, clock: world.clock, entropy: new SeededEntropy(12), log: world.log });
  await resolver.start();
});

/** Lets the world go on until the promise settles. */
async function during<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  const settled = promise.catch(() => undefined);
  await world.clock.advance(milliseconds);
  await settled;
  return promise;
}

async function announce(...services: Parameters<ReturnType<DiscoveryWorld['device']>['advertiser']['publish']>[0][]): Promise<void> {
  const { advertiser } = world.device();
  await advertiser.start();
  for (const service of services) advertiser.publish(service);
  await world.clock.advance(3000);
}

const UDP = commissionableUdpService({ discriminator: 7, vendorId: 0x1234, productId: 1, deviceType: 'EVSE', port: 8444 });

describe('a device that can be commissioned', () => {
  it('is found by its discriminator as soon as it answers', async () => {
    await announce(COMMISSIONABLE);
    const found = await during(400, resolver.findCommissionable(7));
    expect(found).toMatchObject({ discriminator: 7, instance: 'MASH-7', host: HOST, brand: 'ChargePoint', model: 'Home Flex' });
    expect(found.addresses).toEqual([
      { host: 'fd77:1::1', port: 8444 },
      { host: 'fe80::1%wlan0', port: 8444 },
    ]);
  });

  it('is found under the older name alone, too', async () => {
    await announce(UDP);
    expect(await during(400, resolver.findCommissionable(7))).toMatchObject({ discriminator: 7, deviceType: 'EVSE', serial: undefined });
  });

  it('with both services is one device', async () => {
    await announce(COMMISSIONABLE, UDP);
    const found = await during(3000, resolver.discover(undefined));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ serial: 'WB-001234', deviceType: 'EVSE' });
    expect(await during(3000, resolver.findOnlyCommissionable())).toMatchObject({ discriminator: 7 });
  });

  it('is found when it appears during the search', async () => {
    const search = resolver.findCommissionable(7);
    await world.clock.advance(4000);
    await announce(COMMISSIONABLE);
    expect((await search).discriminator).toBe(7);
  });
});

describe('two devices with one discriminator and one instance name, on two links', () => {
  it('each is found: the one that answers, then the other', async () => {
    const other = new VirtualLink(world.clock);
    for (const [number, link] of [world.link, other].entries()) {
      const advertiser = new Advertiser({
        multicast: new VirtualMulticast([{ name: 'eth0', link, addresses: [`fe80::${number + 1}/64`] }]),
        clock: world.clock,
        entropy: new SeededEntropy(number),
        log: world.log,
        hostName: `mash-0000000${number}.local`,
        policy: recordPolicy('draft', false),
      });
      await advertiser.start();
      advertiser.publish(COMMISSIONABLE);
    }
    await world.clock.advance(6000);
    const multicast = new VirtualMulticast([
      { name: 'eth0', link: world.link, addresses: ['fe80::d/64'] },
      { name: 'wlan0', link: other, addresses: ['fe80::d/64'] },
    ]);
    const both = new Resolver({ multicast, clock: world.clock, entropy: new SeededEntropy(12), log: world.log });
    await both.start();
    const first = await during(5000, both.findCommissionable(7));
    const second = await during(5000, both.findAnother(first, { except: new Set([first.host]) }));
    expect([first.host, second?.host].sort()).toEqual(['mash-00000000.local', 'mash-00000001.local']);
    expect(first.addresses).not.toEqual(second?.addresses);
    const third = await during(5000, both.findAnother(first, { except: new Set([first.host, second?.host ?? '']) }));
    expect(third).toBeUndefined();
    await both.close();
  });
});

it('the first question invites unicast answers where no other process has the port, through shared sockets too', async () => {
  const asked = async (alone: boolean): Promise<boolean | undefined> => {
    const multicast = new VirtualMulticast([{ name: 'wlan0', link: world.link, addresses: ['fe80::e/64'] }]);
    multicast.alone = alone;
    const shared = new Resolver({ multicast, clock: world.clock, entropy: new SeededEntropy(12), log: world.log });
    await shared.start();
    const since = world.clock.now() + 1;
    await during(
      3000,
      shared.discover(undefined).catch(() => []),
    );
    await shared.close();
    return world.sent(since).find(({ from }) => from === 'fe80::e')?.message.questions[0]?.unicast;
  };
  expect([await asked(true), await asked(false)]).toEqual([true, false]);
});

/** How long four looks last in vain: 5 s each, 2, 5 and 10 s apart. */
const WHOLE = 37_000;

describe('nobody to be found (connection-establishment §7.5)', () => {
  it('TC-NOTFOUND-1: nothing answers', async () => {
    await expect(during(WHOLE, resolver.findCommissionable(7))).rejects.toMatchObject({
      code: 'NO_DEVICES_FOUND',
      message: 'No devices found in pairing mode',
      details: { suggestions: expect.arrayContaining(['Press the pairing button on your device']), retryAction: 'browse' },
    });
    await expect(during(3000, resolver.discover(undefined))).rejects.toMatchObject({ code: 'NO_DEVICES_FOUND' });
    await expect(during(WHOLE, resolver.findOnlyCommissionable())).rejects.toMatchObject({ code: 'NO_DEVICES_FOUND' });
  });

  it('TC-NOTFOUND-1: looks at 0 s, and again 2, 5 and 10 s after a look in vain', async () => {
    const begun = world.clock.now();
    await expect(during(WHOLE, resolver.findCommissionable(7))).rejects.toBeDefined();
    const types = world.sent(begun).filter(({ message }) => message.questions.some(({ type }) => type === TYPE.PTR));
    const starts = types.map(({ at }) => Math.floor((at - begun) / 1000));
    expect(starts).toEqual(expect.arrayContaining([0, 7, 17, 32]));
    expect(world.clock.pending()).toEqual([]);
  });

  it('TC-NOTFOUND-2: another discriminator', async () => {
    await announce(COMMISSIONABLE);
    await expect(during(WHOLE, resolver.findCommissionable(8))).rejects.toMatchObject({
      code: 'DISCRIMINATOR_MISMATCH',
      message: 'Device with discriminator 8 not found',
      details: { suggestions: expect.arrayContaining(['Found devices with discriminators: 7']), retryAction: 'scan_qr' },
    });
    await expect(during(3000, resolver.discover(8))).rejects.toMatchObject({ code: 'DISCRIMINATOR_MISMATCH' });
  });

  it('TC-NOTFOUND-3: SRV without an address, given up 3 s after each look found it', async () => {
    const peer = await world.peer();
    const records = serviceRecords(COMMISSIONABLE, nameOf(HOST), recordPolicy('draft', false));
    const search = resolver.findCommissionable(7);
    peer.send('p0', encodeMessage(responseMessage({ answers: [records.ptr, records.srv, records.txt] })));
    await expect(during(WHOLE, search)).rejects.toMatchObject({
      code: 'ADDRESS_RESOLUTION_FAILED',
      message: 'Device found but network address unavailable',
      details: { suggestions: expect.arrayContaining(['Check router/DHCP configuration']), retryAction: 'browse' },
    });
  });

  it('TC-NOTFOUND-5: a device that appears between two looks, or after three of them, is found at once', async () => {
    for (const wait of [6000, 35_000]) {
      const search = resolver.findCommissionable(7);
      await world.clock.advance(wait);
      const { advertiser } = world.device();
      await advertiser.start();
      const published = advertiser.publish(COMMISSIONABLE);
      // RFC 6762 §8.1: announced when it has been probed for.
      const found = await during(1400, search);
      expect([wait, found.discriminator]).toEqual([wait, 7]);
      published.withdraw();
      await advertiser.close();
      await world.clock.advance(3000);
    }
  });

  it('TC-NOTFOUND-6: after 30 s the window may end, after 120 s it has', async () => {
    const warnings: string[] = [];
    const begun = world.clock.now();
    const onWarning = ({ code }: { code: string }): void => void warnings.push(`${world.clock.now() - begun} ${code}`);
    await expect(during(29_999, resolver.discover(undefined))).rejects.toBeDefined();
    const search = resolver.findCommissionable(7, { onWarning, patience: 100_000 });
    await expect(during(WHOLE + 100_000, search)).rejects.toMatchObject({ code: 'NO_DEVICES_FOUND' });
    expect(warnings).toEqual(['59999 WINDOW_MAY_EXPIRE', '149999 WINDOW_EXPIRED']);
    expect(world.clock.pending()).toEqual([]);
  });

  it('TC-NOTFOUND-6: no warning where the device is found before', async () => {
    await announce(COMMISSIONABLE);
    const warnings: unknown[] = [];
    await during(400, resolver.findCommissionable(7, { onWarning: (warning) => warnings.push(warning) }));
    await world.clock.advance(200_000);
    expect(warnings).toEqual([]);
  });

  it('several devices and none named', async () => {
    await announce(
      COMMISSIONABLE,
      commissionableService({ discriminator: 9, category: [3], serial: 'X', brand: 'B', model: 'M', port: 8444 }, 'draft'),
    );
    await expect(during(WHOLE, resolver.findOnlyCommissionable())).rejects.toMatchObject({
      code: 'AMBIGUOUS_DEVICE',
      message: expect.stringContaining('7, 9'),
    });
  });
});

describe('a device of a zone', () => {
  it('is found by its ids in any case', async () => {
    await announce(OPERATIONAL);
    const addresses = await during(400, resolver.findOperational('a1b2c3d4e5f6a7b8', 'F9E8D7C6B5A49382'));
    expect(addresses[0]).toEqual({ host: 'fd77:1::1', port: 8443 });
  });

  it('that is not announced is not on the network', async () => {
    await expect(during(10_000, resolver.findOperational('A1B2C3D4E5F6A7B8', 'F9E8D7C6B5A49382'))).rejects.toMatchObject({
      code: 'NO_DEVICES_FOUND',
    });
  });
});

describe('a pairing request (protocol.md, profile reference)', () => {
  const request = { zoneId: 'A1B2C3D4E5F6A7B8', zoneName: 'Home' };
  const asked = (since: number) =>
    world
      .responses(since)
      .filter(({ message }) => message.answers.some((record) => record.type === 'PTR' && record.name[0] === '_mashp'))
      .map(({ message }) => message.answers.find((record) => record.type === 'PTR' && record.name[0] === '_mashp')?.ttl);

  it('is announced from the first look in vain until the device shows up', async () => {
    const begun = world.clock.now();
    const search = resolver.findCommissionable(7, { request });
    await world.clock.advance(6999);
    expect(asked(begun)).toEqual([]);
    await world.clock.advance(4001);
    expect(asked(begun)).toEqual([120, 120, 120]);
    await announce(COMMISSIONABLE);
    await search;
    await world.clock.advance(2000);
    expect(asked(begun).at(-1)).toBe(0);
  });

  it('ends with a search in vain, and with the resolver', async () => {
    const begun = world.clock.now();
    await expect(during(WHOLE, resolver.findCommissionable(7, { request }))).rejects.toMatchObject({ code: 'NO_DEVICES_FOUND' });
    expect(asked(begun).at(-1)).toBe(0);
    const search = expect(resolver.findCommissionable(7, { request, patience: 3_600_000 })).rejects.toMatchObject({
      code: 'NO_DEVICES_FOUND',
    });
    await world.clock.advance(100_000);
    const closed = resolver.close();
    await world.clock.advance(2000);
    await Promise.all([closed, search]);
    await world.clock.advance(10_000);
    expect(world.clock.pending()).toEqual([]);
  });
});

describe('continuous monitoring (connection-establishment §7.4)', () => {
  it('tells which devices of the zone come, move and go', async () => {
    const told: string[] = [];
    const watch = resolver.monitor('a1b2c3d4e5f6a7b8', {
      available: (id, addresses) => told.push(`${id} at ${addresses[0]?.host}:${addresses[0]?.port}`),
      unavailable: (id) => told.push(`${id} gone`),
    });
    const { advertiser } = world.device();
    await advertiser.start();
    const published = advertiser.publish(OPERATIONAL);
    advertiser.publish({ ...OPERATIONAL, instance: 'B1B2C3D4E5F6A7B8-F9E8D7C6B5A49382', txt: [['ZI', 'B1B2C3D4E5F6A7B8']] });
    await world.clock.advance(5000);
    published.update({ port: 8500, txt: OPERATIONAL.txt });
    await world.clock.advance(5000);
    published.withdraw();
    await world.clock.advance(5000);
    watch.close();
    expect(told).toEqual(['F9E8D7C6B5A49382 at fd77:1::1:8443', 'F9E8D7C6B5A49382 at fd77:1::1:8500', 'F9E8D7C6B5A49382 gone']);
  });
});

describe('without an interface', () => {
  it('says so plainly', async () => {
    const multicast = new VirtualMulticast([]);
    const deaf = new Resolver({ multicast, clock: world.clock, entropy: new SeededEntropy(1), log: world.log });
    await expect(deaf.start()).rejects.toMatchObject({ code: 'NO_INTERFACE', message: expect.stringContaining('multicast') });
    expect(multicast.closed).toBe(true);
  });
});
