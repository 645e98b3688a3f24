import { concat } from '../codec/bytes.js';
import { utf8Encode } from '../codec/utf8.js';
import { civilFromUnix } from './calendar.js';
import { TAG } from './der-tag.js';

/** One element: identifier, shortest definite length, content (X.690 §10.1). Contents up to 65,535 bytes. */
export function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of content) length += part.length;
  if (length > 0xffff) throw new RangeError('der: content longer than 65,535 bytes');
  const header = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.from(header), ...content);
}

export function derSequence(...content: readonly Uint8Array[]): Uint8Array {
  return der(TAG.sequence, ...content);
}

/** A SET OF: the encodings in ascending order (X.690 §11.6). */
export function derSetOf(...elements: readonly Uint8Array[]): Uint8Array {
  return der(TAG.set, ...[...elements].sort(compareBytes));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** A non-negative INTEGER from big-endian bytes: leading zeros dropped, one put before a set top bit (X.690 §8.3.2). */
export function derInteger(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const digits = magnitude.length === 0 ? Uint8Array.of(0) : magnitude.subarray(start);
  return (digits[0] as number) >= 0x80 ? der(TAG.integer, Uint8Array.of(0), digits) : der(TAG.integer, digits);
}

/** DER has one encoding of TRUE: 0xFF (X.690 §11.1). */
export function derBoolean(value: boolean): Uint8Array {
  return der(TAG.boolean, Uint8Array.of(value ? 0xff : 0));
}

export function derOctetString(content: Uint8Array): Uint8Array {
  return der(TAG.octetString, content);
}

/** A BIT STRING of whole bytes. */
export function derBitString(content: Uint8Array): Uint8Array {
  return der(TAG.bitString, Uint8Array.of(0), content);
}

/** A named bit list: bit n of `mask` becomes named bit n; trailing zero bits are left out (X.690 §11.2.2). */
export function derNamedBits(mask: number): Uint8Array {
  const bytes: number[] = [];
  for (let bit = 0; mask >>> bit !== 0; bit++) {
    const at = bit >> 3;
    bytes[at] = (bytes[at] ?? 0) | (((mask >>> bit) & 1) << (7 - (bit & 7)));
  }
  const last = bytes.at(-1) ?? 1;
  let unused = 0;
  while (((last >> unused) & 1) === 0) unused++;
  return der(TAG.bitString, Uint8Array.of(bytes.length === 0 ? 0 : unused, ...bytes));
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function derOid(dotted: string): Uint8Array {
  const arcs = dotted.split('.').map(Number);
  const [first, second, ...rest] = arcs;
  if (first === undefined || second === undefined || !arcs.every((arc) => Number.isSafeInteger(arc) && arc >= 0))
    throw new RangeError(`der: '${dotted}' is not an object identifier`);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left % 128) | 0x80);
    bytes.push(...digits);
  }
  return der(TAG.oid, Uint8Array.from(bytes));
}

/** PrintableString where the alphabet allows, UTF8String otherwise (RFC 5280 §4.1.2.4). */
export function derText(text: string): Uint8Array {
  const bytes = utf8Encode(text);
  return der(bytes.every(isPrintable) ? TAG.printableString : TAG.utf8String, bytes);
}

const PRINTABLE_MARKS = utf8Encode(" '()+,-./:=?");

/** The alphabet of PrintableString (X.680 §41.4). */
export function isPrintable(byte: number): boolean {
  const letter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
  const digit = byte >= 0x30 && byte <= 0x39;
  return letter || digit || PRINTABLE_MARKS.includes(byte);
}

/** UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5). `unix` in whole seconds, years 1950…9999. */
export function derTime(unix: number): Uint8Array {
  const { year, month, day, hour, minute, second } = civilFromUnix(unix);
  if (year < 1950 || year > 9999) throw new RangeError('der: time outside the years 1950 to 9999');
  const rest = [month, day, hour, minute, second].map((part) => String(part).padStart(2, '0')).join('');
  return year < 2050
    ? der(TAG.utcTime, utf8Encode(`${String(year % 100).padStart(2, '0')}${rest}Z`))
    : der(TAG.generalizedTime, utf8Encode(`${year}${rest}Z`));
}
