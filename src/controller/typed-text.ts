import type { CborKey, CborValue } from '../codec/cbor.js';
import { ConfigError, closest } from '../errors.js';
import type { EnumSchema, FieldSchema, ValueType } from '../model/schema.js';

/**
 * A value as a command line has it, in the form of the wire; the table says what it is. Names of enumerations in any case; JSON for maps, arrays and
 * structs; `null` where `nullable`. The range is left to the device. Throws ConfigError with `where`, naming the closest right word.
 */
export function parseTyped(type: ValueType | undefined, text: string, where: string, nullable: boolean): CborValue {
  if (text === 'null' && nullable) return null;
  if (type === undefined) return untyped(text, where);
  switch (type.kind) {
    case 'integer':
      return integerOf(type, text, where);
    case 'bool':
      if (text !== 'true' && text !== 'false') throw new ConfigError(where, `'${text}' is neither true nor false`);
      return text === 'true';
    case 'string':
      return text;
    default:
      return fromJson(type, json(text, where), where);
  }
}

/** `key=value` words as the parameters of a command, under their names. Throws ConfigError for what is unknown, missing or given twice. */
export function parseParameters(schema: readonly FieldSchema[] | undefined, words: readonly string[]): Map<string, CborValue> {
  const values = new Map<string, CborValue>();
  for (const word of words) {
    const at = word.indexOf('=');
    if (at < 1) throw new ConfigError('parameter', `'${word}' is not key=value`);
    const given = word.slice(0, at);
    const field = schema?.find(({ name }) => name.toLowerCase() === given.toLowerCase());
    if (schema !== undefined && field === undefined) throw unknownWord('parameter', given, names(schema));
    const name = field?.name ?? given;
    if (values.has(name)) throw new ConfigError(name, 'is given twice');
    values.set(name, parseTyped(field?.type, word.slice(at + 1), name, field === undefined || field.optional === true));
  }
  for (const { name, type, optional } of schema ?? [])
    if (optional !== true && !values.has(name)) throw new ConfigError(name, `is missing: ${name}=${hint(type)}`);
  return values;
}

function integerOf(type: Extract<ValueType, { kind: 'integer' }>, text: string, where: string): number {
  const number = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  if (type.values === undefined)
    throw new ConfigError(where, `'${text}' is not a whole number${type.unit === undefined ? '' : ` of ${type.unit}`}`);
  const value = enumValue(type.values, text);
  if (value === undefined) throw unknownWord(where, text, Object.keys(type.values));
  return value;
}

function fromJson(type: ValueType, value: unknown, where: string): CborValue {
  switch (type.kind) {
    case 'array':
      if (!Array.isArray(value)) throw new ConfigError(where, 'an array is due: [ … ]');
      return value.map((item, i) => (type.items === undefined ? toCbor(item, where) : fromJson(type.items, item, `${where}[${i}]`)));
    case 'map':
      return mapOf(value, where, (key, item) => {
        const number = enumValue(type.keys, key) ?? (/^\d+$/.test(key) ? Number(key) : undefined);
        if (number === undefined) throw unknownWord(where, key, Object.keys(type.keys));
        return [number, item === null ? null : fromJson(type.value, item, `${where}.${key}`)];
      });
    case 'struct':
      return mapOf(value, where, (key, item) => {
        const field = type.fields.find(({ name }) => name === key);
        if (field === undefined) throw unknownWord(where, key, names(type.fields));
        return [key, item === null ? null : fromJson(field.type, item, `${where}.${key}`)];
      });
    case 'integer':
      return typeof value === 'string' ? integerOf(type, value, where) : toCbor(value, where);
    default:
      return toCbor(value, where);
  }
}

/** Without a table: JSON where it is some, else the text itself. */
function untyped(text: string, where: string): CborValue {
  try {
    return toCbor(JSON.parse(text), where);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function toCbor(value: unknown, where: string): CborValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (typeof value === 'number') throw new ConfigError(where, `${value} is not a whole number`);
  if (Array.isArray(value)) return value.map((item) => toCbor(item, where));
  return mapOf(value, where, (key, item) => [key, toCbor(item, where)]);
}

function mapOf(value: unknown, where: string, entry: (key: string, item: unknown) => [CborKey, CborValue]): Map<CborKey, CborValue> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ConfigError(where, 'an object is due: { … }');
  return new Map(Object.entries(value).map(([key, item]) => entry(key, item)));
}

function json(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(where, `'${text}' is not JSON: ${(error as Error).message}`);
  }
}

function enumValue(values: EnumSchema, text: string): number | undefined {
  return Object.entries(values).find(([name]) => name.toLowerCase() === text.toLowerCase())?.[1];
}

function hint(type: ValueType): string {
  if (type.kind === 'integer' && type.values !== undefined) return Object.keys(type.values).join('|');
  return type.kind === 'integer' ? (type.unit ?? 'number') : type.kind === 'string' ? 'text' : type.kind;
}

function names(fields: readonly FieldSchema[]): readonly string[] {
  return fields.map(({ name }) => name);
}

function unknownWord(where: string, text: string, candidates: readonly string[]): ConfigError {
  const nearest = closest(text, candidates);
  return new ConfigError(where, `there is no '${text}'${nearest === undefined ? '' : `; the closest is '${nearest}'`}`);
}
