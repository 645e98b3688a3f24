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

describe('features.md §1, override: every state, every event', () => {
  const DEVICE = next(NO_OVERRIDE, { type: 'device', cause: CAUSE });
  const states = { none: NO_OVERRIDE, user: USER, device: DEVICE, both: next(USER, { type: 'device', cause: CAUSE }) };
  const events: Readonly<Record<string, OverrideEvent>> = {
    press: { type: 'press' },
    failsafe: { type: 'failsafe' },
    unzoned: { type: 'unzoned' },
    early: { type: 'time' },
    due: { type: 'time' },
    cause: { type: 'device', cause: CAUSE },
    causeGone: { type: 'device', cause: undefined },
  };
  const table: Readonly<Record<keyof typeof states, readonly (keyof typeof states)[]>> = {
    none: ['user', 'none', 'none', 'none', 'none', 'device', 'none'],
    user: ['none', 'none', 'none', 'user', 'none', 'both', 'user'],
    device: ['both', 'device', 'device', 'device', 'device', 'device', 'none'],
    both: ['device', 'device', 'device', 'both', 'device', 'both', 'user'],
  };
  const nameOf = ({ userUntil, device }: typeof NO_OVERRIDE): string =>
    userUntil === undefined ? (device === undefined ? 'none' : 'device') : device === undefined ? 'user' : 'both';
  for (const from of Object.keys(states) as (keyof typeof states)[])
    for (const [column, [name, event]] of Object.entries(events).entries())
      test(`${from}, ${name}: ${table[from][column]}`, () => {
        expect(nameOf(next(states[from], event, name === 'due' ? FOUR_HOURS : 1))).toBe(table[from][column]);
      });
});
