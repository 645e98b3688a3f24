import { afterEach, expect, it } from 'vitest';
import { SIMULATED_CAR } from '../../boards/sim/charger-stage.js';
import type { CborKey, CborMap, CborValue } from '../../src/codec/cbor.js';
import { FEATURE_TABLES } from '../../src/features/tables.js';
import { examine } from '../../src/model/validate.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { SeededEntropy } from '../world/entropy.js';
import { ZonePeer } from '../world/zone-peer.js';

const [READ, WRITE, SUBSCRIBE, INVOKE] = [1, 2, 3, 4];
const [ENERGY_CONTROL, SESSION, TARIFF, SIGNALS, PLAN] = [5, 6, 7, 8, 9];
const STEPS = 80;

let world: DeviceWorld;
afterEach(() => world.close());

const map = (...entries: readonly (readonly [CborKey, CborValue])[]): CborMap => new Map(entries);
const named = (fields: Readonly<Record<string, CborValue>>): CborMap => new Map(Object.entries(fields));

it.each([
  ['sim-evse', 'draft', 1],
  ['sim-evse', 'reference', 2],
  ['sim-heat-pump', 'draft', 3],
  ['sim-heat-pump', 'reference', 4],
] as const)(
  'features.md, "Forms": %s, profile %s: whatever happens, every value fits its table, and what is told is what is read',
  async (board, profile, seed) => {
    world = await DeviceWorld.start({ board, profile, powerStage: true, set: { 'session.liveness': 'tcp', 'meter.read': 'off' } });
    const zone = await ZonePeer.commission(world, profile, makeZone('Home', 3, undefined, 'LOCAL'));
    const entropy = new SeededEntropy(seed);
    const random = (bound: number): number => entropy.below(bound);
    const { stage, pump } = world;
    const command = (feature: number, id: number, fields: Readonly<Record<string, CborValue>>) =>
      zone.ask(INVOKE, map([1, id], [2, named(fields)]), feature, 1);
    const now = (): number => Math.floor(world.clock.wall() / 1000);
    /** What is told has to be read meanwhile. */
    const pass = async (seconds: number): Promise<void> => {
      for (let left = seconds; left > 0; left -= 60) {
        await world.clock.advance(Math.min(left, 60) * 1000);
        await hear();
      }
    };
    const hear = async (): Promise<void> => {
      await zone.ask(READ, [12]);
      for (const [subscription, changes] of zone.notified.splice(0))
        for (const [id, value] of Object.entries(changes)) told.get(subscription)?.values.set(Number(id), value);
    };
    const kinds = [
      { duration: 600, price: random(2000) - 1000 },
      { duration: 600, consumptionMax: random(12) * 1_000_000 },
      { duration: 600, forecastPower: -5 },
    ] as const;
    const actions: readonly (() => unknown)[] = [
      () => command(ENERGY_CONTROL, 1, { consumptionLimit: random(12) * 500_000, cause: random(5), duration: random(2) * 300 }),
      () => command(ENERGY_CONTROL, 2, {}),
      () => command(ENERGY_CONTROL, 3, { phases: map([random(3), random(17) * 1000]), direction: 2, cause: 1 }),
      () => command(ENERGY_CONTROL, 5, { consumptionSetpoint: random(12) * 1_000_000, cause: 1 }),
      () => command(ENERGY_CONTROL, 9 + random(3), {}),
      () => command(ENERGY_CONTROL, 12, { startDelay: random(2) * 600 }),
      () => command(SESSION, 1, { mode: random(5), surplusThreshold: 2_000_000, startDelay: random(3) * 60, stopDelay: random(3) * 60 }),
      () => command(TARIFF, 1, { currency: 'EUR', tariffId: random(9) }),
      () => {
        const kind = random(3);
        return command(SIGNALS, kind + 1, {
          source: random(4),
          startTime: random(2) * (now() - 60),
          slots: [named(kinds[kind] ?? {}), named(kinds[kind] ?? {})],
        });
      },
      () => command(SIGNALS, 4, {}),
      () => command(PLAN, 1, { duration: 600 + random(604_200), startTime: random(2) * (now() + random(1000)) }),
      () => zone.ask(WRITE, map([21, random(2) === 0 ? null : random(11) * 1_000_000]), ENERGY_CONTROL, 1),
      () => stage?.simulate((charger) => charger.plug({ ...SIMULATED_CAR, stateOfCharge: random(101), phases: random(2) === 0 ? 1 : 3 })),
      () => stage?.simulate((charger) => charger.unplug()),
      () => stage?.simulate((charger) => charger.setDemand(random(2) === 0)),
      () => stage?.simulate((charger) => Object.assign(charger, { fault: random(2) === 0 })),
      () => pump?.simulate((it) => Object.assign(it, { fault: random(2) === 0 })),
      () => pump?.simulate((it) => it.startDefrost()),
      () => pass(random(1800)),
    ];
    const features = ((await zone.ask(READ, [20])).payload.get(20) as readonly CborMap[]).flatMap((endpoint) =>
      (endpoint.get(4) as readonly number[]).map((feature) => [endpoint.get(1) as number, feature] as const),
    );
    const told = new Map<CborValue, { readonly endpoint: number; readonly feature: number; readonly values: Map<CborKey, CborValue> }>();
    for (const [endpoint, feature] of features) {
      const { payload } = await zone.ask(SUBSCRIBE, map([2, 1]), feature, endpoint);
      told.set(payload.get(1) ?? null, { endpoint, feature, values: new Map(payload.get(2) as CborMap) });
    }
    for (let step = 0; step < STEPS; step++) {
      await actions[random(actions.length)]?.();
      await pass(2);
      // Profile reference: minInterval, here 1 ms, after the change.
      await world.clock.advance(5);
      await hear();
      for (const { endpoint, feature, values } of told.values()) {
        const { payload } = await zone.ask(READ, undefined, feature, endpoint);
        expect([step, feature, values]).toEqual([step, feature, payload]);
        for (const { id, name, type, nullable } of FEATURE_TABLES.find((table) => table.id === feature)?.attributes ?? []) {
          const value = payload.get(id);
          if (value === undefined) continue;
          if (value === null) expect([step, name, nullable]).toEqual([step, name, true]);
          else expect([step, name, examine(type, value, name)]).toEqual([step, name, { value, violation: undefined }]);
        }
      }
    }
  },
);
