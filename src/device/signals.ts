import type { EnergyControl } from '../features/energy-control.js';
import { Plan, type PlanBasis } from '../features/plan.js';
import { makePlan, type Need } from '../features/plan-maker.js';
import { Signals } from '../features/signals.js';
import { Tariff } from '../features/tariff.js';
import type { BoardDefinition } from '../model/board.js';
import type { Caller, FeatureInstance } from '../model/feature.js';
import type { Clock } from '../platform.js';
import type { Journal } from '../store/journal.js';
import { refusesZone } from '../zones/resolution.js';
import { outlook } from './outlook.js';

/** Bits of the feature map. */
const SIGNALS = 0x10;
const TARIFF = 0x20;
const PLAN = 0x40;
const FORECAST = 0x100;
/** How far ahead prices decide, and how long a decision stands, ms. */
const HORIZON = 86_400_000;
const DECISION = 60_000;

export interface DeviceSignalsParts {
  readonly board: BoardDefinition;
  readonly clock: Clock;
  readonly journal: Journal;
  /** EnergyControl by endpoint. */
  readonly energy: ReadonlyMap<number, EnergyControl>;
  /** Unix seconds, fractions kept; undefined while the clock was never set. */
  now(): number | undefined;
  /** What an endpoint wants to draw, and in which session. */
  need(endpoint: number): { readonly need: Need; readonly session: string };
  /** A signal of that endpoint came, went, or has come to another slot. */
  onChanged(endpoint: number): void;
}

interface Incentives {
  readonly signals: Signals | undefined;
  readonly tariff: Tariff | undefined;
  readonly plan: Plan | undefined;
  readonly rating: number;
  /** Whether energy is worth its price, and until when that stands. */
  decision: { readonly value: boolean; readonly until: number } | undefined;
}

/** Signals, Tariff and Plan of every endpoint whose feature map has them, and what they say of the moment. */
export class DeviceSignals {
  readonly #parts: DeviceSignalsParts;
  readonly #endpoints = new Map<number, Incentives>();

  constructor(parts: DeviceSignalsParts) {
    this.#parts = parts;
    const { board, clock, journal } = parts;
    for (const { id, featureMap, electrical } of board.endpoints) {
      if (electrical === undefined) continue;
      const now = (): number | undefined => parts.now();
      this.#endpoints.set(id, {
        signals: (featureMap & SIGNALS) === 0 ? undefined : this.#signals(id, (featureMap & FORECAST) !== 0),
        tariff: (featureMap & TARIFF) === 0 ? undefined : new Tariff(id, journal),
        plan: (featureMap & PLAN) === 0 ? undefined : new Plan({ clock, now, basis: (from, until) => this.#basis(id, from, until) }),
        rating: electrical.maxConsumption,
        decision: undefined,
      });
    }
  }

  /** Features of an endpoint, for the model. */
  features(endpoint: number): readonly FeatureInstance[] {
    const { tariff, signals, plan } = this.#endpoints.get(endpoint) ?? {};
    return [tariff, signals, plan].filter((feature) => feature !== undefined);
  }

  /** Whether the device has opted out of a zone on that endpoint (features.md §3). */
  refuses(endpoint: number, caller: Caller): boolean {
    const core = this.#parts.energy.get(endpoint)?.core;
    return core !== undefined && refusesZone(core.state.settings.optOut, caller);
  }

  zoneRemoved(zoneId: string): void {
    for (const { signals } of this.#endpoints.values()) signals?.removeZone(zoneId);
  }

  /** Failsafe is over, or a zone has returned (features.md §4). */
  suspend(endpoint: number, zones: ReadonlySet<string>): void {
    this.#endpoints.get(endpoint)?.signals?.suspend(zones);
  }

  /** Limits or what the endpoint wants have changed. */
  reconsider(endpoint: number): void {
    const incentives = this.#endpoints.get(endpoint);
    if (incentives === undefined) return;
    incentives.decision = undefined;
    incentives.plan?.reconsider();
  }

  /** PRICE_OPTIMIZED: whether this moment belongs to the cheapest that cover what is wanted; undefined: no price is known. */
  worthwhile(endpoint: number): boolean | undefined {
    const incentives = this.#endpoints.get(endpoint);
    const price = incentives?.signals?.price;
    if (incentives === undefined || price === undefined) return undefined;
    const now = this.#parts.clock.now();
    if (incentives.decision === undefined || now >= incentives.decision.until) {
      const { outlook: ahead, need } = this.#basis(endpoint, now, Math.min(price.until, now + HORIZON));
      const [first] = makePlan(ahead, { ...need, byPrice: true });
      incentives.decision = { value: (first?.power ?? 0) > 0, until: Math.min(now + DECISION, first?.until ?? now) };
    }
    return incentives.decision.value;
  }

  /** SCHEDULED: mW that the plan says for this moment; null: there is no plan. */
  planned(endpoint: number): number | null {
    return this.#endpoints.get(endpoint)?.plan?.powerNow ?? null;
  }

  close(): void {
    for (const { signals, plan } of this.#endpoints.values()) {
      signals?.close();
      plan?.close();
    }
  }

  #signals(endpoint: number, forecasts: boolean): Signals {
    const { clock } = this.#parts;
    return new Signals({
      clock,
      forecasts,
      now: () => this.#parts.now(),
      refuses: (caller) => this.refuses(endpoint, caller),
      onConstraint: (zoneId, limits) => this.#parts.energy.get(endpoint)?.core.dispatch({ type: 'constraint', zoneId, limits }),
      onChanged: () => {
        this.reconsider(endpoint);
        this.#parts.onChanged(endpoint);
      },
    });
  }

  #basis(endpoint: number, from: number, until: number): PlanBasis {
    const { signals, rating } = this.#endpoints.get(endpoint) as Incentives;
    const state = this.#parts.energy.get(endpoint)?.core.state;
    const known = { state, signals: signals?.book ?? [], price: signals?.price, rating };
    return { outlook: outlook(known, from, until), ...this.#parts.need(endpoint) };
  }
}
