import { utf8Decode, utf8Encode } from '../codec/utf8.js';
import type { DeviceTexts } from '../features/device-info.js';
import type { Journal } from '../store/journal.js';
import { clearRecord, defineRecord, readRecord, setRecord } from '../store/records.js';

/** One record per attribute: two zones that write different ones at the same time both prevail. */
function textRecord(id: number) {
  return defineRecord<string>({
    key: `info/${id}`,
    encode: utf8Encode,
    decode: (bytes) => {
      const text = utf8Decode(bytes);
      if (text === undefined) throw new Error('not UTF-8');
      return text;
    },
  });
}

/** DeviceInfo's writable texts, kept in the journal. */
export class JournalledTexts implements DeviceTexts {
  readonly #journal: Journal;
  readonly #texts = new Map<number, string | null>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  read(id: number): string | null {
    let text = this.#texts.get(id);
    if (text === undefined) {
      text = readRecord(this.#journal, textRecord(id)) ?? null;
      this.#texts.set(id, text);
    }
    return text;
  }

  async store(values: ReadonlyMap<number, string | null>): Promise<void> {
    const changes = [...values].map(([id, text]) => (text === null ? clearRecord(textRecord(id)) : setRecord(textRecord(id), text)));
    await this.#journal.commit(changes);
    for (const [id, text] of values) this.#texts.set(id, text);
  }
}
