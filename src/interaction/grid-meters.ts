import { ShapeError } from '../codec/shape.js';
import { DEVICE_INFO } from '../features/device-info-table.js';
import { MEASUREMENT } from '../features/measurement-table.js';
import type { Clock, Log, Timer } from '../platform.js';
import type { Notification } from '../session/wire.js';
import { ranksAbove } from '../zones/resolution.js';
import { type Zone, ZoneType } from '../zones/zone.js';
import {
  AC_ACTIVE_POWER,
  gridEndpoint,
  METER_INTERVALS,
  type MeterEffect,
  type MeterEvent,
  type MeterState,
  meterDeadline,
  nextMeter,
  powerOf,
  startMeter,
} from './grid-meter.js';
import { RemoteFeatures, type RemoteLink } from './remote-features.js';

/** Attribute 20 of DeviceInfo. */
const ENDPOINTS = 20;

/** A reader on one connection; ends with it. */
export interface MeterReader {
  receive(notification: Notification): void;
  close(): void;
}

export interface GridMetersParts {
  readonly clock: Clock;
  readonly log: Log;
  /** The meter has told its value, the same or another one, or is not heard any more. */
  onMeasured(): void;
}

/**
 * The grid meters that controllers expose, one reader a connection. Nothing is asked of anyone until something wants a meter, nothing of TEST
 * zones, and nothing of reference zones, whose controllers expose nothing and take any frame for the answer to their own request.
 */
export class GridMeters {
  readonly #parts: GridMetersParts;
  readonly #readers = new Set<Reader>();
  #wanted = false;
  #power: number | null = null;

  constructor(parts: GridMetersParts) {
    this.#parts = parts;
  }

  /** Power at the grid connection, mW; + is drawn, − is fed in; null where no connected controller tells. The highest-ranking zone that does decides. */
  get power(): number | null {
    return this.#power;
  }

  /** Whether something uses the meter: without it nothing is asked, and what is subscribed is given up. */
  want(wanted: boolean): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    for (const reader of [...this.#readers]) reader.feed({ type: 'wanted', wanted });
  }

  /** Undefined for a zone that is not asked. */
  open(zone: Zone, link: RemoteLink): MeterReader | undefined {
    if (zone.dialect === 'reference' || zone.type === ZoneType.TEST) return undefined;
    const log = this.#parts.log.scoped(`meter of zone ${zone.id}`);
    const reader: Reader = new Reader(zone, link, this.#parts.clock, log, this.#wanted, {
      onTold: () => this.#decide(reader),
      onClosed: () => {
        this.#readers.delete(reader);
        this.#decide();
      },
    });
    this.#readers.add(reader);
    return reader;
  }

  /** `told`: whose value has just arrived. */
  #decide(told?: Reader): void {
    let best: Reader | undefined;
    for (const reader of this.#readers)
      if (reader.power !== null && (best === undefined || ranksAbove(reader.zone, best.zone))) best = reader;
    const power = best?.power ?? null;
    const measured = power !== this.#power || (power !== null && told === best);
    this.#power = power;
    if (measured) this.#parts.onMeasured();
  }
}

interface ReaderEvents {
  /** A value has arrived, or is none any more. */
  onTold(): void;
  onClosed(): void;
}

class Reader implements MeterReader {
  readonly zone: Zone;
  readonly #remote: RemoteFeatures;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #events: ReaderEvents;
  #state: MeterState;
  #timer: Timer | undefined;
  #closed = false;

  constructor(zone: Zone, link: RemoteLink, clock: Clock, log: Log, wanted: boolean, events: ReaderEvents) {
    this.zone = zone;
    this.#remote = new RemoteFeatures(link);
    this.#clock = clock;
    this.#log = log;
    this.#events = events;
    this.#state = startMeter(clock.now(), wanted);
    this.#arm();
  }

  get power(): number | null {
    return this.#state.kind === 'following' && !this.#closed ? this.#state.power : null;
  }

  receive(notification: Notification): void {
    this.#remote.receive(notification);
  }

  feed(event: MeterEvent): void {
    if (this.#closed) return;
    const before = this.power;
    const { state, effects } = nextMeter(this.#state, event, this.#clock.now());
    this.#state = state;
    this.#arm();
    for (const effect of effects) this.#carryOut(effect);
    const arrived = event.type === 'reported' && event.power !== undefined && this.power !== null;
    if (arrived || this.power !== before) this.#events.onTold();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#remote.close();
    this.#events.onClosed();
  }

  #arm(): void {
    this.#timer?.cancel();
    const at = meterDeadline(this.#state);
    this.#timer =
      at === Number.POSITIVE_INFINITY
        ? undefined
        : this.#clock.after('grid meter', Math.max(0, at - this.#clock.now()), () => this.feed({ type: 'time' }));
  }

  #carryOut(effect: MeterEffect): void {
    if (effect.type === 'unsubscribe') this.#remote.unsubscribe(effect.subscription);
    else if (effect.type === 'probe') this.#probe();
    else this.#subscribe(effect.endpoint);
  }

  #probe(): void {
    this.#remote.read(0, DEVICE_INFO.id, [ENDPOINTS], (answer) => {
      if (answer.kind === 'failed') this.#refused(answer.reason);
      else {
        try {
          this.feed({ type: 'probed', endpoint: gridEndpoint(answer.values.get(ENDPOINTS)) });
        } catch (error) {
          if (!(error instanceof ShapeError)) throw error;
          this.#refused(error.message);
        }
      }
    });
  }

  #subscribe(endpoint: number): void {
    this.#remote.subscribe(
      endpoint,
      MEASUREMENT.id,
      [AC_ACTIVE_POWER],
      METER_INTERVALS,
      (values) => this.feed({ type: 'reported', power: powerOf(values) }),
      (answer) => {
        if (answer.kind === 'failed') this.#refused(answer.reason);
        else {
          this.#log.info('grid meter followed', { endpoint });
          this.feed({ type: 'subscribed', subscription: answer.subscription, power: powerOf(answer.values) ?? null });
        }
      },
    );
  }

  #refused(reason: string): void {
    this.#log.debug('no grid meter', { reason });
    this.feed({ type: 'refused' });
  }
}
