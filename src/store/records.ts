import type { Change, Journal } from './journal.js';

/** A value of one type under one key. */
export interface RecordDefinition<T> {
  readonly key: string;
  encode(value: T): Uint8Array;
  /** Throws an Error that says what is wrong, and nothing of the content, when the bytes have another shape. */
  decode(bytes: Uint8Array): T;
}

export function defineRecord<T>(definition: RecordDefinition<T>): RecordDefinition<T> {
  return definition;
}

/** The change that stores `value`, for `Journal.commit`. */
export function setRecord<T>(definition: RecordDefinition<T>, value: T): Change {
  return { key: definition.key, value: definition.encode(value) };
}

/** The change that deletes the record. */
export function clearRecord(definition: { readonly key: string }): Change {
  return { key: definition.key, value: null };
}

/** The stored value; undefined when there is none, or when it does not decode: then the key is quarantined, see `Journal.isDamaged`. */
export function readRecord<T>(journal: Pick<Journal, 'get' | 'quarantine'>, definition: RecordDefinition<T>): T | undefined {
  const bytes = journal.get(definition.key);
  if (bytes === undefined) return undefined;
  try {
    return definition.decode(bytes);
  } catch (error) {
    journal.quarantine(definition.key, `does not decode: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}
