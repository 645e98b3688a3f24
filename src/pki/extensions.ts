import { utf8Decode } from '../codec/utf8.js';
import { malformed } from './certificate-error.js';
import type { DerReader } from './der-reader.js';
import { contextTag, TAG } from './der-tag.js';
import { OID } from './oid.js';

export interface BasicConstraints {
  readonly ca: boolean;
  readonly pathLength: number | undefined;
}

export interface SubjectAltName {
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
}

/** What the extensions of a certificate say; undefined where the extension is absent. */
export interface Extensions {
  readonly basicConstraints: BasicConstraints | undefined;
  /** Mask of KEY_USAGE. */
  readonly keyUsage: number | undefined;
  /** Dotted object identifiers. */
  readonly extKeyUsage: readonly string[] | undefined;
  readonly subjectKeyId: Uint8Array | undefined;
  /** The key identifier of the authority; undefined also where the extension names the authority in another way only. */
  readonly authorityKeyId: Uint8Array | undefined;
  readonly subjectAltName: SubjectAltName | undefined;
  /** Critical extensions that are none of the above. A certificate with one is refused (RFC 5280 §4.2). */
  readonly unknownCritical: readonly string[];
}

type Mutable = { -readonly [K in keyof Extensions]: Extensions[K] };

/** Values of the known extensions, by object identifier. */
const READERS: Readonly<Record<string, (value: DerReader, into: Mutable) => void>> = {
  [OID.basicConstraints]: (value, into) => {
    into.basicConstraints = readBasicConstraints(value);
  },
  [OID.keyUsage]: (value, into) => {
    into.keyUsage = value.namedBits('keyUsage');
  },
  [OID.extKeyUsage]: (value, into) => {
    into.extKeyUsage = readExtKeyUsage(value);
  },
  [OID.subjectKeyIdentifier]: (value, into) => {
    into.subjectKeyId = value.octetString('subjectKeyIdentifier');
  },
  [OID.authorityKeyIdentifier]: (value, into) => {
    into.authorityKeyId = readAuthorityKeyIdentifier(value);
  },
  [OID.subjectAltName]: (value, into) => {
    into.subjectAltName = readSubjectAltName(value);
  },
};

export function noExtensions(): Mutable {
  return {
    basicConstraints: undefined,
    keyUsage: undefined,
    extKeyUsage: undefined,
    subjectKeyId: undefined,
    authorityKeyId: undefined,
    subjectAltName: undefined,
    unknownCritical: [],
  };
}

/** Reads `Extensions` (RFC 5280 §4.1): at least one, none twice. An explicit `critical FALSE`, which some encoders write, is accepted. */
export function readExtensions(reader: DerReader): Extensions {
  const into = noExtensions();
  const unknownCritical: string[] = [];
  const seen = new Set<string>();
  const list = reader.enter(TAG.sequence, 'extensions');
  do {
    const extension = list.enter(TAG.sequence, 'extension');
    const id = extension.oid('extension');
    const critical = extension.nextTag === TAG.boolean && extension.boolean('extension critical');
    const value = extension.within(extension.octetString('extension value'));
    extension.finish('extension');
    if (seen.has(id)) throw malformed(`extension ${id}: twice`);
    seen.add(id);
    const read = READERS[id];
    if (read !== undefined) {
      read(value, into);
      value.finish(`extension ${id}`);
    } else if (critical) unknownCritical.push(id);
  } while (!list.done);
  into.unknownCritical = unknownCritical;
  return into;
}

/** RFC 5280 §4.2.1.9: a path length only where cA is true. */
function readBasicConstraints(value: DerReader): BasicConstraints {
  const fields = value.enter(TAG.sequence, 'basicConstraints');
  const ca = fields.nextTag === TAG.boolean && fields.boolean('basicConstraints cA');
  const pathLength = ca && !fields.done ? fields.smallUnsigned('basicConstraints pathLenConstraint') : undefined;
  fields.finish('basicConstraints');
  return { ca, pathLength };
}

function readExtKeyUsage(value: DerReader): readonly string[] {
  const purposes = value.enter(TAG.sequence, 'extKeyUsage');
  const list: string[] = [];
  do list.push(purposes.oid('extKeyUsage'));
  while (!purposes.done);
  return list;
}

/** RFC 5280 §4.2.1.1: [0] keyIdentifier, and [1] authorityCertIssuer together with [2] authorityCertSerialNumber. */
function readAuthorityKeyIdentifier(value: DerReader): Uint8Array | undefined {
  const what = 'authorityKeyIdentifier';
  const fields = value.enter(TAG.sequence, what);
  const keyId = fields.nextTag === contextTag(0, 'primitive') ? fields.element(contextTag(0, 'primitive'), what).content : undefined;
  if (!fields.done) {
    fields.element(contextTag(1, 'constructed'), what);
    fields.element(contextTag(2, 'primitive'), what);
  }
  fields.finish(what);
  return keyId;
}

/** Identifier octets of the nine kinds of GeneralName (RFC 5280 §4.2.1.6); those of otherName, x400, directoryName and ediParty are constructed. */
const GENERAL_NAMES = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((n) => contextTag(n, [0, 3, 4, 5].includes(n) ? 'constructed' : 'primitive'));
const DNS_NAME = contextTag(2, 'primitive');
const URI = contextTag(6, 'primitive');

function readSubjectAltName(value: DerReader): SubjectAltName {
  const what = 'subjectAltName';
  const names = value.enter(TAG.sequence, what);
  const dnsNames: string[] = [];
  const uris: string[] = [];
  do {
    const tag = names.nextTag ?? 0;
    if (!GENERAL_NAMES.includes(tag)) throw malformed(`${what}: kind of name`);
    const { content } = names.element(tag, what);
    if (tag !== DNS_NAME && tag !== URI) continue;
    // IA5String; control characters have no place in either kind.
    if (!content.every((byte) => byte > 0x20 && byte < 0x7f)) throw malformed(`${what}: text`);
    (tag === DNS_NAME ? dnsNames : uris).push(utf8Decode(content) ?? '');
  } while (!names.done);
  return { dnsNames, uris };
}
