import type { EnergyConfig } from './failsafe/energy-state.js';
import type { StageTarget } from './failsafe/energy-view.js';
import type { OverrideCause } from './failsafe/override.js';
import type { ProcessEvent } from './failsafe/process-state.js';
import { EnergyControl } from './features/energy-control.js';
import type { BoardDefinition, ControlAbilities, ElectricalRatings } from './model/board.js';
import type { Clock, Log } from './platform.js';
import type { Profile } from './profile.js';
import type { Journal } from './store/journal.js';
import type { Ratings } from './zones/resolution.js';
import type { Zone } from './zones/zone.js';

export interface DeviceEnergyParts {
  readonly profile: Profile;
  readonly board: BoardDefinition;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly log: Log;
  /** Read back already: the failsafe of a boot holds before the first accept. */
  readonly zones: readonly Zone[];
  onTarget(endpoint: number, target: StageTarget): void;
  /** What the status shows may have changed. */
  onChanged(): void;
}

export interface EnergyStatus {
  readonly endpoint: number;
  /** ControlState 0–4. */
  readonly controlState: number;
  /** mW; null: none. */
  readonly effectiveConsumptionLimit: number | null;
}

/** EnergyControl of every endpoint that has it: connections are the device's, states are the endpoints' (features.md, head). */
export class DeviceEnergy {
  readonly features = new Map<number, EnergyControl>();

  constructor(parts: DeviceEnergyParts) {
    for (const { id, electrical, control, featureMap } of parts.board.endpoints)
      if (electrical !== undefined && control !== undefined)
        this.features.set(id, energyControl(parts, id, electrical, control, featureMap));
  }

  get status(): readonly EnergyStatus[] {
    return [...this.features].map(([endpoint, { core }]) => ({
      endpoint,
      controlState: core.state.control,
      effectiveConsumptionLimit: core.read(20, '') as number | null,
    }));
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

  /** The target in force, for a power stage that starts; undefined without EnergyControl. */
  target(endpoint: number): StageTarget | undefined {
    return this.features.get(endpoint)?.core.target;
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
  { profile, clock, journal, log, zones, onTarget, onChanged }: DeviceEnergyParts,
  endpoint: number,
  electrical: ElectricalRatings,
  control: ControlAbilities,
  featureMap: number,
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
    clock,
    journal,
    log: log.scoped('energy'),
    onTarget: (target) => {
      onTarget(endpoint, target);
      onChanged();
    },
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
