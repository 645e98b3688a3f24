import { expireLimits, type LimitBook, NO_LIMITS, onHandshake, onRemoved, setConstraint, suspend } from '../zones/limit-book.js';
import { isObserver, type Ratings, type ZoneRank } from '../zones/resolution.js';
import { clearZone, expire, type Pair } from '../zones/timed-values.js';
import { Control } from './control-state.js';
import {
  type ConnectedZone,
  type EnergyConfig,
  type EnergySettings,
  type EnergyState,
  type EnergyStep,
  hasConnection,
  type JournalledEnergy,
  processLimits,
} from './energy-state.js';
import {
  bootFailsafe,
  FAILSAFE_OFF,
  type FailsafeEvent,
  type FailsafeSettings,
  type FailsafeState,
  inFailsafe,
  nextFailsafe,
} from './failsafe.js';
import { NO_OVERRIDE, nextOverride, type OverrideCause, type OverrideState, overrideKind } from './override.js';
import { NO_PROCESS, nextProcess, type ProcessEvent, type ProcessState } from './process-state.js';

export type EnergyEvent =
  | { readonly type: 'zoneAdded' | 'zoneConnected'; readonly zone: ZoneRank }
  | { readonly type: 'zoneDisconnected' | 'zoneRemoved'; readonly zoneId: string }
  /** A long press: the user's override on, or off again. */
  | { readonly type: 'press' }
  | { readonly type: 'deviceOverride'; readonly cause: OverrideCause | undefined }
  | { readonly type: 'constraint'; readonly zoneId: string; readonly limits: Pair<number | null> }
  | { readonly type: 'ratings'; readonly ratings: Ratings }
  /** Limits, setpoints, timers, override and process of everyone end; settings, zones and what signals constrain stay. For tests. */
  | { readonly type: 'reset' }
  | { readonly type: 'process'; readonly event: ProcessEvent }
  /** One of `energyDeadline`. */
  | { readonly type: 'deadline' };

/** What is known before the first accept. */
export interface EnergyBoot {
  readonly defaults: EnergySettings;
  readonly ratings: Ratings;
  readonly zones: readonly ZoneRank[];
  /** A zone is stored that cannot be read. */
  readonly lostZone: boolean;
  readonly stored: JournalledEnergy;
}

/** The state before the first accept: FAILSAFE where zones are stored (features.md §1, boot). */
export function bootEnergy(config: EnergyConfig, { defaults, ratings, zones, lostZone, stored }: EnergyBoot, now: number): EnergyStep {
  const settings = stored.settings ?? defaults;
  const hasZones = lostZone || zones.some((zone) => !isObserver(zone));
  const failsafe = bootFailsafe(failsafeSettings(config, settings), hasZones, stored.failsafeRemainder, now);
  const limits = restored(stored.limits, zones);
  const state: EnergyState = {
    zones: new Map(zones.map((zone) => [zone.id, { ...zone, connected: false }])),
    limits: failsafe.name === 'over' ? suspend(limits, ids(zones)) : limits,
    setpoints: [],
    settings,
    failsafe,
    override: NO_OVERRIDE,
    process: NO_PROCESS,
    ratings,
    control: Control.AUTONOMOUS,
    returned: false,
    order: 0,
  };
  return { state, control: 'boot' };
}

export function applyEvent(config: EnergyConfig, state: EnergyState, event: EnergyEvent, now: number): EnergyStep {
  switch (event.type) {
    case 'zoneAdded':
      // "Commissioning alone changes nothing" (features.md §1).
      return { state: withZone(state, { ...event.zone, connected: false }), control: 'valuesChanged' };
    case 'zoneConnected':
      return connected(config, state, event.zone, now);
    case 'zoneDisconnected':
      return disconnected(config, state, event.zoneId, now);
    case 'zoneRemoved':
      return removed(config, state, event.zoneId, now);
    case 'press':
      return overridden(state, nextOverride(config.longestOverride, state.override, { type: 'press' }, now));
    case 'deviceOverride':
      return overridden(state, nextOverride(config.longestOverride, state.override, { type: 'device', cause: event.cause }, now));
    case 'constraint':
      if (!state.zones.has(event.zoneId)) return { state, control: 'valuesChanged' };
      return { state: { ...state, limits: setConstraint(state.limits, event.zoneId, event.limits) }, control: 'valuesChanged' };
    case 'ratings':
      return { state: { ...state, ratings: event.ratings }, control: 'valuesChanged' };
    case 'process':
      return {
        state: { ...state, process: nextProcess(processLimits(config), state.process, event.event, now) ?? state.process },
        control: 'valuesChanged',
      };
    case 'reset':
      return reset(state);
    case 'deadline':
      return onDeadline(config, state, now);
  }
}

function connected(config: EnergyConfig, before: EnergyState, zone: ZoneRank, now: number): EnergyStep {
  const state: EnergyState = {
    ...withZone(before, { ...zone, connected: true }),
    limits: onHandshake(before.limits, zone.id),
    setpoints: clearZone(before.setpoints, zone.id),
    process: endPause(config, before.process, zone.id, false, now),
  };
  // TEST: its connection counts nowhere.
  if (isObserver(zone)) return { state, control: 'valuesChanged' };
  const returned = before.returned || inFailsafe(before.failsafe);
  return { state: { ...state, failsafe: moveFailsafe(config, state, 'connected', now), returned }, control: 'zoneConnected' };
}

function disconnected(config: EnergyConfig, before: EnergyState, zoneId: string, now: number): EnergyStep {
  const zone = before.zones.get(zoneId);
  if (zone === undefined || !zone.connected) return { state: before, control: 'connectionLost' };
  const state = { ...withZone(before, { ...zone, connected: false }), setpoints: clearZone(before.setpoints, zoneId) };
  return isObserver(zone) || hasConnection(state) ? { state, control: 'connectionLost' } : lost(config, state, now);
}

function removed(config: EnergyConfig, before: EnergyState, zoneId: string, now: number): EnergyStep {
  const zone = before.zones.get(zoneId);
  if (zone === undefined) return { state: before, control: 'valuesChanged' };
  const zones = new Map(before.zones);
  zones.delete(zoneId);
  const state: EnergyState = {
    ...before,
    zones,
    limits: onRemoved(before.limits, zoneId),
    setpoints: clearZone(before.setpoints, zoneId),
    process: withoutZone(config, before.process, zoneId, now),
  };
  if (isObserver(zone)) return { state, control: 'valuesChanged' };
  if (![...zones.values()].some((other) => !isObserver(other))) {
    const override = nextOverride(config.longestOverride, state.override, { type: 'unzoned' }, now);
    const last = { ...state, failsafe: moveFailsafe(config, state, 'unzoned', now), override, returned: false };
    return { state: last, control: 'lastZoneRemoved' };
  }
  return zone.connected && !hasConnection(state) ? lost(config, state, now) : { state, control: 'valuesChanged' };
}

/** The last connection is lost, by any cause, also by removal while others are stored. */
function lost(config: EnergyConfig, state: EnergyState, now: number): EnergyStep {
  const failsafe = moveFailsafe(config, state, 'lost', now);
  const override = nextOverride(config.longestOverride, state.override, { type: 'failsafe' }, now);
  return { state: { ...state, failsafe, override, returned: false }, control: 'lastConnectionLost' };
}

function reset(before: EnergyState): EnergyStep {
  const state: EnergyState = {
    ...before,
    // features.md §5: a reset leaves Signals, and what they show binds.
    limits: { ...NO_LIMITS, constraints: before.limits.constraints },
    setpoints: [],
    failsafe: FAILSAFE_OFF,
    override: NO_OVERRIDE,
    process: NO_PROCESS,
    returned: false,
  };
  return { state, control: 'reset' };
}

function overridden(state: EnergyState, override: OverrideState): EnergyStep {
  return { state: { ...state, override }, control: overrideKind(override) === 'none' ? 'overrideOff' : 'overrideOn' };
}

/** Carries out all that is due at `now`. Where several fall together, an override that ends decides: it stood above them. */
function onDeadline(config: EnergyConfig, before: EnergyState, now: number): EnergyStep {
  const state: EnergyState = {
    ...before,
    limits: expireLimits(before.limits, now),
    setpoints: expire(before.setpoints, now),
    failsafe: moveFailsafe(config, before, 'time', now),
    override: nextOverride(config.longestOverride, before.override, { type: 'time' }, now),
    process: nextProcess(processLimits(config), before.process, { type: 'time' }, now) ?? before.process,
  };
  const over = state.failsafe.name === 'over' && before.failsafe.name !== 'over';
  const absent = [...state.zones.values()].filter(({ connected }) => !connected);
  const next = over ? { ...state, limits: suspend(state.limits, ids(absent)) } : state;
  if (state.override !== before.override) return { state: next, control: 'overrideOff' };
  return { state: next, control: state.failsafe.name === before.failsafe.name ? 'valuesChanged' : 'failsafeOver' };
}

function moveFailsafe(config: EnergyConfig, state: EnergyState, event: FailsafeEvent, now: number): FailsafeState {
  return nextFailsafe(failsafeSettings(config, state.settings), state.failsafe, event, now);
}

function failsafeSettings({ failsafe }: EnergyConfig, { failsafeDuration }: EnergySettings): FailsafeSettings {
  return { ...failsafe, duration: failsafeDuration * 1000 };
}

// features.md §2: the owner survives its connection; §4: everything of a zone ends with it, its Pause as Resume.
function withoutZone(config: EnergyConfig, before: ProcessState, zoneId: string, now: number): ProcessState {
  const process = endPause(config, before, zoneId, true, now);
  return process.owner?.id === zoneId ? { ...process, owner: undefined } : process;
}

// features.md §4: a timed Pause ends at its zone's handshake as Resume; any Pause of a zone ends with the zone.
function endPause(config: EnergyConfig, process: ProcessState, zoneId: string, untimedToo: boolean, now: number): ProcessState {
  const { pause } = process;
  if (pause === undefined || pause.by.id !== zoneId || !(pause.timed || untimedToo)) return process;
  return nextProcess(processLimits(config), process, { type: 'resume' }, now) ?? process;
}

function withZone(state: EnergyState, zone: ConnectedZone): EnergyState {
  return { ...state, zones: new Map(state.zones).set(zone.id, zone) };
}

/** Limits of zones that are stored no longer are nobody's. */
function restored(limits: LimitBook | undefined, zones: readonly ZoneRank[]): LimitBook {
  if (limits === undefined) return NO_LIMITS;
  const known = new Set(ids(zones));
  const groups = limits.groups.filter(({ zone }) => known.has(zone));
  return { groups, suspended: new Set([...limits.suspended].filter((zone) => known.has(zone))), constraints: new Map() };
}

function ids(zones: readonly ZoneRank[]): string[] {
  return zones.map(({ id }) => id);
}
