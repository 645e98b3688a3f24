/** A time in which nothing known changes. Monotonic ms. */
export interface Segment {
  readonly from: number;
  readonly until: number;
  /** mW that may be drawn. */
  readonly ceiling: number;
  /** As the price signal tells it; null: unknown. */
  readonly price: number | null;
}

/** What the device wants to draw. */
export interface Need {
  /** mWh still to come; null: as much as there is. */
  readonly energy: number | null;
  /** mW that it can draw at most. */
  readonly power: number;
  /** mW below which it does not run. */
  readonly minPower: number;
  /** True: the cheapest time first; false: the earliest. */
  readonly byPrice: boolean;
}

/** A stretch of a plan, monotonic ms and mW. */
export interface PlannedStretch {
  readonly from: number;
  readonly until: number;
  readonly power: number;
  /** The ceiling. */
  readonly maxPower: number;
}

/** features.md §5. */
export const MOST_PLAN_SLOTS = 96;
const MILLISECONDS_PER_HOUR = 3_600_000;

/** What the device intends to draw (features.md §5): at most 96 stretches that cover the outlook without a gap. */
export function makePlan(outlook: readonly Segment[], need: Need): readonly PlannedStretch[] {
  // One segment may be split where its energy is reached.
  const segments = coarse(outlook, MOST_PLAN_SLOTS - 1);
  const order = chosen(segments, need);
  const powers = new Map<Segment, number>();
  let left = need.energy ?? Number.POSITIVE_INFINITY;
  for (const segment of order) {
    if (left <= 0) break;
    const duration = segment.until - segment.from;
    // Whole seconds, as slots are told.
    const used = Math.min(duration, Math.ceil((left * MILLISECONDS_PER_HOUR) / drawn(segment, need) / 1000) * 1000);
    powers.set(segment, used);
    left -= (drawn(segment, need) * used) / MILLISECONDS_PER_HOUR;
  }
  return merged(segments.flatMap((segment) => split(segment, powers.get(segment) ?? 0, drawn(segment, need))));
}

/** mWh of the whole. */
export function energyOf(plan: readonly PlannedStretch[]): number {
  return Math.round(plan.reduce((sum, { from, until, power }) => sum + (power * (until - from)) / MILLISECONDS_PER_HOUR, 0));
}

/** What is left of a plan, or of an outlook, from a moment on. */
export function remainder<T extends { readonly from: number; readonly until: number }>(parts: readonly T[], from: number): readonly T[] {
  return parts.filter(({ until }) => until > from).map((part) => (part.from < from ? { ...part, from } : part));
}

/** Neighbours that differ in time alone become one. */
export function merged<T extends { readonly from: number; readonly until: number }>(parts: readonly T[]): readonly T[] {
  const result: T[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (part.until <= part.from) continue;
    if (last !== undefined && sameBut(last, part)) result[result.length - 1] = { ...last, until: part.until };
    else result.push(part);
  }
  return result;
}

function sameBut(a: object, b: object): boolean {
  const former = new Map<string, unknown>(Object.entries(a));
  return Object.entries(b).every(([key, value]) => key === 'from' || key === 'until' || former.get(key) === value);
}

/** The segments in which it may run, in the order in which they are filled. */
function chosen(segments: readonly Segment[], need: Need): readonly Segment[] {
  const usable = segments.filter((segment) => drawn(segment, need) > 0);
  const priced = usable.filter(({ price }) => price !== null);
  if (!need.byPrice || priced.length === 0) return usable;
  if (need.energy === null) return belowAverage(priced);
  const rank = ({ price }: Segment): number => price ?? Number.POSITIVE_INFINITY;
  return [...usable].sort((a, b) => (rank(a) === rank(b) ? a.from - b.from : rank(a) - rank(b)));
}

// Nobody says how much is wanted: the time that costs no more than the average of what is known.
function belowAverage(priced: readonly Segment[]): readonly Segment[] {
  const time = priced.reduce((sum, { from, until }) => sum + until - from, 0);
  const average = priced.reduce((sum, { from, until, price }) => sum + (price ?? 0) * (until - from), 0) / time;
  return priced.filter(({ price }) => (price ?? 0) <= average);
}

function drawn({ ceiling }: Segment, { power, minPower }: Need): number {
  const most = Math.min(ceiling, power);
  return most < minPower ? 0 : most;
}

function split({ from, until, ceiling }: Segment, used: number, power: number): readonly PlannedStretch[] {
  const over = used >= until - from ? until : from + used;
  return [
    { from, until: over, power, maxPower: ceiling },
    { from: over, until, power: 0, maxPower: ceiling },
  ];
}

// More than fits: equal cells with the least ceiling and the highest price of what is in them.
function coarse(outlook: readonly Segment[], most: number): readonly Segment[] {
  const segments = merged(outlook);
  const [first, last] = [segments[0], segments.at(-1)];
  if (segments.length <= most || first === undefined || last === undefined) return segments;
  const edge = (index: number): number => (index === most ? last.until : first.from + (index * (last.until - first.from)) / most);
  return Array.from({ length: most }, (_, index) => {
    const [from, until] = [edge(index), edge(index + 1)];
    const inside = segments.filter((segment) => segment.from < until && segment.until > from);
    const prices = inside.map(({ price }) => price).filter((price) => price !== null);
    return {
      from,
      until,
      ceiling: Math.min(...inside.map(({ ceiling }) => ceiling)),
      price: prices.length === 0 ? null : Math.max(...prices),
    };
  });
}
