import { describe, expect, it } from 'vitest';
import { type LastGood, type LastGoodEvent, NOWHERE, nextLastGood, recentAddresses } from '../../src/controller/last-good.js';

const address = { host: 'fd00::1', port: 8443 };
const connected: LastGoodEvent = { type: 'connected', address };
type Told = readonly [at: number, event: LastGoodEvent | 'lost' | 'refused' | 'mismatch' | 'goodbye' | 'removed' | 'time'];

function stateAfter(...events: readonly Told[]): LastGood {
  return events.reduce<LastGood>(
    (state, [at, event]) => nextLastGood(state, typeof event === 'string' ? { type: event } : event, at),
    NOWHERE,
  );
}

describe('the last good address (connection-establishment §7.4)', () => {
  it('a first connection has none: resolution is fresh', () => {
    expect(recentAddresses(NOWHERE, 0)).toEqual([]);
  });

  it('TC-MULTIIF-8: within 30 s of the loss it is tried first, however long the connection lasted', () => {
    const state = stateAfter([0, connected], [1_000_000, 'lost']);
    expect(recentAddresses(state, 1_000_000)).toEqual([address]);
    expect(recentAddresses(state, 1_029_999)).toEqual([address]);
    expect(recentAddresses(state, 1_030_000)).toEqual([]);
  });

  it.each(['refused', 'mismatch', 'goodbye', 'removed'] as const)('TC-MULTIIF-9: %s invalidates it', (trigger) => {
    expect(stateAfter([0, connected], [1000, 'lost'], [2000, trigger])).toEqual(NOWHERE);
    expect(stateAfter([0, connected], [1000, trigger], [2000, 'lost'])).toEqual(NOWHERE);
  });

  it('an age of more than two minutes invalidates it', () => {
    expect(stateAfter([0, connected], [1000, 'lost'], [121_000, 'time']).name).toBe('lost');
    expect(stateAfter([0, connected], [1000, 'lost'], [121_001, 'time'])).toEqual(NOWHERE);
    expect(stateAfter([0, connected], [500_000, 'time']).name).toBe('connected');
  });
});
