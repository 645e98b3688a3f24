import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ClearName, EnergyCommand } from '../../src/failsafe/command-types.js';
import { controlRule } from '../../src/failsafe/control-state.js';
import { controlFacts, type EnergyValue } from '../../src/failsafe/energy-view.js';
import type { ZoneRank } from '../../src/zones/resolution.js';
import type { Pair, Side } from '../../src/zones/timed-values.js';
import { Oracle } from './oracle.js';
import { APP, EnergyWorld, GRID, HOME, settle, TEST } from './world.js';

const SECOND_HOME = { id: 'f6', type: 3, priority: 3 };
const ZONES = [GRID, HOME, APP, SECOND_HOME, TEST];
/** "100,000 steps in CI": 2,500 lives of 40. */
const LIVES = 2500;
const LIFE = 40;

const zone = fc.nat(ZONES.length - 1);
/** Now and then what is refused: negative, or above the rating. */
const power = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 11_040_000 }) },
  { weight: 3, arbitrary: fc.constantFrom(null, undefined) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 11_040_001) },
);
const values = fc.oneof(fc.tuple(power, fc.constant(undefined)), fc.tuple(fc.constant(undefined), power), fc.tuple(power, power));
const current = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 16_000 }) },
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 16_001) },
);
const phases = fc.dictionary(fc.constantFrom('0', '1', '2'), current, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
const sides = fc.constantFrom<readonly Side[]>([0], [1], [0, 1]);
const duration = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9000 }));
const cause = fc.constantFrom(0, 1, 2, 3);
const slot = fc.option(fc.integer({ min: 0, max: 11_040_000 }), { freq: 3 });

const bare = <Do extends string>(what: Do) => fc.record({ do: fc.constant(what), zone });
const step = fc.oneof(
  {
    weight: 32,
    arbitrary: fc.record({ do: fc.constantFrom('setLimit' as const, 'setSetpoint' as const), zone, values, duration, cause }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constantFrom('setCurrentLimits' as const, 'setCurrentSetpoints' as const),
      zone,
      phases,
      sides,
      duration,
      cause,
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom<ClearName>('clearLimit', 'clearCurrentLimits', 'clearSetpoint', 'clearCurrentSetpoints'),
      zone,
      sides,
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('constraint' as const), zone, slots: fc.tuple(slot, slot) }) },
  { weight: 16, arbitrary: bare('connect') },
  { weight: 12, arbitrary: bare('lose') },
  { weight: 1, arbitrary: bare('remove') },
  { weight: 1, arbitrary: bare('restart') },
  { weight: 1, arbitrary: bare('jump') },
  { weight: 1, arbitrary: bare('press') },
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.nat(120_000), fc.nat(1_000_000), fc.nat(7_300_000), fc.constant(7_200_000)),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Both worlds take the step. A command of a zone without a connection is its connection instead: no step is idle. */
async function take(world: EnergyWorld, oracle: Oracle, action: Step): Promise<void> {
  if (action.do === 'wait') {
    await world.advance(action.ms);
    return oracle.advance(action.ms);
  }
  const actor = ZONES[action.zone] as ZoneRank;
  if (action.do === 'restart') {
    await settle();
    world.restart();
    return oracle.restart();
  }
  if (action.do === 'jump') return world.clock.setWall(world.clock.wall() === 0 ? 4e12 : 0);
  if (action.do === 'press') {
    world.event({ type: 'press' });
    return oracle.press();
  }
  if (!oracle.zones.includes(actor)) {
    world.add(actor);
    return oracle.add(actor);
  }
  if (action.do === 'remove') {
    world.remove(actor);
    return oracle.remove(actor);
  }
  const connected = oracle.connected.has(actor);
  if (action.do === 'lose' && connected) {
    world.lose(actor);
    return oracle.lose(actor);
  }
  if (action.do === 'connect' || action.do === 'lose' || !connected) {
    world.connect(actor);
    return oracle.connect(actor);
  }
  if (action.do === 'constraint') {
    world.event({ type: 'constraint', zoneId: actor.id, limits: action.slots });
    for (const side of [0, 1]) oracle.set('constraint', actor, side, 'all', action.slots[side] ?? null, 0, 1);
    return;
  }
  const refused = refusal(oracle, action);
  const command = commandOf(action);
  const said = await world.core.execute(actor, command).then(
    (result) => (result.kind === 'limit' ? (result.rejectReason ?? 'done') : 'done'),
    (error: { status: number }) => `status ${error.status}`,
  );
  if (said !== (refused ?? 'done')) expect(said).toBe(refused ?? 'done');
  if (refused === undefined) tell(oracle, actor, action);
}

type Setting = Exclude<Step, { do: 'wait' | 'constraint' | 'connect' | 'lose' | 'remove' | 'restart' | 'jump' | 'press' }>;

function commandOf(action: Setting): EnergyCommand {
  if ('phases' in action) {
    const map = new Map(Object.entries(action.phases).map(([phase, value]) => [Number(phase), value]));
    return { name: action.do, phases: map, sides: action.sides, duration: action.duration, cause: action.cause };
  }
  if ('values' in action)
    return { name: action.do, values: action.values as Pair<number | null | undefined>, duration: action.duration, cause: action.cause };
  return { name: action.do, sides: action.sides };
}

/** features.md §3: what is refused, and how; it changes nothing. */
function refusal(oracle: Oracle, action: Setting): number | string | undefined {
  if ('phases' in action)
    return Object.values(action.phases).some((value) => value !== null && (value < 0 || value > 16_000)) ? 'status 11' : undefined;
  if (!('values' in action)) return undefined;
  const [a, b] = action.values.map((value) => value ?? 0) as [number, number];
  if (action.do === 'setSetpoint') return a < 0 || b < 0 || (a > 0 && b > 0) ? 'status 11' : undefined;
  if (a < 0 || b < 0) return 2;
  if (Math.max(a, b) > 11_040_000) return 'status 11';
  return oracle.state === 4 && action.cause % 2 === 1 ? 3 : undefined;
}

function tell(oracle: Oracle, actor: ZoneRank, action: Setting): void {
  const what = action.do.endsWith('Limit') || action.do.endsWith('Limits') ? 'limit' : 'setpoint';
  for (const side of [0, 1] as const) {
    if ('values' in action) {
      const none = action.values[0] === undefined && action.values[1] === undefined;
      const value = none ? null : action.values[side];
      if (value !== undefined) oracle.set(what, actor, side, 'all', value, action.duration, action.cause);
    } else if (!action.sides.includes(side)) continue;
    else if ('phases' in action)
      for (const [phase, value] of Object.entries(action.phases))
        oracle.set(what, actor, side, Number(phase), value, action.duration, action.cause);
    else
      for (const phase of action.do.includes('Current') ? [0, 1, 2] : (['all'] as const)) oracle.set(what, actor, side, phase, null, 0, 1);
  }
}

const shown = (values: readonly (EnergyValue | undefined)[]): string =>
  values.map((value) => (value instanceof Map ? [...value].join(';') : String(value))).join(' ');

function seen(world: EnergyWorld, zones: readonly ZoneRank[]): string {
  const own = zones.flatMap((zone) => [21, 23, 31, 33, 41, 43, 51, 53].map((id) => world.read(id, zone)));
  return shown([...[2, 20, 22, 30, 32, 40, 42, 50, 52].map((id) => world.read(id)), ...world.core.target.ceiling, ...own]);
}

function told(oracle: Oracle): string {
  const both = <T>(of: (side: number) => T): T[] => [of(0), of(1)];
  const own = oracle.zones.flatMap((zone) =>
    (['limit', 'setpoint'] as const).flatMap((what) => [
      ...both((side) => oracle.mine(what, zone, side)),
      ...both((side) => oracle.myPhases(what, zone, side)),
    ]),
  );
  return shown([
    oracle.state,
    ...both((side) => oracle.limit(side)),
    ...both((side) => oracle.phases(side)),
    ...both((side) => oracle.setpoint(side)),
    ...both((side) => oracle.phaseSetpoints(side)),
    ...both((side) => oracle.ceiling(side)),
    ...own,
  ]);
}

test(`${LIVES * LIFE} random steps of five zones: every value is the oracle’s after each, in both directions and per phase`, async () => {
  let steps = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: LIFE, maxLength: LIFE, size: 'max' }), async (actions) => {
      const world = new EnergyWorld({ zones: ZONES });
      const oracle = new Oracle(ZONES);
      for (const action of actions) {
        await take(world, oracle, action as Step);
        steps += 1;
        const [is, due] = [seen(world, oracle.zones), told(oracle)];
        if (is !== due) expect(is).toBe(due);
      }
      world.core.close();
      expect(world.clock.pending()).toEqual([]);
    }),
    { numRuns: LIVES },
  );
  expect(steps).toBeGreaterThanOrEqual(LIVES * LIFE);
}, 60_000);

const event = fc.oneof(
  fc.record({ do: fc.constantFrom('connect' as const, 'lose' as const, 'remove' as const, 'limit' as const), zone }),
  fc.record({ do: fc.constantFrom('press' as const, 'device' as const, 'undevice' as const, 'restart' as const, 'reset' as const), zone }),
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
          else if (action.do === 'reset') world.event({ type: 'reset' });
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
