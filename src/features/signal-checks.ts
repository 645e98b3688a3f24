import type { CborValue } from '../codec/cbor.js';
import { PeerError } from '../errors.js';
import type { Caller } from '../model/feature.js';
import { InteractionStatus } from '../model/status.js';
import type { Signal, SignalKind, SignalSlot } from '../zones/signal-book.js';

/** features.md §5. */
const MOST_SLOTS = 96;
const HIGHEST_LEVEL = 10;
const PERCENT = 100;

/** Two clocks at one moment: wall time is turned into monotonic deadlines on receipt, and a clock that is set later moves nothing. */
export interface Receipt {
  /** Monotonic ms. */
  readonly now: number;
  /** Unix seconds, fractions kept; undefined: the clock was never set. */
  readonly unix: number | undefined;
  readonly order: number;
}

/** A signal of well-formed parameters. Throws PeerError(11) where features.md §5 says so. */
export function signalOf(
  kind: SignalKind,
  parameters: ReadonlyMap<string, CborValue>,
  zone: Caller,
  { now, unix, order }: Receipt,
): Signal {
  const start = parameters.get('startTime') as number;
  const validUntil = (parameters.get('validUntil') ?? null) as number | null;
  const given = parameters.get('slots') as readonly ReadonlyMap<string, CborValue>[];
  if (given.length < 1 || given.length > MOST_SLOTS) throw violated(`${given.length} slots, 1…${MOST_SLOTS} are allowed`);
  // 0 = now; nothing else can be placed while the clock was never set.
  if (unix === undefined && (start !== 0 || validUntil !== null)) throw violated('the clock was never set: startTime 0 alone is possible');
  const startsAt = start === 0 || unix === undefined ? now : now + (start - unix) * 1000;
  if (validUntil !== null && validUntil <= (start === 0 ? (unix ?? 0) : start)) throw violated('validUntil is not after the start');
  const slots = placed(given.map(slotFields), startsAt);
  const last = slots.at(-1) as SignalSlot;
  const valid = validUntil === null || unix === undefined ? last.until : now + (validUntil - unix) * 1000;
  const until = Math.min(last.until, valid);
  if (until <= now) throw violated('all of it is past');
  const startTime = start !== 0 ? start : unix === undefined ? null : Math.floor(unix);
  return {
    kind,
    zone: { id: zone.id, type: zone.type, priority: zone.priority },
    order,
    source: parameters.get('source') as number,
    startTime,
    validUntil,
    slots,
    until,
  };
}

/** One slot after the other, in monotonic ms. */
function placed(all: readonly ReadonlyMap<string, number>[], startsAt: number): readonly SignalSlot[] {
  let from = startsAt;
  return all.map((fields) => {
    const until = from + (fields.get('duration') as number) * 1000;
    const slot: SignalSlot = { from, until, fields };
    from = until;
    return slot;
  });
}

/** The fields of one slot that are there. */
function slotFields(slot: ReadonlyMap<string, CborValue>, index: number): ReadonlyMap<string, number> {
  const fields = new Map<string, number>();
  for (const [name, value] of slot) if (typeof value === 'number') fields.set(name, value);
  const where = `slots[${index}]`;
  if (fields.get('duration') === 0) throw violated(`${where}: duration 0`);
  if ((fields.get('priceLevel') ?? 0) > HIGHEST_LEVEL) throw violated(`${where}: priceLevel above ${HIGHEST_LEVEL}`);
  if ((fields.get('renewablePercent') ?? 0) > PERCENT) throw violated(`${where}: renewablePercent above ${PERCENT}`);
  for (const direction of ['consumption', 'production']) {
    const most = fields.get(`${direction}Max`);
    const least = fields.get(`${direction}Min`);
    if ((most ?? 0) < 0 || (least ?? 0) < 0) throw violated(`${where}: a bound is negative`);
    if (most !== undefined && least !== undefined && least > most) throw violated(`${where}: ${direction}Min is above ${direction}Max`);
  }
  return fields;
}

function violated(text: string): PeerError {
  return new PeerError(InteractionStatus.CONSTRAINT, text);
}
