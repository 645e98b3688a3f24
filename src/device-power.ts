import type { PowerStage, VehicleReading } from '../hal/index.js';
import type { StageTarget } from './failsafe/energy-view.js';
import { ChargingSession } from './features/charging-session.js';
import { Electrical } from './features/electrical.js';
import { idleReading, Measurement } from './features/measurement.js';
import { Status } from './features/status.js';
import { OperatingState } from './features/status-table.js';
import type { BoardDefinition, ElectricalRatings } from './model/board.js';
import type { FeatureInstance } from './model/feature.js';
import type { Clock, Log, Timer } from './platform.js';

/** How often the power stage is looked at, milliseconds: what it does by itself shows within that time. */
const LOOK = 1000;
/** Endpoint type EV_CHARGER. */
const EV_CHARGER = 5;

export interface DevicePowerParts {
  readonly board: BoardDefinition;
  /** The power stage of the one endpoint with electrical ratings; without one the endpoint is at rest. */
  readonly stage: PowerStage | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Unix seconds; undefined while the clock was never set. */
  now(): number | undefined;
  /** True lets power flow. */
  setRelay(closed: boolean): void;
  /** What the car does to the process (features.md §2, EVSE): it wants energy, has its fill, is gone. */
  onProcess(event: 'demanded' | 'finished' | 'reset'): void;
  /** What the status shows may have changed. */
  onChanged(): void;
}

interface PowerEndpoint {
  readonly ratings: ElectricalRatings;
  readonly status: Status;
  readonly electrical: Electrical;
  readonly measurement: Measurement | undefined;
  readonly session: ChargingSession | undefined;
}

/** Between EnergyControl's target and the power electronics: orders go out at once, what flows is told to the features that show it. */
export class DevicePower {
  readonly #parts: DevicePowerParts;
  readonly #endpoints = new Map<number, PowerEndpoint>();
  #target: StageTarget | undefined;
  #relay = false;
  #process: 'demanded' | 'finished' | 'reset' = 'reset';
  #timer: Timer | undefined;
  #unwatch: (() => void) | undefined;

  constructor(parts: DevicePowerParts) {
    this.#parts = parts;
    for (const { id, type, electrical: ratings, measures } of parts.board.endpoints) {
      if (ratings === undefined) continue;
      const idle = idleReading(ratings.phaseCount, ratings.nominalVoltage, ratings.nominalFrequency);
      this.#endpoints.set(id, {
        ratings,
        status: new Status(),
        electrical: new Electrical(ratings),
        measurement: measures === undefined ? undefined : new Measurement(measures, idle),
        session: type === EV_CHARGER && parts.stage !== undefined ? new ChargingSession({ now: () => parts.now(), modes: [] }) : undefined,
      });
    }
  }

  /** Features of an endpoint, for the model. */
  features(endpoint: number): readonly FeatureInstance[] {
    const power = this.#endpoints.get(endpoint);
    if (power === undefined) return [];
    const { status, electrical, measurement, session } = power;
    return [status, electrical, ...(measurement === undefined ? [] : [measurement]), ...(session === undefined ? [] : [session])];
  }

  /** Before the first accept: what the car tells is known when the first zone reads it. */
  start(target: StageTarget | undefined): void {
    const { stage } = this.#parts;
    if (stage === undefined) return;
    this.#target = target;
    this.#unwatch = stage.watch(() => this.#look());
    this.#tick();
  }

  /** A new target of EnergyControl: the stage is ordered in the same turn. */
  obey(target: StageTarget): void {
    this.#target = target;
    this.#order();
    this.#look();
  }

  /** mW drawn now; undefined without a power stage. */
  get power(): number | undefined {
    return this.#parts.stage?.read().phases.reduce((sum, phase) => sum + phase.active, 0);
  }

  /** The power stage is told to stop. Idempotent. */
  close(): void {
    this.#timer?.cancel();
    this.#unwatch?.();
    this.#parts.stage?.close();
  }

  #tick(): void {
    this.#order();
    this.#look();
    this.#timer = this.#parts.clock.after('power stage', LOOK, () => this.#tick());
  }

  #order(): void {
    const { stage } = this.#parts;
    if (stage === undefined || this.#target === undefined) return;
    const { ceiling, setpoint, phaseCeiling, paused, aborted } = this.#target;
    const phases = phaseCeiling[0];
    for (const { ratings } of this.#endpoints.values()) {
      const phaseLimits = Array.from({ length: ratings.phaseCount }, (_, phase) => phases?.get(phase) ?? null);
      stage.apply({ ceiling: setpoint[0] ?? ceiling[0], phaseLimits, paused: paused || aborted });
    }
  }

  #look(): void {
    const { stage } = this.#parts;
    if (stage === undefined) return;
    const reading = stage.read();
    const drawn = reading.phases.reduce((sum, phase) => sum + phase.active, 0);
    for (const { status, measurement, session } of this.#endpoints.values()) {
      measurement?.update(reading);
      session?.update({ reading, fault: false });
      status.update(drawn !== 0 ? OperatingState.RUNNING : this.#target?.paused === true ? OperatingState.PAUSED : OperatingState.STANDBY);
    }
    this.#switch(drawn !== 0);
    this.#follow(reading.vehicle);
  }

  #follow(vehicle: VehicleReading | undefined): void {
    const now = vehicle === undefined ? 'reset' : vehicle.targetReached ? 'finished' : vehicle.demand ? 'demanded' : this.#process;
    if (now === this.#process) return;
    this.#process = now;
    this.#parts.onProcess(now);
  }

  /** The contactor follows the power stage: closed only while something flows. */
  #switch(closed: boolean): void {
    if (closed === this.#relay) return;
    this.#relay = closed;
    this.#parts.setRelay(closed);
    this.#parts.onChanged();
  }
}
