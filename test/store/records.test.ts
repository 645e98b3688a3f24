import { describe, expect, it } from 'vitest';
import { MockFlash } from '../../hal/mock/flash.js';
import { utf8Decode, utf8Encode } from '../../src/codec/utf8.js';
import { Journal } from '../../src/store/journal.js';
import { clearRecord, defineRecord, readRecord, setRecord } from '../../src/store/records.js';
import { MemoryLog } from '../world/log.js';

const label = defineRecord<string>({
  key: 'label',
  encode: utf8Encode,
  decode: (bytes) => {
    const text = utf8Decode(bytes);
    if (text === undefined) throw new Error('not UTF-8');
    return text;
  },
});

describe('typed records', () => {
  it('store, read and clear a value', async () => {
    const journal = await Journal.open(new MockFlash(), new MemoryLog());
    expect(readRecord(journal, label)).toBeUndefined();
    await journal.commit([setRecord(label, 'garage')]);
    expect(readRecord(journal, label)).toBe('garage');
    await journal.commit([clearRecord(label)]);
    expect(readRecord(journal, label)).toBeUndefined();
    expect(journal.damaged).toBe(false);
  });

  it('quarantine a value that does not decode, once, until it is stored again', async () => {
    const log = new MemoryLog();
    const journal = await Journal.open(new MockFlash(), log);
    await journal.commit([{ key: 'label', value: Uint8Array.of(0xff) }]);
    expect(readRecord(journal, label)).toBeUndefined();
    expect(readRecord(journal, label)).toBeUndefined();
    expect(journal.quarantined).toEqual([{ key: 'label', reason: 'does not decode: not UTF-8', at: undefined }]);
    expect(log.lines.filter((line) => line.level === 'error')).toHaveLength(1);
    expect(journal.isDamaged('label')).toBe(true);
    await journal.commit([setRecord(label, 'garage')]);
    expect(journal.damaged).toBe(false);
  });

  it('leave a key that is not there alone', async () => {
    const journal = await Journal.open(new MockFlash(), new MemoryLog());
    journal.quarantine('nothing', 'no reason');
    expect(journal.damaged).toBe(false);
    expect(journal.quarantined).toEqual([]);
  });
});
