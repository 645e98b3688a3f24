import type { CborKey, CborValue } from '../codec/cbor.js';
import { paceOf } from '../commissioning/attempts.js';
import { PeerError } from '../errors.js';
import { intervalsOf } from '../interaction/subscribe.js';
import { Subscription } from '../interaction/subscription.js';
import type { Profile } from '../profile.js';

/** Behaviours that no number tells: the very tables of the runtime are asked, without a device. */

export interface SubscriptionBehaviour {
  readonly coalesce: 'last_value' | 'all_changes';
  readonly bounceBack: boolean;
  readonly heartbeat: 'full' | 'empty';
  readonly priming: boolean;
  readonly deltaOnly: boolean;
}

/** One subscription to two attributes that change at a virtual time. */
export function subscriptionBehaviour(profile: Profile): SubscriptionBehaviour {
  const values = new Map<number, CborValue>([
    [1, 0],
    [2, 0],
  ]);
  const target = { endpoint: 0, feature: 1, silent: false, read: (id: number) => values.get(id) ?? null };
  const subscription = new Subscription(1, target, [1, 2], { minimum: 10, maximum: 1000 }, profile['subscriptions.coalescing'], 0);
  const set = (value: number, now: number): void => {
    values.set(1, value);
    subscription.mark([1], now);
  };
  const take = (now: number): ReadonlyMap<CborKey, CborValue> => subscription.take(now) ?? new Map();
  const priming = subscription.sent.size === 2;
  set(1, 20);
  set(2, 21);
  const change = take(40);
  set(3, 60);
  set(2, 61);
  const bounced = take(80);
  const heartbeat = take(5000);
  return {
    coalesce: change.get(1) === 2 ? 'last_value' : 'all_changes',
    bounceBack: bounced.size === 0,
    heartbeat: heartbeat.size === 2 ? 'full' : 'empty',
    priming,
    deltaOnly: change.size === 1,
  };
}

/** commissioning-pase §10: whether wrong codes are slowed down. */
export function slowsWrongCodes(profile: Profile): boolean {
  const pace = paceOf(profile);
  for (let attempt = 0; attempt < 20; attempt++) pace.begin(0);
  return pace.delay(0) > 0;
}

/** pics-registry §8.3: intervals in the wrong order are put right, or refused. */
export function correctsIntervals(profile: Profile): boolean {
  try {
    const { minimum, maximum } = intervalsOf(
      new Map([
        [2, 5000],
        [3, 2000],
      ]),
      profile,
    );
    return minimum <= maximum;
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return false;
  }
}
