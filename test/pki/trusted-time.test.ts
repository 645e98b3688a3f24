import { describe, expect, it } from 'vitest';
import { judge, type TimeQuality, type TimeVerdict, TrustedTime } from '../../src/pki/trusted-time.js';
import { VirtualClock } from '../world/clock.js';

const EARLIEST = 1_790_000_000;
const NOW = 1_795_305_600;
const YEAR = 365 * 86_400;

function world(wall: number, floor?: number): { clock: VirtualClock; time: TrustedTime } {
  const clock = new VirtualClock(wall * 1000);
  return { clock, time: new TrustedTime({ clock, earliest: EARLIEST, floor }) };
}

describe('the quality of the wall time', () => {
  const rows: readonly [string, wall: number, floor: number | undefined, TimeQuality, now: number][] = [
    ['1970 and nothing stored', 0, undefined, 'unset', EARLIEST],
    ['one second before the earliest', EARLIEST - 1, undefined, 'unset', EARLIEST],
    ['the earliest', EARLIEST, undefined, 'synchronised', EARLIEST],
    ['set', NOW, undefined, 'synchronised', NOW],
    ['1970 and a floor', 0, NOW, 'floor', NOW],
    ['one second before the floor', NOW - 1, NOW, 'floor', NOW],
    ['the floor', NOW, NOW, 'synchronised', NOW],
    ['later than the floor', NOW + YEAR, NOW, 'synchronised', NOW + YEAR],
    ['a floor of an older firmware, clock lost', 5, EARLIEST - YEAR, 'floor', EARLIEST],
    ['a floor of an older firmware, clock between both', EARLIEST - 5, EARLIEST - YEAR, 'floor', EARLIEST],
    ['a clock that reads before 1970', -5, undefined, 'unset', EARLIEST],
  ];
  it.each(rows)('%s', (_what, wall, floor, quality, now) => {
    expect(world(wall, floor).time.read()).toEqual({ quality, now });
  });

  it('fractions of a second are dropped', () => {
    const clock = new VirtualClock(NOW * 1000 + 999);
    expect(new TrustedTime({ clock, earliest: EARLIEST, floor: undefined }).read().now).toBe(NOW);
  });

  it.each([['floor', NOW, NOW] as const, ['unset', undefined, EARLIEST] as const])(
    '%s: monotonic time counts from the lower bound on, even past the moment the lost clock reaches it',
    async (quality, floor, least) => {
      const { clock, time } = world(least - 60, floor);
      await clock.advance(3_600_500);
      expect(time.read()).toEqual({ quality, now: least + 3600 });
    },
  );

  it('a jump of the clock matters to the reading alone', async () => {
    const { clock, time } = world(NOW, NOW - 500);
    await clock.advance(10_000);
    clock.setWall(1000);
    expect(time.read()).toEqual({ quality: 'floor', now: NOW - 490 });
    clock.setWall((NOW + 3 * YEAR) * 1000);
    expect(time.read()).toEqual({ quality: 'synchronised', now: NOW + 3 * YEAR });
    clock.setWall((NOW + 10) * 1000);
    expect(time.read()).toEqual({ quality: 'synchronised', now: NOW + 10 });
  });

  it('a clock that is set at last is believed', async () => {
    const { clock, time } = world(0);
    await clock.advance(5000);
    clock.setWall(NOW * 1000);
    expect(time.read()).toEqual({ quality: 'synchronised', now: NOW });
  });
});

describe('the floor that is stored', () => {
  it('a clock that was never set has none', () => {
    expect(world(0).time.observe()).toBeUndefined();
  });

  it('rises with the clock, and is told once', async () => {
    const { clock, time } = world(NOW);
    expect(time.observe()).toBe(NOW);
    expect(time.observe()).toBeUndefined();
    await clock.advance(60_000);
    expect(time.observe()).toBe(NOW + 60);
  });

  it('is not raised by a clock that shows a time beyond the life of this firmware', async () => {
    const { clock, time } = world(NOW);
    expect(time.observe()).toBe(NOW);
    clock.setWall((EARLIEST + 21 * YEAR) * 1000);
    expect(time.observe()).toBeUndefined();
    clock.setWall((NOW + 5) * 1000);
    expect(time.read()).toEqual({ quality: 'synchronised', now: NOW + 5 });
  });

  it('never falls', async () => {
    const { clock, time } = world(NOW);
    time.observe();
    clock.setWall((NOW - 500) * 1000);
    expect(time.observe()).toBeUndefined();
    expect(time.read()).toEqual({ quality: 'floor', now: NOW });
    await clock.advance(7000);
    expect(time.observe()).toBe(NOW + 7);
    expect(time.read()).toEqual({ quality: 'floor', now: NOW + 7 });
  });

  it('survives a restart with a lost clock', async () => {
    const first = world(NOW);
    const stored = first.time.observe();
    const second = world(0, stored);
    await second.clock.advance(90_000);
    expect(second.time.read()).toEqual({ quality: 'floor', now: NOW + 90 });
  });
});

describe('a Zone CA that the setup code has just proved', () => {
  it('sets the time of a clock that was never set', async () => {
    const { clock, time } = world(0);
    expect(time.proveBy(NOW)).toBe(NOW);
    await clock.advance(2000);
    expect(time.read()).toEqual({ quality: 'floor', now: NOW + 2 });
  });

  it('raises a floor, and never lowers it', () => {
    const { time } = world(0, NOW);
    expect(time.proveBy(NOW - YEAR)).toBeUndefined();
    expect(time.proveBy(NOW + YEAR)).toBe(NOW + YEAR);
    expect(time.read()).toEqual({ quality: 'floor', now: NOW + YEAR });
    expect(time.unix).toBeUndefined();
  });

  it('changes nothing where the clock can tell', () => {
    const { time } = world(NOW);
    expect(time.proveBy(NOW + YEAR)).toBeUndefined();
    expect(time.read()).toEqual({ quality: 'synchronised', now: NOW });
  });

  it('one from before this firmware tells nothing', () => {
    const { time } = world(0);
    expect(time.proveBy(EARLIEST - YEAR)).toBeUndefined();
    expect(time.read().quality).toBe('unset');
  });

  it('one from beyond the life of this firmware tells nothing', () => {
    const { time } = world(0);
    expect(time.proveBy(253_402_300_799)).toBeUndefined();
    expect(time.proveBy(EARLIEST + 7305 * 86_400 + 1)).toBeUndefined();
    expect(time.read().quality).toBe('unset');
    expect(time.proveBy(EARLIEST + 7305 * 86_400)).toBe(EARLIEST + 7305 * 86_400);
  });

  it('gives way to a clock set later', () => {
    const { clock, time } = world(0);
    time.proveBy(NOW);
    clock.setWall((NOW + 30) * 1000);
    expect(time.read()).toEqual({ quality: 'synchronised', now: NOW + 30 });
  });
});

describe('the judgement of a validity, ±300 s (connection-establishment §5.4)', () => {
  const begin = NOW - YEAR;
  const end = NOW + YEAR;
  const rows: readonly [TimeQuality, now: number, TimeVerdict][] = [
    ['synchronised', begin - 301, 'not-yet-valid'],
    ['synchronised', begin - 300, 'valid'],
    ['synchronised', NOW, 'valid'],
    ['synchronised', end + 300, 'valid'],
    ['synchronised', end + 301, 'expired'],
    ['floor', begin - 301, 'cannot-tell'],
    ['floor', begin - 300, 'valid'],
    ['floor', end + 300, 'valid'],
    ['floor', end + 301, 'expired'],
    ['unset', begin - 301, 'cannot-tell'],
    ['unset', NOW, 'cannot-tell'],
    ['unset', end + 301, 'cannot-tell'],
  ];
  it.each(rows)('%s at %d: %s', (quality, now, verdict) => {
    expect(judge({ quality, now }, begin, end)).toBe(verdict);
  });
});
