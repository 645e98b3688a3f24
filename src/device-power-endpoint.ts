import type { PowerStage, PowerStageReading } from '../hal/index.js';
import type { StageTarget } from './failsafe/energy-view.js';
import type { OverrideCause } from './failsafe/override.js';
import { ChargingSession } from './features/charging-session.js';
import { Electrical, type ElectricalBounds } from './features/electrical.js';
import { EndpointType } from './features/endpoint-types.js';
import { idleReading, Measurement } from './features/measurement.js';
import { Status } from './features/status.js';
import { OperatingState } from './features/status-table.js';
import type { BoardDefinition, ElectricalRatings } from './model/board.js';
import type { FeatureInstance } from './model/feature.js';

/** What the power stage shows of the endpoint's process. `resting`: there is nothing to be done. */
type ProcessSight = 'resting' | 'offered' | 'demanded' | 'finished';

/** What the device itself does to its process when that comes in sight (features.md §2); what is not due there changes nothing. */
const DEVICE_EVENTS = {
  vehicle: { resting: ['reset'], offered: [], demanded: ['demanded'], finished: ['finished'] },
  other: { resting: ['withdrawn', 'cleared'], offered: ['offered'], demanded: [], finished: ['finished'] },
} as const;
export type DeviceProcessEvent = 'offered' | 'withdrawn' | 'demanded' | 'finished' | 'cleared' | 'reset';

export interface PowerEvents {
  onProcess(endpoint: number, event: DeviceProcessEvent): void;
  /** The device exceeds its limits by itself, or no longer does. */
  onOverride(endpoint: number, cause: OverrideCause | undefined): void;
  /** What is connected has narrowed the ratings, or no longer does. */
  onRatings(endpoint: number, ratings: ElectricalRatings): void;
}

export interface PowerEndpointParts {
  readonly definition: BoardDefinition['endpoints'][number];
  readonly ratings: ElectricalRatings;
  /** Without one the endpoint is at rest. */
  readonly stage: PowerStage | undefined;
  readonly events: PowerEvents;
  /** Unix seconds; undefined while the clock was never set. */
  now(): number | undefined;
}

/** One endpoint with electrical ratings: the target of its EnergyControl on the way to its power stage, and what flows on the way to its features. */
export class PowerEndpoint {
  readonly features: readonly FeatureInstance[];
  readonly #parts: PowerEndpointParts;
  readonly #status = new Status();
  readonly #electrical: Electrical;
  readonly #measurement: Measurement | undefined;
  readonly #session: ChargingSession | undefined;
  #target: StageTarget | undefined;
  #unwatch: (() => void) | undefined;
  #drawn = 0;
  #process: ProcessSight = 'resting';
  #override: OverrideCause | undefined;
  #bounds: ElectricalBounds = {};

  constructor(parts: PowerEndpointParts) {
    const { definition, ratings, stage } = parts;
    this.#parts = parts;
    this.#electrical = new Electrical(ratings);
    const idle = idleReading(ratings.phaseCount, ratings.nominalVoltage, ratings.nominalFrequency);
    if (definition.measures !== undefined) this.#measurement = new Measurement(definition.measures, idle);
    if (definition.type === EndpointType.EV_CHARGER && stage !== undefined)
      this.#session = new ChargingSession({ now: () => parts.now(), modes: [] });
    const features = [this.#status, this.#electrical, this.#measurement, this.#session];
    this.features = features.filter((feature) => feature !== undefined);
  }

  /** mW; + is into the device. */
  get drawn(): number {
    return this.#drawn;
  }

  /** `onLook` is called when something changed by itself. */
  start(target: StageTarget | undefined, onLook: () => void): void {
    this.#target = target;
    this.#unwatch = this.#parts.stage?.watch(() => {
      this.#look();
      onLook();
    });
  }

  obey(target: StageTarget): void {
    this.#target = target;
    this.tick();
  }

  tick(): void {
    this.#order();
    this.#look();
  }

  /** Before the first target nothing is ordered. */
  #order(): void {
    const { stage, ratings } = this.#parts;
    if (stage === undefined || this.#target === undefined) return;
    const { beneath, setpoint, phaseCeiling, paused, aborted, running } = this.#target;
    const phases = phaseCeiling[0];
    const phaseLimits = Array.from({ length: ratings.phaseCount }, (_, phase) => phases?.get(phase) ?? null);
    // The stage that overrides knows by itself how far it must; what would hold otherwise tells it when it need not any more.
    stage.apply({ ceiling: setpoint[0] ?? beneath[0], phaseLimits, paused, aborted, running });
  }

  /** Shows what is so now, then tells EnergyControl what the device does by itself. */
  #look(): void {
    const { stage } = this.#parts;
    if (stage === undefined) return;
    const reading = stage.read();
    this.#drawn = reading.phases.reduce((sum, phase) => sum + phase.active, 0);
    this.#measurement?.update(reading);
    this.#session?.update({ reading, fault: reading.fault !== undefined });
    this.#status.update(this.#operatingState(), reading.fault);
    this.#bind(reading.vehicle?.bounds ?? {});
    this.#exceed(reading.override);
    this.#follow(processSight(reading, this.#process));
  }

  /** The power stage is told to stop. Idempotent. */
  close(): void {
    this.#unwatch?.();
    this.#parts.stage?.close();
  }

  // features.md §5: PAUSED (process), RUNNING (power), STANDBY.
  #operatingState(): number {
    if (this.#drawn !== 0) return OperatingState.RUNNING;
    return this.#target?.paused === true ? OperatingState.PAUSED : OperatingState.STANDBY;
  }

  #bind(bounds: ElectricalBounds): void {
    if (sameBounds(bounds, this.#bounds)) return;
    this.#bounds = bounds;
    this.#electrical.bound(bounds);
    this.#parts.events.onRatings(this.#parts.definition.id, this.#electrical.ratings);
  }

  #exceed(cause: OverrideCause | undefined): void {
    if (cause?.reason === this.#override?.reason && cause?.direction === this.#override?.direction) return;
    this.#override = cause;
    this.#parts.events.onOverride(this.#parts.definition.id, cause);
  }

  #follow(process: ProcessSight): void {
    if (process === this.#process) return;
    this.#process = process;
    const kind = this.#session === undefined ? 'other' : 'vehicle';
    for (const event of DEVICE_EVENTS[kind][process]) this.#parts.events.onProcess(this.#parts.definition.id, event);
  }
}

/** A car that is there, not full and wants nothing changes nothing. */
function processSight({ vehicle, process }: PowerStageReading, before: ProcessSight): ProcessSight {
  if (process !== undefined) return process;
  if (vehicle === undefined) return 'resting';
  if (vehicle.targetReached) return 'finished';
  return vehicle.demand ? 'demanded' : before;
}

function sameBounds(a: ElectricalBounds, b: ElectricalBounds): boolean {
  return (
    a.maxConsumption === b.maxConsumption && a.minPower === b.minPower && a.maxCurrent === b.maxCurrent && a.minCurrent === b.minCurrent
  );
}
