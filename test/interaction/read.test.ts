import { describe, expect, it } from 'vitest';
import { type CborKey, type CborValue, Float, WideInteger } from '../../src/codec/cbor.js';
import { answerRequest } from '../../src/interaction/read.js';
import { DeviceModel } from '../../src/model/model.js';
import type { Response } from '../../src/session/wire.js';

let power = 100;
const model = new DeviceModel([
  {
    id: 0,
    type: 0,
    featureMap: 0x0b,
    features: [
      {
        id: 1,
        name: 'DeviceInfo',
        commands: [],
        attributes: [
          { id: 2, name: 'b', access: 'readOnly', nullable: false, read: () => 'two' },
          { id: 1, name: 'a', access: 'readOnly', nullable: false, read: () => 'one' },
          { id: 11, name: 'c', access: 'readOnly', nullable: true, read: () => null },
        ],
      },
    ],
  },
  {
    id: 7,
    type: 5,
    featureMap: 0x05,
    features: [
      {
        id: 2,
        name: 'Measurement',
        commands: [
          { id: 9, name: 'late' },
          { id: 3, name: 'early' },
        ],
        attributes: [{ id: 1, name: 'acActivePower', access: 'readOnly', nullable: false, read: () => power }],
      },
    ],
  },
]);

const ALL = new Map<CborKey, CborValue>([
  [1, 'one'],
  [2, 'two'],
  [11, null],
  [0xfffa, []],
  [0xfffb, [1, 2, 11, 0xfffa, 0xfffb, 0xfffc]],
  [0xfffc, 0x0b],
]);

function read(payload?: CborValue, endpoint = 0, feature = 1, operation = 1, odd: 'refuse' | 'all' = 'refuse'): Response {
  return answerRequest(model, { id: 77, operation, endpoint, feature, payload }, odd);
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
  it('has its own feature map and commands, in order, and values of the moment', () => {
    power = 4711;
    expect(read([1, 0xfffa, 0xfffc], 7, 2).payload).toEqual(
      new Map<CborKey, CborValue>([
        [1, 4711],
        [0xfffa, [3, 9]],
        [0xfffc, 5],
      ]),
    );
    power = 4712;
    expect(read([1], 7, 2).payload).toEqual(new Map([[1, 4712]]));
  });
});
