import { describe, expect, it } from 'vitest';
import type { CborKey, CborValue } from '../../src/codec/cbor.js';
import { PeerError, StoreError } from '../../src/errors.js';
import { Exchange } from '../../src/interaction/exchange.js';
import { Notifier } from '../../src/interaction/notifier.js';
import { Subscriptions } from '../../src/interaction/subscriptions.js';
import type { Caller, CommandOutcome, FeatureInstance, ReportChange } from '../../src/model/feature.js';
import { DeviceModel } from '../../src/model/model.js';
import { attribute, boundedText, command, enumeration, field, int64, optional, ranged, uint8 } from '../../src/model/table.js';
import { makeProfile, type ProfileName } from '../../src/profile.js';
import type { Response } from '../../src/session/wire.js';
import { settle, VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';

type Parameters = ReadonlyMap<string, CborValue>;

/** A feature with everything that can be refused; 30 is the asking zone's own. */
class Sample implements FeatureInstance {
  readonly schema = {
    id: 5,
    name: 'Sample',
    attributes: [
      attribute(1, 'state', uint8),
      attribute(10, 'limit', int64, { writable: true, nullable: true }),
      attribute(11, 'duration', ranged('uint32', 7200, 86_400), { writable: true }),
      attribute(12, 'label', boundedText(4), { writable: true, nullable: true }),
      attribute(30, 'mine', int64, { nullable: true }),
      attribute(40, 'unlisted', uint8, { writable: true }),
    ],
    commands: [
      command(1, 'set', [optional('limit', int64), field('cause', enumeration({ A: 0, B: 1 }))]),
      command(2, 'off', [field('x', uint8)]),
      command(3, 'slow', []),
    ],
  };
  readonly attributes = [1, 10, 11, 12, 30];
  readonly commands = [1, 3];
  readonly values = new Map<number, CborValue>([
    [1, 1],
    [10, null],
    [11, 7200],
    [12, null],
  ]);
  readonly calls: [number, Parameters][] = [];
  readonly slow: ((outcome?: CommandOutcome) => void)[] = [];
  failure: Error | undefined;
  #report: ReportChange = () => {};

  attach(report: ReportChange): void {
    this.#report = report;
  }
  read(id: number, caller: Caller): CborValue {
    return id === 30 ? caller.priority : (this.values.get(id) ?? null);
  }
  checkWrite(id: number, value: CborValue): void {
    if (id === 10 && value === 666) throw new PeerError(8, 'not you');
  }
  write(values: ReadonlyMap<number, CborValue>): void | Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    for (const [id, value] of values) this.values.set(id, value);
    this.#report([...values.keys()]);
  }
  invoke(id: number, parameters: Parameters): CommandOutcome | undefined | Promise<CommandOutcome | undefined> {
    this.calls.push([id, parameters]);
    if (id === 3) return new Promise((resolve) => this.slow.push(resolve));
    if (parameters.get('limit') === -1) throw new PeerError(11, 'negative');
    if (parameters.get('limit') === -2) throw new TypeError('a bug');
    this.values.set(10, parameters.get('limit') ?? null);
    this.#report([10]);
    return undefined;
  }
  changeMine(zone: string): void {
    this.#report([30], zone);
  }
}

function world(profileName: ProfileName = 'draft') {
  const clock = new VirtualClock();
  const log = new MemoryLog();
  const sample = new Sample();
  const model = new DeviceModel([{ id: 1, type: 5, featureMap: 1, features: [sample] }]);
  const notifier = new Notifier(model);
  const profile = makeProfile(profileName);
  /** Everything that left, in its order: `zone: response id/status` and `zone! values`. */
  const sent: string[] = [];
  const connect = (id: string, priority: number) => {
    const subscriptions = new Subscriptions(clock, profile['subscriptions.coalescing'], ({ values }) => {
      sent.push(`${id}! ${JSON.stringify([...values])}`);
      return 'sent';
    });
    const exchange = new Exchange({ model, profile, clock, log, notifier }, { id, type: 3, priority }, subscriptions);
    let last: Response | undefined;
    let number = 0;
    return {
      exchange,
      subscriptions,
      ask: (operation: number, payload?: CborValue, endpoint = 1, feature = 5): Response => {
        number += 1;
        last = undefined;
        exchange.onRequest({ id: number, operation, endpoint, feature, payload }, (response) => {
          last = response;
          sent.push(`${id}: ${response.id}/${response.status}`);
        });
        return last ?? { id: 0, status: -1 };
      },
    };
  };
  return { clock, log, sample, notifier, sent, a: connect('A', 1), b: connect('B', 2) };
}
function map(...entries: readonly (readonly [CborKey, CborValue])[]): ReadonlyMap<CborKey, CborValue> {
  return new Map(entries);
}
const WRITE = 2;
const SUBSCRIBE = 3;
const INVOKE = 4;

describe('write', () => {
  it('makes all values hold and reads them back; null to a nullable attribute too (TC-NULL-001)', () => {
    const { a } = world();
    expect(a.ask(WRITE, map([12, 'ab'], [10, 5]))).toEqual({ id: 1, status: 0, payload: map([10, 5], [12, 'ab']) });
    expect(a.ask(WRITE, map([10, null]))).toEqual({ id: 2, status: 0, payload: map([10, null]) });
    expect(a.ask(WRITE, map()).status).toBe(0);
  });

  it.each<readonly [string, CborValue | undefined, number]>([
    ['no payload', undefined, 5],
    ['an array', [10], 5],
    ['text keys', map(['limit', 1]), 5],
    ['a negative id', map([-1, 1]), 5],
    ['an unknown attribute', map([99, 1]), 3],
    ['one that is not listed', map([40, 1]), 3],
    ['0xFFFD', map([0xfffd, 1]), 3],
    ['a read-only attribute, whatever the value', map([1, 'x']), 6],
    ['a global', map([0xfffb, 1]), 6],
    ['another type', map([10, 'x']), 5],
    ['null where it may not be', map([11, null]), 11],
    ['out of range', map([11, 1]), 11],
    ['too long', map([12, 'abcde']), 11],
    ['what the feature refuses', map([10, 666]), 8],
  ])('%s: %#', (_what, payload, status) => {
    const { a, sample } = world();
    expect(a.ask(WRITE, payload).status).toBe(status);
    expect([sample.values.get(10), sample.values.get(11), sample.values.get(12)]).toEqual([null, 7200, null]);
  });

  it('is all or nothing, and the lowest id that fails decides, in whatever order they came', () => {
    const { a, sample } = world();
    expect(a.ask(WRITE, map([99, 1], [11, 1], [12, 5], [10, 3])).status).toBe(11);
    expect(a.ask(WRITE, map([12, 5], [1, 1], [10, 3])).status).toBe(6);
    expect(a.ask(WRITE, map([99, 1], [10, 666])).status).toBe(8);
    expect(sample.values.get(10)).toBeNull();
  });

  it('that cannot be stored is status 13, and logged', async () => {
    const { a, sample, sent, log } = world();
    sample.failure = new StoreError('full', 'no room');
    a.ask(WRITE, map([10, 5]));
    await settle();
    expect(sent).toEqual(['A: 1/13']);
    expect(log.lines.map(({ level }) => level)).toEqual(['error']);
  });
});

describe('invoke', () => {
  it.each<readonly [string, CborValue]>([
    ['names', map([1, 1], [2, map(['limit', 5], ['cause', 1])])],
    ['positions', map([1, 1], [2, map([1, 5], [2, 1])])],
  ])('takes parameters by %s', (_what, payload) => {
    const { a, sample } = world();
    expect(a.ask(INVOKE, payload)).toEqual({ id: 1, status: 0, payload: map(['success', true]) });
    expect(sample.calls).toEqual([[1, map(['limit', 5], ['cause', 1])]]);
  });

  it.each<readonly [string, CborValue | undefined, number]>([
    ['no payload', undefined, 5],
    ['no command', map([2, map()]), 5],
    ['a command that does not exist, before its shape', map([1, 9], [2, 'x']), 4],
    ['one that is not supported here, before its shape', map([1, 2], [2, map()]), 10],
    ['parameters that are no map', map([1, 1], [2, [1]]), 5],
    ['a parameter missing', map([1, 1]), 5],
    ['a required parameter null', map([1, 1], [2, map(['cause', null])]), 5],
    ['a parameter of another type', map([1, 1], [2, map(['cause', 'A'])]), 5],
    ['no such enum value', map([1, 1], [2, map(['cause', 7])]), 5],
    ['a value that the feature refuses', map([1, 1], [2, map(['cause', 0], ['limit', -1])]), 11],
    ['a bug', map([1, 1], [2, map(['cause', 0], ['limit', -2])]), 13],
  ])('%s: %#', (_what, payload, status) => {
    const { a } = world();
    expect(a.ask(INVOKE, payload).status).toBe(status);
  });

  it('looks for the endpoint first, then the feature', () => {
    const { a } = world();
    expect([a.ask(INVOKE, undefined, 9, 9).status, a.ask(INVOKE, undefined, 1, 9).status]).toEqual([1, 2]);
    expect([a.ask(WRITE, undefined, 9, 9).status, a.ask(SUBSCRIBE, 'x', 9, 9).status, a.ask(7).status]).toEqual([1, 1, 10]);
  });
});

describe('subscribe', () => {
  it('whose priming report is larger than the peer takes leaves no subscription behind', () => {
    const { a } = world();
    a.exchange.onRequest({ id: 1, operation: SUBSCRIBE, endpoint: 1, feature: 5, payload: undefined }, (_response, onTooLarge) =>
      onTooLarge?.(),
    );
    expect(a.subscriptions.count).toBe(0);
    expect(a.ask(SUBSCRIBE).status).toBe(0);
    expect(a.subscriptions.count).toBe(1);
  });
});

describe('a slow command', () => {
  const SLOW = map([1, 3]);

  it('holds up its own connection, in the order of requests, and no other', async () => {
    const { a, b, sample, sent } = world();
    a.ask(INVOKE, SLOW);
    a.ask(WRITE, map([10, 5]));
    a.ask(1, [10]);
    b.ask(1, [10]);
    expect(sent).toEqual(['B: 1/0']);
    expect(sample.values.get(10)).toBeNull();
    sample.slow[0]?.();
    await settle();
    expect(sent).toEqual(['B: 1/0', 'A: 1/0', 'A: 2/0', 'A: 3/0']);
  });

  it('makes the thirty-third waiting request BUSY', () => {
    const { a, sent } = world();
    a.ask(INVOKE, SLOW);
    for (let i = 0; i < 32; i++) a.ask(1, [10]);
    expect(sent).toEqual([]);
    expect(a.ask(1, [10]).status).toBe(9);
  });

  it('is answered with TIMEOUT after 30 s, and what follows goes on', async () => {
    const { a, sample, sent, clock } = world();
    a.ask(INVOKE, SLOW);
    a.ask(1, [10]);
    await clock.advance(29_999);
    expect(sent).toEqual([]);
    await clock.advance(1);
    expect(sent).toEqual(['A: 1/12', 'A: 2/0']);
    let after = 0;
    sample.slow[0]?.({ afterResponse: () => after++ });
    await settle();
    expect([sent.length, after]).toEqual([2, 1]);
  });

  it('is not answered on a connection that has gone, yet finished', async () => {
    const { a, sample, sent } = world();
    a.ask(INVOKE, SLOW);
    a.ask(1, [10]);
    a.exchange.close();
    let after = 0;
    sample.slow[0]?.({ afterResponse: () => after++ });
    await settle();
    expect([sent, after]).toEqual([[], 1]);
  });

  it('whose last step fails is answered all the same, and so is what waits behind it', async () => {
    const { a, sample, sent } = world();
    a.ask(INVOKE, SLOW);
    a.ask(1, [10]);
    sample.slow[0]?.({
      afterResponse: () => {
        throw new TypeError('planted');
      },
    });
    await settle();
    expect(sent).toEqual(['A: 1/0', 'A: 2/0']);
  });

  it('does its last step right after its response', async () => {
    const { a, sample, sent } = world();
    a.ask(INVOKE, SLOW);
    sample.slow[0]?.({ values: map(['removed', true]), afterResponse: () => sent.push('closed') });
    await settle();
    expect(sent).toEqual(['A: 1/0', 'closed']);
  });
});

describe('notifications around a response', () => {
  it('others first, then the response, then the writer’s own', async () => {
    const { a, b, clock, sent } = world();
    a.ask(SUBSCRIBE, map([1, [10]]));
    b.ask(SUBSCRIBE, map([1, [10]]));
    await clock.advance(1000);
    sent.length = 0;
    b.ask(WRITE, map([10, 7]));
    expect(sent).toEqual(['A! [[10,7]]', 'B: 2/0', 'B! [[10,7]]']);
    sent.length = 0;
    a.ask(INVOKE, map([1, 1], [2, map(['cause', 0], ['limit', 8])]));
    expect(sent).toEqual(['A: 2/0']);
    await clock.advance(1000);
    expect(sent[0]).toBe('A: 2/0');
    expect(sent.slice(1).sort()).toEqual(['A! [[10,8]]', 'B! [[10,8]]']);
  });

  it('of one zone’s own attributes go to it alone (TC-SUB-12)', async () => {
    const { a, b, clock, sample, sent } = world();
    for (const zone of [a, b]) expect(zone.ask(SUBSCRIBE, map([1, [30]])).status).toBe(0);
    await clock.advance(1000);
    sent.length = 0;
    sample.changeMine('B');
    await clock.advance(0);
    expect(sent).toEqual([]);
    await clock.advance(59_000);
    expect(sent).toEqual(['A! [[30,1]]', 'B! [[30,2]]']);
  });

  it('end with the connection, and with the notifier', async () => {
    const { a, b, clock, notifier, sent } = world();
    a.ask(SUBSCRIBE);
    b.ask(SUBSCRIBE);
    a.exchange.close();
    sent.length = 0;
    await clock.advance(60_000);
    expect(sent).toHaveLength(1);
    notifier.close();
    await clock.advance(200_000);
    expect([sent.length, clock.pending()]).toEqual([1, []]);
  });
});

describe('subscribe', () => {
  it.each<readonly [string, CborValue | undefined, number, number]>([
    ['nothing', undefined, 0, 0],
    ['null', null, 0, 0],
    ['{}', map(), 0, 0],
    ['zeroes', map([1, []], [2, 0], [3, 0]), 0, 0],
    ['nulls', map([1, null], [2, null], [3, null]), 0, 0],
    ['an id twice and globals', map([1, [1, 1, 0xfffc]]), 0, 0],
    ['an array', [1], 5, 5],
    ['text', map([1, 'x']), 5, 5],
    ['a negative interval', map([2, -1]), 5, 5],
    ['an unknown attribute', map([1, [1, 99]]), 3, 0],
    ['TC-SUB-9: min > max', map([2, 60_000], [3, 1000]), 11, 13],
    ['min > the default max', map([2, 60_001]), 11, 13],
    ['min of an hour', map([2, 3_600_000], [3, 3_600_000]), 0, 0],
    ['min above an hour', map([2, 3_600_001], [3, 4_000_000]), 11, 0],
    ['max of a second', map([2, 1], [3, 1000]), 0, 0],
    ['max below a second', map([2, 1], [3, 999]), 11, 0],
    ['max of a day', map([3, 86_400_000]), 0, 0],
    ['max above a day', map([3, 86_400_001]), 11, 0],
    ['100 listed ids', map([1, Array.from({ length: 100 }, () => 1)]), 0, 0],
    ['101 listed ids', map([1, Array.from({ length: 101 }, () => 1)]), 13, 13],
  ])('%s: %#', (_what, payload, draft, reference) => {
    expect([world().a.ask(SUBSCRIBE, payload).status, world('reference').a.ask(SUBSCRIBE, payload).status]).toEqual([draft, reference]);
  });

  it('TC-SUB-7: without ids all attributes, null ones and globals included', () => {
    const { a } = world();
    const payload = a.ask(SUBSCRIBE).payload as ReadonlyMap<CborKey, CborValue>;
    expect(payload.get(1)).toBe(1);
    expect(payload.get(2)).toEqual(
      map(
        [1, 1],
        [10, null],
        [11, 7200],
        [12, null],
        [30, 1],
        [0xfffa, [1, 3]],
        [0xfffb, [1, 10, 11, 12, 30, 0xfffa, 0xfffb, 0xfffc]],
        [0xfffc, 1],
      ),
    );
  });

  it('skips what it does not know in profile reference', () => {
    const payload = world('reference').a.ask(SUBSCRIBE, map([1, [99, 1]])).payload as ReadonlyMap<CborKey, CborValue>;
    expect(payload.get(2)).toEqual(map([1, 1]));
  });

  it('takes 50, refuses the 51st with 13, and takes it after an unsubscribe', () => {
    const { a, b } = world();
    for (let i = 0; i < 50; i++) expect(a.ask(SUBSCRIBE).status).toBe(0);
    expect(a.ask(SUBSCRIBE).status).toBe(13);
    expect(b.ask(SUBSCRIBE).status).toBe(0);
    expect(a.ask(SUBSCRIBE, map([1, 9]), 0, 0)).toEqual({ id: 52, status: 0 });
    expect(a.ask(SUBSCRIBE, map([1, 9]), 0, 0).status).toBe(5);
    expect(a.ask(SUBSCRIBE, map([1, 'x']), 0, 0).status).toBe(5);
    expect(a.ask(SUBSCRIBE).status).toBe(0);
  });

  it('pulses at most every 100 ms where any maxInterval is taken', async () => {
    const { a, clock, sent } = world('reference');
    a.ask(SUBSCRIBE, map([2, 1], [3, 1]));
    await clock.advance(1000);
    expect(sent).toHaveLength(11);
  });
});
