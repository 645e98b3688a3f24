import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ZoneRank } from '../../src/zones/resolution.js';
import { seen, told } from './compare.js';
import { Oracle } from './oracle.js';
import { APP, EnergyWorld, GRID, HOME, settle } from './world.js';

const ZONES = [GRID, HOME, APP];
const actor = fc.constantFrom(...ZONES);
const LIVES = 600;

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('limit' as const),
      actor,
      side: fc.constantFrom(0 as const, 1 as const),
      value: fc.option(fc.nat(11_040_000), { freq: 5 }),
      duration: fc.constantFrom(0, 0, 0, 50),
      cause: fc.constantFrom(0, 1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('setpoint' as const), actor, value: fc.nat(11_040_000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('lose' as const, 'connect' as const), actor }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('press' as const, 'reflex' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('stall' as const, 'go on' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('refuse' as const, 'accept' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(20_000) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Everything in the order of its arrival, told to the oracle once it is known what became of the commands. */
class Protocol {
  readonly #entries: { readonly at: number; readonly tell: () => void | Promise<void> }[] = [];

  note(at: number, tell: () => void | Promise<void>): void {
    this.#entries.push({ at, tell });
  }

  async replay(oracle: Oracle, now: number): Promise<void> {
    for (const { at, tell } of this.#entries) {
      oracle.advance(at - oracle.now);
      await tell();
    }
    oracle.advance(now - oracle.now);
  }
}

/** A command of a zone without a connection is its connection instead, as is its loss. */
function possible(action: Step, here: Set<ZoneRank>): Step {
  if (!('actor' in action)) return action;
  const { actor } = action;
  const taken: Step = here.has(actor) ? action : { do: 'connect', actor };
  if (taken.do === 'lose') here.delete(actor);
  else here.add(actor);
  return taken;
}

async function live(world: EnergyWorld, oracle: Oracle, protocol: Protocol, action: Step): Promise<void> {
  const at = world.clock.now();
  switch (action.do) {
    case 'limit': {
      const { actor, side, value, duration, cause } = action;
      const values = side === 0 ? ([value, undefined] as const) : ([undefined, value] as const);
      const outcome = outcomeOf(world.core.execute(actor, { name: 'setLimit', values, duration, cause }));
      return protocol.note(at, async () => {
        const said = await outcome;
        // What the medium refused has changed nothing; everything else is as if one had waited for the other.
        if (said === 'medium') return;
        expect(said).toBe(oracle.overridden && cause === 1 ? 'refused' : 'done');
        if (said === 'done') oracle.set('limit', actor, side, 'all', value, duration, cause);
      });
    }
    case 'setpoint': {
      const { actor, value } = action;
      const outcome = outcomeOf(world.core.execute(actor, { name: 'setSetpoint', values: [value, undefined], cause: 1 }));
      return protocol.note(at, async () => {
        if ((await outcome) === 'done') oracle.set('setpoint', actor, 0, 'all', value, 0, 1);
      });
    }
    case 'lose':
      world.lose(action.actor);
      return protocol.note(at, () => oracle.lose(action.actor));
    case 'connect':
      world.connect(action.actor);
      return protocol.note(at, () => oracle.connect(action.actor));
    case 'press':
      world.event({ type: 'press' });
      return protocol.note(at, () => oracle.press());
    case 'reflex':
      // At its next order the power stage tells something by itself, in the same turn.
      world.onTarget = () => {
        world.onTarget = undefined;
        world.event({ type: 'process', event: { type: 'demanded' } });
      };
      return;
    case 'stall':
      world.journal.slow = true;
      return;
    case 'go on':
      world.journal.release();
      return settle();
    case 'refuse':
    case 'accept':
      world.journal.failing = action.do === 'refuse';
      return;
    case 'wait':
      await world.advance(action.ms);
  }
}

function outcomeOf(promise: ReturnType<EnergyWorld['run']>): Promise<'done' | 'refused' | 'medium'> {
  return promise.then(
    (result) => (result.kind === 'limit' && !result.applied ? 'refused' : 'done'),
    () => 'medium',
  );
}

test('commands and events that do not wait for one another, on a medium that stalls and refuses: as if each had waited, and what was acknowledged is there after a restart', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 30, size: 'max' }), async (actions) => {
      const world = new EnergyWorld({ zones: ZONES });
      world.connect(...ZONES);
      await settle();
      const oracle = new Oracle(ZONES);
      for (const zone of ZONES) oracle.connect(zone);
      const protocol = new Protocol();
      const here = new Set<ZoneRank>(ZONES);
      for (const action of actions) await live(world, oracle, protocol, possible(action as Step, here));
      world.journal.failing = false;
      // The last things that are still to be written, a minute after a refusal at the latest.
      for (let i = 0; i < 3; i++) {
        world.journal.release();
        await settle();
        await world.advance(60_000);
      }
      await protocol.replay(oracle, world.clock.now());
      expect(seen(world, ZONES)).toBe(told(oracle));
      const lasting = (zone: ZoneRank) => [oracle.diary.mine('limit', zone, 0), oracle.diary.mine('limit', zone, 1)];
      world.restart();
      oracle.restart();
      for (const zone of ZONES) expect([world.read(21, zone), world.read(23, zone)]).toEqual(lasting(zone));
      world.core.close();
    }),
    { numRuns: LIVES },
  );
});
