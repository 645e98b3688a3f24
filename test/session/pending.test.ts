import { describe, expect, it } from 'vitest';
import { PendingRequests } from '../../src/session/pending.js';
import type { Response } from '../../src/session/wire.js';
import { VirtualClock } from '../world/clock.js';

function requests(first?: number) {
  const clock = new VirtualClock();
  const pending = first === undefined ? new PendingRequests(clock) : new PendingRequests(clock, first);
  const settled: (Response | undefined)[] = [];
  const open = (timeout = 5000) => pending.open(timeout, (response) => settled.push(response));
  return { clock, pending, settled, open };
}

describe('PendingRequests', () => {
  it('numbers from 1000, so that no response looks like a control message', () => {
    const { pending, open } = requests();
    expect([open(), open(), open()]).toEqual([1000, 1001, 1002]);
    expect(pending.has(1001)).toBe(true);
    expect(pending.has(999)).toBe(false);
  });

  it('starts again at 1000 behind the last 32-bit id', () => {
    const { open } = requests(0xffff_ffff);
    expect([open(), open()]).toEqual([0xffff_ffff, 1000]);
  });

  it('settles once, with the response', async () => {
    const { clock, pending, settled, open } = requests();
    const id = open() ?? 0;
    expect(pending.deliver({ id, status: 0 })).toBe(true);
    expect(pending.deliver({ id, status: 1 })).toBe(false);
    expect(pending.deliver({ id: 4711, status: 0 })).toBe(false);
    await clock.advance(10_000);
    expect(settled).toEqual([{ id: 1000, status: 0 }]);
    expect(clock.pending()).toEqual([]);
  });

  it('settles with nothing when the time is over', async () => {
    const { clock, pending, settled, open } = requests();
    open(5000);
    await clock.advance(4999);
    expect(settled).toEqual([]);
    await clock.advance(1);
    expect(settled).toEqual([undefined]);
    expect(pending.has(1000)).toBe(false);
  });

  it('refuses a 65th without calling anything, and takes it when there is room', () => {
    const { pending, settled, open } = requests();
    for (let i = 0; i < 64; i++) expect(open()).toBe(1000 + i);
    expect(open()).toBeUndefined();
    expect(settled).toEqual([]);
    pending.deliver({ id: 1000, status: 0 });
    expect(open()).toBe(1064);
  });

  it('settles everything when the connection ends, and leaves no timer', () => {
    const { clock, pending, settled, open } = requests();
    open();
    open();
    pending.close();
    expect(settled).toEqual([undefined, undefined]);
    expect(clock.pending()).toEqual([]);
  });
});
