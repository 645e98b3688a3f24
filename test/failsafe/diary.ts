import type { ZoneRank } from '../../src/zones/resolution.js';

/** One value that one zone has set: of a direction (0, 1) and a phase, or of the whole ('all'). */
export interface Item {
  readonly what: 'limit' | 'setpoint' | 'constraint';
  readonly zone: ZoneRank;
  readonly side: number;
  readonly phase: number | 'all';
  readonly value: number;
  readonly cause: number;
  readonly at: number;
  end: number;
}

const NEVER = Number.MAX_VALUE;

/** Everything that was set, as a flat list. */
export class Diary {
  #items: Item[] = [];
  #count = 0;

  of(what: Item['what'], side: number, phase: Item['phase']): Item[] {
    return this.#items.filter((item) => item.what === what && item.side === side && item.phase === phase);
  }

  mine(what: Item['what'], zone: ZoneRank, side: number): number | null {
    const own = this.#items.filter((item) => item.what === what && item.zone === zone && item.side === side && item.phase === 'all');
    return own[0]?.value ?? null;
  }

  myPhases(what: Item['what'], zone: ZoneRank, side: number): ReadonlyMap<number, number> | null {
    const own = this.#items.filter((item) => item.what === what && item.zone === zone && item.side === side);
    return mapped((phase) => own.find((item) => item.phase === phase)?.value);
  }

  set(
    what: Item['what'],
    zone: ZoneRank,
    side: number,
    phase: Item['phase'],
    value: number | null,
    seconds: number,
    cause: number,
    now: number,
  ): void {
    const same = (item: Item) =>
      item.what === what && item.zone === zone && item.side === side && (item.phase === 'all') === (phase === 'all');
    const end = seconds === 0 ? NEVER : now + seconds * 1000;
    this.#items = this.#items.filter((item) => !(same(item) && item.phase === phase));
    for (const item of this.#items) if (same(item)) item.end = end;
    this.#count += 1;
    if (value !== null) this.#items.push({ what, zone, side, phase, value, cause, at: this.#count, end });
  }

  /** A restart, too, leaves limits without an end alone. */
  restart(): void {
    this.#items = this.#items.filter((item) => item.what === 'limit' && item.end === NEVER);
  }

  expire(now: number): void {
    this.#items = this.#items.filter((item) => item.end > now);
  }

  /** What of a zone ends with its handshake, with its connection, or with itself. */
  handshake(zone: ZoneRank): void {
    this.#items = this.#items.filter((item) => item.zone !== zone || (item.what !== 'setpoint' && item.end === NEVER));
  }

  loss(zone: ZoneRank): void {
    this.#items = this.#items.filter((item) => item.zone !== zone || item.what !== 'setpoint');
  }

  removal(zone: ZoneRank): void {
    this.#items = this.#items.filter((item) => item.zone !== zone);
  }
}

export function mapped(of: (phase: number) => number | undefined): ReadonlyMap<number, number> | null {
  const map = new Map<number, number>();
  for (const phase of [0, 1, 2]) {
    const value = of(phase);
    if (value !== undefined) map.set(phase, value);
  }
  return map.size === 0 ? null : map;
}
