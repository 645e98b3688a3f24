import { describe, expect, it } from 'vitest';
import type { CborKey, CborMap, CborValue } from '../../src/codec/cbor.js';
import { MAX_REMOTE_SUBSCRIPTIONS, type ReadAnswer, RemoteFeatures, type SubscribeAnswer } from '../../src/interaction/remote-features.js';
import type { Response } from '../../src/session/wire.js';

const map = (...entries: [CborKey, CborValue][]): CborMap => new Map(entries);
const INTERVALS = { minimum: 1000, maximum: 10_000 };

/** A link that keeps what is asked, and its answers for the test to give. */
function remote() {
  const asked: (CborValue | undefined)[][] = [];
  const settles: ((response: Response | undefined) => void)[] = [];
  const features = new RemoteFeatures({
    request: (operation, endpoint, feature, payload, _timeout, settle) => {
      asked.push([operation, endpoint, feature, payload]);
      settles.push(settle);
    },
  });
  const answers: (ReadAnswer | SubscribeAnswer)[] = [];
  const heard: CborMap[] = [];
  const subscribe = (): void =>
    features.subscribe(
      1,
      4,
      [1],
      INTERVALS,
      (values) => heard.push(values),
      (answer) => answers.push(answer),
    );
  const accept = (at: number, id: number): void => settles[at]?.({ id: 1000 + at, status: 0, payload: map([1, id], [2, map([1, 5])]) });
  return { features, asked, settles, answers, heard, subscribe, accept };
}

describe('features of the other end', () => {
  it('reads', () => {
    const { features, asked, settles, answers } = remote();
    features.read(0, 1, [20], (answer) => answers.push(answer));
    expect(asked).toEqual([[1, 0, 1, map([1, [20]])]]);
    settles[0]?.({ id: 1000, status: 0, payload: map([20, []]) });
    expect(answers).toEqual([{ kind: 'values', values: map([20, []]) }]);
  });

  it.each<[string, Response | undefined, string]>([
    ['a refusal', { id: 1000, status: 2, payload: map([1, 'feature not found']) }, 'status 2: feature not found'],
    ['a refusal without a text', { id: 1000, status: 10 }, 'status 10'],
    ['no answer', undefined, 'no answer'],
    ['an answer of the wrong shape', { id: 1000, status: 0, payload: 'x' }, 'a map is due'],
  ])('%s is a failure with its reason, and nothing is kept', (_name, response, reason) => {
    const { features, settles, answers, subscribe, heard } = remote();
    features.read(0, 1, [20], (answer) => answers.push(answer));
    subscribe();
    for (const settle of settles) settle(response);
    expect(answers).toMatchObject([
      { kind: 'failed', reason: expect.stringContaining(reason) },
      { kind: 'failed', reason: expect.stringContaining(reason) },
    ]);
    features.receive({ subscription: 9, endpoint: 1, feature: 4, values: map() });
    expect(heard).toEqual([]);
  });

  it('hears each notification of its subscription until it gives it up', () => {
    const { features, asked, answers, heard, subscribe, accept } = remote();
    subscribe();
    accept(0, 9);
    expect(answers).toEqual([{ kind: 'subscribed', subscription: 9, values: map([1, 5]) }]);
    features.receive({ subscription: 9, endpoint: 1, feature: 4, values: map([1, 6]) });
    features.unsubscribe(9);
    features.unsubscribe(9);
    features.receive({ subscription: 9, endpoint: 1, feature: 4, values: map([1, 7]) });
    expect(heard).toEqual([map([1, 6])]);
    expect(asked.slice(1)).toEqual([[3, 0, 0, map([1, 9])]]);
  });

  it('refuses a subscription id that it has already, without a second owner of it', () => {
    const { answers, subscribe, accept } = remote();
    subscribe();
    subscribe();
    accept(0, 9);
    accept(1, 9);
    expect(answers).toMatchObject([{ kind: 'subscribed' }, { kind: 'failed', reason: 'subscription 9 exists already' }]);
  });

  it('is bounded, what is still being opened included', () => {
    const { asked, answers, subscribe, settles } = remote();
    for (let i = 0; i <= MAX_REMOTE_SUBSCRIPTIONS; i++) subscribe();
    expect(asked).toHaveLength(MAX_REMOTE_SUBSCRIPTIONS);
    expect(answers).toEqual([{ kind: 'failed', reason: 'too many subscriptions' }]);
    settles[0]?.(undefined);
    subscribe();
    expect(asked).toHaveLength(MAX_REMOTE_SUBSCRIPTIONS + 1);
  });

  it('tells nothing after its end', () => {
    const { features, answers, heard, subscribe, accept, settles } = remote();
    subscribe();
    accept(0, 9);
    features.read(0, 1, [20], (answer) => answers.push(answer));
    features.close();
    settles[1]?.(undefined);
    features.receive({ subscription: 9, endpoint: 1, feature: 4, values: map() });
    expect([answers.length, heard.length]).toEqual([1, 0]);
  });
});
