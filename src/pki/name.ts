import { sameBytes } from '../codec/bytes.js';
import { utf8Decode } from '../codec/utf8.js';
import { malformed } from './certificate-error.js';
import type { DerReader } from './der-reader.js';
import { TAG } from './der-tag.js';
import { derOid, derSequence, derSetOf, derText, isPrintable } from './der-writer.js';
import { OID } from './oid.js';

export interface NameAttribute {
  /** Dotted object identifier. */
  readonly type: string;
  readonly value: string;
}

/** A relative distinguished name: one attribute, or several as a SET. */
export type RelativeName = readonly NameAttribute[];

/** An X.500 name as read from a certificate. */
export interface Name {
  /** The DER of the whole name. An issuer equals a subject when these bytes are equal. */
  readonly raw: Uint8Array;
  readonly relativeNames: readonly RelativeName[];
}

/** Writes a name; several attributes in one relative name become a SET in DER order. */
export function writeName(relativeNames: readonly RelativeName[]): Uint8Array {
  const sets = relativeNames.map((attributes) =>
    derSetOf(...attributes.map(({ type, value }) => derSequence(derOid(type), derText(value)))),
  );
  return derSequence(...sets);
}

/** Reads a name. The order inside a SET is taken as it comes: names are compared by their bytes, whoever encoded them. */
export function readName(reader: DerReader, what: string): Name {
  const { raw, content } = reader.element(TAG.sequence, what);
  const relativeNames: RelativeName[] = [];
  const names = reader.within(content);
  while (!names.done) {
    const set = names.enter(TAG.set, what);
    const attributes: NameAttribute[] = [];
    do {
      const pair = set.enter(TAG.sequence, what);
      const type = pair.oid(what);
      attributes.push({ type, value: readText(pair, what) });
      pair.finish(what);
    } while (!set.done);
    relativeNames.push(attributes);
  }
  return { raw, relativeNames };
}

/** A DirectoryString or IA5String. A string that cannot be read is refused, so that no name can hide from a check. */
function readText(reader: DerReader, what: string): string {
  const tag = reader.nextTag ?? 0;
  const { content } = reader.element(tag, what);
  const text = decodeText(tag, content);
  if (text === undefined) throw malformed(`${what}: text`);
  return text;
}

function decodeText(tag: number, content: Uint8Array): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      return utf8Decode(content);
    case TAG.printableString:
      return content.every(isPrintable) ? utf8Decode(content) : undefined;
    case TAG.ia5String:
      return content.every((byte) => byte < 0x80) ? utf8Decode(content) : undefined;
    case TAG.teletexString:
      // Read as ISO 8859-1, as everybody does.
      return String.fromCharCode(...content);
    case TAG.bmpString:
      return decodeUtf16(content);
    default:
      return undefined;
  }
}

/** Big-endian UCS-2; surrogates do not occur in a BMPString. */
function decodeUtf16(content: Uint8Array): string | undefined {
  if (content.length % 2 !== 0) return undefined;
  let text = '';
  for (let at = 0; at < content.length; at += 2) {
    const unit = ((content[at] as number) << 8) | (content[at + 1] as number);
    if (unit >= 0xd800 && unit <= 0xdfff) return undefined;
    text += String.fromCharCode(unit);
  }
  return text;
}

/** All values of one attribute type, in the order of the name. */
export function attributeValues(name: Name, type: string): readonly string[] {
  return name.relativeNames.flatMap((attributes) => attributes.filter((attribute) => attribute.type === type).map(({ value }) => value));
}

/** The common name; undefined where there is none, or more than one. */
export function commonName(name: Name): string | undefined {
  const [first, ...more] = attributeValues(name, OID.commonName);
  return more.length === 0 ? first : undefined;
}

export function sameName(a: Name, b: Name): boolean {
  return sameBytes(a.raw, b.raw);
}
