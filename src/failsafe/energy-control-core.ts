import { sameBytes } from '../codec/bytes.js';
import { PeerError, StoreError } from '../errors.js';
import type { Clock, Log, Timer } from '../platform.js';
import type { Change, Journal } from '../store/journal.js';
import type { Ratings, ZoneRank } from '../zones/resolution.js';
import { type CommandStep, type EnergyCommand, type EnergyResult, runCommand } from './energy-commands.js';
import { type EnergyRecords, energyImage, energyRecords, readEnergy } from './energy-journal.js';
import { stateChanges } from './energy-log.js';
import {
  applyEvent,
  bootEnergy,
  type EnergyConfig,
  type EnergyEvent,
  type EnergySettings,
  type EnergyState,
  energyDeadline,
} from './energy-state.js';
import { type EnergyValue, ownValues, type StageTarget, settle, sharedValues, stageTarget } from './energy-view.js';
import { writeAttribute } from './energy-writes.js';

/** What an EnergyControl goes by. */
export interface EnergyRules {
  readonly config: EnergyConfig;
  readonly defaults: EnergySettings;
  readonly ratings: Ratings;
}

export interface EnergyControlParts extends EnergyRules {
  readonly endpoint: number;
  /** Every stored zone, none connected yet. */
  readonly zones: readonly ZoneRank[];
  readonly clock: Clock;
  readonly journal: Pick<Journal, 'get' | 'quarantine' | 'commit'>;
  readonly log: Log;
}

export interface EnergyControlEvents {
  /** Attributes with a new value: all of one step at once; `onlyZone` sees `my*`. */
  onChanged(ids: readonly number[], onlyZone?: string): void;
  /** The power stage obeys this from now on. */
  onTarget(target: StageTarget): void;
  /** These zones' limits and signals do not count until they return (features.md §4). */
  onSuspended?(zones: ReadonlySet<string>): void;
}

/** Commands and events that wait for a commit; a further command is refused as busy. */
const MAX_WAITING = 64;
const BUSY = 9;
const NOT_AUTHORIZED = 8;

interface Job {
  /** Its arrival, monotonic ms. */
  readonly at: number;
  /** A promise while a commit is under way: of what is to be done when it holds. */
  run(at: number): Promise<() => void> | undefined;
  failed(reason: unknown): void;
}

/**
 * EnergyControl of one endpoint at work: steps of the tables in the order of their arrival, each at its own time. A command is in the journal before it
 * holds and before it is answered; an event holds at once and is journalled behind. Its state before the first accept is that of a boot.
 */
export class EnergyControlCore {
  readonly #parts: EnergyControlParts;
  readonly #events: EnergyControlEvents;
  readonly #records: EnergyRecords;
  /** What the journal holds or is about to, by key. */
  readonly #stored = new Map<string, Uint8Array | null>();
  readonly #waiting: Job[] = [];
  #state: EnergyState;
  #shared: ReadonlyMap<number, EnergyValue>;
  #target: StageTarget;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #busy = false;
  #closed = false;

  constructor(parts: EnergyControlParts, events: EnergyControlEvents) {
    const { config, defaults, ratings, zones, journal, clock, endpoint } = parts;
    this.#parts = parts;
    this.#events = events;
    this.#records = energyRecords(endpoint);
    for (const { key } of Object.values(this.#records)) this.#stored.set(key, journal.get(key) ?? null);
    const step = bootEnergy(config, defaults, ratings, zones, readEnergy(journal, this.#records), clock.now());
    this.#state = settle(config, undefined, step);
    this.#shared = sharedValues(this.#state);
    this.#target = stageTarget(this.#state);
    this.#journalBehind(this.#state);
    this.#arm();
  }

  get target(): StageTarget {
    return this.#target;
  }

  get rules(): EnergyRules {
    return this.#parts;
  }

  get state(): EnergyState {
    return this.#state;
  }

  /** The value of an attribute for a zone; undefined for an id that is none of this state's. */
  read(id: number, zone: string): EnergyValue | undefined {
    const shared = this.#shared.get(id);
    return shared === undefined ? ownValues(this.#state, zone).get(id) : shared;
  }

  /** The user acts with priority 0. Rejects with PeerError (9, 10, 8, 11) or StoreError; nothing has changed then. A duration counts from this call. */
  execute(caller: ZoneRank, command: EnergyCommand): Promise<EnergyResult> {
    return this.#command(caller, (state, at) => runCommand(this.#parts.config, state, caller, command, at));
  }

  /** Judges one value of a write against the state of the moment; throws PeerError. */
  checkWrite(caller: ZoneRank, id: number, value: number | null): void {
    writeAttribute(this.#parts.config, this.#state, caller, id, value, this.#parts.clock.now());
  }

  /** All or none; the lowest failing id decides. Rejects like `execute`, with 6 for an attribute that is not writable. */
  async write(caller: ZoneRank, values: ReadonlyMap<number, number | null>): Promise<void> {
    await this.#command(caller, (state, at) => {
      const ascending = [...values].sort(([a], [b]) => a - b);
      const next = ascending.reduce((draft, [id, value]) => writeAttribute(this.#parts.config, draft, caller, id, value, at), state);
      return { state: next, result: { kind: 'success' } };
    });
  }

  /** Holds when this returns, unless a commit is under way: then right after it. */
  dispatch(event: EnergyEvent): void {
    const { config } = this.#parts;
    this.#enqueue({
      at: this.#parts.clock.now(),
      run: (at) => {
        const next = settle(config, this.#state, applyEvent(config, this.#state, event, at));
        this.#journalBehind(next);
        this.#adopt(next);
        return undefined;
      },
      failed: (reason) => this.#parts.log.error('an event of energy control failed', { type: event.type, reason: String(reason) }),
    });
  }

  /** No callback afterwards; what waits is rejected. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const { failed } of this.#waiting.splice(0)) failed(new StoreError('closed', 'energy control: closed'));
  }

  #command(caller: ZoneRank, step: (state: EnergyState, at: number) => CommandStep): Promise<EnergyResult> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new StoreError('closed', 'energy control: closed');
      if (this.#waiting.length >= MAX_WAITING) throw new PeerError(BUSY, 'too many commands are waiting');
      const run = (at: number): Promise<() => void> | undefined => {
        // A zone that was removed while its command waited leaves nothing behind.
        if (caller.priority > 0 && !this.#state.zones.has(caller.id)) throw new PeerError(NOT_AUTHORIZED, 'the zone is not stored');
        const { state, result } = step(this.#state, at);
        const changes = this.#changes(state);
        const hold = (): void => {
          this.#adopt(state);
          resolve(result);
        };
        if (changes.length > 0) return this.#commit(changes).then(() => hold);
        hold();
        return undefined;
      };
      this.#enqueue({ at: this.#parts.clock.now(), run, failed: reject });
    });
  }

  #enqueue(job: Job): void {
    if (this.#closed) return;
    this.#waiting.push(job);
    if (!this.#busy) this.#drain();
  }

  // Without a commit under way everything runs in the caller's turn.
  #drain(): void {
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      const pending = this.#attempt(job);
      if (pending === undefined) continue;
      this.#busy = true;
      const go = (finish: () => void): void => {
        this.#busy = false;
        finish();
        this.#drain();
      };
      const { failed } = job;
      pending.then(go, (reason: unknown) => go(() => failed(reason)));
      return;
    }
    this.#arm();
  }

  #attempt({ at, run, failed }: Job): Promise<() => void> | undefined {
    try {
      this.#passDeadlines(at);
      return run(at);
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  /** What was due before a job came first: a handshake wins over failsafe's end until the very end. */
  #passDeadlines(now: number): void {
    const { config } = this.#parts;
    let due = energyDeadline(this.#state);
    if (due > now) return;
    for (; due <= now; due = energyDeadline(this.#state))
      this.#adopt(settle(config, this.#state, applyEvent(config, this.#state, { type: 'deadline' }, due)));
    this.#journalBehind(this.#state);
  }

  #arm(): void {
    const at = energyDeadline(this.#state);
    if (this.#closed || at === this.#timerAt) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = at;
    if (!Number.isFinite(at)) return;
    this.#timer = this.#parts.clock.after('energy control', Math.max(0, at - this.#parts.clock.now()), () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#enqueue({ at: this.#parts.clock.now(), run: () => undefined, failed: () => undefined });
    });
  }

  #adopt(next: EnergyState): void {
    if (this.#closed) return;
    const before = this.#state;
    const shared = this.#shared;
    const target = stageTarget(next);
    const former = this.#target;
    this.#state = next;
    this.#shared = sharedValues(next);
    this.#target = target;
    // The power stage first: at most a second may pass (features.md §1).
    if (!sameTarget(former, target)) this.#events.onTarget(target);
    const { log, endpoint } = this.#parts;
    for (const { machine, from, to } of stateChanges(before, next)) log.debug(machine, { endpoint, from, to });
    const { suspended } = next.limits;
    if (!sameZones(before.limits.suspended, suspended)) this.#events.onSuspended?.(suspended);
    const ids = changedIds(shared, this.#shared);
    if (ids.length > 0) this.#events.onChanged(ids);
    for (const zone of next.zones.keys()) {
      const own = changedIds(ownValues(before, zone), ownValues(next, zone));
      if (own.length > 0) this.#events.onChanged(own, zone);
    }
  }

  #changes(state: EnergyState): readonly Change[] {
    return energyImage(this.#records, state, this.#parts.defaults).filter(({ key, value }) => {
      const stored = this.#stored.get(key);
      return stored === undefined || !(stored === null || value === null ? stored === value : sameBytes(stored, value));
    });
  }

  async #commit(changes: readonly Change[]): Promise<void> {
    for (const { key, value } of changes) this.#stored.set(key, value);
    try {
      await this.#parts.journal.commit(changes);
    } catch (error) {
      // Nobody knows what the medium holds now: the next step writes these keys again.
      for (const { key } of changes) this.#stored.delete(key);
      throw error;
    }
  }

  #journalBehind(state: EnergyState): void {
    const changes = this.#changes(state);
    if (changes.length === 0) return;
    this.#commit(changes).catch((error: unknown) =>
      this.#parts.log.error('the state of energy control could not be stored', { endpoint: this.#parts.endpoint, reason: String(error) }),
    );
  }
}

function changedIds(before: ReadonlyMap<number, EnergyValue>, after: ReadonlyMap<number, EnergyValue>): number[] {
  const ids: number[] = [];
  for (const [id, value] of after) if (!sameValue(before.get(id) ?? null, value)) ids.push(id);
  return ids;
}

function sameValue(a: EnergyValue, b: EnergyValue): boolean {
  if (a === null || b === null || typeof a === 'number' || typeof b === 'number') return a === b;
  return a.size === b.size && [...a].every(([phase, value]) => b.get(phase) === value);
}

function sameZones(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((zone) => b.has(zone));
}

function sameTarget(a: StageTarget, b: StageTarget): boolean {
  return (
    a.paused === b.paused &&
    a.aborted === b.aborted &&
    a.running === b.running &&
    ([0, 1] as const).every(
      (side) =>
        a.ceiling[side] === b.ceiling[side] &&
        a.beneath[side] === b.beneath[side] &&
        a.setpoint[side] === b.setpoint[side] &&
        sameValue(a.phaseCeiling[side], b.phaseCeiling[side]) &&
        sameValue(a.phaseSetpoint[side], b.phaseSetpoint[side]),
    )
  );
}
