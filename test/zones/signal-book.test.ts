import { expect, it } from 'vitest';
import { allowedBy, constraintAt, type Signal, type SignalSlot, slotAt } from '../../src/zones/signal-book.js';
import { SeededEntropy } from '../world/entropy.js';

const entropy = new SeededEntropy(5);

/** Slots one after the other; `until`: ms at which its validity ends. */
function constraint(count: number, until = Number.POSITIVE_INFINITY): Signal {
  const slots: SignalSlot[] = [];
  for (let from = 100; slots.length < count; ) {
    const end = from + 1 + entropy.below(50);
    slots.push({ from, until: end, fields: new Map([['consumptionMax', entropy.below(1000)]]) });
    from = end;
  }
  const last = slots.at(-1)?.until ?? 0;
  const zone = { id: 'A', type: 3, priority: 3 };
  return { kind: 'constraint', zone, order: 1, source: 0, startTime: null, validUntil: null, slots, until: Math.min(last, until) };
}

it('the slot of a moment: from its first millisecond to the last before the next, none before, after and outside of its validity', () => {
  for (const signal of [constraint(1), constraint(2), constraint(96), constraint(96, 900)]) {
    for (let at = 90; at <= (signal.slots.at(-1)?.until ?? 0) + 10; at++) {
      const due = at >= signal.until ? undefined : signal.slots.find(({ from, until }) => from <= at && at < until);
      expect(slotAt(signal, at)).toBe(due);
      expect(allowedBy(signal, at)).toEqual([due?.fields.get('consumptionMax') ?? null, null]);
      expect(constraintAt([signal], 'A', at)).toEqual(allowedBy(signal, at));
    }
  }
  expect([slotAt(undefined, 5), constraintAt([constraint(3)], 'B', 150)]).toEqual([undefined, [null, null]]);
});
