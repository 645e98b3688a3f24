import type { AttributeSchema, CommandSchema, EnumSchema, FieldSchema, IntegerName, ValueType } from './schema.js';

/** Words to write the tables with. */
interface IntegerOptions {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly values?: EnumSchema;
  readonly unit?: string;
}
function integer(name: IntegerName, options: IntegerOptions = {}): ValueType {
  return { kind: 'integer', name, ...options };
}
export const uint8: ValueType = integer('uint8');
export const uint16: ValueType = integer('uint16');
export const uint32: ValueType = integer('uint32');
export const uint64: ValueType = integer('uint64');
/** A number that stands for something and measures nothing: of all 64 bits, one beyond 2⁵³−1 as `WideInteger`. */
export const code64: ValueType = { kind: 'integer', name: 'uint64', measures: false };
export const int16: ValueType = integer('int16');
export const int32: ValueType = integer('int32');
export const int64: ValueType = integer('int64');
export const bool: ValueType = { kind: 'bool' };
export const text: ValueType = { kind: 'string' };
export const percent: ValueType = integer('uint8', { minimum: 0, maximum: 100 });
export const milliwatts: ValueType = integer('int64', { unit: 'mW' });
export const milliamps: ValueType = integer('int64', { unit: 'mA' });
export const seconds: ValueType = integer('uint32', { unit: 's' });

/** The same type as a quantity of this unit. */
export function measuredIn(unit: string, name: IntegerName): ValueType {
  return integer(name, { unit });
}
export function enumeration(values: EnumSchema): ValueType {
  return integer('uint8', { values });
}
export function ranged(name: IntegerName, minimum: number, maximum: number): ValueType {
  return integer(name, { minimum, maximum });
}
/** At most so many bytes of UTF-8. */
export function boundedText(maximum: number): ValueType {
  return { kind: 'string', maximum };
}
export function mapOf(keys: EnumSchema, value: ValueType): ValueType {
  return { kind: 'map', keys, value };
}
export function arrayOf(items: ValueType): ValueType {
  return { kind: 'array', items };
}
export function struct(name: string, fields: readonly FieldSchema[]): ValueType {
  return { kind: 'struct', name, fields };
}
/** A field that must be there. */
export function field(name: string, type: ValueType): FieldSchema {
  return { name, type };
}
/** A field that may be absent or null. */
export function optional(name: string, type: ValueType): FieldSchema {
  return { name, type, optional: true };
}

interface AttributeOptions {
  readonly unit?: string;
  readonly nullable?: boolean;
  readonly mandatory?: boolean;
  readonly writable?: boolean;
  readonly default?: number | string | boolean;
}

export function attribute(id: number, name: string, type: ValueType, options: AttributeOptions = {}): AttributeSchema {
  const { nullable = false, mandatory = false, writable = false, ...rest } = options;
  return { id, name, type, access: writable ? 'readWrite' : 'readOnly', nullable, mandatory, ...rest };
}

export function command(
  id: number,
  name: string,
  parameters: readonly FieldSchema[],
  options: { readonly mandatory?: boolean; readonly flag?: string; readonly response?: readonly FieldSchema[] } = {},
): CommandSchema {
  const { mandatory = false, response = [], ...rest } = options;
  return { id, name, mandatory, parameters, response, ...rest };
}
