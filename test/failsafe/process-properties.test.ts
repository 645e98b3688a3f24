import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ZoneRank } from '../../src/zones/resolution.js';
import { type Order, ProcessOracle, type ProcessRules } from './process-oracle.js';
import { APP, EnergyWorld, GRID, HOME, TEST } from './world.js';

const SECOND_HOME: ZoneRank = { id: 'f6', type: 2, priority: 3 };
const USER: ZoneRank = { id: '', type: 4, priority: 0 };
const ZONES = [GRID, HOME, APP, SECOND_HOME, TEST];
const ACTORS = [...ZONES, USER];

const processId = fc.constantFrom(1, 1, 1, 1, 2);
const startsIn = fc.constantFrom(-5000, 0, 1, 30_000, 600_000);
const order: fc.Arbitrary<Order> = fc.oneof(
  fc.record({ name: fc.constant('pause' as const), duration: fc.constantFrom(0, 1, 20, 45, 500) }),
  fc.record({ name: fc.constantFrom('resume' as const, 'stop' as const) }),
  fc.record({ name: fc.constant('scheduleProcess' as const), startsIn, processId }),
  fc.record({ name: fc.constant('adjustStartTime' as const), startsIn }),
  fc.record({ name: fc.constant('cancelProcess' as const), processId }),
);
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('order' as const), order, actor: fc.nat(ACTORS.length - 1) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('event' as const),
      type: fc.constantFrom('offered', 'offered', 'demanded', 'withdrawn', 'finished', 'cleared', 'reset'),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.oneof(fc.nat(40_000), fc.nat(700_000)) }) },
  // What never changes the process of anyone else: connections, FAILSAFE and its end, OVERRIDE, limits.
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('connect' as const, 'lose' as const, 'remove' as const, 'failsafe' as const, 'press' as const, 'limit' as const),
      zone: fc.nat(ZONES.length - 1),
    }),
  },
);
const rules: fc.Arbitrary<ProcessRules> = fc.record({
  reference: fc.boolean(),
  minRun: fc.constantFrom(undefined, undefined, 60),
  minPause: fc.constantFrom(undefined, undefined, 30),
  maxPause: fc.constantFrom(undefined, 90),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function take(world: EnergyWorld, oracle: ProcessOracle, action: Step): Promise<void> {
  switch (action.do) {
    case 'order': {
      const actor = ACTORS[action.actor] as ZoneRank;
      if (actor !== USER && !world.zones.includes(actor)) return;
      const said = await world.core.execute(actor, action.order).then(
        (result) => (result.kind === 'retry' ? `wait ${result.retryAfter}` : 'done'),
        (error: { status: number }) => `status ${error.status}`,
      );
      expect(said).toBe(oracle.ask(actor, action.order));
      return;
    }
    case 'event':
      world.event({ type: 'process', event: { type: action.type as 'offered' } });
      return action.type === 'reset' ? oracle.unplug() : oracle.happens(action.type);
    case 'wait':
    case 'failsafe': {
      const ms = action.do === 'wait' ? action.ms : 7_200_000;
      if (action.do === 'failsafe') world.lose(...ZONES);
      await world.advance(ms);
      return oracle.advance(ms);
    }
    case 'press':
      return world.event({ type: 'press' });
    default:
      return visit(world, oracle, action.do, ZONES[action.zone] as ZoneRank);
  }
}

async function visit(
  world: EnergyWorld,
  oracle: ProcessOracle,
  what: 'connect' | 'lose' | 'remove' | 'limit',
  zone: ZoneRank,
): Promise<void> {
  if (!world.zones.includes(zone)) return;
  if (what === 'limit') await world.limit(zone, 0, { cause: 0 });
  else if (what === 'lose') world.lose(zone);
  else if (what === 'connect') {
    world.connect(zone);
    oracle.connect(zone);
  } else {
    world.remove(zone);
    oracle.remove(zone);
  }
}

test('60,000 random orders and events of five zones and the user in both profiles: the process is the oracle’s after each (features.md §2, §4)', async () => {
  const reached = new Set<number>();
  await fc.assert(
    fc.asyncProperty(rules, fc.array(step, { minLength: 40, maxLength: 40, size: 'max' }), async (given, actions) => {
      const { minRun = null, minPause = null, maxPause = null } = given;
      const process = { minRunDuration: minRun, minPauseDuration: minPause, maxPauseDuration: maxPause };
      const world = new EnergyWorld({ zones: ZONES, config: { variant: given.reference ? 'r' : 'd', process } });
      const oracle = new ProcessOracle(given);
      for (const action of actions) {
        await take(world, oracle, action as Step);
        const { paused, aborted, running } = world.core.target;
        const { name } = oracle;
        expect([world.read(80), paused, aborted, running]).toEqual([
          oracle.state,
          name === 'PAUSED',
          name === 'ABORTED',
          name === 'RUNNING',
        ]);
        reached.add(oracle.state);
      }
      world.core.close();
    }),
    { numRuns: 1500 },
  );
  expect(reached.size).toBe(7);
});
