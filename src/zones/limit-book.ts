import { type Book, clearTimed, clearZone, expire, type Group, type Pair, type Side } from './timed-values.js';

/** LimitCause. It ranks nothing, but these two outlast override and opt-out (features.md §3). */
export const GRID_EMERGENCY = 0;
export const LOCAL_PROTECTION = 2;

export function isProtective(cause: number): boolean {
  return cause === GRID_EMERGENCY || cause === LOCAL_PROTECTION;
}

/** The limits of all zones, TEST included, with what makes them count or not. */
export interface LimitBook {
  readonly groups: Book;
  /** Zones whose limits do not count until they return: failsafe was over (features.md §4). */
  readonly suspended: ReadonlySet<string>;
  /** The constraint slot in force of each zone, mW; null without one. */
  readonly constraints: ReadonlyMap<string, Pair<number | null>>;
}

export const NO_LIMITS: LimitBook = { groups: [], suspended: new Set(), constraints: new Map() };

export function withGroups(book: LimitBook, groups: Book): LimitBook {
  return groups === book.groups ? book : { ...book, groups };
}

/** features.md §4, own handshake: limits without a duration stay and count again, timed ones end. */
export function onHandshake(book: LimitBook, zone: string): LimitBook {
  const suspended = new Set(book.suspended);
  suspended.delete(zone);
  return { ...book, groups: clearTimed(book.groups, zone), suspended };
}

/** features.md §4, own zone removed: everything ends. */
export function onRemoved(book: LimitBook, zone: string): LimitBook {
  const suspended = new Set(book.suspended);
  suspended.delete(zone);
  const constraints = new Map(book.constraints);
  constraints.delete(zone);
  return { groups: clearZone(book.groups, zone), suspended, constraints };
}

export function suspend(book: LimitBook, zones: Iterable<string>): LimitBook {
  return { ...book, suspended: new Set(zones) };
}

export function expireLimits(book: LimitBook, now: number): LimitBook {
  return withGroups(book, expire(book.groups, now));
}

export function setConstraint(book: LimitBook, zone: string, limits: Pair<number | null>): LimitBook {
  const constraints = new Map(book.constraints);
  if (limits[0] === null && limits[1] === null) constraints.delete(zone);
  else constraints.set(zone, limits);
  return { ...book, constraints };
}

/** What counts: `zones` without those suspended. */
export function countingGroups(book: LimitBook, counts: (zone: string) => boolean): Book {
  return book.groups.filter(({ zone }) => counts(zone) && !book.suspended.has(zone));
}

/** Constraint slots that count, per direction. */
export function countingConstraints(book: LimitBook, counts: (zone: string) => boolean, side: Side): readonly number[] {
  const values: number[] = [];
  for (const [zone, limits] of book.constraints) {
    const limit = limits[side];
    if (limit !== null && counts(zone) && !book.suspended.has(zone)) values.push(limit);
  }
  return values;
}

/** What the journal holds: limits without a duration (features.md §4, restart). */
export function lasting(book: LimitBook): readonly Group[] {
  return book.groups.filter(({ until }) => until === undefined);
}
