import { type CborMap, type CborValue, isMap, WideInteger } from '../codec/cbor.js';
import { ConfigError } from '../errors.js';
import { DEVICE_INFO } from '../features/device-info-table.js';
import { Global } from '../model/model.js';
import type { FieldSchema, ValueType } from '../model/schema.js';
import { endpointsText, useCasesText } from './device-info-text.js';
import { attributeName, commandName, namedValues, plain } from './names.js';
import { attributeTable } from './tables.js';

const ENDPOINTS = 20;
const USE_CASES = 21;
/** The year 9999, Unix seconds. */
const LATEST = 253_402_300_799;

/** The protocol's units as people have them: one of ours is 10^digits of theirs. */
const UNITS: Readonly<Record<string, { readonly unit: string; readonly digits: number }>> = {
  mW: { unit: 'kW', digits: 6 },
  mVAR: { unit: 'kvar', digits: 6 },
  mVA: { unit: 'kVA', digits: 6 },
  mWh: { unit: 'kWh', digits: 6 },
  mA: { unit: 'A', digits: 3 },
  mV: { unit: 'V', digits: 3 },
  mHz: { unit: 'Hz', digits: 3 },
  'centi-C': { unit: '°C', digits: 2 },
};

/** `11.04 kW` of 11 040 000 mW; exact. A unit that people have too stays. */
export function formatQuantity(value: number, unit: string): string {
  const known = UNITS[unit];
  return known === undefined ? `${value} ${unit}` : `${shifted(value, known.digits)} ${known.unit}`;
}

/** 11 040 000 of `11.04` and `mW`; exact. Throws ConfigError for what is no decimal number, or finer than the protocol's unit. */
export function parseQuantity(text: string, unit: string, where: string): number {
  const { unit: shown, digits } = UNITS[unit] ?? { unit, digits: 0 };
  const [, sign, whole, fraction = ''] = /^(-?)(\d{1,9})(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined) throw new ConfigError(where, `'${text}' is not a number of ${shown}`);
  if (fraction.length > digits) throw new ConfigError(where, `'${text}' is finer than one ${unit}`);
  const value = Number(whole) * 10 ** digits + Number(fraction.padEnd(digits, '0'));
  return sign === '-' && value !== 0 ? -value : value;
}

/** Values of a feature for people, under the attributes' names: units, names of enumerations, `-` for null. */
export function shownValues(feature: number, values: CborMap): Readonly<Record<string, string>> {
  const shown: Record<string, string> = {};
  for (const [id, value] of values) {
    const attribute = typeof id === 'number' ? attributeTable(feature, id) : undefined;
    const name = typeof id === 'number' ? attributeName(feature, id) : id;
    shown[name] =
      special(feature, id, value) ??
      (attribute === undefined || (attribute.type.kind === 'array' && attribute.type.items === undefined)
        ? text(namedValues(feature, new Map([[id, value]]))[name])
        : formatValue(attribute.type, value, attribute.unit));
  }
  return shown;
}

/** Unix seconds, where the tables have no unit for it; 0 is no time. */
const TIMES: readonly string[] = ['sessionStartTime', 'sessionEndTime', 'evDepartureTime', 'startTime', 'endTime', 'validUntil'];

/** What the tables say too little of: two lists of DeviceInfo, the names of commands, times. */
function special(feature: number, id: number | string, value: CborValue): string | undefined {
  if (typeof id !== 'number') return undefined;
  if (feature === DEVICE_INFO.id && id === ENDPOINTS) return endpointsText(value);
  if (feature === DEVICE_INFO.id && id === USE_CASES) return useCasesText(value);
  if (id === Global.COMMANDS && Array.isArray(value))
    return joined(
      value.map((command: CborValue) => (typeof command === 'number' ? commandName(feature, command) : text(plain(command)))),
      ', ',
    );
  if (TIMES.includes(attributeName(feature, id)) && typeof value === 'number' && value > 0 && value < LATEST)
    return new Date(value * 1000).toISOString();
  return undefined;
}

/** Fields of a result for people, under their names. */
export function shownFields(fields: readonly FieldSchema[], values: CborMap): Readonly<Record<string, string>> {
  const shown: Record<string, string> = {};
  for (const [name, value] of values) {
    const field = fields.find((candidate) => candidate.name === name);
    shown[String(name)] = field === undefined ? text(plain(value)) : formatValue(field.type, value);
  }
  return shown;
}

/** One value for people; as JSON where it is not what its table says. */
export function formatValue(type: ValueType, value: CborValue, unit?: string): string {
  if (value === null) return '-';
  switch (type.kind) {
    case 'integer':
      return formatInteger(type, value, unit ?? type.unit);
    case 'map':
      if (!isMap(value)) break;
      return joined(
        [...value].map(([key, item]) => `${nameOf(type.keys, key)} ${formatValue(type.value, item, unit)}`),
        ', ',
      );
    case 'array': {
      const { items } = type;
      if (!Array.isArray(value) || items === undefined) break;
      return joined(
        value.map((item: CborValue) => formatValue(items, item, unit)),
        items.kind === 'struct' ? '; ' : ', ',
      );
    }
    case 'struct':
      if (!isMap(value)) break;
      return joined(
        Object.entries(shownFields(type.fields, value)).map(([name, shown]) => `${name} ${shown}`),
        ', ',
      );
    default:
      break;
  }
  return text(plain(value));
}

function formatInteger(type: Extract<ValueType, { kind: 'integer' }>, value: CborValue, unit: string | undefined): string {
  if (value instanceof WideInteger || typeof value !== 'number') return text(plain(value));
  if (type.values !== undefined) return nameOf(type.values, value);
  return unit === undefined ? String(value) : formatQuantity(value, unit);
}

function nameOf(names: Readonly<Record<string, number>>, value: number | string): string {
  return Object.entries(names).find(([, candidate]) => candidate === value)?.[0] ?? String(value);
}

function joined(parts: readonly string[], separator: string): string {
  return parts.length === 0 ? 'none' : parts.join(separator);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A whole number with its decimal point moved; no digit is lost or invented. */
function shifted(value: number, digits: number): string {
  const magnitude = String(Math.abs(value)).padStart(digits + 1, '0');
  const fraction = magnitude.slice(-digits).replace(/0+$/, '');
  return `${value < 0 ? '-' : ''}${magnitude.slice(0, -digits)}${fraction === '' ? '' : `.${fraction}`}`;
}
