import { describe, expect, it } from 'vitest';
import { BACK_OFF, backOff } from '../../src/controller/follow.js';
import { NEXT_ADDRESS, raceInTurn } from '../../src/controller/race.js';
import { ADDRESS_TIMEOUT } from '../../src/controller/tls-client.js';
import { controllerPics } from '../../src/pics/controller.js';
import { formatPics, parsePics } from '../../src/pics/format.js';
import { VirtualClock } from '../world/clock.js';

const facts = { backOff: BACK_OFF, addressTimeout: ADDRESS_TIMEOUT, nextAddress: NEXT_ADDRESS };
const pics = parsePics(formatPics(controllerPics(facts, '0.1.0')));
/** Waits of an entropy that gives this byte alone. */
const wait = (byte: number, attempt: number): number => backOff({ bytes: (length) => new Uint8Array(length).fill(byte) }, attempt);
const middle = (attempt: number): number => (wait(0, attempt) + wait(255, attempt)) / 2000;

describe('PICS of side C against the controller', () => {
  it('pics-registry §6.2: waits from the first to the longest, spread as it says', () => {
    expect(pics.get('MASH.C')).toBe(1);
    expect(pics.get('MASH.C.CONN.BACKOFF_INITIAL')).toBe(middle(0));
    expect(pics.get('MASH.C.CONN.BACKOFF_MAX')).toBe(middle(20));
    expect(pics.get('MASH.C.CONN.BACKOFF_MULTIPLIER')).toBe(middle(1) / middle(0));
    expect(pics.get('MASH.C.CONN.JITTER_FACTOR')).toBe(wait(255, 0) / 1000 / middle(0) - 1);
    expect(pics.get('MASH.C.CONN.JITTER')).toBe(Number(wait(0, 0) !== wait(255, 0)));
  });

  it('connection-establishment §8: every address is tried, the next beside a silent one', async () => {
    const clock = new VirtualClock();
    const tried: number[] = [];
    const won = raceInTurn(
      clock,
      [1, 2, 3],
      (way) => {
        tried.push(way);
        return way === 3 ? Promise.resolve('connected') : new Promise<string>(() => undefined);
      },
      () => undefined,
      () => new Error('none'),
    );
    await clock.advance(ADDRESS_TIMEOUT - 1);
    expect(pics.get('MASH.C.MULTIIF.PARALLEL_CONNECT')).toBe(Number(tried.length > 1));
    expect(pics.get('MASH.C.MULTIIF.TRY_ALL')).toBe(Number(tried.length === 3));
    expect(await won).toMatchObject({ value: 'connected' });
  });
});
