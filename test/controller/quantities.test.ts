import { describe, expect, it } from 'vitest';
import { type CborValue, Float, WideInteger } from '../../src/codec/cbor.js';
import { formatQuantity, formatValue, parseQuantity, shownValues } from '../../src/controller/quantities.js';
import { attributeTable, commandTable } from '../../src/controller/tables.js';
import { parseParameters, parseTyped } from '../../src/controller/typed-text.js';

describe('quantities for people', () => {
  it.each([
    [11_040_000, 'mW', '11.04 kW'],
    [-1, 'mW', '-0.000001 kW'],
    [0, 'mW', '0 kW'],
    [16_000, 'mA', '16 A'],
    [230_100, 'mV', '230.1 V'],
    [49_980, 'mHz', '49.98 Hz'],
    [-550, 'centi-C', '-5.5 °C'],
    [12_345_678, 'mWh', '12.345678 kWh'],
    [3, 'mVAR', '0.000003 kvar'],
    [7200, 's', '7200 s'],
    [80, '%', '80 %'],
    [Number.MAX_SAFE_INTEGER, 'mW', '9007199254.740991 kW'],
  ])('%i %s: %s', (value, unit, text) => {
    expect(formatQuantity(value, unit)).toBe(text);
  });

  it.each([
    ['4.2', 4_200_000],
    ['0.000001', 1],
    ['-3', -3_000_000],
    ['-0', 0],
    ['11.040000', 11_040_000],
  ])('%s kW: %i mW', (text, value) => {
    expect(parseQuantity(text, 'mW', 'power')).toBe(value);
  });

  it.each(['', ' 4', '4.', '.5', '4,2', '1e3', '0x10', '4 kW', '1234567890', '0.0000001'])("'%s' is no power", (text) => {
    expect(() => parseQuantity(text, 'mW', 'power')).toThrow(/^power: /);
  });
});

describe('values for people follow from the tables', () => {
  const shown = (feature: number, id: number, value: CborValue): string | undefined =>
    Object.values(shownValues(feature, new Map([[id, value]])))[0];

  it.each<[number, number, CborValue, string]>([
    [5, 2, 3, 'FAILSAFE'],
    [5, 2, 77, '77'],
    [5, 20, null, '-'],
    [5, 10, true, 'true'],
    [
      5,
      30,
      new Map([
        [0, 10_000],
        [2, 6000],
      ]),
      'A 10 A, C 6 A',
    ],
    [5, 30, new Map(), 'none'],
    [5, 0xfffa, [1, 9, 200], 'setLimit, pause, 200'],
    [6, 3, 1_795_633_939, '2026-11-25T19:12:19.000Z'],
    [
      1,
      20,
      [
        new Map<number, CborValue>([
          [1, 1],
          [2, 5],
          [3, 'EV Charger'],
          [4, [2, 5]],
        ]),
      ],
      '1 EV_CHARGER "EV Charger": Status, EnergyControl',
    ],
    [
      1,
      21,
      [
        new Map([
          [1, 1],
          [2, 1],
          [3, 1],
          [4, 0],
          [5, 27],
        ]),
      ],
      '1 GPL 1.0 scenarios 0, 1, 3, 4',
    ],
    [1, 21, [new Map([[1, 1]])], '[{"1":1}]'],
    [5, 30, 'wrong', 'wrong'],
    [5, 20, new Float(1.5), '1.5'],
    [5, 20, new WideInteger(false, 0x8000_0000, 0), '9223372036854775808'],
    [4, 21, new Map([[0, 230_000]]), 'A 230 V'],
    [4, 60, -125, '-1.25 °C'],
    [6, 71, [0, 1], 'OFF, PV_SURPLUS_ONLY'],
    [6, 71, [], 'none'],
    [
      6,
      20,
      [
        new Map<string, CborValue>([
          ['type', 3],
          ['value', 'ab'],
        ]),
      ],
      'type RFID, value ab',
    ],
    [1, 4, 'S-1', 'S-1'],
    [99, 1, 7, '7'],
  ])('%i/%i', (feature, id, value, text) => {
    expect(shown(feature, id, value)).toBe(text);
  });

  it('a value of the wrong shape is shown as it is', () => {
    expect(formatValue({ kind: 'array', items: { kind: 'bool' } }, 4)).toBe('4');
    expect(formatValue({ kind: 'struct', name: 'S', fields: [] }, 4)).toBe('4');
  });
});

describe('values of a command line follow from the tables', () => {
  it.each<[number, number, string, CborValue]>([
    [5, 21, '4200000', 4_200_000],
    [5, 21, '-1', -1],
    [5, 21, 'null', null],
    [5, 3, 'local', 1],
    [5, 3, '9', 9],
    [5, 10, 'true', true],
    [1, 31, '12', '12'],
    [
      5,
      30,
      '{"A":1,"2":null}',
      new Map<number, CborValue>([
        [0, 1],
        [2, null],
      ]),
    ],
    [6, 71, '["OFF",2]', [0, 2]],
    [
      6,
      20,
      '[{"type":"RFID","value":"x"}]',
      [
        new Map<string, CborValue>([
          ['type', 3],
          ['value', 'x'],
        ]),
      ],
    ],
    [1, 20, '[{"a":[1,null,"x"]}]', [new Map([['a', [1, null, 'x']]])]],
  ])('%i/%i %s', (feature, id, text, value) => {
    const table = attributeTable(feature, id);
    expect(parseTyped(table?.type, text, 'value', table?.nullable ?? true)).toEqual(value);
  });

  it('without a table: JSON, or the text itself', () => {
    expect(parseTyped(undefined, '[1,{"a":true}]', 'x', true)).toEqual([1, new Map([['a', true]])]);
    expect(parseTyped(undefined, 'plain', 'x', true)).toBe('plain');
    expect(() => parseTyped(undefined, '1.5', 'x', true)).toThrow('x: 1.5 is not a whole number');
    expect([...parseParameters(undefined, ['a=1', 'b=x=y'])]).toEqual([
      ['a', 1],
      ['b', 'x=y'],
    ]);
  });

  it('names of parameters in any case; an optional one may be null', () => {
    const parameters = commandTable(5, 1)?.parameters;
    expect([...parseParameters(parameters, ['CONSUMPTIONLIMIT=null', 'cause=0'])]).toEqual([
      ['consumptionLimit', null],
      ['cause', 0],
    ]);
  });
});
