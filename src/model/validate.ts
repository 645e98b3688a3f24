import { type CborKey, type CborValue, isMap, WideInteger } from '../codec/cbor.js';
import { kindOf } from '../codec/shape.js';
import { utf8Length } from '../codec/utf8.js';
import type { EnumSchema, FieldSchema, IntegerName, ValueType } from './schema.js';

/** A value that does not fit its table: `shape` is answered by status 5, `range` by 11 (features.md, "Forms"). */
export class ValueError extends Error {
  override readonly name = 'ValueError';
  readonly kind: 'shape' | 'range';
  constructor(kind: 'shape' | 'range', message: string) {
    super(message);
    this.kind = kind;
  }
}

const SAFE = Number.MAX_SAFE_INTEGER;

/** What each type holds. Of the 64-bit types a value beyond ±(2⁵³−1) has the right shape, and no quantity of this protocol reaches it. */
const RANGES: Readonly<Record<IntegerName, readonly [minimum: number, maximum: number]>> = {
  uint8: [0, 0xff],
  uint16: [0, 0xffff],
  uint32: [0, 0xffff_ffff],
  uint64: [0, SAFE],
  int16: [-0x8000, 0x7fff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  int64: [-SAFE, SAFE],
};

/** A value of the right shape, and the first of it that is out of its range: judged after authority (features.md, "Forms": 5, 8, 11). */
export interface Examined<T> {
  readonly value: T;
  readonly violation: ValueError | undefined;
}

/**
 * Checks a value that a peer sent and gives it in the form that is stored and sent: keys of maps as integers, absent fields of structs left out.
 * `where` names it in the error. Throws ValueError of kind `shape`.
 */
export function examine(type: ValueType, value: CborValue, where: string): Examined<CborValue> {
  const outside: ValueError[] = [];
  return { value: check(type, value, where, outside), violation: outside[0] };
}

/**
 * The fields of a struct, or the parameters of a command, under their names; integer keys are positions from 1 (protocol.md §3). An optional field may
 * be null and stays so; unknown keys are ignored. Throws ValueError of kind `shape`.
 */
export function examineFields(
  schema: readonly FieldSchema[],
  map: ReadonlyMap<CborKey, CborValue>,
  where: string,
): Examined<Map<string, CborValue>> {
  const outside: ValueError[] = [];
  return { value: checkFields(schema, map, where, outside), violation: outside[0] };
}

/** Throws at a wrong shape; what is out of its range is put `outside`. */
function check(type: ValueType, value: CborValue, where: string, outside: ValueError[]): CborValue {
  switch (type.kind) {
    case 'integer':
      return integer(type, value, where, outside);
    case 'bool':
      if (typeof value !== 'boolean') throw wrong(where, 'a boolean', value);
      return value;
    case 'string':
      if (typeof value !== 'string') throw wrong(where, 'a text', value);
      if (type.maximum !== undefined && utf8Length(value) > type.maximum)
        outside.push(new ValueError('range', `${where}: at most ${type.maximum} bytes are allowed`));
      return value;
    case 'map':
      return map(type, value, where, outside);
    case 'array': {
      if (!Array.isArray(value)) throw wrong(where, 'an array', value);
      const { items } = type;
      const list = value as readonly CborValue[];
      return items === undefined ? list : list.map((item, i) => check(items, item, `${where}[${i}]`, outside));
    }
    case 'struct':
      if (!isMap(value)) throw wrong(where, 'a map', value);
      return checkFields(type.fields, value, where, outside);
  }
}

function checkFields(
  schema: readonly FieldSchema[],
  map: ReadonlyMap<CborKey, CborValue>,
  where: string,
  outside: ValueError[],
): Map<string, CborValue> {
  const values = new Map<string, CborValue>();
  for (let i = 0; i < schema.length; i++) {
    const { name, type, optional } = schema[i] as FieldSchema;
    const [named, placed] = [map.get(name), map.get(i + 1)];
    // Which of the two was meant nobody knows: as with a duplicate key, neither is taken.
    if (named !== undefined && placed !== undefined) throw new ValueError('shape', `${where}: ${name} twice, by name and by position`);
    const value = named === undefined ? placed : named;
    if (value === undefined || value === null) {
      if (optional !== true) throw new ValueError('shape', `${where}: ${name} is missing`);
      if (value === null) values.set(name, null);
    } else values.set(name, check(type, value, `${where}.${name}`, outside));
  }
  return values;
}

function integer(type: Extract<ValueType, { kind: 'integer' }>, value: CborValue, where: string, outside: ValueError[]): CborValue {
  const [least, most] = RANGES[type.name];
  const wide = type.name === 'uint64' || type.name === 'int64';
  if (value instanceof WideInteger && wide && fitsWide(type.name, value)) {
    if (type.measures !== false) outside.push(new ValueError('range', `${where}: beyond every quantity`));
    return value;
  }
  if (typeof value !== 'number') throw wrong(where, `an integer (${type.name})`, value);
  if (!Number.isInteger(value) || value < least || value > most) throw new ValueError('shape', `${where}: ${value} is no ${type.name}`);
  if (type.values !== undefined && !Object.values(type.values).includes(value))
    throw new ValueError('shape', `${where}: there is no value ${value}`);
  if (value < (type.minimum ?? least) || value > (type.maximum ?? most))
    outside.push(new ValueError('range', `${where}: ${value} is outside ${type.minimum ?? least}…${type.maximum ?? most}`));
  return value;
}

/** A WideInteger is 64 bits without the sign: int64 has 63. */
function fitsWide(name: IntegerName, value: WideInteger): boolean {
  return name === 'uint64' ? !value.negative : value.high < 0x8000_0000;
}

function map(type: Extract<ValueType, { kind: 'map' }>, value: CborValue, where: string, outside: ValueError[]): Map<CborKey, CborValue> {
  if (!isMap(value)) throw wrong(where, 'a map', value);
  const checked = new Map<CborKey, CborValue>();
  for (const [given, item] of value) {
    const key = keyOf(type.keys, given);
    if (key === undefined) throw new ValueError('shape', `${where}: there is no key ${given}`);
    if (checked.has(key)) throw new ValueError('shape', `${where}: key ${given} twice`);
    checked.set(key, item === null && type.nullableValues === true ? null : check(type.value, item, `${where}[${given}]`, outside));
  }
  return checked;
}

function keyOf(keys: EnumSchema, given: CborKey): number | undefined {
  if (typeof given === 'string') return Object.hasOwn(keys, given) ? keys[given] : undefined;
  return Object.values(keys).includes(given) ? given : undefined;
}

function wrong(where: string, due: string, value: CborValue): ValueError {
  return new ValueError('shape', `${where}: ${due} is due, not ${kindOf(value)}`);
}
