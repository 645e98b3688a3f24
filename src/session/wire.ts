import { type CborMap, type CborValue, isMap } from '../codec/cbor.js';
import { integerAt, mapOf } from '../codec/shape.js';
import { InteractionStatus } from '../model/status.js';

export { InteractionStatus };

/** Requests, responses and control messages on an operational connection (protocol.md §3). */
export const Operation = { READ: 1, WRITE: 2, SUBSCRIBE: 3, INVOKE: 4 } as const;

export interface Request {
  readonly id: number;
  /** 1…255: one that does not exist is answered by status 10. */
  readonly operation: number;
  readonly endpoint: number;
  readonly feature: number;
  readonly payload: CborValue | undefined;
}

export interface Response {
  readonly id: number;
  readonly status: number;
  readonly payload?: CborValue;
}

/** Answers a request. `onTooLarge`: the peer was told status 13 instead, since it does not take messages of that length. */
export type Answer = (response: Response, onTooLarge?: () => void) => void;

/** `{1:0, 2:subscription, 3:endpoint, 4:feature, 5:{attribute:value}}`. */
export interface Notification {
  readonly subscription: number;
  readonly endpoint: number;
  readonly feature: number;
  /** Attribute values by attribute id. */
  readonly values: CborMap;
}

/** `form`: how the peer wrote it, and so how it is answered. */
export type Control =
  | { readonly control: 'ping' | 'pong'; readonly sequence: number; readonly form: 'text' | 'number' }
  | { readonly control: 'close' | 'closeAck'; readonly form: 'text' | 'number' };

export type Inbound =
  | { readonly kind: 'request'; readonly request: Request }
  | { readonly kind: 'response'; readonly response: Response }
  | { readonly kind: 'notification'; readonly message: CborMap }
  | { readonly kind: 'renewal'; readonly message: CborMap }
  | { readonly kind: 'control'; readonly control: Control }
  | { readonly kind: 'malformed'; readonly id: number; readonly text: string };

/**
 * Tells the messages of an operational connection apart: by direction and by what is pending, never by shape alone (protocol.md §3):
 * `pending` says whether an id is one of our own outstanding requests (numbered from 1000).
 */
export function classify(value: CborValue, pending: (id: number) => boolean): Inbound {
  if (!isMap(value)) return malformed(0, 'a map is due');
  const id = value.get(1);
  const known = typeof id === 'number' && id >= 0 && id <= 0xffff_ffff;
  // Requests and notifications alone have both, so the most frequent messages are told first.
  if (known && value.has(3) && value.has(4)) return id === 0 ? { kind: 'notification', message: value } : request(value, id);
  const control = textControl(value) ?? numberControl(value);
  if (control !== undefined) return { kind: 'control', control };
  if (!known) return malformed(0, 'key 1: a message id is due');
  if (!value.has(4) && id >= 30 && id <= 33 && !pending(id)) return { kind: 'renewal', message: value };
  const status = value.get(2);
  if (!value.has(4) && typeof status === 'number' && (pending(id) || !value.has(5))) return response(value, id, status);
  return malformed(id, 'Missing required field');
}

function request(map: CborMap, id: number): Inbound {
  const operation = map.get(2);
  if (operation === undefined) return malformed(id, 'Missing required field: key 2, operation');
  if (typeof operation !== 'number' || operation < 1 || operation > 255) return malformed(id, 'key 2: an operation of 1…255 is due');
  const endpoint = map.get(3);
  if (typeof endpoint !== 'number' || endpoint < 0 || endpoint > 255) return malformed(id, 'key 3: an endpoint of 0…255 is due');
  const feature = map.get(4);
  if (typeof feature !== 'number' || feature < 0 || feature > 255) return malformed(id, 'key 4: a feature of 0…255 is due');
  return { kind: 'request', request: { id, operation, endpoint, feature, payload: map.get(5) } };
}

function response(map: CborMap, id: number, status: number): Inbound {
  const payload = map.get(3);
  return { kind: 'response', response: { id, status, ...(payload === undefined ? {} : { payload }) } };
}

function malformed(id: number, text: string): Inbound {
  return { kind: 'malformed', id, text };
}

function textControl(map: CborMap): Control | undefined {
  switch (map.get('type')) {
    case 'ping':
    case 'pong': {
      const sequence = map.get('seq');
      return { control: map.get('type') as 'ping' | 'pong', sequence: typeof sequence === 'number' ? sequence : 0, form: 'text' };
    }
    case 'close':
      return { control: 'close', form: 'text' };
    case 'close_ack':
      return { control: 'closeAck', form: 'text' };
    default:
      return undefined;
  }
}

/** `{1:1|2|3, 2?:sequence}`: our own requests start at 1000, so that no response of theirs has these ids. */
function numberControl(map: CborMap): Control | undefined {
  if (map.has(3) || map.has(4) || map.has(5)) return undefined;
  const sequence = map.get(2) ?? 0;
  if (typeof sequence !== 'number') return undefined;
  const type = map.get(1);
  if (type === 1) return { control: 'ping', sequence, form: 'number' };
  if (type === 2) return { control: 'pong', sequence, form: 'number' };
  return type === 3 ? { control: 'close', form: 'number' } : undefined;
}

export function encodeControl(control: Control, reason = ''): CborMap {
  if (control.form === 'number') {
    const type = control.control === 'ping' ? 1 : control.control === 'pong' ? 2 : 3;
    const sequence = 'sequence' in control ? control.sequence : 0;
    return new Map(
      sequence === 0
        ? [[1, type]]
        : [
            [1, type],
            [2, sequence],
          ],
    );
  }
  const map = new Map<string, CborValue>([['type', control.control === 'closeAck' ? 'close_ack' : control.control]]);
  if ('sequence' in control) map.set('seq', control.sequence);
  if (control.control === 'close') map.set('reason', reason);
  return map;
}

export function encodeRequest(request: Request): CborMap {
  const map = new Map<number, CborValue>([
    [1, request.id],
    [2, request.operation],
    [3, request.endpoint],
    [4, request.feature],
  ]);
  if (request.payload !== undefined) map.set(5, request.payload);
  return map;
}

export function encodeResponse(response: Response): CborMap {
  const map = new Map<number, CborValue>([
    [1, response.id],
    [2, response.status],
  ]);
  if (response.payload !== undefined) map.set(3, response.payload);
  return map;
}

export function encodeNotification(notification: Notification): CborMap {
  return new Map<number, CborValue>([
    [1, 0],
    [2, notification.subscription],
    [3, notification.endpoint],
    [4, notification.feature],
    [5, notification.values],
  ]);
}

/** Throws ShapeError naming the field. */
export function decodeNotification(value: CborValue): Notification {
  const map = mapOf(value, 'notification');
  integerAt(map, 1, 'notification key 1, message id', 0, 0);
  return {
    subscription: integerAt(map, 2, 'notification key 2, subscription', 0, 0xffff_ffff),
    endpoint: integerAt(map, 3, 'notification key 3, endpoint', 0, 255),
    feature: integerAt(map, 4, 'notification key 4, feature', 0, 255),
    values: mapOf(map.get(5), 'notification key 5, values'),
  };
}

/** Characters of an error's text: what a peer has sent may be quoted in it. */
const LONGEST_TEXT = 200;

export function errorResponse(id: number, status: number, text: string): Response {
  return { id, status, payload: new Map([[1, text.slice(0, LONGEST_TEXT)]]) };
}
