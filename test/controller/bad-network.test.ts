import { describe, expect, it } from 'vitest';
import { Resolver } from '../../src/controller/resolver.js';
import { COMMISSIONABLE, DiscoveryWorld, OPERATIONAL } from '../discovery/world.js';
import { SeededEntropy } from '../world/entropy.js';
import { type LinkOptions, VirtualMulticast } from '../world/network.js';
import { ControllerWorld } from './world.js';

const SEEDS = 25;

/** How long it takes to find the device, ms, a seed each. */
async function times(what: string, link: LinkOptions, find: (resolver: Resolver) => Promise<unknown>): Promise<readonly number[]> {
  const all: number[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = new DiscoveryWorld({ ...link, entropy: new SeededEntropy(seed) });
    const multicast = new VirtualMulticast([{ name: 'wlan0', link: world.link, addresses: ['fe80::c/64', 'fd77:1::c/64'] }]);
    const resolver = new Resolver({ multicast, clock: world.clock, entropy: new SeededEntropy(seed + 1000), log: world.log });
    const { advertiser } = world.device();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    advertiser.publish(OPERATIONAL);
    await world.clock.advance(10_000);
    await resolver.start();
    const begun = world.clock.now();
    let taken: number | undefined;
    const done = find(resolver).then(() => {
      taken = world.clock.now() - begun;
    });
    await world.clock.advance(40_000);
    await done;
    all.push(taken ?? Number.POSITIVE_INFINITY);
  }
  all.sort((a, b) => a - b);
  console.log(
    `${what}: ${SEEDS} seeds, median ${Math.round(all[SEEDS >> 1] ?? 0)} ms, longest ${Math.round(all.at(-1) ?? 0)} ms (virtual)`,
  );
  return all;
}

describe.each<[string, LinkOptions]>([
  ['30 % loss in both directions', { loss: 0.3 }],
  ['200 ms jitter', { jitter: 200 }],
  ['2 s delay', { delay: 2000 }],
  ['30 % loss, 200 ms jitter, 500 ms delay', { loss: 0.3, jitter: 200, delay: 500 }],
])('%s', (name, link) => {
  it('a device is found for its commissioning', async () => {
    const all = await times(`${name}, to be commissioned`, link, (resolver) => resolver.findCommissionable(7));
    expect(all.at(-1)).toBeLessThanOrEqual(37_000);
  });

  it('and commissioned, over real TLS, by its multicast records alone', async () => {
    const world = await ControllerWorld.start({ link: { ...link, entropy: new SeededEntropy(7) } });
    try {
      await world.device.clock.advance(10_000);
      const begun = world.device.clock.now();
      const { device } = await world.commission();
      expect(device.state).toBe('confirmed');
      console.log(`${name}: commissioned ${Math.round(world.device.clock.now() - begun)} ms (virtual) after the search began`);
    } finally {
      await world.close();
    }
  });

  it('and with one more look at most, in operation', async () => {
    const all = await times(`${name}, in operation`, link, (resolver) => {
      const find = () => resolver.findOperational('A1B2C3D4E5F6A7B8', 'F9E8D7C6B5A49382');
      return find().catch(find);
    });
    expect(all.at(-1)).toBeLessThanOrEqual(20_000);
  });
});
