import { type CborMap, type CborValue, Float, isMap, WideInteger } from '../codec/cbor.js';
import { toHex } from '../codec/hex.js';
import { DEVICE_INFO } from '../features/device-info-table.js';
import { EndpointType } from '../features/endpoint-types.js';
import { FEATURE_TABLES } from '../features/tables.js';
import { Global } from '../model/model.js';
import { featureTable } from './tables.js';

/** Numbers and names of the protocol, for command lines and for printing. */
const FEATURES: readonly (readonly [number, string])[] = [
  ...FEATURE_TABLES.map(({ id, name }) => [id, name] as const),
  [0x0a, 'TestControl'],
];
const ENDPOINT_TYPES = Object.keys(EndpointType);

const GLOBALS: readonly (readonly [number, string])[] = [
  [Global.COMMANDS, 'commandList'],
  [Global.ATTRIBUTES, 'attributeList'],
  [Global.FEATURE_MAP, 'featureMap'],
];

/** Attribute names by feature; the device's own tables tell them. */
const ATTRIBUTES: ReadonlyMap<number, readonly (readonly [number, string])[]> = new Map(
  FEATURE_TABLES.map((table) => [table.id, table.attributes.map(({ id, name }) => [id, name] as const)]),
);
const ENDPOINTS_ATTRIBUTE = 20;

/** `DeviceInfo`, or the number where it has no name. */
export function featureName(id: number): string {
  return nameIn(FEATURES, id) ?? `0x${id.toString(16).padStart(2, '0')}`;
}

/** `serialNumber`, or the number where it has no name. */
export function attributeName(feature: number, id: number): string {
  return nameIn([...(ATTRIBUTES.get(feature) ?? []), ...GLOBALS], id) ?? String(id);
}

/** `EV_CHARGER`, or the number where it has no name. */
export function endpointTypeName(type: number): string {
  return ENDPOINT_TYPES[type] ?? String(type);
}

/** The number of a feature by name (any case) or number (`5`, `0x05`); undefined for what is neither. */
export function featureNumber(text: string): number | undefined {
  return numberIn(FEATURES, text, 0xff);
}

/** The number of an attribute by name (any case) or number. */
export function attributeNumber(feature: number, text: string): number | undefined {
  return numberIn([...(ATTRIBUTES.get(feature) ?? []), ...GLOBALS], text, 0xffff);
}

/** `setLimit`, or the number where it has no name. */
export function commandName(feature: number, id: number): string {
  return nameIn(commands(feature), id) ?? String(id);
}

/** The number of a command by name (any case) or number. */
export function commandNumber(feature: number, text: string): number | undefined {
  return numberIn(commands(feature), text, 0xff);
}

export function commandNames(feature: number): readonly string[] {
  return commands(feature).map(([, name]) => name);
}

export function featureNames(): readonly string[] {
  return FEATURES.map(([, name]) => name);
}

export function attributeNames(feature: number): readonly string[] {
  return [...(ATTRIBUTES.get(feature) ?? []), ...GLOBALS].map(([, name]) => name);
}

/** The values of a Read as plain JSON, under the attributes' names. */
export function namedValues(feature: number, values: CborMap): Readonly<Record<string, unknown>> {
  const named: Record<string, unknown> = {};
  for (const [id, value] of values) {
    const name = typeof id === 'number' ? attributeName(feature, id) : id;
    named[name] = feature === DEVICE_INFO.id && id === ENDPOINTS_ATTRIBUTE ? endpoints(value) : plain(value);
  }
  return named;
}

/** CBOR as JSON: byte strings as hexadecimal, integers beyond 2⁵³ as decimal texts, map keys as texts. */
export function plain(value: CborValue): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (value instanceof WideInteger) {
    const magnitude = (BigInt(value.high) << 32n) + BigInt(value.low);
    return String(value.negative ? -1n - magnitude : magnitude);
  }
  if (value instanceof Float) return value.value;
  if (isMap(value)) return Object.fromEntries([...value].map(([key, inner]) => [String(key), plain(inner)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

/** DeviceInfo attribute 20: `{1:id, 2:type, 3?:label, 4:[features]}` each. Another shape stays as it is. */
function endpoints(value: CborValue): unknown {
  if (!Array.isArray(value)) return plain(value);
  return value.map((item: CborValue) => {
    if (!isMap(item)) return plain(item);
    const type = item.get(2);
    const label = item.get(3);
    const features = item.get(4);
    return {
      id: plain(item.get(1) ?? null),
      type: typeof type === 'number' ? (ENDPOINT_TYPES[type] ?? type) : plain(type ?? null),
      ...(label === undefined ? {} : { label: plain(label) }),
      features: Array.isArray(features) ? features.map((id: CborValue) => (typeof id === 'number' ? featureName(id) : plain(id))) : [],
    };
  });
}

function commands(feature: number): readonly (readonly [number, string])[] {
  return (featureTable(feature)?.commands ?? []).map(({ id, name }) => [id, name]);
}

function nameIn(table: readonly (readonly [number, string])[], id: number): string | undefined {
  return table.find(([candidate]) => candidate === id)?.[1];
}

function numberIn(table: readonly (readonly [number, string])[], text: string, maximum: number): number | undefined {
  if (/^(\d+|0x[\da-f]+)$/i.test(text)) {
    const value = Number(text);
    return value <= maximum ? value : undefined;
  }
  return table.find(([, name]) => name.toLowerCase() === text.toLowerCase())?.[0];
}
