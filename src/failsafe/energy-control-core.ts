import { PeerError, StoreError } from '../errors.js';
import type { Clock, Timer } from '../platform.js';
import type { Ratings, ZoneRank } from '../zones/resolution.js';
import { checkAuthority } from './command-checks.js';
import type { CommandStep, EnergyCommand, EnergyResult } from './command-types.js';
import { runCommand } from './energy-commands.js';
import { applyEvent, bootEnergy, type EnergyEvent } from './energy-events.js';
import { stateChanges } from './energy-log.js';
import { type EnergyConfig, type EnergySettings, type EnergyState, energyDeadline } from './energy-state.js';
import { EnergyStore, type EnergyStoreParts } from './energy-store.js';
import { changedIds, type EnergyValue, ownValues, settle, sharedValues } from './energy-view.js';
import { checkAttributeWriter, writeAttributes } from './energy-writes.js';
import { type Finish, type Job, JobQueue } from './job-queue.js';
import { type StageTarget, sameTarget, stageTarget } from './stage-target.js';

/** What an EnergyControl goes by. */
export interface EnergyRules {
  readonly config: EnergyConfig;
  readonly defaults: EnergySettings;
  readonly ratings: Ratings;
}

export interface EnergyControlParts extends EnergyRules, EnergyStoreParts {
  /** Every stored zone, none connected yet. */
  readonly zones: readonly ZoneRank[];
  /** A zone is stored that cannot be read: it cannot return, but the device is not without zones. */
  readonly lostZone?: boolean;
  readonly clock: Clock;
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
/** After a medium has refused, ms. */
const REWRITE = 60_000;
const BUSY = 9;
const NOT_AUTHORIZED = 8;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * EnergyControl of one endpoint at work: steps of the tables in the order of their arrival, each at its own time. A command is in the journal before it
 * holds and before it is answered; an event holds at once and is journalled behind. Its state before the first accept is that of a boot.
 */
export class EnergyControlCore {
  readonly #parts: EnergyControlParts;
  readonly #events: EnergyControlEvents;
  readonly #store: EnergyStore;
  readonly #queue = new JobQueue(() => this.#arm());
  #state: EnergyState;
  #shared: ReadonlyMap<number, EnergyValue>;
  #target: StageTarget;
  /** When what the medium refused is written again. */
  #rewriteAt = NEVER;
  #timer: Timer | undefined;
  #timerAt = NEVER;
  #closed = false;

  constructor(parts: EnergyControlParts, events: EnergyControlEvents) {
    const { config, defaults, ratings, zones, lostZone = false, clock } = parts;
    this.#parts = parts;
    this.#events = events;
    this.#store = new EnergyStore(parts, () => {
      this.#rewriteAt = clock.now() + REWRITE;
      this.#arm();
    });
    const step = bootEnergy(config, { defaults, ratings, zones, lostZone, stored: this.#store.read() }, clock.now());
    this.#state = settle(config, undefined, step);
    this.#shared = sharedValues(this.#state);
    this.#target = stageTarget(this.#state);
    this.#store.behind(this.#state);
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

  /** Judges who commands, against the state of the moment; throws PeerError 8. */
  authorize(caller: ZoneRank, command: EnergyCommand): void {
    checkAuthority(this.#state, caller, command);
  }

  /** The user acts with priority 0. Rejects with PeerError (9, 10, 8, 11) or StoreError; nothing has changed then. A duration counts from this call. */
  execute(caller: ZoneRank, command: EnergyCommand): Promise<EnergyResult> {
    return this.#command(caller, (state, at) => runCommand(this.#parts.config, state, caller, command, at));
  }

  /** Judges who writes an attribute; throws PeerError 10 or 8. */
  authorizeWrite(caller: ZoneRank, id: number): void {
    checkAttributeWriter(this.#parts.config, this.#state, caller, id);
  }

  /** Judges a write against the state of the moment; throws PeerError. */
  checkWrite(caller: ZoneRank, values: ReadonlyMap<number, number | null>): void {
    writeAttributes(this.#parts.config, this.#state, caller, values, this.#parts.clock.now());
  }

  /** All or none; the lowest failing id decides. Rejects like `execute`, with 6 for an attribute that is not writable. */
  async write(caller: ZoneRank, values: ReadonlyMap<number, number | null>): Promise<void> {
    await this.#command(caller, (state, at) => ({
      state: writeAttributes(this.#parts.config, state, caller, values, at),
      result: { kind: 'success' },
    }));
  }

  /** Holds when this returns, unless another step is under way: then right after it. */
  dispatch(event: EnergyEvent): void {
    const { config, log } = this.#parts;
    this.#enqueue(
      (at) => {
        const next = settle(config, this.#state, applyEvent(config, this.#state, event, at));
        this.#store.behind(next);
        this.#adopt(next);
        return undefined;
      },
      (reason) => log.error('an event of energy control failed', { type: event.type, reason: String(reason) }),
    );
  }

  /** No callback afterwards; what waits is rejected. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#queue.clear(new StoreError('closed', 'energy control: closed'));
  }

  #command(caller: ZoneRank, step: (state: EnergyState, at: number) => CommandStep): Promise<EnergyResult> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new StoreError('closed', 'energy control: closed');
      if (this.#queue.waiting >= MAX_WAITING) throw new PeerError(BUSY, 'too many commands are waiting');
      this.#enqueue((at) => {
        // A zone that was removed while its command waited leaves nothing behind.
        if (caller.priority > 0 && !this.#state.zones.has(caller.id)) throw new PeerError(NOT_AUTHORIZED, 'the zone is not stored');
        const { state, result } = step(this.#state, at);
        const changes = this.#store.changes(state);
        const hold = (): void => {
          this.#adopt(state);
          resolve(result);
        };
        if (changes.length > 0) return this.#store.commit(changes).then(() => hold);
        hold();
        return undefined;
      }, reject);
    });
  }

  /** `step` is given the monotonic time of this call. */
  #enqueue(step: (at: number) => Promise<Finish> | undefined, failed: Job['failed']): void {
    if (this.#closed) return;
    const at = this.#parts.clock.now();
    const run = (): Promise<Finish> | undefined => {
      this.#passDeadlines(at);
      return step(at);
    };
    this.#queue.add({ run, failed });
  }

  /** What was due before a job came first: a handshake wins over failsafe's end until the very end. */
  #passDeadlines(now: number): void {
    const { config } = this.#parts;
    let due = energyDeadline(this.#state);
    if (due > now && this.#rewriteAt > now) return;
    for (; due <= now; due = energyDeadline(this.#state))
      this.#adopt(settle(config, this.#state, applyEvent(config, this.#state, { type: 'deadline' }, due)));
    this.#rewriteAt = NEVER;
    this.#store.behind(this.#state);
  }

  #arm(): void {
    const at = Math.min(energyDeadline(this.#state), this.#rewriteAt);
    if (this.#closed || at === this.#timerAt) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = at;
    if (!Number.isFinite(at)) return;
    const { clock, log } = this.#parts;
    this.#timer = clock.after('energy control', Math.max(0, at - clock.now()), () => {
      this.#timerAt = NEVER;
      this.#enqueue(
        () => undefined,
        (reason) => log.error('a deadline of energy control failed', { reason: String(reason) }),
      );
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
}

function sameZones(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((zone) => b.has(zone));
}
