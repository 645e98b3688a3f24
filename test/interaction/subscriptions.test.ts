import { describe, expect, it } from 'vitest';
import type { CborValue } from '../../src/codec/cbor.js';
import type { Coalescing } from '../../src/interaction/subscription.js';
import { MAX_SUBSCRIPTIONS, Subscriptions } from '../../src/interaction/subscriptions.js';
import { VirtualClock } from '../world/clock.js';

type Frame = readonly [at: number, subscription: number, values: Readonly<Record<number, CborValue>>];

function world(coalescing: Coalescing = 'sinceLast', silent = false) {
  const clock = new VirtualClock();
  const frames: Frame[] = [];
  const values = new Map<number, CborValue>([
    [1, 0],
    [2, null],
    [3, new Map([[0, 1]])],
  ]);
  let answer: 'sent' | 'full' = 'sent';
  /** Attributes that fit into one frame. */
  let room = 3;
  const subscriptions = new Subscriptions(clock, coalescing, ({ subscription, values: sent }) => {
    if (sent.size > room) return 'tooLarge';
    frames.push([clock.now(), subscription, Object.fromEntries(sent)]);
    return answer;
  });
  const target = { endpoint: 1, feature: 4, silent, read: (id: number) => values.get(id) ?? null };
  return {
    clock,
    frames,
    subscriptions,
    add: (minimum = 1000, maximum = 60_000, ids: readonly number[] = [1, 2, 3]) => subscriptions.add(target, ids, { minimum, maximum }),
    set: (...changes: readonly (readonly [number, CborValue])[]) => {
      for (const [id, value] of changes) values.set(id, value);
      subscriptions.mark(
        1,
        4,
        changes.map(([id]) => id),
      );
    },
    slow: (is: boolean) => {
      answer = is ? 'full' : 'sent';
    },
    narrow: (attributes: number) => {
      room = attributes;
    },
    set2: (feature: number, endpoint = 1) => subscriptions.mark(endpoint, feature, [1]),
  };
}

describe('priming', () => {
  it('TC-SUB-1: all subscribed values, null ones included, and no frame', async () => {
    const { add, clock, frames } = world();
    expect(add()?.sent).toEqual(
      new Map<number, CborValue>([
        [1, 0],
        [2, null],
        [3, new Map([[0, 1]])],
      ]),
    );
    await clock.advance(59_999);
    expect(frames).toEqual([]);
  });
});

describe('changes, draft: minInterval since the last frame', () => {
  it('TC-SUB-2: at once when it has passed, with what changed alone', async () => {
    const { add, set, clock, frames } = world();
    add();
    await clock.advance(1000);
    set([1, 5]);
    await clock.advance(0);
    expect(frames).toEqual([[1000, 1, { 1: 5 }]]);
  });

  it('TC-SUB-3: two changes of one step are one frame', async () => {
    const { add, set, clock, frames } = world();
    add();
    await clock.advance(1000);
    set([1, 5], [2, 6]);
    await clock.advance(0);
    expect(frames).toEqual([[1000, 1, { 1: 5, 2: 6 }]]);
  });

  it('TC-SUB-5: else when it has passed, to the millisecond, with the last value; priming counts as a frame', async () => {
    const { add, set, clock, frames } = world();
    add(2000);
    for (const value of [1, 2, 3]) {
      await clock.advance(200);
      set([1, value]);
    }
    await clock.advance(1399);
    expect(frames).toEqual([]);
    await clock.advance(1);
    expect(frames).toEqual([[2000, 1, { 1: 3 }]]);
    set([1, 4]);
    await clock.advance(1999);
    expect(frames).toHaveLength(1);
    await clock.advance(1);
    expect(frames[1]).toEqual([4000, 1, { 1: 4 }]);
  });

  it('TC-SUB-11: a value that becomes null is sent as null; a map is sent whole', async () => {
    const { add, set, clock, frames } = world();
    add();
    await clock.advance(2000);
    set([1, null]);
    set([
      3,
      new Map([
        [0, 1],
        [1, 9],
      ]),
    ]);
    await clock.advance(0);
    expect(frames).toEqual([
      [
        2000,
        1,
        {
          1: null,
          3: new Map([
            [0, 1],
            [1, 9],
          ]),
        },
      ],
    ]);
  });

  it('bounce-back: what is again as it was last sent is not sent, attribute by attribute, and the heartbeat does not move', async () => {
    const { add, set, clock, frames } = world();
    add(1000, 5000);
    set([1, 7], [2, 8]);
    set([1, 0], [3, new Map([[0, 1]])]);
    await clock.advance(1000);
    expect(frames).toEqual([[1000, 1, { 2: 8 }]]);
    set([2, 9]);
    set([2, 8]);
    await clock.advance(4999);
    expect(frames).toHaveLength(1);
    await clock.advance(1);
    expect(frames[1]?.[0]).toBe(6000);
  });
});

describe('changes, reference: minInterval since the first change', () => {
  it('TC-SUB-5: never at once', async () => {
    const { add, set, clock, frames } = world('sinceChange');
    add(2000);
    await clock.advance(10_000);
    set([1, 1]);
    await clock.advance(500);
    set([1, 2]);
    await clock.advance(1499);
    expect(frames).toEqual([]);
    await clock.advance(1);
    expect(frames).toEqual([[12_000, 1, { 1: 2 }]]);
  });
});

describe('heartbeat', () => {
  it('TC-SUB-4: all values at maxInterval after the last frame, to the millisecond', async () => {
    const { add, set, clock, frames } = world();
    add(1000, 5000);
    await clock.advance(2000);
    set([1, 5]);
    await clock.advance(4999);
    expect(frames).toEqual([[2000, 1, { 1: 5 }]]);
    await clock.advance(5001);
    const all = { 1: 5, 2: null, 3: new Map([[0, 1]]) };
    expect(frames.slice(1)).toEqual([
      [7000, 1, all],
      [12_000, 1, all],
    ]);
  });
});

describe('a subscription to nothing', () => {
  it('(profile reference: every listed attribute unknown) never sends and never spins', async () => {
    const { add, clock, frames } = world('sinceChange');
    add(1000, 5000, []);
    await clock.advance(12_000);
    expect(frames).toEqual([]);
    expect(clock.pending()).toEqual([{ name: 'notification', at: 15_000 }]);
  });
});

describe('which subscription', () => {
  it('TC-SUB-10: those of the feature and the attributes, each in its own rhythm', async () => {
    const { add, set, set2, clock, frames } = world();
    add(1000, 60_000, [1]);
    add(3000, 60_000, [1, 2]);
    add(1000, 60_000, [3]);
    await clock.advance(1000);
    set([1, 5]);
    set2(5);
    set2(4, 2);
    await clock.advance(2000);
    expect(frames).toEqual([
      [1000, 1, { 1: 5 }],
      [3000, 2, { 1: 5 }],
    ]);
  });

  it('of a silent feature is primed and never told', async () => {
    const { add, set, clock, frames } = world('sinceLast', true);
    expect(add()?.sent.size).toBe(3);
    set([1, 5]);
    await clock.advance(200_000);
    expect([frames, clock.pending()]).toEqual([[], []]);
  });
});

describe('bounds', () => {
  it('fifty, and the fifty-first when one has gone', () => {
    const { add, subscriptions } = world();
    for (let i = 0; i < MAX_SUBSCRIPTIONS; i++) expect(add()?.id).toBe(i + 1);
    expect([add(), MAX_SUBSCRIPTIONS]).toEqual([undefined, 50]);
    expect(subscriptions.remove(7)).toBe(true);
    expect(add()?.id).toBe(51);
  });

  it('ids are 1…255, and the one given back longest ago comes first', () => {
    const { add, subscriptions } = world();
    const keep = add()?.id;
    for (let i = 2; i <= 255; i++) {
      expect(add()?.id).toBe(i);
      if (i !== 3) subscriptions.remove(i);
    }
    expect([keep, add()?.id, add()?.id]).toEqual([1, 2, 4]);
    subscriptions.remove(3);
    expect(add()?.id).toBe(5);
  });
});

describe('the end', () => {
  it('TC-SUB-8: unsubscribed: no change, no heartbeat; an unknown id is none', async () => {
    const { add, set, clock, frames, subscriptions } = world();
    add(1000, 5000);
    set([1, 5]);
    expect([subscriptions.remove(1), subscriptions.remove(1), subscriptions.remove(9)]).toEqual([true, false, false]);
    await clock.advance(60_000);
    expect([frames, clock.pending()]).toEqual([[], []]);
  });

  it('features.md §6: unsubscribed while a change waits for its window: nothing is sent, and who gets the id next does not hear of it', async () => {
    const { add, set, subscriptions, clock, frames } = world();
    const first = add();
    set([1, 9]);
    expect(subscriptions.remove(first?.id ?? 0)).toBe(true);
    for (let id = 2; id <= 255; id++) subscriptions.remove(add()?.id ?? 0);
    expect(add()?.id).toBe(1);
    await clock.advance(59_999);
    expect(frames).toEqual([]);
  });

  it('TC-SUB-6: closed with its connection: nothing is sent and nothing waits', async () => {
    const { add, set, clock, frames, subscriptions } = world();
    add();
    set([1, 5]);
    subscriptions.close();
    subscriptions.close();
    set([1, 6]);
    await clock.advance(100_000);
    expect([frames, clock.pending(), add(), subscriptions.count]).toEqual([[], [], undefined, 0]);
  });
});

describe('a slow reader', () => {
  it('gets nothing more until it has read, then the last value once', async () => {
    const { add, set, slow, subscriptions, clock, frames } = world();
    add(1000, 5000);
    await clock.advance(1000);
    slow(true);
    set([1, 1]);
    await clock.advance(0);
    expect(frames).toHaveLength(1);
    for (let i = 2; i <= 10_000; i++) set([1, i]);
    await clock.advance(30_000);
    expect([frames.length, clock.pending()]).toEqual([1, []]);
    slow(false);
    subscriptions.drained();
    expect(frames).toHaveLength(2);
    expect(frames[1]).toEqual([31_000, 1, { 1: 10_000, 2: null, 3: new Map([[0, 1]]) }]);
  });
});

describe('a peer that takes short messages alone', () => {
  it('gets in several frames what does not fit into one, each value once, and heartbeats too', async () => {
    const { add, set, narrow, clock, frames } = world();
    add(1000, 5000);
    narrow(1);
    await clock.advance(1000);
    set([1, 1], [2, 2]);
    await clock.advance(0);
    expect(frames.splice(0)).toEqual([
      [1000, 1, { 1: 1 }],
      [1000, 1, { 2: 2 }],
    ]);
    narrow(2);
    await clock.advance(5000);
    expect(frames).toEqual([
      [6000, 1, { 1: 1, 2: 2 }],
      [6000, 1, { 3: new Map([[0, 1]]) }],
    ]);
  });

  it('gets nothing of a value that fits into no frame, and the others all the same', async () => {
    const { add, set, narrow, clock, frames } = world();
    add(1000, 5000);
    narrow(0);
    await clock.advance(5000);
    expect(frames).toEqual([]);
    narrow(3);
    set([1, 7]);
    await clock.advance(1000);
    expect(frames).toEqual([[6000, 1, { 1: 7 }]]);
  });
});

describe('features.md §6: a change and a heartbeat that fall together', () => {
  it.each(['sinceLast', 'sinceChange'] as const)('are one frame of all values, and no change follows: %s', async (coalescing) => {
    const { add, set, clock, frames } = world(coalescing);
    add(5000, 5000);
    if (coalescing === 'sinceChange') set([1, 5]);
    await clock.advance(4999);
    if (coalescing === 'sinceLast') set([1, 5]);
    await clock.advance(5001);
    const all = { 1: 5, 2: null, 3: new Map([[0, 1]]) };
    expect(frames).toEqual([
      [5000, 1, all],
      [10_000, 1, all],
    ]);
  });
});

describe('held', () => {
  it('while a response is owed: nothing leaves before the release', async () => {
    const { add, set, subscriptions, clock, frames } = world();
    add();
    await clock.advance(1000);
    subscriptions.hold();
    set([1, 5]);
    subscriptions.flush();
    await clock.advance(100);
    expect(frames).toEqual([]);
    subscriptions.release();
    expect(frames).toEqual([[1100, 1, { 1: 5 }]]);
  });
});
