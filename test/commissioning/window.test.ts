import { describe, expect, it } from 'vitest';
import { CLOSED, nextWindow, type WindowEffect, type WindowEvent, type WindowState } from '../../src/commissioning/window.js';
import { makeProfile } from '../../src/profile.js';

/** commissioning-pase §5.1: 120 s, cool-down 10 s. */
const DRAFT = { duration: 120_000, coolDown: 10_000 };
const REFERENCE = { duration: 900_000, coolDown: 0 };

const OPEN: WindowState = { name: 'open', until: 120_000 };
const COOLING: WindowState = { name: 'closed', notBefore: 60_000 };

it('the profiles have these numbers', () => {
  for (const [name, settings] of [
    ['draft', DRAFT],
    ['reference', REFERENCE],
  ] as const) {
    const profile = makeProfile(name);
    expect({ duration: profile['commissioning.window'], coolDown: profile['commissioning.coolDown'] }).toEqual(settings);
  }
});

describe('every transition', () => {
  it.each<readonly [string, WindowState, WindowEvent, number, WindowState, readonly WindowEffect[]]>([
    ['closed, never open before', CLOSED, 'open', 0, OPEN, ['opened']],
    ['closed', CLOSED, 'time', 5, CLOSED, []],
    ['closed', CLOSED, 'shut', 5, CLOSED, []],
    ['closed', CLOSED, 'commissioned', 5, CLOSED, []],
    ['cooling down', COOLING, 'open', 50_000, COOLING, ['refused']],
    ['cooling down', COOLING, 'open', 59_999, COOLING, ['refused']],
    ['cooled down', COOLING, 'open', 60_000, { name: 'open', until: 180_000 }, ['opened']],
    ['cooling down', COOLING, 'shut', 55_000, COOLING, []],
    ['cooling down', COOLING, 'time', 55_000, COOLING, []],
    ['cooling down', COOLING, 'commissioned', 55_000, COOLING, []],
    ['open: never extended', OPEN, 'open', 119_999, OPEN, []],
    ['open', OPEN, 'time', 119_999, OPEN, []],
    ['open, at its end', OPEN, 'time', 120_000, { name: 'closed', notBefore: 130_000 }, ['closed']],
    ['open, after its end', OPEN, 'time', 125_000, { name: 'closed', notBefore: 135_000 }, ['closed']],
    ['open', OPEN, 'commissioned', 7000, { name: 'closed', notBefore: 17_000 }, ['closed']],
    ['closed, never open before', CLOSED, 'anew', 0, OPEN, ['opened']],
    ['cooling down: a test knows no cool-down', COOLING, 'anew', 50_000, { name: 'open', until: 170_000 }, ['opened']],
    ['open: a test begins it anew', OPEN, 'anew', 7000, { name: 'open', until: 127_000 }, ['moved']],
    ['open', OPEN, 'shut', 7000, { name: 'closed', notBefore: 17_000 }, ['closed']],
  ])('%s: %j, %s at %i', (_what, state, event, now, next, effects) => {
    expect(nextWindow(DRAFT, state, event, now)).toEqual({ state: next, effects });
  });

  it('in the profile reference there is no cool-down', () => {
    const { state } = nextWindow(REFERENCE, { name: 'open', until: 900_000 }, 'shut', 1000);
    expect(nextWindow(REFERENCE, state, 'open', 1000)).toEqual({ state: { name: 'open', until: 901_000 }, effects: ['opened'] });
  });
});
