import { Control } from '../failsafe/control-state.js';
import type { EnergyConfig } from '../failsafe/energy-state.js';
import type { OverrideCause } from '../failsafe/override.js';
import type { ProcessEvent } from '../failsafe/process-state.js';
import type { StageTarget } from '../failsafe/stage-target.js';
import { EnergyControl } from '../features/energy-control.js';
import { ControlState } from '../features/energy-control-table.js';
import type { BoardDefinition, ControlAbilities, ElectricalRatings } from '../model/board.js';
import type { Clock, Log } from '../platform.js';
import type { Profile } from '../profile.js';
import type { Journal } from '../store/journal.js';
import type { Ratings } from '../zones/resolution.js';
import type { Zone } from '../zones/zone.js';

/** Attribute 2 of EnergyControl. */
const CONTROL_STATE = 2;

export interface DeviceEnergyParts {
  readonly profile: Profile;
  readonly board: BoardDefinition;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly log: Log;
  /** Read back already: the failsafe of a boot holds before the first accept. */
  readonly zones: readonly Zone[];
  /** A zone is stored that cannot be read. */
  readonly lostZone: boolean;
  /** Unix seconds, fractions kept; undefined while the clock was never set. */
  now(): number | undefined;
  onTarget(endpoint: number, target: StageTarget): void;
  /** These zones' signals do not count on that endpoint until they return. */
  onSuspended(endpoint: number, zones: ReadonlySet<string>): void;
  /** What the status shows may have changed. */
  onChanged(): void;
}

export interface EnergyStatus {
  readonly endpoint: number;
  /** ControlState 0–4. */
  readonly controlState: number;
  /** mW; null: none. */
  readonly effectiveConsumptionLimit: number | null;
  /** Monotonic end of the failsafe while it counts; undefined out of it, and where it is held. */
  readonly failsafeUntil: number | undefined;
}

/** EnergyControl of every endpoint that has it: connections are the device's, states are the endpoints' (features.md, head). */
export class DeviceEnergy {
  readonly features = new Map<number, EnergyControl>();
  readonly #clock: Clock;
  readonly #log: Log;
  /** What the log said last of each endpoint. */
  readonly #told = new Map<number, string>();

  constructor(parts: DeviceEnergyParts) {
    this.#clock = parts.clock;
    this.#log = parts.log.scoped('energy');
    for (const { id, electrical, control, featureMap } of parts.board.endpoints)
      if (electrical !== undefined && control !== undefined) {
        const onShared = (ids: readonly number[]): void => {
          if (ids.includes(CONTROL_STATE)) this.#tell(id);
          parts.onChanged();
        };
        this.features.set(id, energyControl(parts, id, electrical, control, featureMap, onShared));
      }
    for (const { endpoint, controlState } of this.status) if (controlState !== ControlState.AUTONOMOUS) this.#tell(endpoint);
  }

  get status(): readonly EnergyStatus[] {
    return [...this.features].map(([endpoint, { core }]) => ({
      endpoint,
      controlState: core.state.control,
      effectiveConsumptionLimit: core.read(20, '') as number | null,
      failsafeUntil: core.state.failsafe.name === 'running' ? core.state.failsafe.until : undefined,
    }));
  }

  #tell(endpoint: number): void {
    const status = this.status.find((candidate) => candidate.endpoint === endpoint);
    if (status === undefined) return;
    const { controlState, effectiveConsumptionLimit: consumptionLimit, failsafeUntil } = status;
    const state = Object.entries(ControlState).find(([, value]) => value === controlState)?.[0];
    // One step may change the state there and back again.
    const told = `${state} ${consumptionLimit}`;
    if (this.#told.get(endpoint) === told) return;
    this.#told.set(endpoint, told);
    const remainder = failsafeUntil === undefined ? {} : { failsafeSeconds: Math.ceil((failsafeUntil - this.#clock.now()) / 1000) };
    this.#log.info('control state', { endpoint, state, consumptionLimit, ...remainder });
  }

  zoneAdded({ id, type, priority }: Zone): void {
    for (const { core } of this.features.values()) core.dispatch({ type: 'zoneAdded', zone: { id, type, priority } });
  }

  /** The handshake is done. */
  zoneConnected({ id, type, priority }: Zone): void {
    for (const { core } of this.features.values()) core.dispatch({ type: 'zoneConnected', zone: { id, type, priority } });
  }

  zoneDisconnected(zone: Zone): void {
    for (const { core } of this.features.values()) core.dispatch({ type: 'zoneDisconnected', zoneId: zone.id });
  }

  zoneRemoved(zone: Zone): void {
    for (const { core } of this.features.values()) core.dispatch({ type: 'zoneRemoved', zoneId: zone.id });
  }

  /** What the device itself does with the process of an endpoint (features.md §2). */
  process(endpoint: number, event: ProcessEvent): void {
    this.features.get(endpoint)?.core.dispatch({ type: 'process', event });
  }

  /** The device exceeds the limits of an endpoint by itself, or no longer does (features.md §1). */
  deviceOverride(endpoint: number, cause: OverrideCause | undefined): void {
    this.features.get(endpoint)?.core.dispatch({ type: 'deviceOverride', cause });
  }

  /** What is connected has narrowed the ratings of an endpoint, or no longer does. */
  ratings(endpoint: number, electrical: ElectricalRatings): void {
    this.features.get(endpoint)?.core.dispatch({ type: 'ratings', ratings: ratingsOf(electrical) });
  }

  /** The device follows itself there, not its zones (features.md §1). */
  isOverridden(endpoint: number): boolean {
    return this.features.get(endpoint)?.core.state.control === Control.OVERRIDE;
  }

  /** The target in force, for a power stage that starts; undefined without EnergyControl. */
  target(endpoint: number): StageTarget | undefined {
    return this.features.get(endpoint)?.core.target;
  }

  /** What zones and users have set is as after a boot without it. */
  reset(): void {
    for (const { core } of this.features.values()) core.dispatch({ type: 'reset' });
  }

  /** The state of the failsafe timer; undefined without EnergyControl. */
  get failsafe(): string | undefined {
    for (const { core } of this.features.values()) return core.state.failsafe.name;
    return undefined;
  }

  /** The user's override, on or off again. */
  longPress(): void {
    for (const { core } of this.features.values()) core.dispatch({ type: 'press' });
  }

  close(): void {
    for (const { core } of this.features.values()) core.close();
  }
}

function energyControl(
  { profile, clock, journal, log, zones, lostZone, now, onTarget, onSuspended }: DeviceEnergyParts,
  endpoint: number,
  electrical: ElectricalRatings,
  control: ControlAbilities,
  featureMap: number,
  onShared: (ids: readonly number[]) => void,
): EnergyControl {
  const config: EnergyConfig = {
    variant: profile['control.states'] === 'draft' ? 'd' : 'r',
    ...control.accepts,
    // Bit 7: PROCESS.
    schedulesProcess: (featureMap & 0x80) !== 0,
    boardRating: [electrical.maxConsumption, electrical.maxProduction],
    failsafe: { grace: profile['failsafe.grace'], afterDuration: profile['failsafe.afterDuration'] },
    longestOverride: profile['override.maxDuration'],
    process: control.process,
  };
  return new EnergyControl({
    config,
    control,
    defaults: { failsafeLimits: control.failsafeLimits, failsafeDuration: profile['failsafe.duration'] / 1000, optOut: 0 },
    ratings: ratingsOf(electrical),
    endpoint,
    zones: zones.map(({ id, type, priority }) => ({ id, type, priority })),
    lostZone,
    clock,
    now,
    journal,
    log: log.scoped('energy'),
    onTarget: (target) => onTarget(endpoint, target),
    onShared,
    onSuspended: (suspended) => onSuspended(endpoint, suspended),
  });
}

/** AsymmetricSupport: 1 CONSUMPTION, 2 PRODUCTION, 3 BIDIRECTIONAL. */
function ratingsOf(electrical: ElectricalRatings): Ratings {
  return {
    power: [electrical.maxConsumption, electrical.maxProduction],
    currentPerPhase: electrical.maxCurrent,
    phaseCount: electrical.phaseCount,
    voltage: electrical.nominalVoltage,
    asymmetric: [(electrical.asymmetric & 1) !== 0, (electrical.asymmetric & 2) !== 0],
  };
}
