import { describe, expect, it } from 'vitest';
import { type CborValue, Float, WideInteger } from '../../src/codec/cbor.js';
import { dialectOfFirst } from '../../src/dialect/dialect.js';
import { Status, statusName } from '../../src/dialect/messages.js';

describe('the dialect of a first frame', () => {
  it.each<readonly [string, CborValue, 'draft' | 'reference' | undefined]>([
    ['a text under key 1', new Map([[1, 'pase_x']]), 'draft'],
    ['any text under key 1', new Map([[1, '']]), 'draft'],
    ['the integer 1 under key 1', new Map([[1, 1]]), 'reference'],
    ['another message number', new Map([[1, 3]]), undefined],
    ['message 30', new Map([[1, 30]]), undefined],
    ['zero', new Map([[1, 0]]), undefined],
    ['a negative integer', new Map([[1, -1]]), undefined],
    ['1.0', new Map([[1, new Float(1)]]), undefined],
    ['a 64-bit integer', new Map([[1, new WideInteger(false, 0, 1)]]), undefined],
    ['bytes', new Map([[1, Uint8Array.of(1)]]), undefined],
    ['null', new Map([[1, null]]), undefined],
    ['true', new Map([[1, true]]), undefined],
    ['the text key "1"', new Map([['1', 'pase_x']]), undefined],
    ['a control message', new Map([['type', 'close']]), undefined],
    ['an empty map', new Map(), undefined],
    ['an array', [1], undefined],
    ['a text', 'pase_x', undefined],
    ['an integer', 1, undefined],
    ['nothing', null, undefined],
  ])('%s', (_what, value, name) => {
    expect(dialectOfFirst(value)?.name).toBe(name);
  });
});

describe('status names', () => {
  it('are those of commissioning-pase §6.2, and 16', () => {
    const names = ['SUCCESS', 'VERIFICATION_FAILED', 'TIMEOUT', 'ZONE_FULL', 'ALREADY_COMMISSIONED', 'INVALID_CERT', 'STORAGE_ERROR'];
    const more = ['KEY_GENERATION_ERROR', 'INVALID_FORMAT', 'INTERNAL_ERROR'];
    expect(Array.from({ length: 10 }, (_, status) => statusName(status))).toEqual([...names, ...more]);
    expect(statusName(Status.DEVICE_BUSY)).toBe('DEVICE_BUSY');
    expect(Status.DEVICE_BUSY).toBe(16);
    expect(statusName(10)).toBe('status 10');
  });
});
