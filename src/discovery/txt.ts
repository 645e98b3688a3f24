import { utf8Decode, utf8Encode } from '../codec/utf8.js';
import { truncateText } from './name.js';

/** RFC 6763 §6.1: a string of a TXT record has at most 255 bytes. */
const STRING_MAXIMUM = 255;

/** Discovery §3.2–§3.4: longest name or number of a device, a controller or a zone, bytes. */
const VALUE_MAXIMUM = 32;

/** A text as TXT records tell it: its first 32 bytes. */
export function txtText(value: string): string {
  return truncateText(value, VALUE_MAXIMUM);
}

/** One `key=value` string; a value that does not fit is cut before the character that does not. */
export function txtString(key: string, value: string): Uint8Array {
  return utf8Encode(truncateText(`${key}=${value}`, STRING_MAXIMUM));
}

/**
 * The strings of a TXT record as keys and values, in their order. RFC 6763 §6.4: of a key that occurs twice the first counts, whatever its
 * case; a string that begins with `=` is ignored; a key without `=` has the empty value here. Strings that are not UTF-8 are left out.
 */
export function txtEntries(strings: readonly Uint8Array[]): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  for (const bytes of strings) {
    const text = utf8Decode(bytes);
    if (text === undefined || text === '' || text.startsWith('=')) continue;
    const split = text.indexOf('=');
    const key = split < 0 ? text : text.slice(0, split);
    if (txtValue(entries, key) === undefined) entries.set(key, split < 0 ? '' : text.slice(split + 1));
  }
  return entries;
}

/** RFC 6763 §6.4: keys compare without regard to case. */
export function txtValue(entries: ReadonlyMap<string, string>, key: string): string | undefined {
  const exact = entries.get(key);
  if (exact !== undefined) return exact;
  for (const [candidate, value] of entries) if (candidate.toLowerCase() === key.toLowerCase()) return value;
  return undefined;
}
