import type { EnergyValue } from '../../src/failsafe/energy-view.js';
import type { ZoneRank } from '../../src/zones/resolution.js';
import type { Oracle } from './oracle.js';
import type { EnergyWorld } from './world.js';

export const shown = (values: readonly (EnergyValue | undefined)[]): string =>
  values.map((value) => (value instanceof Map ? [...value].join(';') : String(value))).join(' ');

/** Every value of the world … */
export function seen(world: EnergyWorld, zones: readonly ZoneRank[]): string {
  const own = zones.flatMap((zone) => [21, 23, 31, 33, 41, 43, 51, 53].map((id) => world.read(id, zone)));
  const { ceiling, beneath } = world.core.target;
  const all = [2, 20, 22, 30, 32, 40, 42, 50, 52, 3, 70, 71, 72, 75, 76].map((id) => world.read(id));
  return shown([...all, ...ceiling, ...beneath, ...own]);
}

/** … and what it must be, in the same order. */
export function told(oracle: Oracle): string {
  const both = <T>(of: (side: number) => T): T[] => [of(0), of(1)];
  const own = oracle.zones.flatMap((zone) =>
    (['limit', 'setpoint'] as const).flatMap((what) => [
      ...both((side) => oracle.diary.mine(what, zone, side)),
      ...both((side) => oracle.diary.myPhases(what, zone, side)),
    ]),
  );
  return shown([
    oracle.state,
    ...both((side) => oracle.limit(side)),
    ...both((side) => oracle.phases(side)),
    ...both((side) => oracle.setpoint(side)),
    ...both((side) => oracle.phaseSetpoints(side)),
    ...[oracle.optOut, ...oracle.failsafeLimits, oracle.failsafeDuration],
    ...(oracle.deviceOverrides ? [1, 2] : [null, null]),
    ...both((side) => oracle.ceiling(side)),
    ...both((side) => oracle.beneath(side)),
    ...own,
  ]);
}
