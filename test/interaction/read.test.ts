import { describe, expect, it } from 'vitest';
import { type CborKey, type CborValue, Float, WideInteger } from '../../src/codec/cbor.js';
import { Exchange } from '../../src/interaction/exchange.js';
import { Notifier } from '../../src/interaction/notifier.js';
import { Subscriptions } from '../../src/interaction/subscriptions.js';
import type { Caller, FeatureInstance } from '../../src/model/feature.js';
import { DeviceModel } from '../../src/model/model.js';
import { attribute, command, int64, text } from '../../src/model/table.js';
import { makeProfile } from '../../src/profile.js';
import type { Response } from '../../src/session/wire.js';
import { VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';

let power = 100;
let readings = 0;
const info: FeatureInstance = {
  schema: {
    id: 1,
    name: 'DeviceInfo',
    attributes: [attribute(2, 'b', text), attribute(1, 'a', text), attribute(11, 'c', text, { nullable: true }), attribute(12, 'd', text)],
    commands: [],
  },
  // 12 is in the table and not listed.
  attributes: [2, 1, 11],
  commands: [],
  read: (id) => (id === 1 ? 'one' : id === 2 ? 'two' : null),
};
const measurement: FeatureInstance = {
  schema: {
    id: 2,
    name: 'Measurement',
    attributes: [attribute(1, 'acActivePower', int64)],
    commands: [command(9, 'late', []), command(3, 'early', [])],
  },
  attributes: [1],
  commands: [9, 3],
  read: (_id, caller) => {
    readings += 1;
    return power + caller.priority;
  },
};
const model = new DeviceModel([
  { id: 0, type: 0, featureMap: 0x0b, features: [info] },
  { id: 7, type: 5, featureMap: 0x05, features: [measurement] },
]);
const caller: Caller = { id: 'zone', type: 3, priority: 3 };

const ALL = new Map<CborKey, CborValue>([
  [1, 'one'],
  [2, 'two'],
  [11, null],
  [0xfffa, []],
  [0xfffb, [1, 2, 11, 0xfffa, 0xfffb, 0xfffc]],
  [0xfffc, 0x0b],
]);

function read(payload?: CborValue, endpoint = 0, feature = 1, operation = 1, odd: 'refuse' | 'all' = 'refuse'): Response {
  const clock = new VirtualClock();
  const profile = makeProfile('draft', { 'interaction.oddReadPayload': odd });
  const parts = { model, profile, clock, log: new MemoryLog(), notifier: new Notifier(model) };
  let answer: Response | undefined;
  new Exchange(parts, caller, new Subscriptions(clock, 'sinceLast', () => 'sent')).onRequest(
    { id: 77, operation, endpoint, feature, payload },
    (response) => {
      answer = response;
    },
  );
  return answer ?? expect.fail('no answer in this turn');
}
function ids(...list: readonly number[]): Map<CborKey, CborValue> {
  return new Map(list.map((id) => [id, ALL.get(id) as CborValue]));
}

describe('payloads', () => {
  it('of another shape read all where the profile says so', () => {
    expect(read(32, 0, 1, 1, 'all')).toMatchObject({ id: 77, status: 0, payload: ALL });
  });

  it.each<readonly [string, CborValue | undefined]>([
    ['absent', undefined],
    ['null', null],
    ['[]', []],
    ['{}', new Map()],
    ['{1:[]}', new Map([[1, []]])],
    ['an empty byte string', new Uint8Array(0)],
    ['{1: empty byte string}', new Map([[1, new Uint8Array(0)]])],
  ])('%s: all attributes, null ones and globals included', (_what, payload) => {
    expect(read(payload)).toEqual({ id: 77, status: 0, payload: ALL });
  });

  it.each<readonly [string, CborValue, readonly number[]]>([
    ['[ids]', [2], [2]],
    ['{1:[ids]}', new Map([[1, [11, 1]]]), [1, 11]],
    ['a byte string of ids', Uint8Array.of(1, 2), [1, 2]],
    ['{1: byte string}', new Map([[1, Uint8Array.of(11)]]), [11]],
    ['globals', [0xfffa, 0xfffb, 0xfffc], [0xfffa, 0xfffb, 0xfffc]],
    ['one id twice', [1, 1], [1]],
    [
      '{1:[ids]} and unknown keys',
      new Map<number, CborValue>([
        [1, [1]],
        [2, 'new'],
      ]),
      [1],
    ],
  ])('%s: those', (_what, payload, expected) => {
    expect(read(payload)).toEqual({ id: 77, status: 0, payload: ids(...expected) });
  });

  it.each<readonly [string, CborValue]>([
    ['an integer', 32],
    ['a text', 'all'],
    ['true', true],
    ['a floating-point number', new Float(1)],
    ['a 64-bit integer', new WideInteger(false, 0xffff_ffff, 0)],
    ['{1: integer}', new Map([[1, 1]])],
    ['{1: null}', new Map([[1, null]])],
    ['{2:[ids]}', new Map([[2, [1]]])],
    ['text keys', new Map([['1', [1]]])],
    ['[text]', ['1']],
    ['[null]', [null]],
    ['[-1]', [-1]],
    ['[65536]', [0x10000]],
    ['[[1]]', [[1]]],
    ['[1.0]', [new Float(1)]],
  ])('%s: status 5', (_what, payload) => {
    expect(read(payload)).toEqual({ id: 77, status: 5, payload: new Map([[1, expect.stringContaining('read payload')]]) });
  });
});

describe('a list of one id sixty thousand times', () => {
  it('is one reading: no request of one zone holds up the others', () => {
    readings = 0;
    expect(read(new Uint8Array(60_000).fill(1), 7, 2).status).toBe(0);
    expect(readings).toBe(1);
  });
});

describe('what is not there', () => {
  it.each([1, 6, 99, 255])('endpoint %i: status 1', (endpoint) => {
    expect(read(undefined, endpoint)).toEqual({ id: 77, status: 1, payload: new Map([[1, 'endpoint not found']]) });
  });

  it.each([0, 2, 255])('feature %i: status 2', (feature) => {
    expect(read(undefined, 0, feature)).toEqual({ id: 77, status: 2, payload: new Map([[1, 'feature not found']]) });
  });

  it.each([0, 3, 12, 0xfeff, 0xfff9, 0xfffd, 0xfffe, 0xffff])('attribute %i: status 3', (attribute) => {
    expect(read([1, attribute])).toEqual({ id: 77, status: 3, payload: new Map([[1, `attribute ${attribute} not found`]]) });
  });

  it.each([5, 6, 255])('operation %i: status 10', (operation) => {
    expect(read(undefined, 0, 1, operation).status).toBe(10);
  });

  it('the endpoint is looked for first, then the feature, then the operation', () => {
    expect([read('wrong', 9, 9, 5).status, read('wrong', 0, 9, 5).status, read('wrong', 0, 1, 5).status]).toEqual([1, 2, 10]);
  });
});

describe('another endpoint', () => {
  it('has its own feature map and commands, in order, and values of the moment for this caller', () => {
    power = 4711;
    expect(read([1, 0xfffa, 0xfffc], 7, 2).payload).toEqual(
      new Map<CborKey, CborValue>([
        [1, 4714],
        [0xfffa, [3, 9]],
        [0xfffc, 5],
      ]),
    );
    power = 4712;
    expect(read([1], 7, 2).payload).toEqual(new Map([[1, 4715]]));
  });
});
