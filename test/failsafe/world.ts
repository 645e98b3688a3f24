import type { EnergyCommand, EnergyResult } from '../../src/failsafe/command-types.js';
import { EnergyControlCore } from '../../src/failsafe/energy-control-core.js';
import type { EnergyEvent } from '../../src/failsafe/energy-events.js';
import type { EnergyConfig, EnergySettings } from '../../src/failsafe/energy-state.js';
import type { EnergyValue } from '../../src/failsafe/energy-view.js';
import type { StageTarget } from '../../src/failsafe/stage-target.js';
import type { Change } from '../../src/store/journal.js';
import type { Ratings, ZoneRank } from '../../src/zones/resolution.js';
import { settle, VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';

export const GRID: ZoneRank = { id: 'a1', type: 1, priority: 1 };
export const HOME: ZoneRank = { id: 'b2', type: 3, priority: 3 };
export const APP: ZoneRank = { id: 'c3', type: 4, priority: 4 };
export const TEST: ZoneRank = { id: 'd4', type: 0, priority: 1 };

export const CONFIG: EnergyConfig = {
  variant: 'd',
  acceptsLimits: true,
  acceptsCurrentLimits: true,
  acceptsSetpoints: true,
  acceptsCurrentSetpoints: true,
  isPausable: true,
  isStoppable: true,
  isShiftable: true,
  schedulesProcess: true,
  boardRating: [11_040_000, 11_040_000],
  failsafe: { grace: 0, afterDuration: 'autonomous' },
  longestOverride: 4 * 3_600_000,
  process: { minRunDuration: null, minPauseDuration: null, maxPauseDuration: null },
};
export const DEFAULTS: EnergySettings = { failsafeLimits: [3_000_000, 2_000_000], failsafeDuration: 7200, optOut: 0 };
export const RATINGS: Ratings = {
  power: [11_040_000, 11_040_000],
  currentPerPhase: 16_000,
  phaseCount: 3,
  voltage: 230,
  asymmetric: [false, false],
};

/** Keeps what was committed; survives a restart of the core. */
export class MemoryJournal {
  readonly values = new Map<string, Uint8Array>();
  readonly quarantined: string[] = [];
  commits = 0;
  failing = false;
  /** Commits wait for `release` while it is true. */
  slow = false;
  #held: (() => void)[] = [];

  get(key: string): Uint8Array | undefined {
    return this.values.get(key)?.slice();
  }

  quarantine(key: string): void {
    this.quarantined.push(key);
  }

  async commit(changes: readonly Change[]): Promise<void> {
    if (this.slow) await new Promise<void>((resolve) => this.#held.push(resolve));
    if (this.failing) throw new Error('medium refuses');
    this.commits += 1;
    for (const { key, value } of changes) value === null ? this.values.delete(key) : this.values.set(key, value);
  }

  release(): void {
    this.slow = false;
    for (const resolve of this.#held.splice(0)) resolve();
  }
}

/** Turns of the micro-task queue after which a commit of the memory journal has been answered. */
const JOURNAL_TURNS = 8;

export interface EnergyWorldOptions {
  readonly zones?: readonly ZoneRank[];
  readonly config?: Partial<EnergyConfig>;
  readonly defaults?: Partial<EnergySettings>;
  readonly ratings?: Partial<Ratings>;
  readonly lostZone?: boolean;
}

/** One EnergyControl on a virtual clock; `restart` is a power cycle: monotonic time begins anew, what is not in the journal is lost. */
export class EnergyWorld {
  clock = new VirtualClock();
  core: EnergyControlCore;
  readonly journal = new MemoryJournal();
  readonly log = new MemoryLog();
  readonly changes: { ids: readonly number[]; zone: string | undefined }[] = [];
  readonly targets: StageTarget[] = [];
  /** What a power stage does with its order, in the same turn. */
  onTarget: ((target: StageTarget) => void) | undefined;
  zones: readonly ZoneRank[];
  readonly #options: EnergyWorldOptions;

  constructor(options: EnergyWorldOptions = {}) {
    this.#options = options;
    this.zones = options.zones ?? [GRID, HOME];
    this.core = this.#boot();
  }

  /** Power is away for as long as it likes: nothing runs then. */
  restart(): void {
    this.core.close();
    this.clock = new VirtualClock(this.clock.wall());
    this.core = this.#boot();
  }

  connect(...zones: readonly ZoneRank[]): void {
    for (const zone of zones) this.core.dispatch({ type: 'zoneConnected', zone });
  }

  lose(...zones: readonly ZoneRank[]): void {
    for (const { id } of zones) this.core.dispatch({ type: 'zoneDisconnected', zoneId: id });
  }

  /** Commissioned anew. */
  add(zone: ZoneRank): void {
    this.zones = [...this.zones, zone];
    this.core.dispatch({ type: 'zoneAdded', zone });
  }

  remove({ id }: ZoneRank): void {
    this.zones = this.zones.filter((zone) => zone.id !== id);
    this.core.dispatch({ type: 'zoneRemoved', zoneId: id });
  }

  event(event: EnergyEvent): void {
    this.core.dispatch(event);
  }

  async run(zone: ZoneRank, command: EnergyCommand): Promise<EnergyResult> {
    return this.core.execute(zone, command);
  }

  /** Status 0 or the status of the refusal. */
  async status(zone: ZoneRank, command: EnergyCommand): Promise<number> {
    return statusOf(this.core.execute(zone, command));
  }

  async write(zone: ZoneRank, values: Readonly<Record<number, number | null>>): Promise<number> {
    return statusOf(this.core.write(zone, new Map(Object.entries(values).map(([id, value]) => [Number(id), value]))));
  }

  limit(
    zone: ZoneRank,
    consumption: number | null | undefined,
    options: { cause?: number; duration?: number } = {},
  ): Promise<EnergyResult> {
    return this.run(zone, { name: 'setLimit', values: [consumption, undefined], cause: 1, ...options });
  }

  read(id: number, zone: ZoneRank = GRID): EnergyValue | undefined {
    return this.core.read(id, zone.id);
  }

  get control(): number {
    return this.read(2) as number;
  }

  advance(milliseconds: number): Promise<void> {
    return this.clock.advance(milliseconds, JOURNAL_TURNS);
  }

  #boot(): EnergyControlCore {
    const { config, defaults, ratings, lostZone = false } = this.#options;
    return new EnergyControlCore(
      {
        config: { ...CONFIG, ...config },
        defaults: { ...DEFAULTS, ...defaults },
        ratings: { ...RATINGS, ...ratings },
        endpoint: 1,
        zones: this.zones,
        lostZone,
        clock: this.clock,
        journal: this.journal,
        log: this.log,
      },
      {
        onChanged: (ids, zone) => this.changes.push({ ids, zone }),
        onTarget: (target) => {
          this.targets.push(target);
          this.onTarget?.(target);
        },
      },
    );
  }
}

async function statusOf(promise: Promise<unknown>): Promise<number> {
  try {
    await promise;
    return 0;
  } catch (error) {
    return (error as { status: number }).status;
  }
}

export { settle };
