import { utf8Decode, utf8Encode, utf8Length } from '../codec/utf8.js';
import { PeerError } from '../errors.js';

/**
 * A domain name: its labels from left to right, without the root. A label is UTF-8 text of 1…63 bytes and may contain dots and spaces
 * (RFC 6763 §4.1.1). The whole name takes at most 255 bytes on the wire (RFC 1035 §3.1).
 */
export type Name = readonly string[];

const LABEL_MAXIMUM = 63;
const NAME_MAXIMUM = 255;
const POINTER = 0xc0;

/** RFC 1035 §4.1.1 RCODE 1, the status of everything a peer encoded wrongly. */
export const FORMAT_ERROR = 1;

/** `_mash._tcp.local` as labels. For names without dots inside a label; an instance name is one label of its own. */
export function nameOf(dotted: string): Name {
  return dotted.split('.').filter((label) => label.length > 0);
}

/** Presentation form: dots and backslashes inside a label are escaped (RFC 6763 §4.3). */
export function nameText(name: Name): string {
  return name.map((label) => (label.includes('\\') || label.includes('.') ? escaped(label) : label)).join('.');
}

function escaped(label: string): string {
  return label.replaceAll('\\', '\\\\').replaceAll('.', '\\.');
}

/** A key under which names that RFC 6762 §16 holds equal are equal: only A–Z and a–z fold, other letters do not. */
export function nameKey(name: Name): string {
  const text = nameText(name);
  for (let i = 0; i < text.length; i++) if (isCapital(text.charCodeAt(i))) return folded(text);
  return text;
}

function isCapital(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}

function folded(text: string): string {
  let key = '';
  for (const character of text) key += isCapital(character.charCodeAt(0)) ? character.toLowerCase() : character;
  return key;
}

export function sameName(a: Name, b: Name): boolean {
  return a.length === b.length && nameKey(a) === nameKey(b);
}

/** True when `name` is one label followed by `parent`. */
export function isChildOf(name: Name, parent: Name): boolean {
  return name.length === parent.length + 1 && sameName(name.slice(1), parent);
}

/** The longest beginning of `text` that takes at most `maximum` bytes as UTF-8; never cuts a character in two. */
export function truncateText(text: string, maximum: number): string {
  if (utf8Length(text) <= maximum) return text;
  let kept = '';
  let length = 0;
  for (const character of text) {
    length += utf8Length(character);
    if (length > maximum) break;
    kept += character;
  }
  return kept;
}

/** Where names of this message already stand; RFC 1035 §4.1.4. */
export type NameOffsets = Map<string, number>;

/**
 * Appends `name` to `out`. Each suffix written is remembered in `offsets`; with `compress` a suffix already there becomes a pointer.
 * Labels are compared byte for byte, so that compression never changes the case of a name. Throws RangeError for a label or name too long.
 */
export function writeName(out: number[], name: Name, offsets: NameOffsets, compress: boolean): void {
  let length = 1;
  for (let i = 0; i < name.length; i++) {
    const suffix = nameText(name.slice(i));
    const known = offsets.get(suffix);
    if (compress && known !== undefined) {
      out.push(POINTER | (known >> 8), known & 0xff);
      return;
    }
    // RFC 1035 §4.1.4: a pointer has 14 bits.
    if (known === undefined && out.length < 0x4000) offsets.set(suffix, out.length);
    const label = utf8Encode(name[i] as string);
    if (label.length === 0 || label.length > LABEL_MAXIMUM) throw new RangeError(`name: a label of ${label.length} bytes`);
    length += 1 + label.length;
    if (length > NAME_MAXIMUM) throw new RangeError(`name: '${nameText(name)}' is longer than ${NAME_MAXIMUM} bytes`);
    out.push(label.length, ...label);
  }
  out.push(0);
}

/**
 * Reads the name at `start`; `end` is the offset behind it. Throws PeerError for a name that leaves the packet, a pointer that does not
 * point backwards (the only way to make a loop), a name or label too long, a label type other than 00 and 11, and text that is not UTF-8.
 */
export function readName(bytes: Uint8Array, start: number): { readonly name: Name; readonly end: number } {
  const name: string[] = [];
  let at = start;
  let end: number | undefined;
  let lowest = start;
  let length = 1;
  for (;;) {
    const size = bytes[at];
    if (size === undefined) throw new PeerError(FORMAT_ERROR, 'dns: a name leaves the packet');
    if (size === 0) return { name, end: end ?? at + 1 };
    if (size >= POINTER) {
      const low = bytes[at + 1];
      if (low === undefined) throw new PeerError(FORMAT_ERROR, 'dns: a name leaves the packet');
      const target = ((size & 0x3f) << 8) | low;
      if (target >= lowest) throw new PeerError(FORMAT_ERROR, 'dns: a name pointer does not point backwards');
      end ??= at + 2;
      at = lowest = target;
      continue;
    }
    if (size > LABEL_MAXIMUM) throw new PeerError(FORMAT_ERROR, 'dns: unknown label type');
    length += 1 + size;
    if (length > NAME_MAXIMUM) throw new PeerError(FORMAT_ERROR, 'dns: name too long');
    if (at + 1 + size > bytes.length) throw new PeerError(FORMAT_ERROR, 'dns: a name leaves the packet');
    // RFC 6762 §16: names are UTF-8.
    const label = utf8Decode(bytes.subarray(at + 1, at + 1 + size));
    if (label === undefined) throw new PeerError(FORMAT_ERROR, 'dns: a label is not UTF-8');
    name.push(label);
    at += 1 + size;
  }
}
