import { describe, expect, it } from 'vitest';
import { nextResolution, type ResolutionEvent, type ResolutionState, startResolution } from '../../src/controller/resolution.js';

function run(start: 'named' | 'nothing', events: readonly (readonly [at: number, event: ResolutionEvent])[]): ResolutionState {
  return events.reduce((state, [at, event]) => nextResolution(state, event, at), startResolution(start, 0));
}
const looking = (stage: string, until: number) => ({ name: 'looking', stage, until, end: 10_000 });

describe('connection-establishment §7.4: time-outs of a resolution', () => {
  it.each<[string, 'named' | 'nothing', (readonly [number, ResolutionEvent])[], object]>([
    ['PTR: 5 s', 'nothing', [], looking('nothing', 5000)],
    ['not a millisecond less', 'nothing', [[4999, 'time']], looking('nothing', 5000)],
    ['nothing in time', 'nothing', [[5000, 'time']], { name: 'late', stage: 'nothing' }],
    ['SRV: 3 s more', 'nothing', [[4000, 'announced']], looking('announced', 7000)],
    [
      'no SRV',
      'nothing',
      [
        [4000, 'announced'],
        [7000, 'time'],
      ],
      { name: 'late', stage: 'announced' },
    ],
    [
      'AAAA: 3 s more, 10 s together',
      'nothing',
      [
        [4900, 'announced'],
        [7800, 'located'],
      ],
      looking('located', 10_000),
    ],
    [
      'no AAAA',
      'nothing',
      [
        [100, 'located'],
        [3100, 'time'],
      ],
      { name: 'late', stage: 'located' },
    ],
    ['all at once', 'nothing', [[100, 'complete']], { name: 'found' }],
    [
      'nothing goes back',
      'nothing',
      [
        [100, 'located'],
        [200, 'announced'],
      ],
      looking('located', 3100),
    ],
    [
      'what is late counts all the same',
      'nothing',
      [
        [5000, 'time'],
        [6000, 'complete'],
      ],
      { name: 'found' },
    ],
    [
      'late, and no more stages',
      'nothing',
      [
        [5000, 'time'],
        [6000, 'located'],
      ],
      { name: 'late', stage: 'nothing' },
    ],
    ['a name: SRV 3 s', 'named', [], looking('named', 3000)],
    ['then its type, 5 s', 'named', [[3000, 'time']], looking('nothing', 8000)],
    [
      'then nothing',
      'named',
      [
        [3000, 'time'],
        [8000, 'time'],
      ],
      { name: 'late', stage: 'nothing' },
    ],
    [
      'found is found',
      'nothing',
      [
        [1, 'complete'],
        [5000, 'time'],
      ],
      { name: 'found' },
    ],
  ])('%s', (_name, start, events, expected) => {
    expect(run(start, events)).toEqual(expected);
  });
});
