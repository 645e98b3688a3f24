import type { ZoneRank } from '../../src/zones/resolution.js';
import { Diary, type Item, mapped } from './diary.js';
import { DEFAULTS, RATINGS } from './world.js';

/** Under which rules a life is lived. */
export interface OracleRules {
  readonly variant: 'd' | 'r';
  readonly hold: boolean;
  /** ms. */
  readonly grace: number;
  readonly phaseCount: number;
  readonly asymmetric: readonly [boolean, boolean];
}

export const PLAIN: OracleRules = { variant: 'd', hold: false, grace: 0, phaseCount: 3, asymmetric: [false, false] };

const LONGEST_OVERRIDE = 4 * 3_600_000;

/**
 * What every value must be, told as a diary: a flat list of everything that was set, an absolute time that restarts do not reset, and closed formulas
 * in the place of timers. Shares nothing with the runtime.
 */
export class Oracle {
  now = 0;
  failsafeFrom: { readonly at: number; readonly length: number } | undefined;
  /** Failsafe has no end any more (`hold`). */
  held = false;
  overrideUntil: number | undefined;
  deviceOverrides = false;
  over = false;
  failsafeLimits: [number, number] = [DEFAULTS.failsafeLimits[0] as number, DEFAULTS.failsafeLimits[1] as number];
  /** s. */
  failsafeDuration = DEFAULTS.failsafeDuration;
  optOut = 0;
  readonly connected = new Set<ZoneRank>();
  readonly asleep = new Set<ZoneRank>();
  zones: ZoneRank[];
  readonly rules: OracleRules;
  readonly diary = new Diary();
  /** A zone has returned from failsafe; what was shown of limits then, until it differs. */
  #returned: string | undefined;

  constructor(zones: readonly ZoneRank[], rules: OracleRules = PLAIN) {
    this.zones = [...zones];
    this.rules = rules;
    this.#failsafe(this.#full);
  }

  // The rules of values.

  limit(side: number): number | null {
    const values = [...this.#of('limit', side, 'all'), ...this.#of('constraint', side, 'all')].map(({ value }) => value);
    if (this.#failing) values.push(this.failsafeLimits[side] as number);
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

  /** What the power stage may do: Electrical caps it, each phase counts; the user's override lifts what does not protect, the device's own everything. */
  ceiling(side: number): number {
    const rating = RATINGS.power[side] as number;
    if (this.deviceOverrides) return Math.min(rating, this.#sum([], side));
    return this.beneath(side);
  }

  /** The same without a device-made override. */
  beneath(side: number): number {
    const binds = ({ cause }: Item): boolean => this.overrideUntil === undefined || cause === 0 || cause === 2;
    const power = this.#of('limit', side, 'all')
      .filter(binds)
      .map(({ value }) => value);
    if (this.overrideUntil === undefined) power.push(...this.#of('constraint', side, 'all').map(({ value }) => value));
    const phases = [0, 1, 2].map((phase) =>
      this.#of('limit', side, phase)
        .filter(binds)
        .map(({ value }) => value),
    );
    if (this.#failing) power.push(this.failsafeLimits[side] as number);
    return Math.min(...power, this.#sum(phases, side), RATINGS.power[side] as number);
  }

  get state(): number {
    if (this.overridden) return 4;
    if (this.#failing) return 3;
    const limited = [0, 1].some((side) => this.limit(side) !== null || this.phases(side) !== null);
    if (this.rules.variant === 'r') {
      const wished = [0, 1].some((side) => this.setpoint(side) !== null || this.phaseSetpoints(side) !== null);
      return limited || wished || this.#returned !== undefined ? 1 : 0;
    }
    if (!this.#anyone(this.connected)) return 0;
    return limited ? 2 : 1;
  }

  get overridden(): boolean {
    return this.overrideUntil !== undefined || this.deviceOverrides;
  }

  /** features.md §3, optOutState. */
  refuses(zone: ZoneRank, optOut = this.optOut): boolean {
    return optOut === 3 || (optOut === 2 && zone.type === 1) || (optOut === 1 && zone.type > 1);
  }

  /** After each step. */
  look(): void {
    if (this.#returned !== undefined && !this.#failing && this.#returned !== this.#shown) this.#returned = undefined;
  }

  // What happens.

  set(what: Item['what'], zone: ZoneRank, side: number, phase: Item['phase'], value: number | null, seconds: number, cause: number): void {
    this.diary.set(what, zone, side, phase, value, seconds, cause, this.now);
  }

  connect(zone: ZoneRank): void {
    this.diary.handshake(zone);
    this.connected.add(zone);
    this.asleep.delete(zone);
    if (zone.type === 0) return;
    const returns = this.#failing;
    this.failsafeFrom = undefined;
    this.held = false;
    this.over = false;
    if (returns) this.#returned = this.#shown;
  }

  lose(zone: ZoneRank): void {
    this.diary.loss(zone);
    const was = this.connected.delete(zone);
    if (was && zone.type !== 0 && !this.#anyone(this.connected)) this.#failsafe(this.#full);
  }

  add(zone: ZoneRank): void {
    this.zones.push(zone);
  }

  remove(zone: ZoneRank): void {
    const was = this.connected.delete(zone);
    this.zones = this.zones.filter((other) => other !== zone);
    this.diary.removal(zone);
    this.asleep.delete(zone);
    if (zone.type === 0) return;
    if (!this.#anyone(this.zones)) {
      this.failsafeFrom = undefined;
      this.held = false;
      this.overrideUntil = undefined;
      this.over = false;
      this.#returned = undefined;
    } else if (was && !this.#anyone(this.connected)) this.#failsafe(this.#full);
  }

  press(): void {
    this.overrideUntil = this.overrideUntil === undefined ? this.now + LONGEST_OVERRIDE : undefined;
  }

  advance(milliseconds: number): void {
    this.now += milliseconds;
    const { failsafeFrom } = this;
    if (failsafeFrom !== undefined && failsafeFrom.at + failsafeFrom.length <= this.now) {
      this.failsafeFrom = undefined;
      if (this.rules.hold) this.held = true;
      else {
        this.over = true;
        for (const zone of this.zones) if (!this.connected.has(zone)) this.asleep.add(zone);
      }
    }
    if (this.overrideUntil !== undefined && this.overrideUntil <= this.now) this.overrideUntil = undefined;
    this.diary.expire(this.now);
  }

  restart(): void {
    this.diary.restart();
    this.connected.clear();
    this.overrideUntil = undefined;
    this.deviceOverrides = false;
    this.#returned = undefined;
    if (this.over) for (const zone of this.zones) this.asleep.add(zone);
    if (!this.#anyone(this.zones) || this.over || this.held) return;
    const { failsafeFrom } = this;
    const { at, length } = failsafeFrom ?? { at: this.now, length: this.#full };
    const step = Math.max(60_000, Math.ceil(length / 200));
    this.#failsafe(length - step * Math.floor((this.now - at) / step));
  }

  #ranked(side: number, phase: Item['phase']): number | undefined {
    return this.#of('setpoint', side, phase).sort((a, b) => a.zone.priority - b.zone.priority || b.at - a.at)[0]?.value;
  }

  #of(what: Item['what'], side: number, phase: Item['phase']): Item[] {
    return this.diary.of(what, side, phase).filter(({ zone }) => zone.type !== 0 && !(what !== 'setpoint' && this.asleep.has(zone)));
  }

  get #failing(): boolean {
    return this.failsafeFrom !== undefined || this.held;
  }

  get #full(): number {
    return this.failsafeDuration * 1000 + this.rules.grace;
  }

  get #shown(): string {
    return [0, 1].flatMap((side) => [this.limit(side), ...(this.phases(side) ?? [])]).join();
  }

  /** mW: what the phases may carry together, each with its own limits, or all with the least of any where they cannot differ. */
  #sum(limits: readonly (readonly number[])[], side: number): number {
    const { phaseCount, asymmetric } = this.rules;
    const each = Array.from({ length: phaseCount }, (_, phase) =>
      Math.min(RATINGS.currentPerPhase, ...(asymmetric[side] === true ? (limits[phase] ?? []) : limits.flat())),
    );
    return each.reduce((sum, current) => sum + current * RATINGS.voltage, 0);
  }

  #anyone(zones: Iterable<ZoneRank>): boolean {
    return [...zones].some((zone) => zone.type !== 0);
  }

  /** Failsafe ends the user's override (features.md §1). */
  #failsafe(length: number): void {
    if (!this.#anyone(this.zones)) return;
    this.failsafeFrom = { at: this.now, length };
    this.overrideUntil = undefined;
    this.#returned = undefined;
  }
}
