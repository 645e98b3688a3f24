import type { PowerStage, PowerStageReading, VehicleReading } from '../../hal/index.js';
import { ConfigError } from '../errors.js';
import type { OverrideCause } from '../failsafe/override.js';
import type { StageTarget } from '../failsafe/stage-target.js';
import { mayDischarge } from '../features/car.js';
import { ChargingSession } from '../features/charging-session.js';
import { ChargingMode } from '../features/charging-session-table.js';
import { Electrical, type ElectricalBounds } from '../features/electrical.js';
import { EndpointType } from '../features/endpoint-types.js';
import { idleReading, Measurement } from '../features/measurement.js';
import type { Need } from '../features/plan-maker.js';
import { Status } from '../features/status.js';
import { OperatingState } from '../features/status-table.js';
import type { BoardDefinition, ElectricalRatings } from '../model/board.js';
import type { Caller, FeatureInstance } from '../model/feature.js';
import type { Clock } from '../platform.js';
import type { Journal } from '../store/journal.js';
import { least } from '../zones/resolution.js';
import { DeviceCharging, type ModeSteering } from './charging.js';
import type { EnergyCount } from './counters.js';
import { DEVICE_EVENTS, type DeviceProcessEvent, type ProcessSight, processSight } from './process.js';

/** Direction: BIDIRECTIONAL. */
const BIDIRECTIONAL = 2;
/** What a mode goes by, by its bit in the feature map. */
const MODE_NEEDS = [
  [ChargingMode.PRICE_OPTIMIZED, 0x10, 'Signals'],
  [ChargingMode.SCHEDULED, 0x40, 'Plan'],
] as const;

export interface PowerEvents {
  onProcess(endpoint: number, event: DeviceProcessEvent): void;
  /** The device exceeds its limits by itself, or no longer does. */
  onOverride(endpoint: number, cause: OverrideCause | undefined): void;
  /** What is connected has narrowed the ratings, or no longer does. */
  onRatings(endpoint: number, ratings: ElectricalRatings): void;
  /** What it wants to draw is not what it was: another car, another target, another mode. */
  onNeed(endpoint: number): void;
}

export interface PowerEndpointParts {
  readonly definition: BoardDefinition['endpoints'][number];
  readonly ratings: ElectricalRatings;
  /** Without one the endpoint is at rest. */
  readonly stage: PowerStage | undefined;
  readonly events: PowerEvents;
  readonly clock: Clock;
  readonly journal: Pick<Journal, 'get' | 'quarantine' | 'commit'>;
  /** What steers its charging mode. */
  readonly steering: ModeSteering;
  /** Whether the device has opted out of a zone there (features.md §3). */
  refuses(caller: Caller): boolean;
  /** The energy counters as zones may see them. */
  shown(): EnergyCount;
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
  readonly #charging: DeviceCharging | undefined;
  #onLook: () => void = () => undefined;
  #vehicle: VehicleReading | undefined;
  #wanting = '';
  #target: StageTarget | undefined;
  #unwatch: (() => void) | undefined;
  #drawn = 0;
  /** As it is shown: it stands still while physics rests. */
  #flows = false;
  #counted: EnergyCount | undefined;
  #process: ProcessSight = 'resting';
  #override: OverrideCause | undefined;
  #fault: PowerStageReading['fault'];
  #bounds: ElectricalBounds = {};
  #resting = false;

  constructor(parts: PowerEndpointParts) {
    const { definition, ratings, stage } = parts;
    this.#parts = parts;
    this.#electrical = new Electrical(ratings);
    const idle = idleReading(ratings.phaseCount, ratings.nominalVoltage, ratings.nominalFrequency, parts.shown().consumed);
    if (definition.measures !== undefined) this.#measurement = new Measurement(definition.measures, idle);
    checkModes(definition);
    if (definition.type === EndpointType.EV_CHARGER && stage !== undefined) {
      this.#session = chargingSession(parts, () => this.steer());
      this.#charging = new DeviceCharging(this.#session, this.#electrical, parts.steering, parts.clock, () => this.steer());
    }
    const features = [this.#status, this.#electrical, this.#measurement, this.#session];
    this.features = features.filter((feature) => feature !== undefined);
  }

  /** mW; + is into the device. */
  get drawn(): number {
    return this.#drawn;
  }

  /** What the stage had counted at the last look; undefined without a stage. */
  get counted(): EnergyCount | undefined {
    return this.#counted;
  }

  /** `onLook` is called when something changed by itself. */
  start(target: StageTarget | undefined, onLook: () => void): void {
    this.#target = target;
    this.#onLook = onLook;
    this.#unwatch = this.#parts.stage?.watch(() => {
      this.#look();
      onLook();
    });
  }

  obey(target: StageTarget): void {
    this.#target = target;
    this.tick();
  }

  /** What steers its mode may have changed. */
  steer(): void {
    this.tick();
    this.#onLook();
  }

  /** What it wants to draw, for its plan: an endpoint without a charging session goes on as it does. */
  get need(): { readonly need: Need; readonly session: string } {
    if (this.#charging !== undefined) return this.#charging.need(this.#vehicle);
    return { need: { energy: null, power: Math.max(0, this.#drawn), minPower: 0, byPrice: false }, session: '' };
  }

  /** Its mode follows the surplus of the site. */
  get followsSurplus(): boolean {
    return this.#charging?.followsSurplus ?? false;
  }

  tick(): void {
    this.#order();
    this.#look();
  }

  /** Before the first target nothing is ordered. */
  #order(): void {
    const { stage, ratings } = this.#parts;
    if (stage === undefined || this.#target === undefined) return;
    const { beneath, setpoint, phaseCeiling, phaseSetpoint, paused, aborted, running } = this.#target;
    const phaseLimits = Array.from(
      { length: ratings.phaseCount },
      (_, phase) => phaseSetpoint[0]?.get(phase) ?? phaseCeiling[0]?.get(phase) ?? null,
    );
    // The stage that overrides knows by itself how far it must; what would hold otherwise tells it when it need not any more.
    const ceiling = least([setpoint[0] ?? beneath[0], this.#charging?.cap(this.#vehicle, this.#target) ?? null]);
    const order = { ceiling, phaseLimits, paused, aborted, running };
    // Energy is taken out at a zone's wish alone.
    const discharges = ratings.directions === BIDIRECTIONAL && mayDischarge(this.#vehicle);
    stage.apply(discharges ? { ...order, discharge: wished(this.#target, ratings.nominalVoltage) } : order);
  }

  /** What the stage tells, unless physics rests; Status follows the process all the same. */
  #look(): void {
    const { stage } = this.#parts;
    if (stage !== undefined) this.#observe(stage.read());
    this.#status.update(this.#operatingState(), this.#fault);
  }

  /** Shows what is so now, then tells EnergyControl what the device does by itself. */
  #observe(reading: PowerStageReading): void {
    this.#drawn = reading.phases.reduce((sum, phase) => sum + phase.active, 0);
    this.#counted = { consumed: reading.energyConsumed, produced: reading.energyProduced };
    if (this.#resting) return;
    this.#flows = this.#drawn !== 0;
    this.#vehicle = reading.vehicle;
    const { consumed, produced } = this.#parts.shown();
    const measured = { ...reading, energyConsumed: consumed, energyProduced: produced };
    this.#measurement?.update(reading.metered === false ? undefined : measured);
    this.#session?.update({ reading, fault: reading.fault !== undefined });
    this.#fault = reading.fault;
    this.#bind(reading.vehicle?.bounds ?? {});
    this.#exceed(reading.override);
    this.#follow(processSight(reading, this.#process));
    this.#want();
  }

  /** What flows is shown no more, whatever flows; orders still go out, the contactor follows, and energy is counted. */
  rest(): void {
    this.#resting = true;
  }

  /** The power stage is told to stop; `counted` is final then. Idempotent. */
  close(): void {
    this.#look();
    this.#unwatch?.();
    this.#charging?.close();
    this.#parts.stage?.close();
  }

  // features.md §5, in its order: PAUSED (process), RUNNING (power), STANDBY.
  #operatingState(): number {
    if (this.#target?.paused === true) return OperatingState.PAUSED;
    return this.#flows ? OperatingState.RUNNING : OperatingState.STANDBY;
  }

  #want(): void {
    const wanting = this.#charging?.need(this.#vehicle).session ?? '';
    if (wanting === this.#wanting) return;
    this.#wanting = wanting;
    this.#parts.events.onNeed(this.#parts.definition.id);
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
    // What was finished while the process was paused completes it when it goes on.
    const overdue = process === 'finished' && this.#target?.running === true;
    if (process === this.#process && !overdue) return;
    this.#process = process;
    const kind = this.#session === undefined ? 'other' : 'vehicle';
    for (const event of DEVICE_EVENTS[kind][process]) this.#parts.events.onProcess(this.#parts.definition.id, event);
  }
}

function chargingSession({ definition, journal, refuses, now }: PowerEndpointParts, onMode: () => void): ChargingSession {
  const bidirectional = definition.electrical?.directions === BIDIRECTIONAL;
  return new ChargingSession({
    endpoint: definition.id,
    modes: definition.chargingModes ?? [],
    bidirectional,
    journal,
    refuses,
    now,
    onMode,
  });
}

/** mW to be taken out: what the setpoints ask for, below the ceiling. */
function wished({ setpoint, phaseSetpoint, beneath }: StageTarget, voltage: number): number {
  const currents = phaseSetpoint[1];
  const sum = currents === null ? null : [...currents.values()].reduce((power, current) => power + current * voltage, 0);
  const asked = least([setpoint[1], sum]);
  return asked === null ? 0 : (least([asked, beneath[1]]) as number);
}

function checkModes({ id, featureMap, chargingModes = [] }: PowerEndpointParts['definition']): void {
  for (const [mode, bit, feature] of MODE_NEEDS)
    if (chargingModes.includes(mode) && (featureMap & bit) === 0)
      throw new ConfigError(`endpoint ${id}`, `charging mode ${mode} needs ${feature}`);
}

function sameBounds(a: ElectricalBounds, b: ElectricalBounds): boolean {
  return (
    a.maxConsumption === b.maxConsumption && a.minPower === b.minPower && a.maxCurrent === b.maxCurrent && a.minCurrent === b.minCurrent
  );
}
