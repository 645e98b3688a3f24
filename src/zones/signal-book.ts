import { isObserver, type ZoneRank } from './resolution.js';
import type { Pair } from './timed-values.js';

export const SIGNAL_KINDS = ['price', 'constraint', 'forecast'] as const;
export type SignalKind = (typeof SIGNAL_KINDS)[number];

/** One slot of a signal; times are monotonic ms, its end is not part of it. */
export interface SignalSlot {
  readonly from: number;
  readonly until: number;
  /** As the table names them, `duration` included; an absent field is none. */
  readonly fields: ReadonlyMap<string, number>;
}

export interface Signal {
  readonly kind: SignalKind;
  readonly zone: ZoneRank;
  /** Counts up with every signal, whichever zone sent it. */
  readonly order: number;
  /** SignalSource. */
  readonly source: number;
  /** Unix seconds as told; null: the clock was never set. */
  readonly startTime: number | null;
  readonly validUntil: number | null;
  /** All that were sent, the past ones too. */
  readonly slots: readonly SignalSlot[];
  /** Monotonic ms: the end of the last slot or of its validity, whichever is first. */
  readonly until: number;
}

/** Signals of all zones, at most one per zone and kind; a new one replaces (features.md §5). Immutable. */
export type SignalBook = readonly Signal[];

export function put(book: SignalBook, signal: Signal): SignalBook {
  return [...book.filter(({ kind, zone }) => kind !== signal.kind || zone.id !== signal.zone.id), signal];
}

export function withdraw(book: SignalBook, zone: string, kinds: readonly SignalKind[]): SignalBook {
  return book.filter((signal) => signal.zone.id !== zone || !kinds.includes(signal.kind));
}

export function expireSignals(book: SignalBook, now: number): SignalBook {
  return book.filter(({ until }) => until > now);
}

/** features.md §5: the highest priority, then the latest, TEST last. */
export function shownSignal(book: SignalBook, kind: SignalKind): Signal | undefined {
  let best: Signal | undefined;
  for (const signal of book) if (signal.kind === kind && (best === undefined || stands(signal, best))) best = signal;
  return best;
}

function stands(signal: Signal, below: Signal): boolean {
  const test = isObserver(signal.zone);
  if (test !== isObserver(below.zone)) return !test;
  if (signal.zone.priority !== below.zone.priority) return signal.zone.priority < below.zone.priority;
  return signal.order > below.order;
}

/** The slot of a moment; undefined before the first, after the last, and outside of its validity. */
export function slotAt(signal: Signal | undefined, at: number): SignalSlot | undefined {
  if (signal === undefined || at >= signal.until) return undefined;
  // One after the other without a gap: halved until it is found.
  const { slots } = signal;
  let [first, last] = [0, slots.length - 1];
  while (first <= last) {
    const middle = (first + last) >> 1;
    const slot = slots[middle] as SignalSlot;
    if (at < slot.from) last = middle - 1;
    else if (at >= slot.until) first = middle + 1;
    else return slot;
  }
  return undefined;
}

/** What a zone's constraint allows at a moment, mW; consumptionMin and productionMin advise (features.md §5). */
export function constraintAt(book: SignalBook, zone: string, at: number): Pair<number | null> {
  return allowedBy(
    book.find((signal) => signal.kind === 'constraint' && signal.zone.id === zone),
    at,
  );
}

/** The same of one constraint. */
export function allowedBy(constraint: Signal | undefined, at: number): Pair<number | null> {
  const slot = slotAt(constraint, at);
  return [slot?.fields.get('consumptionMax') ?? null, slot?.fields.get('productionMax') ?? null];
}

/** When slots begin and end, later than `after`, unordered. */
export function boundaries(book: SignalBook, after: number): readonly number[] {
  return book.flatMap(({ slots, until }) =>
    [...slots.flatMap((slot) => [slot.from, slot.until]), until].filter((at) => at > after && at <= until),
  );
}
