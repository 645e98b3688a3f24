import type { CborMap, CborValue } from '../codec/cbor.js';
import { isMap } from '../codec/cbor.js';
import { ShapeError, smallIntegers } from '../codec/shape.js';
import { EndpointType } from '../features/endpoint-types.js';
import { MEASUREMENT } from '../features/measurement-table.js';

/**
 * How one controller's grid meter is found and followed, as a table: the endpoints of its DeviceInfo are read once, and of an endpoint of type
 * GRID_CONNECTION with Measurement acActivePower is subscribed. A controller that exposes none, or does not answer, is asked once a connection.
 */

/** After the handshake the controller's own first requests go before ours, milliseconds. */
export const PROBE_DELAY = 2000;
/** Of the subscription, milliseconds: the meter is heard at least this often, unless it is lost. */
export const METER_INTERVALS = { minimum: 1000, maximum: 10_000 } as const;
/** A value this old is none, milliseconds: two heartbeats are missing. */
export const STALE = 25_000;
/** Measurement, mW; + is drawn from the grid, − is fed into it. */
export const AC_ACTIVE_POWER = 1;

export type MeterState =
  /** Nothing was asked yet; `probeAt`: undefined where nothing wants the meter. */
  | { readonly kind: 'unknown'; readonly earliest: number; readonly wanted: boolean }
  | { readonly kind: 'probing'; readonly wanted: boolean }
  /** The controller has none, or does not tell: nothing more is asked on this connection. */
  | { readonly kind: 'none' }
  /** There is one, and nothing wants it. */
  | { readonly kind: 'known'; readonly endpoint: number }
  | { readonly kind: 'subscribing'; readonly endpoint: number; readonly wanted: boolean }
  /** `power`: mW, null while unknown or stale. */
  | {
      readonly kind: 'following';
      readonly endpoint: number;
      readonly subscription: number;
      readonly power: number | null;
      readonly staleAt: number;
    };

export type MeterEvent =
  | { readonly type: 'time' }
  | { readonly type: 'wanted'; readonly wanted: boolean }
  /** `endpoint`: undefined where the answer names no grid meter. */
  | { readonly type: 'probed'; readonly endpoint: number | undefined }
  | { readonly type: 'subscribed'; readonly subscription: number; readonly power: number | null }
  /** `power`: undefined where the notification does not carry it. */
  | { readonly type: 'reported'; readonly power: number | null | undefined }
  | { readonly type: 'refused' };

export type MeterEffect =
  | { readonly type: 'probe' }
  | { readonly type: 'subscribe'; readonly endpoint: number }
  | { readonly type: 'unsubscribe'; readonly subscription: number };

interface Step {
  readonly state: MeterState;
  readonly effects: readonly MeterEffect[];
}

export function startMeter(now: number, wanted: boolean): MeterState {
  return { kind: 'unknown', earliest: now + PROBE_DELAY, wanted };
}

/** The moment at which `time` must be fed in next; infinite where nothing is due. */
export function meterDeadline(state: MeterState): number {
  if (state.kind === 'unknown' && state.wanted) return state.earliest;
  return state.kind === 'following' && state.power !== null ? state.staleAt : Number.POSITIVE_INFINITY;
}

export function nextMeter(state: MeterState, event: MeterEvent, now: number): Step {
  switch (state.kind) {
    case 'unknown': {
      const wanted = event.type === 'wanted' ? event.wanted : state.wanted;
      if (wanted && now >= state.earliest) return { state: { kind: 'probing', wanted }, effects: [{ type: 'probe' }] };
      return stay({ ...state, wanted });
    }
    case 'probing':
      if (event.type === 'wanted') return stay({ ...state, wanted: event.wanted });
      if (event.type === 'probed' && event.endpoint !== undefined)
        return state.wanted ? subscribe(event.endpoint) : stay({ kind: 'known', endpoint: event.endpoint });
      return event.type === 'probed' || event.type === 'refused' ? stay({ kind: 'none' }) : stay(state);
    case 'none':
      return stay(state);
    case 'known':
      return event.type === 'wanted' && event.wanted ? subscribe(state.endpoint) : stay(state);
    case 'subscribing':
      return whileSubscribing(state, event, now);
    case 'following':
      return whileFollowing(state, event, now);
  }
}

function whileSubscribing(state: MeterState & { kind: 'subscribing' }, event: MeterEvent, now: number): Step {
  const { endpoint } = state;
  if (event.type === 'wanted') return stay({ ...state, wanted: event.wanted });
  if (event.type === 'refused') return stay({ kind: 'none' });
  if (event.type !== 'subscribed') return stay(state);
  const { subscription, power } = event;
  if (!state.wanted) return { state: { kind: 'known', endpoint }, effects: [{ type: 'unsubscribe', subscription }] };
  return stay({ kind: 'following', endpoint, subscription, power, staleAt: now + STALE });
}

function whileFollowing(state: MeterState & { kind: 'following' }, event: MeterEvent, now: number): Step {
  const { endpoint, subscription } = state;
  if (event.type === 'wanted' && !event.wanted)
    return { state: { kind: 'known', endpoint }, effects: [{ type: 'unsubscribe', subscription }] };
  if (event.type === 'reported' && event.power !== undefined) return stay({ ...state, power: event.power, staleAt: now + STALE });
  return event.type === 'time' && now >= state.staleAt ? stay({ ...state, power: null }) : stay(state);
}

function stay(state: MeterState): Step {
  return { state, effects: [] };
}

function subscribe(endpoint: number): Step {
  return { state: { kind: 'subscribing', endpoint, wanted: true }, effects: [{ type: 'subscribe', endpoint }] };
}

/** The first endpoint of type GRID_CONNECTION with Measurement in an answer to DeviceInfo.endpoints; undefined where there is none. Throws ShapeError. */
export function gridEndpoint(endpoints: CborValue | undefined): number | undefined {
  if (!Array.isArray(endpoints)) throw new ShapeError('DeviceInfo endpoints: an array is due');
  for (const entry of endpoints as readonly CborValue[]) {
    if (!isMap(entry) || entry.get(2) !== EndpointType.GRID_CONNECTION) continue;
    const id = entry.get(1);
    const features = smallIntegers(entry.get(4), 'DeviceInfo endpoints, features', 0xff);
    if (typeof id === 'number' && id >= 0 && id <= 255 && features.includes(MEASUREMENT.id)) return id;
  }
  return undefined;
}

/** acActivePower of a report, mW; null where it is unknown or no such number, undefined where the report does not carry it. */
export function powerOf(values: CborMap): number | null | undefined {
  const value = values.get(AC_ACTIVE_POWER);
  if (value === undefined) return undefined;
  return typeof value === 'number' ? value : null;
}
