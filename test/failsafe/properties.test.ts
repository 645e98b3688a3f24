import fc from 'fast-check';
import { expect, test } from 'vitest';
import { controlRule } from '../../src/failsafe/control-state.js';
import { controlFacts } from '../../src/failsafe/energy-view.js';
import type { Side } from '../../src/zones/timed-values.js';
import { Oracle } from './oracle.js';
import { APP, EnergyWorld, GRID, HOME, settle, TEST } from './world.js';

const SECOND_HOME = { id: 'f6', type: 3, priority: 3 };
const ZONES = [GRID, HOME, APP, SECOND_HOME, TEST];

const zone = fc.nat(ZONES.length - 1);
const power = fc.option(fc.integer({ min: 0, max: 11_040_000 }), { freq: 5 });
const current = fc.option(fc.integer({ min: 0, max: 16_000 }), { freq: 5 });
const duration = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9000 }));
const side = fc.constantFrom<Side>(0, 1);

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('limit' as const), zone, side, value: power, duration }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('phases' as const), zone, side, phase: fc.nat(2), value: current, duration }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('setpoint' as const), zone, side, value: power, duration }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('connect' as const, 'lose' as const), zone }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), zone }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'jump' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.oneof(fc.nat(120_000), fc.nat(7_300_000), fc.constant(7_200_000)) }),
  },
);

test('random lives of 1–5 zones: every effective value is the oracle’s, and FAILSAFE is never a moment without a limit', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(step, { minLength: 5, maxLength: 40 }), async (count, steps) => {
      const zones = ZONES.slice(0, count);
      const world = new EnergyWorld({ zones });
      const oracle = new Oracle(zones);
      for (const action of steps) {
        const actor = 'zone' in action ? ZONES[action.zone] : undefined;
        if (actor !== undefined && !oracle.zones.includes(actor)) continue;
        switch (action.do) {
          case 'limit':
            if (actor === undefined || !oracle.connected.has(actor)) continue;
            await world.run(actor, {
              name: 'setLimit',
              values: action.side === 0 ? [action.value, undefined] : [undefined, action.value],
              duration: action.duration,
              cause: 1,
            });
            oracle.set('limit', actor, action.side, 'all', action.value, action.duration);
            break;
          case 'phases': {
            if (actor === undefined || !oracle.connected.has(actor)) continue;
            const phases = new Map([[action.phase, action.value]]);
            await world.run(actor, { name: 'setCurrentLimits', phases, sides: [action.side], duration: action.duration, cause: 3 });
            oracle.set('limit', actor, action.side, action.phase, action.value, action.duration);
            break;
          }
          case 'setpoint':
            if (actor === undefined || !oracle.connected.has(actor)) continue;
            await world.run(actor, {
              name: 'setSetpoint',
              values: action.side === 0 ? [action.value, undefined] : [undefined, action.value],
              duration: action.duration,
              cause: 1,
            });
            oracle.set('setpoint', actor, action.side, 'all', action.value, action.duration);
            break;
          case 'connect':
            if (actor === undefined) continue;
            world.connect(actor);
            oracle.connect(actor);
            break;
          case 'lose':
            if (actor === undefined) continue;
            world.lose(actor);
            oracle.lose(actor);
            break;
          case 'remove':
            if (actor === undefined) continue;
            world.remove(actor);
            oracle.remove(actor);
            break;
          case 'restart':
            await settle();
            world.restart();
            oracle.restart();
            break;
          case 'jump':
            world.clock.setWall(world.clock.wall() === 0 ? 4e12 : 0);
            break;
          case 'wait':
            await world.advance(action.ms);
            oracle.advance(action.ms);
            break;
        }
        const shown = [world.control, world.read(20), world.read(22), world.read(30), world.read(32), world.read(40), world.read(42)];
        expect(shown).toEqual([
          oracle.state(false),
          oracle.limit(0),
          oracle.limit(1),
          oracle.phases(0),
          oracle.phases(1),
          oracle.setpoint(0),
          oracle.setpoint(1),
        ]);
        for (const each of oracle.zones)
          expect([world.read(21, each), world.read(23, each)]).toEqual([oracle.mine(each, 0), oracle.mine(each, 1)]);
        if (world.control === 3) expect(world.core.target.ceiling[0]).toBeLessThanOrEqual(3_000_000);
      }
      world.core.close();
      expect(world.clock.pending()).toEqual([]);
    }),
    { numRuns: 300 },
  );
}, 20_000);

const event = fc.oneof(
  fc.record({ do: fc.constantFrom('connect' as const, 'lose' as const, 'remove' as const, 'limit' as const), zone }),
  fc.record({ do: fc.constantFrom('press' as const, 'device' as const, 'undevice' as const, 'restart' as const), zone }),
  fc.record({ do: fc.constant('wait' as const), zone: fc.integer({ min: 1, max: 15_000_000 }) }),
);

test.each(['d', 'r'] as const)(
  'profile %s: the table never leaves the state that the rule gives',
  async (variant) => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 40 }), async (steps) => {
        const world = new EnergyWorld({ zones: ZONES, config: { variant } });
        for (const action of steps) {
          const actor = ZONES[action.zone % ZONES.length] ?? GRID;
          if (action.do === 'wait') await world.advance(action.zone);
          else if (action.do === 'press') world.event({ type: 'press' });
          else if (action.do === 'device') world.event({ type: 'deviceOverride', cause: { reason: 0, direction: 0 } });
          else if (action.do === 'undevice') world.event({ type: 'deviceOverride', cause: undefined });
          else if (action.do === 'restart') {
            await settle();
            world.restart();
          } else if (!world.zones.includes(actor)) continue;
          else if (action.do === 'connect') world.connect(actor);
          else if (action.do === 'lose') world.lose(actor);
          else if (action.do === 'remove') world.remove(actor);
          else await world.limit(actor, 1_000_000, { cause: 0, duration: action.zone * 1000 });
          expect(world.control).toBe(controlRule(variant, controlFacts(world.core.state)));
        }
      }),
      { numRuns: 150 },
    );
  },
  20_000,
);
