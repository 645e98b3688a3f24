import { beforeEach, describe, expect, it } from 'vitest';
import { Resolver } from '../../src/controller/resolver.js';
import { commissionableService, commissionableUdpService } from '../../src/discovery/mash-services.js';
import { encodeMessage, responseMessage } from '../../src/discovery/message.js';
import { nameOf } from '../../src/discovery/name.js';
import { recordPolicy, serviceRecords } from '../../src/discovery/service.js';
import { COMMISSIONABLE, DiscoveryWorld, HOST, OPERATIONAL } from '../discovery/world.js';
import { SeededEntropy } from '../world/entropy.js';
import { VirtualMulticast } from '../world/network.js';

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

describe('nobody to be found (connection-establishment §7.5)', () => {
  it('TC-NOTFOUND-1: nothing answers', async () => {
    await expect(during(10_000, resolver.findCommissionable(7))).rejects.toMatchObject({ code: 'NO_DEVICES_FOUND' });
    await expect(during(3000, resolver.discover(undefined))).rejects.toMatchObject({ code: 'NO_DEVICES_FOUND' });
  });

  it('TC-NOTFOUND-2: another discriminator', async () => {
    await announce(COMMISSIONABLE);
    await expect(during(10_000, resolver.findCommissionable(8))).rejects.toMatchObject({
      code: 'DISCRIMINATOR_MISMATCH',
      details: { suggestions: expect.arrayContaining(['Found devices with discriminators: 7']) },
    });
    await expect(during(3000, resolver.discover(8))).rejects.toMatchObject({ code: 'DISCRIMINATOR_MISMATCH' });
  });

  it('TC-NOTFOUND-3: SRV without an address', async () => {
    const peer = await world.peer();
    const records = serviceRecords(COMMISSIONABLE, nameOf(HOST), recordPolicy('draft', false));
    const search = resolver.findCommissionable(7);
    peer.send('p0', encodeMessage(responseMessage({ answers: [records.ptr, records.srv, records.txt] })));
    await expect(during(10_000, search)).rejects.toMatchObject({ code: 'ADDRESS_RESOLUTION_FAILED' });
  });

  it('several devices and none named', async () => {
    await announce(
      COMMISSIONABLE,
      commissionableService({ discriminator: 9, category: [3], serial: 'X', brand: 'B', model: 'M', port: 8444 }, 'draft'),
    );
    await expect(during(3000, resolver.findOnlyCommissionable())).rejects.toMatchObject({
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

describe('without an interface', () => {
  it('says so plainly', async () => {
    const multicast = new VirtualMulticast([]);
    const deaf = new Resolver({ multicast, clock: world.clock, entropy: new SeededEntropy(1), log: world.log });
    await expect(deaf.start()).rejects.toMatchObject({ code: 'NO_INTERFACE', message: expect.stringContaining('multicast') });
    expect(multicast.closed).toBe(true);
  });
});
