import { GridMeters } from '../interaction/grid-meters.js';
import type { TrustedTime } from '../pki/trusted-time.js';
import type { Journal } from '../store/journal.js';
import { type Zone, ZoneType } from '../zones/zone.js';
import { DeviceEnergy } from './energy.js';
import type { DeviceOptions } from './options.js';
import type { DevicePanel } from './panel.js';
import { DevicePower } from './power.js';
import { DeviceSignals } from './signals.js';
import { DeviceSurplus } from './surplus.js';

export interface DeviceSteeringParts {
  readonly options: DeviceOptions;
  readonly panel: DevicePanel;
  readonly journal: Journal;
  readonly time: TrustedTime;
  /** Read back already. */
  readonly zones: readonly Zone[];
  /** A zone is stored that cannot be read. */
  readonly lostZone: boolean;
  /** What the status shows may have changed. */
  changed(): void;
}

/** What flows and who decides it: EnergyControl and signals of the zones, surplus by a meter, and the power stages that follow them. */
export class DeviceSteering {
  readonly energy: DeviceEnergy;
  readonly power: DevicePower;
  readonly signals: DeviceSignals;
  readonly meters: GridMeters;

  constructor({ options, panel, journal, time, zones, lostZone, changed }: DeviceSteeringParts) {
    const { profile, board, parts } = options;
    const { clock, log } = options.platform;
    const unixNow = (): number | undefined => time.unix;
    const power: DevicePower = new DevicePower({
      board,
      stages: parts.powerStages ?? new Map(),
      clock,
      journal,
      log: log.scoped('power'),
      steering: (endpoint) => ({
        surplus: () => surplus.value,
        worthwhile: () => this.signals.worthwhile(endpoint),
        planned: () => this.signals.planned(endpoint),
        overridden: () => this.energy.isOverridden(endpoint),
      }),
      refuses: (endpoint, caller) => this.signals.refuses(endpoint, caller),
      now: () => (time.unix === undefined ? undefined : Math.floor(time.unix)),
      setRelay: (closed) => panel.setRelay(closed),
      events: {
        onProcess: (endpoint, type) => this.energy.process(endpoint, { type }),
        onOverride: (endpoint, cause) => this.energy.deviceOverride(endpoint, cause),
        onRatings: (endpoint, ratings) => this.energy.ratings(endpoint, ratings),
        onNeed: (endpoint) => {
          this.meters.want(parts.surplus === undefined && power.followsSurplus);
          this.signals.reconsider(endpoint);
        },
      },
      onChanged: () => changed(),
    });
    this.power = power;
    const surplus = new DeviceSurplus({ own: parts.surplus, grid: () => this.meters.power, drawn: () => power.power ?? 0 });
    this.energy = new DeviceEnergy({
      profile,
      board,
      clock,
      journal,
      log,
      zones,
      lostZone,
      now: unixNow,
      onTarget: (endpoint, target) => {
        this.signals.reconsider(endpoint);
        power.obey(endpoint, target);
      },
      onSuspended: (endpoint, suspended) => this.signals.suspend(endpoint, suspended),
      onChanged: () => changed(),
    });
    this.signals = new DeviceSignals({
      board,
      clock,
      journal,
      energy: this.energy.features,
      now: unixNow,
      need: (endpoint) => power.need(endpoint),
      onChanged: (endpoint) => power.steer(endpoint),
    });
    this.meters = new GridMeters({
      clock,
      log: log.scoped('session'),
      onMeasured: () => {
        surplus.measured();
        power.steer();
        changed();
      },
    });
  }

  start(): void {
    this.power.start((endpoint) => this.energy.target(endpoint));
  }

  zoneConnected(zone: Zone): void {
    this.energy.zoneConnected(zone);
    // features.md §5: simulated physics rests from the first TEST connection to the restart.
    if (zone.type === ZoneType.TEST) this.power.rest();
  }

  zoneRemoved(zone: Zone): void {
    this.energy.zoneRemoved(zone);
    this.signals.zoneRemoved(zone.id);
  }

  /** Resolves when the counters are stored. What is in the journal is what a boot needs: a loss of zones that follows is no failsafe to be counted. */
  close(): Promise<void> {
    this.energy.close();
    this.signals.close();
    return this.power.close();
  }
}
