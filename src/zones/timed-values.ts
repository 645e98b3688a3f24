/** 0 CONSUMPTION, 1 PRODUCTION: the index of every pair. */
export type Side = 0 | 1;
export type Pair<T> = readonly [consumption: T, production: T];
export const SIDES = [0, 1] as const;

/** One value of a zone. `order` counts up with every command, whichever zone sent it: the later wins a tie of priorities. */
export interface Entry {
  /** mW, or mA for a phase. */
  readonly value: number;
  readonly cause: number;
  readonly order: number;
}

/** `power`: one value under key 0. `phases`: one per limited phase, 0–2. */
export type Kind = 'power' | 'phases';

/** features.md §3: one timer per zone, kind and direction. */
export interface Group {
  readonly zone: string;
  readonly kind: Kind;
  readonly side: Side;
  /** Never empty. */
  readonly entries: ReadonlyMap<number, Entry>;
  /** Monotonic milliseconds; undefined: no duration. */
  readonly until: number | undefined;
}

/** What zones have set, at most four groups a zone. Immutable: a step that fails leaves the former book in force. */
export type Book = readonly Group[];

export interface Stamp {
  readonly cause: number;
  readonly order: number;
  readonly until: number | undefined;
}

export function groupOf(book: Book, zone: string, kind: Kind, side: Side): Group | undefined {
  for (const group of book) if (isGroup(group, zone, kind, side)) return group;
  return undefined;
}

/** Merges: a key not named stays, null clears it. The timer of the group is replaced, whatever it was. */
export function merge(
  book: Book,
  zone: string,
  kind: Kind,
  side: Side,
  values: ReadonlyMap<number, number | null>,
  { cause, order, until }: Stamp,
): Book {
  const entries = new Map(groupOf(book, zone, kind, side)?.entries);
  for (const [key, value] of values) {
    if (value === null) entries.delete(key);
    else entries.set(key, { value, cause, order });
  }
  const others = clear(book, zone, kind, [side]);
  return entries.size === 0 ? others : [...others, { zone, kind, side, entries, until }];
}

export function clear(book: Book, zone: string, kind: Kind, sides: readonly Side[]): Book {
  return keep(book, (group) => !sides.some((side) => isGroup(group, zone, kind, side)));
}

export function clearZone(book: Book, zone: string): Book {
  return keep(book, (group) => group.zone !== zone);
}

/** What has a duration ends at its zone's next handshake (protocol.md §4). */
export function clearTimed(book: Book, zone: string): Book {
  return keep(book, (group) => group.zone !== zone || group.until === undefined);
}

export function expire(book: Book, now: number): Book {
  return keep(book, (group) => group.until === undefined || group.until > now);
}

/** The earliest end of a duration; infinity without one. */
export function nextExpiry(book: Book): number {
  return book.reduce((least, { until }) => Math.min(least, until ?? Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY);
}

/** The values of a group by key, phases ascending; null where there is none. */
export function valuesOf(group: Group | undefined): ReadonlyMap<number, number> | null {
  if (group === undefined) return null;
  return new Map([...group.entries].sort(([a], [b]) => a - b).map(([key, entry]) => [key, entry.value]));
}

// The same array when nothing went: whoever compares books sees that nothing changed.
function keep(book: Book, stays: (group: Group) => boolean): Book {
  const kept = book.filter(stays);
  return kept.length === book.length ? book : kept;
}

function isGroup(group: Group, zone: string, kind: Kind, side: Side): boolean {
  return group.zone === zone && group.kind === kind && group.side === side;
}
