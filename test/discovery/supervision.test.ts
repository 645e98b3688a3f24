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

describe('a clock that jumps by hours', () => {
  const HOURS = 4 * 3_600_000;

  it.each([0, 100, 900, 20_000])('the responder goes on where it was, without a burst (%i ms after it published)', async (after) => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(after);
    const said = world.sent().length;
    await world.clock.jump(HOURS);
    // What was due once is said once.
    expect(world.sent().length - said).toBeLessThanOrEqual(1);
    await world.clock.advance(10_000);
    expect(world.responses()).toHaveLength(3);
    const since = world.clock.now();
    (await world.peer()).send('p0', query(instanceName(COMMISSIONABLE), TYPE.SRV));
    await world.clock.advance(2000);
    expect(world.responses(since)).toHaveLength(1);
    expect(failures(world)).toEqual([]);
  });

  it('the browser lets go of what has expired, asks anew once, and finds what is still there', async () => {
    const world = new DiscoveryWorld();
    const { browser } = world.controller();
    const { advertiser } = world.device();
    await Promise.all([browser.start(), advertiser.start()]);
    const events: string[] = [];
    browser.browse('_mash-comm._tcp', { added: () => events.push('added'), removed: () => events.push('removed') });
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    const asked = world.sent().filter(({ message }) => !message.response).length;
    await world.clock.jump(HOURS);
    expect(world.sent().filter(({ message }) => !message.response).length - asked).toBeLessThanOrEqual(2);
    await world.clock.advance(5000);
    expect(events).toEqual(['added', 'removed', 'added']);
    expect(failures(world)).toEqual([]);
  });
});
