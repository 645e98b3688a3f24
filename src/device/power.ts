import type { PowerStage } from '../../hal/index.js';
import type { StageTarget } from '../failsafe/stage-target.js';
import type { Need } from '../features/plan-maker.js';
import type { BoardDefinition } from '../model/board.js';
import type { Caller, FeatureInstance } from '../model/feature.js';
import type { Clock, Log, Timer } from '../platform.js';
import type { ModeSteering } from './charging.js';
import { type EnergyCount, EnergyCounters, type EnergyCountersParts, type EnergyCounts } from './counters.js';
import { PowerEndpoint, type PowerEvents } from './power-endpoint.js';

/** How often the power stages are looked at, milliseconds: what they do by themselves shows within that time. */
const LOOK = 1000;

export interface DevicePowerParts {
  readonly board: BoardDefinition;
  /** By endpoint; one with electrical ratings and no stage is at rest. */
  readonly stages: ReadonlyMap<number, PowerStage>;
  readonly clock: Clock;
  readonly journal: EnergyCountersParts['journal'];
  readonly log: Log;
  readonly events: PowerEvents;
  /** What steers the charging mode of an endpoint. */
  steering(endpoint: number): ModeSteering;
  /** Whether the device has opted out of a zone on that endpoint (features.md §3). */
  refuses(endpoint: number, caller: Caller): boolean;
  /** Unix seconds; undefined while the clock was never set. */
  now(): number | undefined;
  /** True lets power flow. */
  setRelay(closed: boolean): void;
  /** What the status shows may have changed. */
  onChanged(): void;
}

/** Between EnergyControl's targets and the power electronics: orders go out at once, what flows is told to the features that show it. */
export class DevicePower {
  readonly #parts: DevicePowerParts;
  readonly #endpoints = new Map<number, PowerEndpoint>();
  readonly #counters: EnergyCounters;
  #relay = false;
  #timer: Timer | undefined;

  constructor(parts: DevicePowerParts) {
    const { board, stages, events, clock, journal } = parts;
    this.#parts = parts;
    this.#counters = new EnergyCounters(parts);
    for (const definition of board.endpoints) {
      const { id, electrical: ratings } = definition;
      if (ratings === undefined) continue;
      const endpoint = new PowerEndpoint({
        definition,
        ratings,
        stage: stages.get(id),
        events,
        shown: () => this.#counters.shown(id),
        clock,
        journal,
        steering: parts.steering(id),
        refuses: (caller) => parts.refuses(id, caller),
        now: () => parts.now(),
      });
      this.#endpoints.set(id, endpoint);
    }
  }

  /** Features of an endpoint, for the model. */
  features(endpoint: number): readonly FeatureInstance[] {
    return this.#endpoints.get(endpoint)?.features ?? [];
  }

  /** Before the first accept: what the car tells is known when the first zone reads it. `target`: in force by endpoint. */
  start(target: (endpoint: number) => StageTarget | undefined): void {
    for (const [id, endpoint] of this.#endpoints) endpoint.start(target(id), () => this.#switch());
    if (this.#parts.stages.size > 0) this.#tick();
  }

  /** A new target of EnergyControl: the stage is ordered in the same turn. */
  obey(id: number, target: StageTarget): void {
    const endpoint = this.#endpoints.get(id);
    endpoint?.obey(target);
    this.#switch();
  }

  /** What steers a mode may have changed: of one endpoint, or of all. */
  steer(id?: number): void {
    for (const [endpoint, power] of this.#endpoints) if (id === undefined || id === endpoint) power.steer();
  }

  /** What an endpoint wants to draw, for its plan. */
  need(id: number): { readonly need: Need; readonly session: string } {
    return (this.#endpoints.get(id) as PowerEndpoint).need;
  }

  /** Whether a mode follows the surplus of the site. */
  get followsSurplus(): boolean {
    return [...this.#endpoints.values()].some(({ followsSurplus }) => followsSurplus);
  }

  /** features.md §5: simulated physics rests from the first TEST connection to the restart. */
  rest(): void {
    for (const endpoint of this.#endpoints.values()) endpoint.rest();
  }

  /** mW drawn now, all endpoints together; undefined without a power stage. */
  get power(): number | undefined {
    if (this.#parts.stages.size === 0) return undefined;
    return [...this.#endpoints.values()].reduce((sum, { drawn }) => sum + drawn, 0);
  }

  /** The power stages are told to stop at once; resolves when the energy counters are stored. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    for (const endpoint of this.#endpoints.values()) endpoint.close();
    await this.#counters.settle(this.#counted());
  }

  #tick(): void {
    for (const endpoint of this.#endpoints.values()) endpoint.tick();
    this.#switch();
    this.#counters.observe(this.#counted());
    this.#timer = this.#parts.clock.after('power stage', LOOK, () => this.#tick());
  }

  #counted(): EnergyCounts {
    const counts = new Map<number, EnergyCount>();
    for (const [id, { counted }] of this.#endpoints) if (counted !== undefined) counts.set(id, counted);
    return counts;
  }

  /** The contactor follows the power stages: closed only while something flows. */
  #switch(): void {
    const closed = [...this.#endpoints.values()].some(({ drawn }) => drawn !== 0);
    if (closed === this.#relay) return;
    this.#relay = closed;
    this.#parts.setRelay(closed);
    this.#parts.onChanged();
  }
}
