import { describe, expect, it } from 'vitest';
import { MockButton } from '../../hal/mock/button.js';
import { LONG_PRESS_MS, nextPress, type Press, type PressEvent, type PressState, UP, watchPresses } from '../../src/commissioning/press.js';
import { VirtualClock } from '../world/clock.js';

const down: PressState = { kind: 'down', deadline: 4000 };
const held: PressState = { kind: 'held' };

describe('press: the table', () => {
  const transitions: [PressState, PressEvent['kind'], number, PressState, Press[]][] = [
    [UP, 'pressed', 1000, down, []],
    [UP, 'released', 1000, UP, []],
    [UP, 'deadline', 9000, UP, []],
    [down, 'pressed', 1500, down, []],
    [down, 'released', 3999, UP, ['press']],
    [down, 'released', 4000, UP, ['longPress']],
    [down, 'deadline', 3999, down, []],
    [down, 'deadline', 4000, held, ['longPress']],
    [held, 'pressed', 5000, held, []],
    [held, 'released', 5000, UP, []],
    [held, 'deadline', 5000, held, []],
  ];
  it.each(transitions)('%j on %s at %d → %j %j', (state, kind, now, after, effects) => {
    expect(nextPress(state, { kind }, now)).toEqual({ state: after, effects });
  });
});

describe('press: the watch', () => {
  function world(longPress?: number) {
    const clock = new VirtualClock();
    const button = new MockButton(() => clock.now());
    const seen: [Press, number][] = [];
    const end = watchPresses(button, clock, (press) => seen.push([press, clock.now()]), longPress);
    return { clock, button, seen, end };
  }

  it('reports a press when it is let go', async () => {
    const { clock, button, seen } = world();
    button.press();
    await clock.advance(LONG_PRESS_MS - 1);
    expect(seen).toEqual([]);
    button.release();
    await clock.advance(10_000);
    expect(seen).toEqual([['press', LONG_PRESS_MS - 1]]);
    expect(clock.pending()).toEqual([]);
  });

  it('reports a long press once, while it is held', async () => {
    const { clock, button, seen } = world();
    await clock.advance(500);
    button.press();
    expect(clock.pending()).toEqual([{ name: 'LONG_PRESS', at: 500 + LONG_PRESS_MS }]);
    await clock.advance(20_000);
    expect(seen).toEqual([['longPress', 500 + LONG_PRESS_MS]]);
    button.release();
    button.press();
    button.release();
    expect(seen.map(([press]) => press)).toEqual(['longPress', 'press']);
  });

  it('takes another threshold', async () => {
    const { clock, button, seen } = world(10_000);
    button.press();
    await clock.advance(9_999);
    button.release();
    button.press();
    await clock.advance(10_000);
    expect(seen.map(([press]) => press)).toEqual(['press', 'longPress']);
  });

  it('judges by when the edges happened, not by when they arrived', async () => {
    const clock = new VirtualClock();
    const seen: Press[] = [];
    let deliver = (_pressed: boolean, _at: number): void => {};
    const button = {
      watch: (listener: (edge: { pressed: boolean; at: number }) => void) => {
        deliver = (pressed, at) => listener({ pressed, at });
        return () => {};
      },
    };
    watchPresses(button, clock, (press) => seen.push(press));
    await clock.advance(10_000);
    deliver(true, 1000);
    deliver(false, 1200);
    deliver(true, 2000);
    deliver(false, 6000);
    expect(seen).toEqual(['press', 'longPress']);
    deliver(true, 8000);
    await clock.advance(999);
    expect(seen).toHaveLength(2);
    await clock.advance(1);
    expect(seen).toEqual(['press', 'longPress', 'longPress']);
  });

  it('reports nothing after its end', async () => {
    const { clock, button, seen, end } = world();
    button.press();
    end();
    end();
    await clock.advance(10_000);
    button.release();
    expect(seen).toEqual([]);
    expect(button.watchers).toBe(0);
    expect(clock.pending()).toEqual([]);
  });
});
