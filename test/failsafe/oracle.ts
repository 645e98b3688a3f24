import type { ZoneRank } from '../../src/zones/resolution.js';
import { DEFAULTS } from './world.js';

/** One value that one zone has set: of a direction (0, 1) and a phase, or of the whole ('all'). */
interface Item {
  readonly what: 'limit' | 'setpoint';
  readonly zone: ZoneRank;
  readonly side: number;
  readonly phase: number | 'all';
  readonly value: number;
  readonly at: number;
  end: number;
}

const NEVER = Number.MAX_VALUE;
const FULL = DEFAULTS.failsafeDuration * 1000;

/**
 * What the effective values must be, told as a diary: a flat list of everything that was set, an absolute time that restarts do not reset, and closed formulas
 * in the place of timers. Shares nothing with the runtime.
 */
export class Oracle {
  now = 0;
  failsafeFrom: { readonly at: number; readonly length: number } | undefined;
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

  set(what: Item['what'], zone: ZoneRank, side: number, phase: Item['phase'], value: number | null, seconds: number): void {
    const same = (item: Item) =>
      item.what === what && item.zone === zone && item.side === side && (item.phase === 'all') === (phase === 'all');
    const end = seconds === 0 ? NEVER : this.now + seconds * 1000;
    this.#items = this.#items.filter((item) => !(same(item) && item.phase === phase));
    for (const item of this.#items) if (same(item)) item.end = end;
    this.#count += 1;
    if (value !== null) this.#items.push({ what, zone, side, phase, value, at: this.#count, end });
  }

  connect(zone: ZoneRank): void {
    this.#items = this.#items.filter((item) => item.zone !== zone || (item.what === 'limit' && item.end === NEVER));
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

  remove(zone: ZoneRank): void {
    const was = this.connected.delete(zone);
    this.zones = this.zones.filter((other) => other !== zone);
    this.#items = this.#items.filter((item) => item.zone !== zone);
    this.asleep.delete(zone);
    if (zone.type === 0) return;
    if (!this.#anyone(this.zones)) {
      this.failsafeFrom = undefined;
      this.over = false;
    } else if (was && !this.#anyone(this.connected)) this.#failsafe(FULL);
  }

  advance(milliseconds: number): void {
    this.now += milliseconds;
    const { failsafeFrom } = this;
    if (failsafeFrom !== undefined && failsafeFrom.at + failsafeFrom.length <= this.now) {
      this.failsafeFrom = undefined;
      this.over = true;
      for (const zone of this.zones) this.asleep.add(zone);
    }
    this.#items = this.#items.filter((item) => item.end > this.now);
  }

  restart(): void {
    this.#items = this.#items.filter((item) => item.what === 'limit' && item.end === NEVER);
    this.connected.clear();
    if (!this.#anyone(this.zones) || this.over) return;
    const { failsafeFrom } = this;
    const { at, length } = failsafeFrom ?? { at: this.now, length: FULL };
    const step = Math.max(60_000, Math.ceil(length / 200));
    this.#failsafe(length - step * Math.floor((this.now - at) / step));
  }

  limit(side: number): number | null {
    const values = this.#of('limit', side, 'all').map(({ value }) => value);
    if (this.failsafeFrom !== undefined) values.push(DEFAULTS.failsafeLimits[side] as number);
    return values.sort((a, b) => a - b)[0] ?? null;
  }

  phases(side: number): ReadonlyMap<number, number> | null {
    const map = new Map<number, number>();
    for (const phase of [0, 1, 2])
      for (const { value } of this.#of('limit', side, phase)) map.set(phase, Math.min(value, map.get(phase) ?? value));
    return map.size === 0 ? null : map;
  }

  setpoint(side: number): number | null {
    const ranked = this.#of('setpoint', side, 'all').sort((a, b) => a.zone.priority - b.zone.priority || b.at - a.at);
    return ranked[0]?.value ?? null;
  }

  mine(zone: ZoneRank, side: number): number | null {
    return (
      this.#items.find((item) => item.what === 'limit' && item.zone === zone && item.side === side && item.phase === 'all')?.value ?? null
    );
  }

  state(override: boolean): number {
    if (override) return 4;
    if (this.failsafeFrom !== undefined) return 3;
    if (!this.#anyone(this.connected)) return 0;
    return [0, 1].some((side) => this.limit(side) !== null || this.phases(side) !== null) ? 2 : 1;
  }

  #of(what: Item['what'], side: number, phase: Item['phase']): Item[] {
    return this.#items.filter(
      (item) =>
        item.what === what &&
        item.side === side &&
        item.phase === phase &&
        item.zone.type !== 0 &&
        !(what === 'limit' && this.asleep.has(item.zone)),
    );
  }

  #anyone(zones: Iterable<ZoneRank>): boolean {
    return [...zones].some((zone) => zone.type !== 0);
  }

  #failsafe(length: number): void {
    if (this.#anyone(this.zones)) this.failsafeFrom = { at: this.now, length };
  }
}
