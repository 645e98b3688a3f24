import type { CborValue } from '../codec/cbor.js';
import { sameValue } from '../codec/same-value.js';
import { PeerError } from '../errors.js';
import type { Caller, CommandOutcome, FeatureInstance, ReportChange } from '../model/feature.js';
import { InteractionStatus } from '../model/status.js';
import type { Clock, Timer } from '../platform.js';
import { energyOf, makePlan, merged, type Need, type PlannedStretch, remainder, type Segment } from './plan-maker.js';
import { NO_PLAN, nextPlan, type PlanBody, type PlanEvent, planDeadline, plannedPower } from './plan-state.js';
import { PLAN } from './plan-table.js';
import { Values } from './values.js';

/** What a plan is made of: it is made anew only where this differs, not because time passes. */
export interface PlanBasis {
  readonly outlook: readonly Segment[];
  readonly need: Need;
  /** Who needs it: what differs within one session, because some of it has flowed, makes no plan anew. */
  readonly session: string;
}

export interface PlanOptions {
  readonly clock: Clock;
  /** Unix seconds, fractions kept; undefined while the clock was never set. */
  now(): number | undefined;
  /** What is known of that time, monotonic ms. */
  basis(from: number, until: number): PlanBasis;
}

const REQUEST_PLAN = 1;
/** s (features.md §5). */
const DEFAULT_DURATION = 86_400;
const LONGEST_DURATION = 604_800;
/** What happens within this time, ms, makes one new version at most. */
const GATHER = 1000;
/** How often, ms, a plan is compared with what it was made of: the end of a limit may have moved, a car may lag behind. */
const COMPARE = 60_000;
/** mWh by which a car may lag: its state of charge is told in whole percent. */
const LAG = 1_000_000;

/** Plan of one endpoint (features.md §5): the slots are the device's own. */
export class Plan implements FeatureInstance {
  readonly schema = PLAN;
  readonly attributes: readonly number[];
  readonly commands = [REQUEST_PLAN, 2];
  readonly #options: PlanOptions;
  readonly #values = new Values(
    new Map<number, CborValue>([
      [1, 0],
      [2, 0],
      [3, 0],
      [10, null],
      [11, null],
      [20, null],
      [40, null],
    ]),
  );
  #state = NO_PLAN;
  #basis: PlanBasis | undefined;
  #deadline: Timer | undefined;
  #gathering: Timer | undefined;
  #shown: PlanBody | undefined;
  #closed = false;

  constructor(options: PlanOptions) {
    this.#options = options;
    this.attributes = this.#values.ids;
  }

  attach(report: ReportChange): void {
    this.#values.attach(report);
  }

  read(id: number): CborValue {
    return this.#values.read(id);
  }

  invoke(command: number, parameters: ReadonlyMap<string, CborValue>, _caller: Caller): CommandOutcome {
    if (command === REQUEST_PLAN) {
      const { from, until } = this.#span(parameters);
      this.#basis = this.#options.basis(from, until);
      this.#step({ type: 'requested', body: body(from, until, makePlan(this.#basis.outlook, this.#basis.need)) }, 'no plan');
      return { values: new Map<string, CborValue>([['planId', this.#state.planId]]) };
    }
    const planId = parameters.get('planId') as number;
    const version = parameters.get('planVersion') as number;
    this.#step({ type: 'accepted', planId, version }, 'this is not the plan and version in force');
    return { values: new Map<string, CborValue>([['newCommitment', this.#state.commitment]]) };
  }

  /** Limits, signals or what the device wants may have changed: other slots of the same time are a new version. */
  reconsider(): void {
    if (this.#state.body === undefined || this.#closed) return;
    this.#gathering ??= this.#options.clock.after('plan', GATHER, () => this.#remake());
  }

  /** mW intended now; null without a plan for this moment, before its start 0. */
  get powerNow(): number | null {
    if (this.#gathering !== undefined) this.#remake();
    const now = this.#options.clock.now();
    const { body } = this.#state;
    return body !== undefined && now < body.from ? 0 : plannedPower(this.#state, now);
  }

  /** No callback afterwards. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#deadline?.cancel();
    this.#gathering?.cancel();
  }

  /** Monotonic ms. Throws PeerError(11). */
  #span(parameters: ReadonlyMap<string, CborValue>): { from: number; until: number } {
    const seconds = (parameters.get('duration') ?? 0) as number;
    const start = (parameters.get('startTime') ?? 0) as number;
    if (seconds > LONGEST_DURATION) throw violated(`duration: at most ${LONGEST_DURATION} s`);
    const now = this.#options.clock.now();
    const unix = this.#options.now();
    if (start !== 0 && unix === undefined) throw violated('the clock was never set: a plan can begin now alone');
    const from = start === 0 || unix === undefined ? now : Math.max(now, now + (start - unix) * 1000);
    const until = from + (seconds === 0 ? DEFAULT_DURATION : seconds) * 1000;
    if (until > Number.MAX_SAFE_INTEGER) throw violated('startTime: no clock reaches it');
    return { from, until };
  }

  #remake(): void {
    this.#gathering?.cancel();
    this.#gathering = undefined;
    const { body: former } = this.#state;
    const now = this.#options.clock.now();
    if (former === undefined || this.#basis === undefined || now >= former.until) return;
    const from = Math.max(former.from, now);
    const basis = this.#options.basis(from, former.until);
    if (sameBasis(this.#basis, basis, from) && !lags(former.stretches, basis.need, from)) return;
    this.#basis = basis;
    const stretches = makePlan(basis.outlook, basis.need);
    if (sameParts(merged(remainder(former.stretches, from)), stretches)) return;
    this.#step({ type: 'remade', body: body(from, former.until, stretches) }, 'no plan');
  }

  #step(event: PlanEvent, refusal: string): void {
    const now = this.#options.clock.now();
    const next = nextPlan(this.#state, event, now);
    if (next === undefined) throw violated(refusal);
    this.#state = next;
    this.#show(now);
    this.#arm(now);
  }

  #arm(now: number): void {
    this.#deadline?.cancel();
    if (this.#closed || this.#state.body === undefined) return;
    const delay = Math.min(Math.max(0, planDeadline(this.#state) - now), COMPARE);
    this.#deadline = this.#options.clock.after('plan', delay, () => {
      this.#step({ type: 'time' }, 'no plan');
      this.#remake();
    });
  }

  #show(now: number): void {
    const { planId, version, commitment, body } = this.#state;
    const values = new Map<number, CborValue>([
      [1, planId],
      [2, version],
      [3, commitment],
    ]);
    // A plan that goes on keeps the times it was told with.
    if (body !== this.#shown) this.#describe(body, now, values);
    this.#shown = body;
    this.#values.update(values);
  }

  #describe(body: PlanBody | undefined, now: number, values: Map<number, CborValue>): void {
    const unix = this.#options.now();
    const wall = (at: number): number | null => (unix === undefined ? null : Math.round(unix + (at - now) / 1000));
    const slots = body === undefined ? null : describeSlots(body);
    values.set(10, body === undefined ? null : wall(body.from)).set(11, body === undefined ? null : wall(body.until));
    values.set(20, body === undefined ? null : energyOf(body.stretches)).set(40, slots);
  }
}

function body(from: number, until: number, stretches: readonly PlannedStretch[]): PlanBody {
  return { from, until, stretches };
}

// Whole seconds that add up to the whole: each end is rounded, not each length.
function describeSlots({ from: start, stretches }: PlanBody): CborValue {
  const second = (at: number): number => Math.round((at - start) / 1000);
  return stretches
    .map(({ from, until, power, maxPower }) => ({ duration: second(until) - second(from), power, maxPower }))
    .filter(({ duration }) => duration > 0)
    .map(
      ({ duration, power, maxPower }) =>
        new Map<string, CborValue>([
          ['duration', duration],
          ['plannedPower', power],
          ['minPower', 0],
          ['maxPower', maxPower],
        ]),
    );
}

function sameBasis(a: PlanBasis, b: PlanBasis, from: number): boolean {
  const [one, other] = [a.need, b.need];
  if (a.session !== b.session || one.byPrice !== other.byPrice) return false;
  return (one.energy === null) === (other.energy === null) && sameParts(merged(remainder(a.outlook, from)), merged(b.outlook));
}

/** More is wanted than the rest of the plan holds; what is within the lag counts only where nothing is left. */
function lags(stretches: readonly PlannedStretch[], { energy }: Need, from: number): boolean {
  if (energy === null) return false;
  const left = energyOf(remainder(stretches, from));
  return energy > (left === 0 ? 0 : left + LAG);
}

function sameParts(a: readonly (Segment | PlannedStretch)[], b: readonly (Segment | PlannedStretch)[]): boolean {
  const plain = (parts: readonly object[]): CborValue =>
    parts.map((part) => new Map(Object.entries(part)) as ReadonlyMap<string, CborValue>);
  return sameValue(plain(a), plain(b));
}

function violated(text: string): PeerError {
  return new PeerError(InteractionStatus.CONSTRAINT, text);
}
