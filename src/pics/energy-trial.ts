import type { EnergyCommand } from '../failsafe/command-types.js';
import { runCommand } from '../failsafe/energy-commands.js';
import type { EnergyRules } from '../failsafe/energy-control-core.js';
import { applyEvent, bootEnergy, type EnergyEvent } from '../failsafe/energy-events.js';
import { type EnergyState, energyDeadline, type JournalledEnergy } from '../failsafe/energy-state.js';
import { effectiveLimit, settle, sharedValues } from '../failsafe/energy-view.js';
import { inFailsafe } from '../failsafe/failsafe.js';
import { Process } from '../failsafe/process-state.js';
import type { ZoneRank } from '../zones/resolution.js';

/** What EnergyControl of an endpoint does, as its own tables do it with its own numbers: no device runs, no time passes. */
export interface EnergyBehaviour {
  /** mW; null: unlimited. */
  readonly withoutLimit: number | null;
  /** Of two zones' limits the least holds. */
  readonly leastLimitWins: boolean;
  /** Of two zones' setpoints that of the higher rank holds, though the other came later. */
  readonly rankWins: boolean;
  readonly durationStarts: 'receipt' | 'another';
  readonly durationEnds: 'clear' | 'stay';
  /** A limit with a duration outlives the reconnection of its zone. */
  readonly durationPersists: boolean;
  /** A zone that returns ends the failsafe. */
  readonly reconnectionWins: boolean;
  /** The failsafe goes on after a restart with its remainder. */
  readonly failsafePersists: boolean;
  /** A paused process resumes by itself when the failsafe is over. */
  readonly resumesAfterFailsafe: boolean;
}

const GRID: ZoneRank = { id: 'grid', type: 1, priority: 1 };
const HOME: ZoneRank = { id: 'home', type: 3, priority: 3 };
const SETPOINT = 40;
const DURATION = 100;

/** One EnergyControl under a clock that stands still unless it is moved. */
class Trial {
  readonly #rules: EnergyRules;
  state: EnergyState;
  now: number;

  constructor(rules: EnergyRules, zones: readonly ZoneRank[], stored: JournalledEnergy = {}) {
    const { config, defaults, ratings } = rules;
    this.#rules = rules;
    this.now = 0;
    this.state = settle(config, undefined, bootEnergy(config, { defaults, ratings, zones, lostZone: false, stored }, this.now));
  }

  /** Of the consumption, mW. */
  get limit(): number | null {
    return effectiveLimit(this.state, 0);
  }

  feed(event: EnergyEvent): this {
    const { config } = this.#rules;
    this.state = settle(config, this.state, applyEvent(config, this.state, event, this.now));
    return this;
  }

  command(zone: ZoneRank, command: EnergyCommand): this {
    this.state = runCommand(this.#rules.config, this.state, zone, command, this.now).state;
    return this;
  }

  /** To the next deadline that is due by then. */
  advance(to: number): this {
    for (let due = energyDeadline(this.state); due <= to; due = energyDeadline(this.state)) {
      this.now = due;
      this.feed({ type: 'deadline' });
    }
    this.now = to;
    return this;
  }
}

export function energyBehaviour(rules: EnergyRules): EnergyBehaviour {
  const { acceptsLimits, acceptsSetpoints } = rules.config;
  return {
    withoutLimit: new Trial(rules, []).limit,
    reconnectionWins: reconnectionWins(rules),
    failsafePersists: energyDeadline(new Trial(rules, [HOME], { failsafeRemainder: DURATION }).state) === DURATION,
    resumesAfterFailsafe: resumesAfterFailsafe(rules),
    rankWins: acceptsSetpoints && rankWins(rules),
    leastLimitWins: acceptsLimits && leastLimitWins(rules),
    ...(acceptsLimits ? durations(rules) : { durationStarts: 'another', durationEnds: 'stay', durationPersists: false }),
  };
}

function two(rules: EnergyRules): Trial {
  return new Trial(rules, [GRID, HOME]).feed({ type: 'zoneConnected', zone: GRID }).feed({ type: 'zoneConnected', zone: HOME });
}

function setLimit(limit: number, duration?: number): EnergyCommand {
  return { name: 'setLimit', values: [limit, undefined], cause: 3, ...(duration === undefined ? {} : { duration }) };
}

function leastLimitWins(rules: EnergyRules): boolean {
  const least = two(rules).command(GRID, setLimit(2)).command(HOME, setLimit(1));
  return least.limit === 1 && least.command(HOME, setLimit(3)).limit === 2;
}

function rankWins(rules: EnergyRules): boolean {
  const set = (value: number): EnergyCommand => ({ name: 'setSetpoint', values: [value, undefined], cause: 1 });
  return sharedValues(two(rules).command(GRID, set(2)).command(HOME, set(1)).state).get(SETPOINT) === 2;
}

function durations(rules: EnergyRules): Pick<EnergyBehaviour, 'durationStarts' | 'durationEnds' | 'durationPersists'> {
  const begun = (): Trial => two(rules).advance(1000).command(HOME, setLimit(1, DURATION));
  const end = energyDeadline(begun().state);
  return {
    durationStarts: end === 1000 * (1 + DURATION) ? 'receipt' : 'another',
    durationEnds: begun().advance(end).limit === null ? 'clear' : 'stay',
    durationPersists:
      begun().feed({ type: 'zoneDisconnected', zoneId: HOME.id }).feed({ type: 'zoneConnected', zone: HOME }).limit !== null,
  };
}

/** Alone and away. */
function lost(rules: EnergyRules): Trial {
  return new Trial(rules, [HOME]).feed({ type: 'zoneConnected', zone: HOME }).feed({ type: 'zoneDisconnected', zoneId: HOME.id });
}

function reconnectionWins(rules: EnergyRules): boolean {
  const trial = lost(rules);
  const entered = inFailsafe(trial.state.failsafe);
  return entered && !inFailsafe(trial.feed({ type: 'zoneConnected', zone: HOME }).state.failsafe);
}

/** Paused a second before its end, by the user, so that no deadline of the pause is the reason. */
function resumesAfterFailsafe(rules: EnergyRules): boolean {
  const trial = lost(rules);
  const { failsafe } = trial.state;
  if (failsafe.name !== 'running') return false;
  trial.advance(failsafe.until - 1000);
  const user = { id: '', priority: 0 };
  for (const event of [
    { type: 'offered' },
    { type: 'schedule', by: user, startAt: trial.now },
    { type: 'demanded' },
    { type: 'pause', by: user, duration: undefined },
  ] as const)
    trial.feed({ type: 'process', event });
  return trial.state.process.name === Process.PAUSED && trial.advance(failsafe.until).state.process.name !== Process.PAUSED;
}
