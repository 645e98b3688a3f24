import { expect, it } from 'vitest';
import { mayRemove } from '../../src/interaction/zone-commands.js';
import { ZoneType } from '../../src/zones/zone.js';

const zone = (id: string, type: number, priority: number) => ({ id, type, priority });
const grid = zone('G', ZoneType.GRID_OPERATOR, 2);
const home = zone('H', ZoneType.HOME_MANAGER, 2);
const test = zone('T', ZoneType.TEST, 1);

it.each([
  ['its own zone', home, home, true, true],
  ['a lower type', grid, home, true, false],
  ['a higher type', home, grid, false, false],
  ['the same type, a lower priority', home, zone('I', home.type, 3), true, false],
  ['the same type, the same priority', home, zone('I', home.type, 2), false, false],
  ['the same type, a higher priority', home, zone('I', home.type, 1), false, false],
  ['a higher type of lower priority', zone('H', home.type, 1), zone('G', grid.type, 4), false, false],
  ['an observer', home, test, true, false],
  ['any zone, as an observer', test, grid, true, true],
])('%s: forced removal on and off (protocol.md §2.14): %#', (_what, caller, target, forced, plain) => {
  expect([mayRemove(caller, target, true), mayRemove(caller, target, false)]).toEqual([forced, plain]);
});
