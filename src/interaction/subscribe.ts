import { type CborKey, type CborMap, type CborValue, isMap } from '../codec/cbor.js';
import { integerAt, mapOf, ShapeError, smallIntegers } from '../codec/shape.js';
import { PeerError } from '../errors.js';
import type { Caller } from '../model/feature.js';
import type { Feature } from '../model/model.js';
import { InteractionStatus } from '../model/status.js';
import type { Profile } from '../profile.js';
import type { Request, Response } from '../session/wire.js';
import type { Intervals } from './subscription.js';
import type { Subscriptions } from './subscriptions.js';

const DEFAULT_MINIMUM = 1000;
const DEFAULT_MAXIMUM = 60_000;
const LONGEST_INTERVAL = 0xffff_ffff;
/** Attributes that one subscription may list. */
export const MAX_LISTED = 100;
/** Where no range is given, an interval below this counts as this: no peer makes the device send without a pause. */
const PULSE = 100;

const NOTHING: CborMap = new Map();

/** `{1?:[ids], 2?:min, 3?:max}` (protocol.md §3): priming is in the response alone. Throws with the reason. */
export function answerSubscribe(
  feature: Feature,
  request: Request,
  caller: Caller,
  subscriptions: Subscriptions,
  profile: Profile,
): { readonly response: Response; readonly id: number } {
  const payload = request.payload === undefined || request.payload === null ? NOTHING : mapOf(request.payload, 'subscribe payload');
  const listed = payload.get(1) ?? null;
  const ids = listed === null ? [] : smallIntegers(listed, 'subscribe payload key 1', 0xffff);
  const intervals = intervalsOf(payload, profile);
  if (ids.length > MAX_LISTED) throw new PeerError(InteractionStatus.RESOURCE_EXHAUSTED, `more than ${MAX_LISTED} attributes`);
  const unknown = ids.find((id) => !feature.has(id));
  if (unknown !== undefined && profile['subscriptions.unknownAttribute'] === 'refuse')
    throw new PeerError(InteractionStatus.UNKNOWN_ATTRIBUTE, `attribute ${unknown} not found`);
  const attributes =
    ids.length === 0
      ? feature.attributeIds
      : Uint16Array.from(new Set(ids))
          .filter((id) => feature.has(id))
          .sort();
  const target = {
    endpoint: feature.endpoint,
    feature: feature.id,
    silent: feature.instance.silent === true,
    read: (id: number) => feature.read(id, caller) ?? null,
  };
  const subscription = subscriptions.add(target, attributes, intervals);
  if (subscription === undefined) throw new PeerError(InteractionStatus.RESOURCE_EXHAUSTED, 'too many subscriptions');
  const answer = new Map<CborKey, CborValue>([
    [1, subscription.id],
    [2, subscription.sent],
  ]);
  return { response: { id: request.id, status: InteractionStatus.SUCCESS, payload: answer }, id: subscription.id };
}

/** A subscribe on endpoint 0, feature 0 with `{1:subscription}` (protocol.md §3). */
export function isUnsubscribe(request: Request): boolean {
  return request.endpoint === 0 && request.feature === 0 && isMap(request.payload);
}

/** Throws with the reason: an unknown id is status 5. */
export function answerUnsubscribe(request: Request, subscriptions: Subscriptions): Response {
  const id = integerAt(mapOf(request.payload, 'unsubscribe payload'), 1, 'unsubscribe payload key 1, subscription');
  if (!subscriptions.remove(id)) throw new ShapeError(`subscription ${id} not found`);
  return { id: request.id, status: InteractionStatus.SUCCESS };
}

/** What a subscriber may ask for, ms (pics-registry §8.2); minInterval may be as short as it likes. `ordered`: what fits into 32 bits. */
export function intervalBounds(profile: Profile): {
  readonly longestMinimum: number;
  readonly shortestMaximum: number;
  readonly longestMaximum: number;
} {
  return profile['subscriptions.intervals'] === 'ordered'
    ? { longestMinimum: LONGEST_INTERVAL, shortestMaximum: 1, longestMaximum: LONGEST_INTERVAL }
    : { longestMinimum: 3_600_000, shortestMaximum: 1000, longestMaximum: 86_400_000 };
}

// features.md §6: 0 or absent are the defaults; `ranged` refuses with 11, `ordered` only min > max, with 13.
export function intervalsOf(payload: CborMap, profile: Profile): Intervals {
  const minimum = intervalAt(payload, 2, 'minInterval') || DEFAULT_MINIMUM;
  const maximum = intervalAt(payload, 3, 'maxInterval') || DEFAULT_MAXIMUM;
  if (profile['subscriptions.intervals'] === 'ordered') {
    if (minimum > maximum)
      throw new PeerError(InteractionStatus.RESOURCE_EXHAUSTED, `minInterval ${minimum} is above maxInterval ${maximum}`);
    return { minimum, maximum: Math.max(PULSE, maximum) };
  }
  const { longestMinimum, shortestMaximum, longestMaximum } = intervalBounds(profile);
  if (minimum > longestMinimum) throw new PeerError(InteractionStatus.CONSTRAINT, `minInterval ${minimum} is above ${longestMinimum} ms`);
  if (maximum < shortestMaximum || maximum > longestMaximum)
    throw new PeerError(InteractionStatus.CONSTRAINT, `maxInterval ${maximum} is outside ${shortestMaximum}…${longestMaximum} ms`);
  if (minimum > maximum) throw new PeerError(InteractionStatus.CONSTRAINT, `minInterval ${minimum} is above maxInterval ${maximum}`);
  return { minimum, maximum };
}

function intervalAt(payload: CborMap, key: number, name: string): number {
  return (payload.get(key) ?? null) === null ? 0 : integerAt(payload, key, name, 0, LONGEST_INTERVAL);
}
