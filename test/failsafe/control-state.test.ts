import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Control, type ControlEvent, type ControlFacts, controlRule, nextControl } from '../../src/failsafe/control-state.js';

const { AUTONOMOUS: A, CONTROLLED: C, LIMITED: L, FAILSAFE: F, OVERRIDE: O } = Control;
const facts = (over: Partial<ControlFacts> = {}): ControlFacts => ({
  override: false,
  failsafe: false,
  connected: true,
  limitInForce: false,
  setpointInForce: false,
  returned: false,
  ...over,
});
const ALONE = facts({ connected: false });
const LIMIT = facts({ limitInForce: true });

describe('features.md §1: the first that holds', () => {
  test.each([
    [facts({ override: true, failsafe: true, limitInForce: true }), O, O],
    [facts({ failsafe: true, connected: false, limitInForce: true }), F, F],
    [facts({ connected: false, limitInForce: true }), A, C],
    [LIMIT, L, C],
    [facts({ setpointInForce: true }), C, C],
    [facts(), C, A],
    [facts({ returned: true }), C, C],
  ])('%j', (given, draft, reference) => {
    expect(controlRule('d', given)).toBe(draft);
    expect(controlRule('r', given)).toBe(reference);
  });
});

describe('features.md §1, the table', () => {
  const rows: readonly [ControlEvent, Control, ControlFacts, Control][] = [
    ['zoneConnected', A, facts(), C],
    ['zoneConnected', A, LIMIT, L],
    ['zoneConnected', C, LIMIT, L],
    ['zoneConnected', L, facts(), C],
    ['zoneConnected', F, facts(), C],
    ['zoneConnected', F, LIMIT, L],
    ['valuesChanged', C, LIMIT, L],
    ['valuesChanged', L, facts(), C],
    ['lastConnectionLost', C, facts({ failsafe: true }), F],
    ['lastConnectionLost', L, facts({ failsafe: true, limitInForce: true }), F],
    ['lastConnectionLost', O, facts({ failsafe: true, connected: false }), F],
    ['lastConnectionLost', O, facts({ failsafe: true, override: true }), O],
    ['failsafeOver', F, ALONE, A],
    ['failsafeOver', F, facts({ failsafe: true }), F],
    ['overrideOn', A, facts({ override: true }), O],
    ['overrideOn', C, facts({ override: true }), O],
    ['overrideOn', L, facts({ override: true }), O],
    ['overrideOn', F, facts({ override: true, failsafe: true }), O],
    ['overrideOff', O, facts({ failsafe: true }), F],
    ['overrideOff', O, LIMIT, L],
    ['lastZoneRemoved', C, ALONE, A],
    ['lastZoneRemoved', L, ALONE, A],
    ['lastZoneRemoved', F, ALONE, A],
    ['lastZoneRemoved', O, ALONE, A],
    ['boot', A, facts({ failsafe: true }), F],
    ['boot', A, ALONE, A],
    ['reset', A, facts(), C],
    ['reset', C, ALONE, A],
    ['reset', L, facts(), C],
    ['reset', F, ALONE, A],
    ['reset', O, facts(), C],
  ];
  test.each(rows)('%s in %i', (event, from, given, to) => expect(nextControl('d', from, event, given)).toBe(to));

  const refused: readonly [ControlEvent, readonly Control[]][] = [
    ['zoneConnected', [O]],
    ['valuesChanged', [A, F, O]],
    ['connectionLost', [A, C, L, F, O]],
    ['lastConnectionLost', [A, F]],
    ['failsafeOver', [A, C, L, O]],
    ['overrideOn', [O]],
    ['overrideOff', [A, C, L, F]],
    ['lastZoneRemoved', [A]],
    ['boot', [C, L, F, O]],
  ];
  test.each(refused)('%s changes nothing in %j', (event, states) => {
    const any = fc.record({
      override: fc.boolean(),
      failsafe: fc.boolean(),
      connected: fc.boolean(),
      limitInForce: fc.boolean(),
      setpointInForce: fc.boolean(),
      returned: fc.boolean(),
    });
    fc.assert(fc.property(any, (given) => states.every((state) => nextControl('d', state, event, given) === state)));
  });
});

describe('features.md §1, profile reference: a limit or setpoint in force is CONTROLLED, none AUTONOMOUS', () => {
  const SETPOINT = facts({ setpointInForce: true });
  const RETURNED = facts({ returned: true });
  const rows: readonly [ControlEvent, Control, ControlFacts, Control][] = [
    ['zoneConnected', A, facts(), A],
    ['zoneConnected', A, LIMIT, C],
    ['zoneConnected', C, facts(), A],
    ['zoneConnected', F, RETURNED, C],
    ['valuesChanged', A, LIMIT, C],
    ['valuesChanged', A, SETPOINT, C],
    ['valuesChanged', C, facts(), A],
    ['connectionLost', C, facts(), A],
    ['connectionLost', A, LIMIT, C],
    ['lastConnectionLost', A, facts({ failsafe: true }), F],
    ['lastConnectionLost', C, facts({ failsafe: true, limitInForce: true }), F],
    ['lastConnectionLost', O, facts({ failsafe: true, connected: false }), F],
    ['failsafeOver', F, ALONE, A],
    ['overrideOn', A, facts({ override: true }), O],
    ['overrideOn', C, facts({ override: true }), O],
    ['overrideOn', F, facts({ override: true, failsafe: true }), O],
    ['overrideOff', O, LIMIT, C],
    ['overrideOff', O, facts(), A],
    ['lastZoneRemoved', C, ALONE, A],
    ['lastZoneRemoved', F, ALONE, A],
    ['lastZoneRemoved', O, ALONE, A],
    ['boot', A, facts({ failsafe: true }), F],
    ['reset', C, facts(), A],
    ['reset', F, ALONE, A],
    ['reset', O, facts(), A],
  ];
  test.each(rows)('%s in %i', (event, from, given, to) => expect(nextControl('r', from, event, given)).toBe(to));

  const refused: readonly [ControlEvent, readonly Control[]][] = [
    ['zoneConnected', [O]],
    ['valuesChanged', [F, O]],
    ['connectionLost', [F, O]],
    ['lastConnectionLost', [F]],
    ['failsafeOver', [A, C, O]],
    ['overrideOn', [O]],
    ['overrideOff', [A, C, F]],
    ['lastZoneRemoved', [A]],
    ['boot', [C, F, O]],
  ];
  test.each(refused)('%s changes nothing in %j', (event, states) => {
    for (const given of [facts(), LIMIT, SETPOINT, RETURNED, ALONE, facts({ failsafe: true }), facts({ override: true })])
      for (const state of states) expect(nextControl('r', state, event, given)).toBe(state);
  });
});
