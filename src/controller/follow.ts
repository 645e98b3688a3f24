import type { CborMap } from '../codec/cbor.js';
import type { Entropy, Timer } from '../platform.js';
import { findEndpoint } from './endpoints.js';
import { ControllerError, type ControllerErrorCode, messageOf } from './errors.js';
import { readInitially, rememberState } from './initial-reads.js';
import { type LastGoodEvent, NOWHERE, nextLastGood, recentAddresses } from './last-good.js';
import { watchLiveness } from './liveness.js';
import { type ControllerParts, findSession, foundAt, type OpenedSession } from './operational.js';
import type { ControllerSession } from './session.js';
import type { SubscribeOptions } from './session-subscriptions.js';
import { untilStopped, whenStopped } from './until-stopped.js';
import type { ControllerZone, DeviceRecord } from './zone.js';

/** MASH.C.CONN.BACKOFF_INITIAL, _MAX, _MULTIPLIER and JITTER_FACTOR; milliseconds. */
const INITIAL = 1000;
const MAXIMUM = 60_000;
const MULTIPLIER = 2;
const JITTER = 0.25;
export const BACK_OFF = { initial: INITIAL, maximum: MAXIMUM, multiplier: MULTIPLIER, jitter: JITTER } as const;

/** Failures of a reconnection that the next one may not have. */
const PASSING: readonly ControllerErrorCode[] = [
  'CONNECTION_FAILED',
  'CONNECTION_LOST',
  'TIMEOUT',
  'NO_DEVICES_FOUND',
  'ADDRESS_RESOLUTION_FAILED',
  'NO_INTERFACE',
  'NOT_TRUSTED',
];

/** Attributes of one feature. */
export interface Watched extends SubscribeOptions {
  /** Undefined: the one that has the feature. */
  readonly endpoint: number | undefined;
  readonly feature: number;
}

export type FollowEvent =
  /** `again`: after a loss. */
  | { readonly event: 'connected'; readonly again: boolean }
  | { readonly event: 'priming' | 'notification'; readonly endpoint: number; readonly feature: number; readonly values: CborMap }
  /** `retryIn`: milliseconds. */
  | { readonly event: 'lost'; readonly reason: string; readonly retryIn: number };

/** What is followed, and who is told. */
export interface Following {
  readonly zone: ControllerZone;
  readonly record: DeviceRecord;
  readonly watched: readonly Watched[];
  tell(event: FollowEvent): void;
}

/**
 * Subscribes, and tells the priming values and every notification until `stop`; a connection that ends is made again, with back-off. A (re)connection begins
 * with the read sequence of §7.3, whose findings are stored. Resolves after `stop`, the connection closed; rejects where the first connection or a
 * subscription fails.
 */
export function follow(parts: ControllerParts, following: Following, stop: AbortSignal): Promise<void> {
  return new Follower(parts, following, stop).run();
}

/** The wait before reconnection `attempt`, counted from 0: 1 s, doubled up to 60 s, a quarter more or less. */
export function backOff(entropy: Entropy, attempt: number): number {
  const [random = 0] = entropy.bytes(1);
  return Math.round(Math.min(MAXIMUM, INITIAL * MULTIPLIER ** attempt) * (1 - JITTER + (2 * JITTER * random) / 255));
}

class Follower {
  readonly #parts: ControllerParts;
  readonly #following: Following;
  readonly #stop: AbortSignal;
  #record: DeviceRecord;
  #attempt = 0;
  #lastGood = NOWHERE;
  #monitor: { close(): void } | undefined;
  /** Ends a wait: the device is announced again. */
  #wake: (() => void) | undefined;
  #connected = false;

  constructor(parts: ControllerParts, following: Following, stop: AbortSignal) {
    this.#parts = parts;
    this.#following = following;
    this.#stop = stop;
    this.#record = following.record;
  }

  async run(): Promise<void> {
    try {
      while (!this.#stop.aborted) {
        const reason = await this.#once();
        if (reason === undefined) return;
        const retryIn = backOff(this.#parts.crypto, this.#attempt++);
        this.#following.tell({ event: 'lost', reason, retryIn });
        await this.#wait(retryIn);
      }
    } finally {
      this.#monitor?.close();
    }
  }

  /** One connection, from its beginning to its end: why it ended, or undefined after `stop`. */
  async #once(): Promise<string | undefined> {
    try {
      this.#note({ type: 'time' });
      const recent = recentAddresses(this.#lastGood, this.#parts.clock.now());
      const opening = findSession(this.#parts, this.#following.zone, this.#record, recent);
      const opened = await untilStopped(this.#stop, opening);
      if (opened !== undefined) return await this.#use(opened);
      // A search that goes on is nobody's any more.
      opening.then(({ session }) => session.close()).catch(() => undefined);
      return undefined;
    } catch (error) {
      if (this.#stop.aborted) return undefined;
      this.#note({ type: triggerOf(error) });
      const passing = error instanceof ControllerError && PASSING.includes(error.code);
      if (!this.#connected || !passing) throw error;
      return messageOf(error);
    }
  }

  async #use({ session, address }: OpenedSession): Promise<string | undefined> {
    const quiet = watchLiveness(session, this.#parts.clock);
    this.#note({ type: 'connected', address });
    const stopped = whenStopped(this.#stop, () => void session.close());
    try {
      const state = await readInitially(session, this.#parts.log);
      this.#record = rememberState(foundAt(this.#record, address), state);
      await this.#parts.store.put(this.#record);
      await this.#subscribe(session);
      await this.#watch();
      return await untilStopped(this.#stop, session.ended);
    } finally {
      quiet();
      stopped();
      this.#note({ type: 'lost' });
      await session.close();
    }
  }

  #note(event: LastGoodEvent): void {
    this.#lastGood = nextLastGood(this.#lastGood, event, this.#parts.clock.now());
  }

  /** connection-establishment §7.4, continuous browse: a goodbye invalidates the address, an announcement ends the wait. */
  async #watch(): Promise<void> {
    if (this.#monitor !== undefined) return;
    try {
      const resolver = await this.#parts.resolver();
      const isOurs = (id: string): boolean => id.toLowerCase() === this.#record.id.toLowerCase();
      this.#monitor = resolver.monitor(this.#record.zoneId, {
        available: (id) => {
          if (isOurs(id)) this.#wake?.();
        },
        unavailable: (id) => {
          if (isOurs(id)) this.#note({ type: 'goodbye' });
        },
      });
    } catch (error) {
      if (!(error instanceof ControllerError)) throw error;
      this.#parts.log.info('the device is not monitored', { reason: error.message });
    }
  }

  async #subscribe(session: ControllerSession): Promise<void> {
    const { watched, tell } = this.#following;
    tell({ event: 'connected', again: this.#connected });
    for (const { endpoint: given, feature, ...options } of watched) {
      const endpoint = await findEndpoint(session, this.#record, { endpoint: given, feature });
      const notified = (values: CborMap): void => tell({ event: 'notification', endpoint, feature, values });
      // What a notification right behind the answer says comes after the priming values.
      const early: CborMap[] = [];
      let onValues = (values: CborMap): void => void early.push(values);
      const { values } = await session.subscribe(endpoint, feature, options, (told) => onValues(told));
      tell({ event: 'priming', endpoint, feature, values });
      onValues = notified;
      for (const told of early) notified(told);
    }
    this.#connected = true;
    this.#attempt = 0;
  }

  /** Ends early when the device is announced again, yet not within a second: what is announced can be anybody's. */
  async #wait(milliseconds: number): Promise<void> {
    const { clock } = this.#parts;
    const begun = clock.now();
    let timer: Timer | undefined;
    const over = new Promise<void>((resolve) => {
      timer = clock.after('back-off', milliseconds, resolve);
      this.#wake = () => {
        timer?.cancel();
        timer = clock.after('back-off', Math.max(0, Math.min(milliseconds, INITIAL) - (clock.now() - begun)), resolve);
      };
    });
    await untilStopped(this.#stop, over);
    timer?.cancel();
    this.#wake = undefined;
  }
}

/** connection-establishment §7.4: why what is known of the device's place does not hold any more. */
function triggerOf(error: unknown): 'mismatch' | 'removed' | 'refused' {
  const code = error instanceof ControllerError ? error.code : undefined;
  // REFUSED: the device holds no zone any more.
  return code === 'NOT_TRUSTED' ? 'mismatch' : code === 'REFUSED' ? 'removed' : 'refused';
}
