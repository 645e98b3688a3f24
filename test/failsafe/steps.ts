import fc from 'fast-check';
import type { ClearName } from '../../src/failsafe/command-types.js';
import type { Side } from '../../src/zones/timed-values.js';
import type { OracleRules } from './oracle.js';
import { APP, GRID, HOME, TEST } from './world.js';

const SECOND_HOME = { id: 'f6', type: 3, priority: 3 };
export const ZONES = [GRID, HOME, APP, SECOND_HOME, TEST];
export const zone = fc.nat(ZONES.length - 1);
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
export const step = fc.oneof(
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
  { weight: 1, arbitrary: bare('exceed') },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      zone,
      values: fc.uniqueArray(fc.tuple(fc.constantFrom(3, 21, 23, 41, 43, 70, 71, 72), fc.nat(1000)), {
        minLength: 1,
        maxLength: 3,
        selector: ([id]) => id,
      }),
    }),
  },
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.nat(120_000), fc.nat(1_000_000), fc.nat(7_300_000), fc.constant(7_200_000)),
    }),
  },
);
export type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Under which rules a life is lived. */
export const rules: fc.Arbitrary<OracleRules> = fc.record({
  variant: fc.constantFrom('d', 'r'),
  hold: fc.boolean(),
  grace: fc.constantFrom(0, 0, 3_600_000),
  phaseCount: fc.constantFrom(3, 3, 1),
  asymmetric: fc.constantFrom<readonly [boolean, boolean]>([false, false], [true, false], [true, true]),
});
