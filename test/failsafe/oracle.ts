import type { ZoneRank } from '../../src/zones/resolution.js';
import { DEFAULTS, RATINGS } from './world.js';

/** One value that one zone has set: of a direction (0, 1) and a phase, or of the whole ('all'). */
interface Item {
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
const FULL = DEFAULTS.failsafeDuration * 1000;
const LONGEST_OVERRIDE = 4 * 3_600_000;

/**
 * What every value must be, told as a diary: a flat list of everything that was set, an absolute time that restarts do not reset, and closed formulas
 * in the place of timers. Shares nothing with the runtime.
 */
export class Oracle {
  now = 0;
  failsafeFrom: { readonly at: number; readonly length: number } | undefined;
  overrideUntil: number | undefined;
  over = false;
  readonly connected = new Set<ZoneRank>();
  readonly asleep = new Set<ZoneRank>();
  zones: ZoneRank[];
  #items: Item[] = [];
  #count = 0;

  constructor(zones: readonly ZoneRank[]) {
    this.zones = [...zones];
    this.#failsafe(FULL);
  }

  // The rules of values.

  limit(side: number): number | null {
    const values = [...this.#of('limit', side, 'all'), ...this.#of('constraint', side, 'all')].map(({ value }) => value);
    if (this.failsafeFrom !== undefined) values.push(DEFAULTS.failsafeLimits[side] as number);
    return values.sort((a, b) => a - b)[0] ?? null;
  }

  phases(side: number): ReadonlyMap<number, number> | null {
    return mapped(
      (phase) =>
        this.#of('limit', side, phase)
          .map(({ value }) => value)
          .sort((a, b) => a - b)[0],
    );
  }

  setpoint(side: number): number | null {
    return this.#ranked(side, 'all') ?? null;
  }

  phaseSetpoints(side: number): ReadonlyMap<number, number> | null {
    return mapped((phase) => this.#ranked(side, phase));
  }

  /** What the power stage may do: Electrical caps it, a phase limit counts three times (asymmetry NONE), the user's override lifts what does not protect. */
  ceiling(side: number): number {
    const binds = ({ cause }: Item): boolean => this.overrideUntil === undefined || cause === 0 || cause === 2;
    const power = this.#of('limit', side, 'all')
      .filter(binds)
      .map(({ value }) => value);
    if (this.overrideUntil === undefined) power.push(...this.#of('constraint', side, 'all').map(({ value }) => value));
    const phases = [0, 1, 2]
      .flatMap((phase) => this.#of('limit', side, phase))
      .filter(binds)
      .map(({ value }) => value);
    if (this.failsafeFrom !== undefined) power.push(DEFAULTS.failsafeLimits[side] as number);
    return Math.min(...power, Math.min(...phases, RATINGS.currentPerPhase) * 3 * RATINGS.voltage, RATINGS.power[side] as number);
  }

  mine(what: Item['what'], zone: ZoneRank, side: number): number | null {
    const own = this.#items.filter((item) => item.what === what && item.zone === zone && item.side === side && item.phase === 'all');
    return own[0]?.value ?? null;
  }

  myPhases(what: Item['what'], zone: ZoneRank, side: number): ReadonlyMap<number, number> | null {
    const own = this.#items.filter((item) => item.what === what && item.zone === zone && item.side === side);
    return mapped((phase) => own.find((item) => item.phase === phase)?.value);
  }

  get state(): number {
    if (this.overrideUntil !== undefined) return 4;
    if (this.failsafeFrom !== undefined) return 3;
    if (!this.#anyone(this.connected)) return 0;
    return [0, 1].some((side) => this.limit(side) !== null || this.phases(side) !== null) ? 2 : 1;
  }

  // What happens.

  set(what: Item['what'], zone: ZoneRank, side: number, phase: Item['phase'], value: number | null, seconds: number, cause: number): void {
    const same = (item: Item) =>
      item.what === what && item.zone === zone && item.side === side && (item.phase === 'all') === (phase === 'all');
    const end = seconds === 0 ? NEVER : this.now + seconds * 1000;
    this.#items = this.#items.filter((item) => !(same(item) && item.phase === phase));
    for (const item of this.#items) if (same(item)) item.end = end;
    this.#count += 1;
    if (value !== null) this.#items.push({ what, zone, side, phase, value, cause, at: this.#count, end });
  }

  connect(zone: ZoneRank): void {
    this.#items = this.#items.filter((item) => item.zone !== zone || (item.what !== 'setpoint' && item.end === NEVER));
    this.connected.add(zone);
    this.asleep.delete(zone);
    if (zone.type === 0) return;
    this.failsafeFrom = undefined;
    this.over = false;
  }

  lose(zone: ZoneRank): void {
    this.#items = this.#items.filter((item) => item.zone !== zone || item.what !== 'setpoint');
    const was = this.connected.delete(zone);
    if (was && zone.type !== 0 && !this.#anyone(this.connected)) this.#failsafe(FULL);
  }

  add(zone: ZoneRank): void {
    this.zones.push(zone);
  }

  remove(zone: ZoneRank): void {
    const was = this.connected.delete(zone);
    this.zones = this.zones.filter((other) => other !== zone);
    this.#items = this.#items.filter((item) => item.zone !== zone);
    this.asleep.delete(zone);
    if (zone.type === 0) return;
    if (!this.#anyone(this.zones)) {
      this.failsafeFrom = undefined;
      this.overrideUntil = undefined;
      this.over = false;
    } else if (was && !this.#anyone(this.connected)) this.#failsafe(FULL);
  }

  press(): void {
    this.overrideUntil = this.overrideUntil === undefined ? this.now + LONGEST_OVERRIDE : undefined;
  }

  advance(milliseconds: number): void {
    this.now += milliseconds;
    const { failsafeFrom } = this;
    if (failsafeFrom !== undefined && failsafeFrom.at + failsafeFrom.length <= this.now) {
      this.failsafeFrom = undefined;
      this.over = true;
      for (const zone of this.zones) this.asleep.add(zone);
    }
    if (this.overrideUntil !== undefined && this.overrideUntil <= this.now) this.overrideUntil = undefined;
    this.#items = this.#items.filter((item) => item.end > this.now);
  }

  restart(): void {
    this.#items = this.#items.filter((item) => item.what === 'limit' && item.end === NEVER);
    this.connected.clear();
    this.overrideUntil = undefined;
    if (!this.#anyone(this.zones) || this.over) return;
    const { failsafeFrom } = this;
    const { at, length } = failsafeFrom ?? { at: this.now, length: FULL };
    const step = Math.max(60_000, Math.ceil(length / 200));
    this.#failsafe(length - step * Math.floor((this.now - at) / step));
  }

  #ranked(side: number, phase: Item['phase']): number | undefined {
    return this.#of('setpoint', side, phase).sort((a, b) => a.zone.priority - b.zone.priority || b.at - a.at)[0]?.value;
  }

  #of(what: Item['what'], side: number, phase: Item['phase']): Item[] {
    return this.#items.filter(
      (item) =>
        item.what === what &&
        item.side === side &&
        item.phase === phase &&
        item.zone.type !== 0 &&
        !(what !== 'setpoint' && this.asleep.has(item.zone)),
    );
  }

  #anyone(zones: Iterable<ZoneRank>): boolean {
    return [...zones].some((zone) => zone.type !== 0);
  }

  /** Failsafe ends the user's override (features.md §1). */
  #failsafe(length: number): void {
    if (!this.#anyone(this.zones)) return;
    this.failsafeFrom = { at: this.now, length };
    this.overrideUntil = undefined;
  }
}

function mapped(of: (phase: number) => number | undefined): ReadonlyMap<number, number> | null {
  const map = new Map<number, number>();
  for (const phase of [0, 1, 2]) {
    const value = of(phase);
    if (value !== undefined) map.set(phase, value);
  }
  return map.size === 0 ? null : map;
}
