import { describe, expect, it } from 'vitest';
import { type KeepAliveSettings, keepAliveDeadline, nextKeepAlive, startKeepAlive } from '../../src/session/keep-alive.js';
import { SeededEntropy } from '../world/entropy.js';

const PINGS: KeepAliveSettings = { interval: 30_000, timeout: 5000, missed: 3, mode: 'always' };
const READS: KeepAliveSettings = { ...PINGS, mode: 'silence' };

interface Run {
  readonly probes: number[];
  readonly lost: number | undefined;
}

/** Runs the table until it calls the connection lost, or until `end`. Frames arrive at the times of `received`. */
function run(settings: KeepAliveSettings, received: readonly number[], end = 1_000_000, start = 0): Run {
  let state = startKeepAlive(settings, start);
  const frames = [...received].sort((a, b) => a - b);
  const probes: number[] = [];
  for (;;) {
    const deadline = keepAliveDeadline(state);
    const frame = frames[0];
    const arrives = frame !== undefined && frame < deadline;
    const now = arrives ? frame : deadline;
    if (now > end) return { probes, lost: undefined };
    if (arrives) frames.shift();
    const step = nextKeepAlive(settings, state, arrives ? 'received' : 'time', now);
    state = step.state;
    for (const effect of step.effects) {
      if (effect === 'lost') return { probes, lost: now };
      probes.push(now);
    }
  }
}

describe('pings', () => {
  it('are sent on a fixed grid and call a silent peer lost after 95 s to the millisecond', () => {
    expect(run(PINGS, [])).toEqual({ probes: [30_000, 60_000, 90_000], lost: 95_000 });
    expect(run(PINGS, [], 1_000_000, 12_345)).toEqual({ probes: [42_345, 72_345, 102_345], lost: 107_345 });
  });

  it('count only answers missed in a row: any received frame proves life', () => {
    for (const answer of [30_000, 34_999]) expect(run(PINGS, [answer]).lost).toBe(125_000);
    // Between two probes, long after the answer was due.
    expect(run(PINGS, [89_999]).lost).toBe(155_000);
    expect(run(PINGS, [94_999]).lost).toBe(185_000);
    expect(run(PINGS, [95_000]).lost).toBe(95_000);
  });

  it('do not move off the grid, whatever arrives', () => {
    const answered = Array.from({ length: 40 }, (_, i) => 777 + i * 7919);
    expect(run(PINGS, answered, 300_000)).toEqual({ probes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((i) => i * 30_000), lost: undefined });
  });

  it('find a loss within 95 s after the last frame, whenever that was', () => {
    const entropy = new SeededEntropy(95);
    for (let i = 0; i < 2000; i++) {
      const last = entropy.below(200_000);
      const received = [...Array.from({ length: entropy.below(20) }, () => entropy.below(last + 1)), ...grid(last), last];
      const { lost } = run(PINGS, received);
      expect(lost).toBeGreaterThanOrEqual(last + 65_000);
      expect(lost).toBeLessThanOrEqual(last + 95_000);
    }
  });
});

describe('Reads of a reference zone', () => {
  it('are sent after an interval of silence alone', () => {
    expect(run(READS, [])).toEqual({ probes: [30_000, 60_000, 90_000], lost: 95_000 });
    expect(run(READS, [10_000])).toEqual({ probes: [40_000, 70_000, 100_000], lost: 105_000 });
    expect(run(READS, [10_000, 39_999, 69_998, 99_997], 119_999).probes).toEqual([]);
  });

  it('stop when anything arrives, and find a later loss', () => {
    expect(run(READS, [31_000])).toEqual({ probes: [30_000, 61_000, 91_000, 121_000], lost: 126_000 });
  });

  it('find a loss 95 s after the last frame to the millisecond, whenever that was', () => {
    const entropy = new SeededEntropy(30);
    for (let i = 0; i < 2000; i++) {
      const last = entropy.below(200_000);
      const answers = Array.from({ length: Math.ceil(last / 20_000) }, (_, n) => n * 20_000).filter((at) => at < last);
      expect(run(READS, [...answers, last]).lost).toBe(last + 95_000);
    }
  });
});

describe('an answer that may take longer than the interval', () => {
  it('still calls a silent peer lost', () => {
    const slow: KeepAliveSettings = { interval: 1000, timeout: 5000, missed: 3, mode: 'always' };
    expect(run(slow, []).lost).toBe(16_000);
  });
});

describe('a timer that runs late', () => {
  it('stays on the grid, and gives an answer its whole time', () => {
    const { state, effects } = nextKeepAlive(PINGS, startKeepAlive(PINGS, 0), 'time', 30_400);
    expect(effects).toEqual(['probe']);
    expect(state).toMatchObject({ next: 60_000, due: 35_400 });
  });
});

describe('time fed in too early', () => {
  it('changes nothing', () => {
    const state = startKeepAlive(PINGS, 0);
    expect(nextKeepAlive(PINGS, state, 'time', 29_999)).toEqual({ state, effects: [] });
    const probed = nextKeepAlive(PINGS, state, 'time', 30_000).state;
    expect(nextKeepAlive(PINGS, probed, 'time', 34_999)).toEqual({ state: probed, effects: [] });
    expect(keepAliveDeadline(probed)).toBe(35_000);
  });
});

/** Answers to all pings up to `end`, so that only what follows is missed. */
function grid(end: number): number[] {
  return Array.from({ length: Math.floor(end / 30_000) }, (_, i) => (i + 1) * 30_000 + 10).filter((at) => at <= end);
}
