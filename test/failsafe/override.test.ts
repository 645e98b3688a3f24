import { describe, expect, test } from 'vitest';
import { NO_OVERRIDE, nextOverride, type OverrideEvent, overrideKind } from '../../src/failsafe/override.js';

const FOUR_HOURS = 4 * 3_600_000;
const next = (state: typeof NO_OVERRIDE, event: OverrideEvent, now = 0) => nextOverride(FOUR_HOURS, state, event, now);
const USER = next(NO_OVERRIDE, { type: 'press' });
const CAUSE = { reason: 0, direction: 0 };

describe('features.md §1, override', () => {
  test('by the user: on by a long press, off by the second', () => {
    expect(overrideKind(USER)).toBe('user');
    expect(next(USER, { type: 'press' })).toEqual(NO_OVERRIDE);
  });

  test('by the user: ends by itself after override.maxDuration, not a millisecond before', () => {
    expect(overrideKind(next(USER, { type: 'time' }, FOUR_HOURS - 1))).toBe('user');
    expect(next(USER, { type: 'time' }, FOUR_HOURS)).toEqual(NO_OVERRIDE);
  });

  test.each(['failsafe', 'unzoned'] as const)('by the user: %s ends it', (type) => {
    expect(next(USER, { type })).toEqual(NO_OVERRIDE);
  });

  test('device-made: as long as its cause, whatever else happens', () => {
    const device = next(NO_OVERRIDE, { type: 'device', cause: CAUSE });
    for (const type of ['failsafe', 'unzoned', 'time'] as const) expect(next(device, { type }, FOUR_HOURS)).toEqual(device);
    expect(next(device, { type: 'device', cause: undefined })).toEqual(NO_OVERRIDE);
  });

  test('the device stands above the user, and the user is still there below', () => {
    const both = next(USER, { type: 'device', cause: CAUSE });
    expect(overrideKind(both)).toBe('device');
    expect(overrideKind(next(both, { type: 'device', cause: undefined }))).toBe('user');
  });
});
