import { describe, expect, it } from 'vitest';
import { type CborKey, type CborValue, Float, WideInteger } from '../../src/codec/cbor.js';
import { Phase } from '../../src/features/shared.js';
import type { ValueType } from '../../src/model/schema.js';
import {
  arrayOf,
  bool,
  boundedText,
  enumeration,
  field,
  int16,
  int32,
  int64,
  mapOf,
  optional,
  percent,
  ranged,
  struct,
  text,
  uint8,
  uint16,
  uint32,
  uint64,
} from '../../src/model/table.js';
import { examine, examineFields, ValueError } from '../../src/model/validate.js';

const SAFE = Number.MAX_SAFE_INTEGER;
const phases = mapOf(Phase, int64);
const slot = struct('Slot', [field('duration', uint32), optional('power', int64)]);

function kindOf(type: ValueType, value: CborValue): 'fits' | 'shape' | 'range' {
  try {
    const { violation } = examine(type, value, 'it');
    if (violation !== undefined) expect(violation.message).toContain('it');
    return violation?.kind ?? 'fits';
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    expect(error.message).toContain('it');
    return error.kind;
  }
}
function map(...entries: readonly (readonly [CborKey, CborValue])[]): ReadonlyMap<CborKey, CborValue> {
  return new Map(entries);
}

describe('integers', () => {
  it.each<readonly [string, ValueType, number, number]>([
    ['uint8', uint8, 0, 255],
    ['uint16', uint16, 0, 65_535],
    ['uint32', uint32, 0, 0xffff_ffff],
    ['int16', int16, -32_768, 32_767],
    ['int32', int32, -0x8000_0000, 0x7fff_ffff],
  ])('%s: %#', (_name, type, least, most) => {
    expect([kindOf(type, least), kindOf(type, most), kindOf(type, least - 1), kindOf(type, most + 1)]).toEqual([
      'fits',
      'fits',
      'shape',
      'shape',
    ]);
    for (const wrong of ['1', true, new Float(1), [], map(), null, new Uint8Array(1), new WideInteger(false, 1, 0)])
      expect(kindOf(type, wrong)).toBe('shape');
  });

  it('of 64 bits are exact up to 2⁵³−1; beyond it they have the right shape and no meaning', () => {
    expect([kindOf(uint64, SAFE), kindOf(int64, -SAFE), kindOf(uint64, -1)]).toEqual(['fits', 'fits', 'shape']);
    expect(kindOf(uint64, new WideInteger(false, 0xffff_ffff, 0xffff_ffff))).toBe('range');
    expect(kindOf(int64, new WideInteger(true, 0x7fff_ffff, 0xffff_ffff))).toBe('range');
    expect(kindOf(int64, new WideInteger(false, 0x8000_0000, 0))).toBe('shape');
    expect(kindOf(uint64, new WideInteger(true, 0x8000_0000, 0))).toBe('shape');
  });

  it('have the range of their table, and the values of their enumeration', () => {
    expect([99, 100, 101].map((value) => kindOf(percent, value))).toEqual(['fits', 'fits', 'range']);
    expect([7199, 7200, 86_400, 86_401].map((value) => kindOf(ranged('uint32', 7200, 86_400), value))).toEqual([
      'range',
      'fits',
      'fits',
      'range',
    ]);
    expect([0, 255, 1].map((value) => kindOf(enumeration({ A: 0, OTHER: 255 }), value))).toEqual(['fits', 'fits', 'shape']);
  });
});

describe('texts and booleans', () => {
  it('count bytes, not characters', () => {
    expect(kindOf(boundedText(4), 'äö')).toBe('fits');
    expect(kindOf(boundedText(4), 'äöx')).toBe('range');
    expect([kindOf(text, ''), kindOf(text, 5), kindOf(bool, false), kindOf(bool, 0)]).toEqual(['fits', 'shape', 'fits', 'shape']);
  });
});

describe('maps', () => {
  it('take phases as numbers and as letters, and give numbers', () => {
    expect(examine(phases, map([0, 1], ['B', 2], ['C', -3]), 'it').value).toEqual(map([0, 1], [1, 2], [2, -3]));
  });

  it.each<readonly [string, CborValue]>([
    ['a phase that does not exist', map([3, 1])],
    ['a name that does not exist', map(['D', 1])],
    ['a name of Object.prototype', map(['toString', 1])],
    ['one phase under both keys', map([0, 1], ['A', 1])],
    ['a value of another type', map([0, 'x'])],
    ['null where none may be', map([0, null])],
    ['an array', [1, 2, 3]],
  ])('refuse %s', (_what, value) => {
    expect(kindOf(phases, value)).toBe('shape');
  });

  it('take null where the table says so', () => {
    expect(kindOf({ kind: 'map', keys: Phase, value: int64, nullableValues: true }, map([0, null]))).toBe('fits');
  });
});

describe('arrays and structs', () => {
  it('are judged item by item', () => {
    expect(examine(arrayOf(slot), [map(['duration', 5], ['power', null]), map([1, 6], [2, -7], ['new', 1])], 'it').value).toEqual([
      map(['duration', 5], ['power', null]),
      map(['duration', 6], ['power', -7]),
    ]);
    expect(kindOf(arrayOf(slot), [map(['power', 1])])).toBe('shape');
    expect(kindOf(arrayOf(slot), [map(['duration', 1]), 5])).toBe('shape');
    expect(kindOf(arrayOf(percent), [1, 101])).toBe('range');
    expect(kindOf(arrayOf(uint8), new Map())).toBe('shape');
  });
});

describe('parameters', () => {
  const table = [optional('limit', int64), field('cause', uint8)];

  it('come by name or by position, from 1', () => {
    expect(examineFields(table, map(['limit', 1], ['cause', 2]), 'it').value).toEqual(map(['limit', 1], ['cause', 2]));
    expect(examineFields(table, map([1, 1], [2, 2], [9, 9]), 'it').value).toEqual(map(['limit', 1], ['cause', 2]));
  });

  it('that are optional are absent or null, and the two differ', () => {
    expect(examineFields(table, map(['cause', 2]), 'it').value.has('limit')).toBe(false);
    expect(examineFields(table, map(['limit', null], ['cause', 2]), 'it').value.get('limit')).toBeNull();
  });

  it('given by name and by position are refused, null too: which was meant nobody knows', () => {
    for (const both of [map(['limit', null], [1, 5], ['cause', 2]), map(['limit', 5], [1, 5], ['cause', 2]), map(['cause', 2], [2, null])])
      expect(() => examineFields(table, both, 'it')).toThrow(expect.objectContaining({ kind: 'shape' }));
    expect(kindOf(slot, map(['duration', 5], [1, 6]))).toBe('shape');
  });

  it('features.md, "Forms": of several wrong values a wrong shape decides before a range, wherever it stands', () => {
    const kind = (given: ReturnType<typeof map>): unknown => {
      try {
        return examineFields([optional('limit', int64), field('share', percent), optional('slots', arrayOf(slot))], given, 'it').violation
          ?.kind;
      } catch (error) {
        return (error as ValueError).kind;
      }
    };
    const beyond = new WideInteger(false, 0x7fff_ffff, 0);
    expect(kind(map(['limit', beyond], ['share', 5]))).toBe('range');
    expect(kind(map(['limit', beyond]))).toBe('shape');
    expect(kind(map(['share', 101], ['slots', [map(['duration', 5])]]))).toBe('range');
    expect(kind(map(['share', 101], ['slots', [map(['duration', 5], ['power', beyond]), map(['duration', 'x'])]]))).toBe('shape');
    expect(kindOf(arrayOf(percent), [101, 'x'])).toBe('shape');
  });

  it('that are required are neither', () => {
    for (const given of [map(['limit', 1]), map(['cause', null]), map(['cause', 'x'])])
      expect(() => examineFields(table, given, 'it')).toThrow(ValueError);
  });
});
