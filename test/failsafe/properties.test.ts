import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EnergyCommand } from '../../src/failsafe/command-types.js';
import { controlRule } from '../../src/failsafe/control-state.js';
import { controlFacts } from '../../src/failsafe/energy-view.js';
import type { ZoneRank } from '../../src/zones/resolution.js';
import type { Pair } from '../../src/zones/timed-values.js';
import { seen, shown, told } from './compare.js';
import { Oracle, type OracleRules } from './oracle.js';
import { refusal, writeStatus } from './oracle-refusals.js';
import { rules, type Step, step, ZONES, zone } from './steps.js';
import { EnergyWorld, GRID, settle } from './world.js';

/** "100,000 steps in CI": 2,500 lives of 40. */
const LIVES = 2500;
const LIFE = 40;

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
  if (action.do === 'exceed') {
    oracle.deviceOverrides = !oracle.deviceOverrides;
    return world.event({ type: 'deviceOverride', cause: oracle.deviceOverrides ? { reason: 1, direction: 2 } : undefined });
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
  if (action.do === 'write') return write(world, oracle, actor, action.values);
  const refused = refusal(oracle, actor, action);
  const command = commandOf(action);
  const said = await world.core.execute(actor, command).then(
    (result) => (result.kind === 'limit' ? (result.rejectReason ?? 'done') : 'done'),
    (error: { status: number }) => `status ${error.status}`,
  );
  if (said !== (refused ?? 'done')) expect(said).toBe(refused ?? 'done');
  if (refused === undefined) tell(oracle, actor, action);
}

type Setting = Exclude<
  Step,
  { do: 'wait' | 'constraint' | 'connect' | 'lose' | 'remove' | 'restart' | 'jump' | 'press' | 'exceed' | 'write' }
>;

function commandOf(action: Setting): EnergyCommand {
  if ('phases' in action) {
    const map = new Map(Object.entries(action.phases).map(([phase, value]) => [Number(phase), value]));
    return { name: action.do, phases: map, sides: action.sides, duration: action.duration, cause: action.cause };
  }
  if ('values' in action)
    return { name: action.do, values: action.values as Pair<number | null | undefined>, duration: action.duration, cause: action.cause };
  return { name: action.do, sides: action.sides };
}

/** features.md §3: several attributes in one write, of which the lowest that fails decides. `seed` gives the value, now and then one out of range, or null. */
async function write(world: EnergyWorld, oracle: Oracle, actor: ZoneRank, seeds: readonly (readonly [number, number])[]): Promise<void> {
  const values = new Map(seeds.map(([id, seed]) => [id, chosen(id, seed)]));
  const ascending = [...values].sort(([a], [b]) => a - b);
  let optOut = oracle.optOut;
  let due = 0;
  for (const [id, value] of ascending) {
    due ||= writeStatus(oracle, actor, id, value, optOut);
    if (id === 3 && value !== null) optOut = value;
  }
  const said = await world.core.write(actor, values).then(
    () => 0,
    (error: { status: number }) => error.status,
  );
  if (said !== due) expect([said, ...ascending]).toEqual([due, ...ascending]);
  if (due !== 0) return;
  for (const [id, value] of ascending) {
    if (id === 3) oracle.optOut = value as number;
    else if (id === 72) oracle.failsafeDuration = value as number;
    else if (id >= 70) oracle.failsafeLimits[id - 70] = value as number;
    else oracle.set(id < 40 ? 'limit' : 'setpoint', actor, id % 20 === 1 ? 0 : 1, 'all', value, 0, id < 40 ? 3 : 1);
  }
}

function chosen(id: number, seed: number): number | null {
  if (seed > 940) return seed > 970 ? null : -1;
  if (id === 3) return seed % 4;
  return id === 72 ? 7000 + seed * 85 : seed * 11_500;
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

const SHARED = [2, 3, 20, 22, 30, 32, 40, 42, 50, 52, 70, 71, 72, 75, 76, 80];
const OWN = [21, 23, 31, 33, 41, 43, 51, 53];

/** What everyone reads by id, and what each zone reads of its own by `zone id`. */
function attributes(world: EnergyWorld, zones: readonly ZoneRank[]): ReadonlyMap<string, string> {
  const own = zones.flatMap((zone) => OWN.map((id) => [`${zone.id} ${id}`, shown([world.read(id, zone)])] as const));
  return new Map([...SHARED.map((id) => [`${id}`, shown([world.read(id)])] as const), ...own]);
}

/** features.md §3: what has changed is told, to every subscriber or to its zone alone. */
function checkNews(world: EnergyWorld, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  const told = new Set(world.changes.flatMap(({ ids, zone }) => ids.map((id) => (zone === undefined ? `${id}` : `${zone} ${id}`))));
  for (const [name, value] of after) if ((before.get(name) ?? 'null') !== value && !told.has(name)) expect([...told]).toContain(name);
  for (const name of told) if (!after.has(name)) expect([...after.keys()]).toContain(name);
}

function worldOf({ variant, hold, grace, phaseCount, asymmetric }: OracleRules): EnergyWorld {
  const config = { variant, failsafe: { grace, afterDuration: hold ? ('hold' as const) : ('autonomous' as const) } };
  return new EnergyWorld({ zones: ZONES, config, ratings: { phaseCount, asymmetric } });
}

test(`${LIVES * LIFE} random steps of five zones in both profiles: every value is the oracle’s after each, in both directions and per phase`, async () => {
  let steps = 0;
  await fc.assert(
    fc.asyncProperty(rules, fc.array(step, { minLength: LIFE, maxLength: LIFE, size: 'max' }), async (given, actions) => {
      const world = worldOf(given);
      const oracle = new Oracle(ZONES, given);
      for (const action of actions) {
        // Every fifth life also reads everything before and after, to see that what has changed was told.
        const watched = steps % (5 * LIFE) < LIFE && action.do !== 'restart';
        const before = watched ? attributes(world, oracle.zones) : undefined;
        world.changes.length = 0;
        await take(world, oracle, action as Step);
        oracle.look();
        if (before !== undefined) checkNews(world, before, attributes(world, oracle.zones));
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
});

const event = fc.oneof(
  fc.record({ do: fc.constantFrom('connect' as const, 'lose' as const, 'remove' as const, 'limit' as const), zone }),
  fc.record({ do: fc.constantFrom('press' as const, 'device' as const, 'undevice' as const, 'restart' as const, 'reset' as const), zone }),
  fc.record({ do: fc.constant('wait' as const), zone: fc.integer({ min: 1, max: 15_000_000 }) }),
);

test.each(['d', 'r'] as const)('profile %s: the table never leaves the state that the rule gives', async (variant) => {
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
});
