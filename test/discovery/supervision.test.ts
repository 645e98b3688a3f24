import { describe, expect, it } from 'vitest';
import { TYPE } from '../../src/discovery/records.js';
import { instanceName } from '../../src/discovery/service.js';
import { VirtualLink } from '../world/network.js';
import { COMMISSIONABLE, DiscoveryWorld, OPERATIONAL, query } from './world.js';

const SOURCE = { interfaceName: 'eth0', address: 'fe80::9', port: 5353 };
const broken = (): never => {
  throw new Error('a bug of ours');
};

function failures(world: DiscoveryWorld): readonly unknown[] {
  return world.log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields?.reason);
}

describe('a failure inside the responder', () => {
  it('in a timer costs that timer: it is logged, the next one works', async () => {
    const world = new DiscoveryWorld();
    const { advertiser, multicast } = world.device();
    const { send } = multicast;
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    multicast.send = broken;
    await world.clock.advance(300);
    expect(failures(world)).toEqual(['a bug of ours']);
    multicast.send = send;
    await world.clock.advance(5000);
    expect(world.responses()).toHaveLength(3);
  });

  it('in a packet costs that packet', async () => {
    const world = new DiscoveryWorld();
    const { advertiser, multicast } = world.device();
    const { send } = multicast;
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    const packet = query(instanceName(COMMISSIONABLE), TYPE.SRV);
    multicast.send = broken;
    expect(() => multicast.deliver(packet, SOURCE)).not.toThrow();
    expect(failures(world)).toEqual(['a bug of ours']);
    multicast.send = send;
    await world.clock.advance(1000);
    multicast.deliver(packet, SOURCE);
    expect(world.responses(11_000)).toHaveLength(1);
  });

  it('in publishing, withdrawing, a change of interfaces or closing reaches nobody', async () => {
    const world = new DiscoveryWorld();
    const { advertiser, multicast } = world.device();
    const { send } = multicast;
    await advertiser.start();
    const published = advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    multicast.send = broken;
    published.update({ port: 1, txt: [] });
    advertiser.publish(OPERATIONAL);
    await world.clock.advance(10_000);
    published.withdraw();
    multicast.setInterfaces([
      { name: 'eth0', link: world.link, addresses: ['fe80::2/64'] },
      { name: 'wlan0', link: new VirtualLink(world.clock), addresses: ['fe80::3/64'] },
    ]);
    await world.clock.advance(10_000);
    expect(new Set(failures(world))).toEqual(new Set(['a bug of ours']));
    const since = world.clock.now();
    multicast.send = send;
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    expect(world.responses(since).length).toBeGreaterThanOrEqual(3);
    multicast.send = broken;
    await expect(advertiser.close()).resolves.toBeUndefined();
    expect(multicast.closed).toBe(true);
    expect(world.clock.pending()).toEqual([]);
  });
});
