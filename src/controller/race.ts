import type { Clock, Timer } from '../platform.js';

/** connection-establishment §6.5.6: the next way is tried when the one before has not succeeded after a second. */
export const NEXT_ADDRESS = 1000;

export interface Won<W, T> {
  readonly way: W;
  readonly value: T;
}

/**
 * Tries ways in their order, the next one when one failed or has not succeeded after a second. The first success wins, the others are aborted,
 * and what succeeds in spite of that is discarded. Rejects, when all have failed, with what `failure` makes of their errors.
 */
export function raceInTurn<W, T>(
  clock: Clock,
  ways: readonly W[],
  attempt: (way: W, signal: AbortSignal) => Promise<T>,
  discard: (late: T) => void,
  failure: (errors: readonly unknown[]) => unknown,
): Promise<Won<W, T>> {
  return new Promise((resolve, reject) => {
    const abort = new AbortController();
    const errors: unknown[] = [];
    let next = 0;
    let settled = false;
    let timer: Timer | undefined;
    const start = (): void => {
      timer?.cancel();
      const way = ways[next++];
      if (way === undefined) return;
      if (next < ways.length) timer = clock.after('NEXT_ADDRESS', NEXT_ADDRESS, start);
      attempt(way, abort.signal).then(
        (value) => {
          if (settled) discard(value);
          else {
            settled = true;
            timer?.cancel();
            resolve({ way, value });
            abort.abort();
          }
        },
        (error: unknown) => {
          if (settled) return;
          errors.push(error);
          if (errors.length < ways.length) start();
          else {
            settled = true;
            reject(failure(errors));
          }
        },
      );
    };
    if (ways.length === 0) reject(failure([]));
    else start();
  });
}
