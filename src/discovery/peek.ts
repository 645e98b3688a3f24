import { utf8Encode } from '../codec/utf8.js';
import { type Name, nameKey } from './name.js';
import { read16 } from './records.js';

const HEADER = 12;
const ENTRY_MAXIMUM = 512;
/** Pointers of one name that are followed, and bytes of it that are read: what `readName` accepts. */
const JUMP_MAXIMUM = 127;
const NAME_MAXIMUM = 255;
const SEED = 0x811c9dc5;

/** A number that names equal by RFC 6762 §16 share; others share it one time in 2³². */
export function nameHash(name: Name): number {
  let hash = SEED;
  for (const label of name) {
    const bytes = utf8Encode(label);
    hash = mix(hash, bytes.length);
    for (const byte of bytes) hash = mix(hash, byte);
  }
  return hash;
}

/** Names of interest by their hashes, each counted as often as it was added. */
export class NameCounts {
  readonly #counts = new Map<number, number>();

  has(hash: number): boolean {
    return this.#counts.has(hash);
  }

  add(name: Name): void {
    const hash = nameHash(name);
    this.#counts.set(hash, (this.#counts.get(hash) ?? 0) + 1);
  }

  /** Takes one `add` back. */
  remove(name: Name): void {
    const hash = nameHash(name);
    const count = this.#counts.get(hash) ?? 0;
    if (count > 1) this.#counts.set(hash, count - 1);
    else this.#counts.delete(hash);
  }
}

/** The hashes of `names`, each once. */
export function nameHashes(names: Iterable<Name>): ReadonlySet<number> {
  const seen = new Map<string, Name>();
  for (const name of names) seen.set(nameKey(name), name);
  return new Set([...seen.values()].map(nameHash));
}

/**
 * Does the packet speak of one of the names: in a question, or, of a response, as the owner of a record? `children`: or of a name with one label
 * more, as an instance of a type has. Nothing is decoded and nothing allocated, so that traffic about others costs next to nothing. Undefined for
 * a packet that is malformed on the way.
 */
export function mentions(bytes: Uint8Array, hashes: { has(hash: number): boolean }, children = false): boolean | undefined {
  if (bytes.length < HEADER) return undefined;
  const response = (bytes[2] as number) >= 0x80;
  const questions = read16(bytes, 4);
  const records = response ? read16(bytes, 6) + read16(bytes, 8) + read16(bytes, 10) : 0;
  if (questions + records > ENTRY_MAXIMUM) return undefined;
  let at = HEADER;
  for (let i = 0; i < questions + records; i++) {
    const hash = hashAt(bytes, at);
    if (hash === undefined) return undefined;
    const behind = endOfName(bytes, at);
    if (i >= questions || !response) {
      if (hashes.has(hash)) return true;
      const parent = children ? hashAt(bytes, parentAt(bytes, at)) : undefined;
      if (parent !== undefined && hashes.has(parent)) return true;
    }
    at = behind + 4;
    if (i >= questions) {
      if (behind + 10 > bytes.length) return undefined;
      at = behind + 10 + read16(bytes, behind + 8);
    }
    if (at > bytes.length) return undefined;
  }
  return false;
}

function hashAt(bytes: Uint8Array, start: number): number | undefined {
  let hash = SEED;
  let at = start;
  let length = 1;
  for (let jumps = 0; jumps <= JUMP_MAXIMUM; ) {
    const size = bytes[at];
    if (size === undefined) return undefined;
    if (size === 0) return hash;
    if (size >= 0xc0) {
      if (at + 1 >= bytes.length) return undefined;
      const target = ((size & 0x3f) << 8) | (bytes[at + 1] as number);
      if (target >= at) return undefined;
      at = target;
      jumps++;
      continue;
    }
    length += 1 + size;
    if (size > 63 || length > NAME_MAXIMUM || at + 1 + size > bytes.length) return undefined;
    for (let i = 0; i <= size; i++) hash = mix(hash, bytes[at + i] as number);
    at += 1 + size;
  }
  return undefined;
}

/** Of a name that `hashAt` has walked. */
function endOfName(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    const size = bytes[at] as number;
    if (size === 0) return at + 1;
    if (size >= 0xc0) return at + 2;
    at += 1 + size;
  }
}

/** Where the name behind the first label of a name that `hashAt` has walked begins; the root has none before it. */
function parentAt(bytes: Uint8Array, start: number): number {
  let at = start;
  while ((bytes[at] as number) >= 0xc0) at = (((bytes[at] as number) & 0x3f) << 8) | (bytes[at + 1] as number);
  const size = bytes[at] as number;
  return size === 0 ? at : at + 1 + size;
}

/** FNV-1a of the byte, A–Z folded. A label's length is below 64, so that no length folds. */
function mix(hash: number, byte: number): number {
  const folded = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
  return Math.imul(hash ^ folded, 0x01000193) >>> 0;
}
