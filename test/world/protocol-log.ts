import { type LogEntry, LogReader } from '../../src/protocol-log/index.js';

/** A protocol log as a whole; `torn`: bytes at its end that are no entry. */
export function decodeLog(bytes: Uint8Array): { readonly entries: readonly LogEntry[]; readonly torn: number } {
  const reader = new LogReader();
  const entries = [...reader.push(bytes)];
  return { entries, torn: reader.torn };
}
