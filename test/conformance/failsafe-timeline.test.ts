import { afterEach, expect, it } from 'vitest';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { SeededEntropy } from '../world/entropy.js';
import { ZonePeer } from '../world/zone-peer.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The simulated charger's default. */
const FAILSAFE_LIMIT = 4_200_000;
const LIMITS = [6_000_000, 8_000_000];

let world: DeviceWorld;
afterEach(() => world.close());

it.each([
  ['draft', 4 * HOUR, 2],
  ['reference', 2 * HOUR, 1],
] as const)(
  'a whole device over TLS, 60 losses, power cycles and jumps of the clock, profile %s: never above the strictest limit',
  async (profile, duration, limited) => {
    const chance = new SeededEntropy(24);
    world = await DeviceWorld.start({ profile, set: { 'session.liveness': 'tcp' } });
    const home = await ZonePeer.commission(world, profile, makeZone('Home', 3, 3, 'LOCAL'));
    await world.clock.advance(20_000);
    await world.press();
    const zones = [home, await ZonePeer.commission(world, profile, makeZone('Grid', 1, 1, 'GRID'))];
    const connected = new Set(zones);
    for (const [index, zone] of zones.entries()) {
      const command = new Map<number, number | ReadonlyMap<string, number>>([
        [1, 1],
        [
          2,
          new Map([
            ['consumptionLimit', LIMITS[index] as number],
            ['cause', 1],
          ]),
        ],
      ]);
      expect((await zone.ask(4, command, 5, 1)).status).toBe(0);
    }
    /** Powered time since the last connection was lost, and how long a step of the journal each power cycle may have added. */
    let alone: { since: number; slack: number } | undefined;
    let over = false;
    /** Zones that have not returned since the failsafe was over: their limits do not count (features.md §4). */
    const asleep = new Set<ZonePeer>();
    const seen = { failsafe: 0, over: 0, limited: 0 };

    const check = async (): Promise<void> => {
      await world.until(() => world.device.status.zones.filter((zone) => zone.connected).length === connected.size, 'the connections');
      const { controlState, effectiveConsumptionLimit } = world.device.status.energy[0] ?? {};
      const lasted = alone === undefined ? 0 : world.clock.now() - alone.since;
      if (alone !== undefined && lasted >= duration && controlState === 0 && !over) {
        over = true;
        for (const zone of zones) asleep.add(zone);
      }
      if (alone !== undefined && lasted > duration + alone.slack) expect(over).toBe(true);
      if (alone === undefined) {
        const due = zones.flatMap((zone, index) => (asleep.has(zone) ? [] : [LIMITS[index] as number]));
        expect([controlState, effectiveConsumptionLimit]).toEqual([limited, Math.min(...due)]);
        seen.limited += 1;
      } else {
        expect([controlState, effectiveConsumptionLimit]).toEqual(over ? [0, null] : [3, FAILSAFE_LIMIT]);
        seen[over ? 'over' : 'failsafe'] += 1;
      }
    };

    await check();
    for (let i = 0; i < 60; i++) {
      const zone = zones[chance.below(2)] as ZonePeer;
      const what = chance.below(10);
      if (what < 4) {
        for (const each of chance.below(2) === 0 ? zones : [zone]) {
          each.peer.destroy();
          connected.delete(each);
        }
      } else if (what < 6) {
        await world.close();
        connected.clear();
        world.flash.powerUp();
        await world.boot();
        if (alone !== undefined) alone.slack += 2 * MINUTE;
      } else if (what < 8) world.clock.setWall(world.clock.wall() + (chance.below(2) === 0 ? HOUR : -HOUR));
      else {
        await zone.connect();
        connected.add(zone);
        asleep.delete(zone);
        alone = undefined;
      }
      if (connected.size === 0 && alone === undefined) {
        alone = { since: world.clock.now(), slack: 0 };
        over = false;
      }
      await check();
      await world.clock.advance(chance.below(80 * MINUTE));
      await check();
    }
    for (const [state, count] of Object.entries(seen)) expect(count, state).toBeGreaterThan(3);
  },
);

it.each(['draft', 'reference'] as const)(
  'MASH.S.TRANS.DETECTION_DELAY_MAX: a %s zone that falls silent is FAILSAFE after 95 s to the millisecond',
  async (dialect) => {
    world = await DeviceWorld.start();
    const zone = await ZonePeer.commission(world, dialect, makeZone('Home', 3, 3, 'LOCAL'));
    const state = () => world.device.status.energy[0]?.controlState;
    await world.clock.advance(dialect === 'draft' ? 0 : 17_000);
    expect((await zone.ask(1, [1])).status).toBe(0);
    await world.clock.advance(94_999);
    expect(state()).toBe(1);
    await world.clock.advance(1);
    expect(state()).toBe(3);
  },
);
