import { utf8Decode } from '../codec/utf8.js';
import { unixFromCivil } from './calendar.js';
import { malformed } from './certificate-error.js';
import { TAG } from './der-tag.js';

/** Deeper nesting than any certificate of the profile has. */
const MAX_DEPTH = 12;

export interface DerElement {
  /** Identifier, length and content. */
  readonly raw: Uint8Array;
  readonly content: Uint8Array;
}

/**
 * A strict DER cursor over one run of elements (X.690 §10, §11): one-byte identifiers, definite shortest lengths, nothing left over.
 * Everything it refuses is a CertificateError `malformed`, whose text names `what` was being read. Results are views of the input.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #depth: number;
  #at = 0;

  constructor(bytes: Uint8Array, depth = 0) {
    if (depth > MAX_DEPTH) throw malformed('nested too deep');
    this.#bytes = bytes;
    this.#depth = depth;
  }

  /** True when every element has been read. */
  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The next identifier octet; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** Reads the next element, which must have this identifier. */
  element(tag: number, what: string): DerElement {
    if (this.nextTag !== tag) throw malformed(`${what}: missing or of another type`);
    const start = this.#at;
    const first = this.#byte(start + 1, what);
    let content = start + 2;
    let length = first;
    if (first >= 0x80) {
      // X.690 §10.1: definite form, minimum number of octets. Two octets reach beyond every size limit here.
      if (first === 0x81) length = this.#byte(content, what);
      else if (first === 0x82) length = (this.#byte(content, what) << 8) | this.#byte(content + 1, what);
      else throw malformed(`${what}: length form`);
      if (length < (first === 0x81 ? 0x80 : 0x100)) throw malformed(`${what}: length not minimal`);
      content += first - 0x80;
    }
    const end = content + length;
    if (end > this.#bytes.length) throw malformed(`${what}: truncated`);
    this.#at = end;
    return { raw: this.#bytes.subarray(start, end), content: this.#bytes.subarray(content, end) };
  }

  /** Reads a constructed element and returns a reader of its content. */
  enter(tag: number, what: string): DerReader {
    return this.within(this.element(tag, what).content);
  }

  /** A reader of `content`, which an element read here carries. */
  within(content: Uint8Array): DerReader {
    return new DerReader(content, this.#depth + 1);
  }

  /** Throws unless everything was read. */
  finish(what: string): void {
    if (!this.done) throw malformed(`${what}: trailing bytes`);
  }

  boolean(what: string): boolean {
    const { content } = this.element(TAG.boolean, what);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw malformed(`${what}: not a DER boolean`);
    return content[0] === 0xff;
  }

  /** A non-negative INTEGER as big-endian magnitude without leading zeros (0 is one zero byte), at most `maxLength` bytes. */
  unsigned(what: string, maxLength: number): Uint8Array {
    const { content } = this.element(TAG.integer, what);
    const [first, second] = content;
    if (first === undefined) throw malformed(`${what}: empty integer`);
    if (first >= 0x80) throw malformed(`${what}: negative`);
    if (first === 0 && second !== undefined && second < 0x80) throw malformed(`${what}: integer not minimal`);
    const magnitude = first === 0 && second !== undefined ? content.subarray(1) : content;
    if (magnitude.length > maxLength) throw malformed(`${what}: out of range`);
    return magnitude;
  }

  /** A non-negative INTEGER below 2³¹. */
  smallUnsigned(what: string): number {
    let value = 0;
    for (const byte of this.unsigned(what, 4)) value = value * 256 + byte;
    if (value > 0x7fff_ffff) throw malformed(`${what}: out of range`);
    return value;
  }

  /** Dotted form. Arcs below 2⁴⁹, each in its shortest form (X.690 §8.19.2). */
  oid(what: string): string {
    const { content } = this.element(TAG.oid, what);
    const last = content.at(-1);
    if (last === undefined || last >= 0x80) throw malformed(`${what}: object identifier`);
    const arcs: number[] = [];
    let arc = 0;
    let digits = 0;
    for (const byte of content) {
      if (++digits > 7 || (digits === 1 && byte === 0x80)) throw malformed(`${what}: object identifier`);
      arc = arc * 128 + (byte & 0x7f);
      if (byte >= 0x80) continue;
      if (arcs.length === 0) {
        const root = Math.min(2, Math.floor(arc / 40));
        arcs.push(root, arc - root * 40);
      } else arcs.push(arc);
      arc = 0;
      digits = 0;
    }
    return arcs.join('.');
  }

  /** A BIT STRING of whole bytes. */
  bitString(what: string): Uint8Array {
    const { content } = this.element(TAG.bitString, what);
    if (content[0] !== 0) throw malformed(`${what}: not whole bytes`);
    return content.subarray(1);
  }

  /** A named bit list of 1…16 bits with at least one set, as a mask: named bit n is bit n (X.690 §11.2.2: no trailing zero bit). */
  namedBits(what: string): number {
    const { content } = this.element(TAG.bitString, what);
    const [unused, ...bytes] = content;
    const last = bytes.at(-1);
    if (unused === undefined || unused > 7 || last === undefined || bytes.length > 2) throw malformed(`${what}: bit list`);
    if ((last & ((2 << unused) - 1)) !== 1 << unused) throw malformed(`${what}: bit list not minimal`);
    let mask = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) mask |= (((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1) << bit;
    return mask;
  }

  octetString(what: string): Uint8Array {
    return this.element(TAG.octetString, what).content;
  }

  /** UTCTime or GeneralizedTime in Unix seconds; only the forms of RFC 5280 §4.1.2.5: with seconds, no fraction, `Z`. */
  time(what: string): number {
    const long = this.nextTag === TAG.generalizedTime;
    const { content } = this.element(long ? TAG.generalizedTime : TAG.utcTime, what);
    const text = utf8Decode(content) ?? '';
    const digits = long ? 14 : 12;
    if (text.length !== digits + 1 || text[digits] !== 'Z' || !content.subarray(0, digits).every((byte) => byte >= 0x30 && byte <= 0x39))
      throw malformed(`${what}: time`);
    const at = digits - 10;
    const part = (index: number): number => Number(text.slice(at + 2 * index, at + 2 * index + 2));
    const shortYear = Number(text.slice(0, at));
    const year = long ? shortYear : shortYear < 50 ? 2000 + shortYear : 1900 + shortYear;
    const unix = unixFromCivil({ year, month: part(0), day: part(1), hour: part(2), minute: part(3), second: part(4) });
    if (unix === undefined) throw malformed(`${what}: no such time`);
    return unix;
  }

  #byte(at: number, what: string): number {
    const byte = this.#bytes[at];
    if (byte === undefined) throw malformed(`${what}: truncated`);
    return byte;
  }
}
