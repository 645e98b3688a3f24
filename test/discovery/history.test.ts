import { expect, it } from 'vitest';
import { History } from '../../src/discovery/history.js';
import { nameOf } from '../../src/discovery/name.js';
import { nsecRecord, TYPE } from '../../src/discovery/records.js';
import { VirtualClock } from '../world/clock.js';
import { SeededEntropy } from '../world/entropy.js';

it('RFC 6762 §6: a record is free exactly when its second is over, whatever the fractions of the clock', async () => {
  const clock = new VirtualClock();
  const history = new History(clock);
  const entropy = new SeededEntropy(6762);
  const record = nsecRecord(nameOf('mash.local'), [TYPE.AAAA], 120);
  for (let i = 0; i < 500; i++) {
    history.note([record]);
    expect(history.pause(record)).toBeCloseTo(1000);
    const [part = 0] = entropy.bytes(1);
    await clock.advance((999 * part) / 255);
    // An answer that is due waits again for as long as the pause says; a rest that no clock can show would wait for ever.
    for (let waits = 0; history.pause(record) > 0; waits++) {
      expect(waits).toBeLessThan(3);
      await clock.advance(history.pause(record));
    }
    await clock.advance(part / 7);
  }
});
