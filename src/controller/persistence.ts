import type { Clock, Timer } from '../platform.js';

/** connection-establishment §7.5: the first look at once, the others after 2, 5 and 10 s. */
export const RETRY_PAUSES: readonly number[] = [0, 2000, 5000, 10_000];
/** §7.5: a search this long may outlast the window; after the window's 120 s it has. */
const WINDOW_MAY_END = 30_000;
const WINDOW_HAS_ENDED = 120_000;

/** Something that the user should know while a search goes on. */
export interface SearchWarning {
  readonly code: 'WINDOW_MAY_EXPIRE' | 'WINDOW_EXPIRED';
  readonly message: string;
  readonly suggestions: readonly string[];
}

/** Tells of the commissioning window's end while a search goes on; `end` it with the search. */
export function windowWarnings(clock: Clock, warn: (warning: SearchWarning) => void): { end(): void } {
  const timers: Timer[] = [
    clock.after('WINDOW_WARNING', WINDOW_MAY_END, () =>
      warn({
        code: 'WINDOW_MAY_EXPIRE',
        message: 'Still looking for the device: its commissioning window may end soon (it is open for 120 s)',
        suggestions: ['Be ready to press the pairing button of the device again'],
      }),
    ),
    clock.after('WINDOW_WARNING', WINDOW_HAS_ENDED, () =>
      warn({
        code: 'WINDOW_EXPIRED',
        message: 'The commissioning window of the device has ended',
        suggestions: ['Press the pairing button of the device again'],
      }),
    ),
  ];
  return {
    end: () => {
      for (const timer of timers) timer.cancel();
    },
  };
}

/**
 * Looks again and again: `look` is one attempt, told how long it may linger until the next one; the first result that is not undefined ends it.
 * `patience`: how long the last one lingers, ms. `onMissed` is told after each attempt that found nothing, the last one included.
 */
export async function persist<T>(
  look: (linger: number) => Promise<T | undefined>,
  onMissed: (attempt: number) => void,
  isOver: () => boolean,
  patience: number,
): Promise<T | undefined> {
  for (let attempt = 0; attempt < RETRY_PAUSES.length && !isOver(); attempt++) {
    const found = await look(RETRY_PAUSES[attempt + 1] ?? patience);
    if (found !== undefined) return found;
    onMissed(attempt);
  }
  return undefined;
}
