import { describe, expect, it } from 'vitest';
import {
  DEFAULT_MODE,
  type ModeFacts,
  type ModeSettings,
  type ModeState,
  modeCap,
  modeDeadline,
  nextMode,
  wishOf,
} from '../../src/features/charging-mode.js';

const MIN = 1_380_000;
const FACTS: ModeFacts = { surplus: null, minPower: MIN, urgent: false, worthwhile: undefined, planned: null };
const mode = (value: number, more: Partial<ModeSettings> = {}): ModeSettings => ({ ...DEFAULT_MODE, mode: value, ...more });
const FREE = { run: true, cap: null };

describe('what each mode wants (features.md §5)', () => {
  it.each<readonly [string, ModeSettings, Partial<ModeFacts>, object]>([
    ['OFF: what limits leave', mode(0), {}, FREE],
    ['PV_SURPLUS_ONLY: the surplus', mode(1), { surplus: 2_000_000 }, { run: true, cap: 2_000_000 }],
    ['PV_SURPLUS_ONLY: from the minimum on', mode(1), { surplus: MIN }, { run: true, cap: MIN }],
    ['PV_SURPLUS_ONLY: nothing of the grid', mode(1), { surplus: MIN - 1 }, { run: false, cap: MIN - 1 }],
    ['PV_SURPLUS_ONLY: a site that draws', mode(1), { surplus: -5 }, { run: false, cap: 0 }],
    ['PV_SURPLUS_ONLY: unknown is none', mode(1), {}, { run: false, cap: 0 }],
    ['PV_SURPLUS_ONLY: no minimum, no surplus', mode(1), { surplus: 0, minPower: 0 }, { run: false, cap: 0 }],
    ['THRESHOLD: reached, the grid fills up', mode(2, { surplusThreshold: 1_000_000 }), { surplus: 1_000_000 }, { run: true, cap: MIN }],
    ['THRESHOLD: above', mode(2, { surplusThreshold: 1_000_000 }), { surplus: 3_000_000 }, { run: true, cap: 3_000_000 }],
    ['THRESHOLD: not reached', mode(2, { surplusThreshold: 1_000_000 }), { surplus: 999_999 }, { run: false, cap: MIN }],
    ['THRESHOLD: unknown is none, be it 0', mode(2, { surplusThreshold: 0 }), {}, { run: false, cap: MIN }],
    ['PRICE_OPTIMIZED: worth it', mode(3), { worthwhile: true }, FREE],
    ['PRICE_OPTIMIZED: not worth it', mode(3), { worthwhile: false }, { run: false, cap: null }],
    ['PRICE_OPTIMIZED: no price known', mode(3), {}, FREE],
    ['SCHEDULED: the plan', mode(4), { planned: 4_000_000 }, { run: true, cap: 4_000_000 }],
    ['SCHEDULED: the plan rests', mode(4), { planned: 0 }, { run: false, cap: 0 }],
    ['SCHEDULED: no plan', mode(4), {}, FREE],
    ['below the minimum state of charge: as soon as possible', mode(1), { urgent: true }, FREE],
  ])('%s', (_name, settings, facts, wish) => {
    expect(wishOf(settings, { ...FACTS, ...facts })).toEqual(wish);
  });
});

describe('startDelay, stopDelay', () => {
  const delayed = mode(1, { startDelay: 60, stopDelay: 120 });
  const starting: ModeState = { name: 'starting', since: 1000 };
  const stopping: ModeState = { name: 'stopping', since: 1000 };

  it.each<readonly [ModeState, boolean, number, ModeState]>([
    [{ name: 'running' }, true, 5, { name: 'running' }],
    [{ name: 'running' }, false, 1000, stopping],
    [{ name: 'stopped' }, false, 5, { name: 'stopped' }],
    [{ name: 'stopped' }, true, 1000, starting],
    [starting, true, 60_999, starting],
    [starting, true, 61_000, { name: 'running' }],
    [starting, false, 61_000, { name: 'stopped' }],
    [stopping, false, 120_999, stopping],
    [stopping, false, 121_000, { name: 'stopped' }],
    [stopping, true, 2000, { name: 'running' }],
  ])('%j, run %s at %i → %j', (state, run, now, next) => {
    expect(nextMode(delayed, state, run, now)).toEqual(next);
  });

  it('none: at once', () => {
    expect(nextMode(mode(1), { name: 'running' }, false, 5)).toEqual({ name: 'stopped' });
    expect(nextMode(mode(1), { name: 'stopped' }, true, 5)).toEqual({ name: 'running' });
  });

  it('deadlines, and what each state leaves', () => {
    expect([starting, stopping, { name: 'running' } as const].map((state) => modeDeadline(delayed, state))).toEqual([
      61_000,
      121_000,
      Number.POSITIVE_INFINITY,
    ]);
    const wish = { run: true, cap: 5_000_000 };
    expect(modeCap({ name: 'running' }, wish, MIN)).toBe(5_000_000);
    expect(modeCap({ name: 'running' }, { run: true, cap: null }, MIN)).toBeNull();
    expect(modeCap(stopping, wish, MIN)).toBe(MIN);
    expect([modeCap(starting, wish, MIN), modeCap({ name: 'stopped' }, wish, MIN)]).toEqual([0, 0]);
  });
});
