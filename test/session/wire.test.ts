import { describe, expect, it } from 'vitest';
import { type CborKey, type CborValue, Float, WideInteger } from '../../src/codec/cbor.js';
import { ShapeError } from '../../src/codec/shape.js';
import {
  type Control,
  classify,
  decodeNotification,
  encodeControl,
  encodeNotification,
  encodeRequest,
  encodeResponse,
  errorResponse,
  type Notification,
  type Request,
} from '../../src/session/wire.js';

function map(...entries: readonly (readonly [CborKey, CborValue])[]): Map<CborKey, CborValue> {
  return new Map(entries);
}
const nothingPending = (): boolean => false;
const seen = (value: CborValue, pending: (id: number) => boolean = nothingPending) => classify(value, pending);
const WIDE = new WideInteger(false, 0xffff_ffff, 0xffff_ffff);

const read: Request = { id: 7, operation: 1, endpoint: 0, feature: 1, payload: undefined };

describe('requests', () => {
  it.each<Request>([
    read,
    { ...read, payload: null },
    { ...read, payload: [] },
    { ...read, payload: map([1, [1, 2]]) },
    { ...read, operation: 2 },
    { ...read, operation: 3, endpoint: 255, feature: 255 },
    { ...read, operation: 4, id: 1 },
    { ...read, id: 0xffff_ffff },
    // Ids of control and renewal messages are ids like any other where keys 3 and 4 are there.
    { ...read, id: 2 },
    { ...read, id: 30 },
    { ...read, feature: 0 },
    // An operation that does not exist is answered by status 10, not as malformed.
    { ...read, operation: 5 },
    { ...read, operation: 255 },
  ])('%o', (request) => {
    expect(seen(encodeRequest(request))).toEqual({ kind: 'request', request });
  });

  it('ignore keys they do not know', () => {
    expect(seen(map(...encodeRequest(read), [6, 'new'], [-1, 1], ['text', null]))).toEqual({ kind: 'request', request: read });
  });

  it('are requests whatever is pending here', () => {
    expect(seen(encodeRequest(read), () => true).kind).toBe('request');
  });
});

describe('responses', () => {
  it.each([
    [{ id: 1000, status: 0 }],
    [{ id: 1000, status: 0, payload: map([1, 'x']) }],
    [{ id: 4711, status: 13, payload: map([1, 'text']) }],
    [{ id: 1000, status: 0, payload: null }],
  ])('%o', (response) => {
    expect(seen(encodeResponse(response))).toEqual({ kind: 'response', response });
  });

  it('an error response carries its text under key 1', () => {
    expect(errorResponse(9, 5, 'why')).toEqual({ id: 9, status: 5, payload: new Map([[1, 'why']]) });
  });

  it('what looks like a renewal or an acknowledgement is a response when its id is pending', () => {
    const acknowledgement = map([1, 33], [2, 0]);
    expect(seen(acknowledgement, nothingPending)).toEqual({ kind: 'renewal', message: acknowledgement });
    expect(seen(acknowledgement, (id) => id === 33)).toEqual({ kind: 'response', response: { id: 33, status: 0 } });
    expect(seen(map([1, 33], [2, 0], [3, map()]), (id) => id === 33).kind).toBe('response');
  });
});

describe('notifications', () => {
  const notification: Notification = { subscription: 3, endpoint: 1, feature: 4, values: map([1, 5_000_000], [2, null]) };

  it('come back as they were sent', () => {
    expect(decodeNotification(encodeNotification(notification))).toEqual(notification);
    expect(seen(encodeNotification(notification))).toEqual({ kind: 'notification', message: encodeNotification(notification) });
  });

  it.each<readonly [CborKey, CborValue | undefined, string]>([
    [1, 1, 'notification key 1, message id'],
    [1, undefined, 'notification key 1, message id'],
    [2, -1, 'notification key 2, subscription'],
    [2, undefined, 'notification key 2, subscription'],
    [3, 256, 'notification key 3, endpoint'],
    [3, 'x', 'notification key 3, endpoint'],
    [4, 256, 'notification key 4, feature'],
    [4, null, 'notification key 4, feature'],
    [5, [1], 'notification key 5, values'],
    [5, undefined, 'notification key 5, values'],
  ])('key %s of %s is refused', (key, value, where) => {
    const spoiled = map(...encodeNotification(notification));
    if (value === undefined) spoiled.delete(key);
    else spoiled.set(key, value);
    expect(() => decodeNotification(spoiled)).toThrow(ShapeError);
    expect(() => decodeNotification(spoiled)).toThrow(where);
  });

  it('are not a text', () => {
    expect(() => decodeNotification('x')).toThrow(ShapeError);
  });
});

describe('renewals', () => {
  it.each([30, 31, 32, 33])('message %i', (type) => {
    for (const message of [map([1, type], [2, new Uint8Array(32)]), map([1, type])])
      expect(seen(message)).toEqual({ kind: 'renewal', message });
  });

  it.each([29, 34])('%i is not one', (type) => {
    expect(seen(map([1, type], [2, new Uint8Array(32)])).kind).toBe('malformed');
  });
});

describe('control', () => {
  const CONTROLS: readonly (readonly [Control, Map<CborKey, CborValue>])[] = [
    [{ control: 'ping', sequence: 0, form: 'number' }, map([1, 1])],
    [{ control: 'ping', sequence: 9, form: 'number' }, map([1, 1], [2, 9])],
    [{ control: 'pong', sequence: 0, form: 'number' }, map([1, 2])],
    [{ control: 'pong', sequence: 9, form: 'number' }, map([1, 2], [2, 9])],
    [{ control: 'close', form: 'number' }, map([1, 3])],
    [{ control: 'ping', sequence: 0, form: 'text' }, map(['type', 'ping'], ['seq', 0])],
    [{ control: 'pong', sequence: 9, form: 'text' }, map(['type', 'pong'], ['seq', 9])],
    [{ control: 'close', form: 'text' }, map(['type', 'close'], ['reason', ''])],
    [{ control: 'closeAck', form: 'text' }, map(['type', 'close_ack'])],
  ];

  it.each(CONTROLS)('%o', (control, message) => {
    expect(encodeControl(control)).toEqual(message);
    expect(seen(message)).toEqual({ kind: 'control', control });
  });

  it('gives the reason of a close', () => {
    expect(encodeControl({ control: 'close', form: 'text' }, 'restart')).toEqual(map(['type', 'close'], ['reason', 'restart']));
  });

  it('in numbers, the acknowledgement is the close itself', () => {
    expect(encodeControl({ control: 'closeAck', form: 'number' })).toEqual(map([1, 3]));
  });

  it.each([
    [map(['type', 'ping']), 0],
    [map(['type', 'ping'], ['seq', 'x']), 0],
    [map([1, 1], [2, null]), 0],
    [map([1, 1], [2, 0xffff_ffff]), 0xffff_ffff],
  ])('ping %o has sequence %i', (message, sequence) => {
    expect(seen(message)).toMatchObject({ kind: 'control', control: { control: 'ping', sequence } });
  });

  it.each([3, 4, 5])('with key %i it is none', (key) => {
    expect(seen(map([1, 1], [key, 0])).kind).not.toBe('control');
  });

  it.each([map(['type', 'hello']), map(['type', 1]), map(['type', null])])('%o is none', (message) => {
    expect(seen(message)).toEqual({ kind: 'malformed', id: 0, text: 'key 1: a message id is due' });
  });
});

describe('malformed messages keep their id where one can be read', () => {
  it.each<readonly [string, CborValue, number, string]>([
    ['no map', [1, 1, 0, 1], 0, 'a map is due'],
    ['an empty map', map(), 0, 'message id'],
    ['text keys', map(['1', 5], ['2', 1], ['3', 0], ['4', 1]), 0, 'message id'],
    ['a negative id', map([1, -1], [2, 1], [3, 0], [4, 1]), 0, 'message id'],
    ['an id of more than 32 bits', map([1, 2 ** 32], [2, 1], [3, 0], [4, 1]), 0, 'message id'],
    ['a 64-bit id', map([1, WIDE], [2, 1], [3, 0], [4, 1]), 0, 'message id'],
    ['a floating-point id', map([1, new Float(5)], [2, 1], [3, 0], [4, 1]), 0, 'message id'],
    ['no operation', map([1, 9], [3, 0], [4, 1]), 9, 'Missing required field'],
    ['no endpoint', map([1, 9], [2, 1], [4, 1]), 9, 'Missing required field'],
    ['no feature, with a payload', map([1, 9], [2, 1], [3, 0], [5, null]), 9, 'Missing required field'],
    ['nothing but an id', map([1, 9]), 9, 'Missing required field'],
    ['operation 0', map([1, 9], [2, 0], [3, 0], [4, 1]), 9, 'operation'],
    ['operation 256', map([1, 9], [2, 256], [3, 0], [4, 1]), 9, 'operation'],
    ['a text operation', map([1, 9], [2, 'read'], [3, 0], [4, 1]), 9, 'operation'],
    ['endpoint 256', map([1, 9], [2, 1], [3, 256], [4, 1]), 9, 'endpoint'],
    ['endpoint -1', map([1, 9], [2, 1], [3, -1], [4, 1]), 9, 'endpoint'],
    ['endpoint null', map([1, 9], [2, 1], [3, null], [4, 1]), 9, 'endpoint'],
    ['feature 256', map([1, 9], [2, 1], [3, 0], [4, 256]), 9, 'feature'],
    ['a text feature', map([1, 9], [2, 1], [3, 0], [4, '1']), 9, 'feature'],
    ['a status that is no number', map([1, 9], [2, 'ok']), 9, 'Missing required field'],
  ])('%s', (_what, value, id, text) => {
    expect(seen(value)).toEqual({ kind: 'malformed', id, text: expect.stringContaining(text) });
  });
});
