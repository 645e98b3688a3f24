import { describe, expect, it } from 'vitest';
import { restsAt, type Settling, settle } from '../../src/node/settling.js';

type State = Settling<{ readonly key: string }>;
/** `A`, `-` for nothing, `A?` where an address is tentative: at a time in ms. */
type Look = readonly [at: number, seen: string];

function run(start: string, looks: readonly Look[]): State {
  const read = (text: string): { key: string } | undefined => (text.startsWith('-') ? undefined : { key: text[0] as string });
  let state: State = { kind: 'settled', value: read(start) };
  for (const [at, seen] of looks) state = settle(state, read(seen), seen.endsWith('?'), at, 2000);
  return state;
}

describe('connection-establishment §6.5.1: the debounce of two seconds', () => {
  it.each<[string, string, readonly Look[], string, number | undefined]>([
    [
      'a change counts after it',
      'A',
      [
        [0, 'B'],
        [2000, 'B'],
      ],
      'B',
      undefined,
    ],
    [
      'not before it',
      'A',
      [
        [0, 'B'],
        [1999, 'B'],
      ],
      'A',
      2000,
    ],
    [
      'gone and back is no change',
      'A',
      [
        [0, '-'],
        [1900, 'A'],
        [5000, 'A'],
      ],
      'A',
      undefined,
    ],
    [
      'gone counts',
      'A',
      [
        [0, '-'],
        [2000, '-'],
      ],
      '-',
      undefined,
    ],
    [
      'new counts',
      '-',
      [
        [0, 'A'],
        [2000, 'A'],
      ],
      'A',
      undefined,
    ],
    [
      'another change starts it anew',
      'A',
      [
        [0, 'B'],
        [1500, 'C'],
        [3000, 'C'],
      ],
      'A',
      3500,
    ],
    [
      'a tentative address is waited for',
      'A',
      [
        [0, '-'],
        [1500, '-?'],
        [2500, '-?'],
        [3000, 'A'],
      ],
      'A',
      undefined,
    ],
    [
      'what never rests counts after five times as long',
      'A',
      [
        [0, 'B'],
        [1500, 'C'],
        [3000, 'B'],
        [4500, 'C'],
        [6000, 'B'],
        [7500, 'C'],
        [9000, 'B'],
        [10_000, 'B'],
      ],
      'B',
      undefined,
    ],
    [
      'coming and going for ever is bounded too',
      'A',
      [
        [0, '-'],
        [9_999, '-?'],
        [10_000, '-?'],
      ],
      '-',
      undefined,
    ],
  ])('%s', (_name, start, looks, value, again) => {
    const state = run(start, looks);
    expect([state.value?.key ?? '-', restsAt(state, 2000)]).toEqual([value, again]);
  });
});
