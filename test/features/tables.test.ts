import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHARGING_SESSION } from '../../src/features/charging-session-table.js';
import { DEVICE_INFO } from '../../src/features/device-info-table.js';
import { ELECTRICAL } from '../../src/features/electrical-table.js';
import { ENDPOINT_MANDATORY, EndpointType } from '../../src/features/endpoint-types.js';
import { ENERGY_CONTROL } from '../../src/features/energy-control-table.js';
import { MEASUREMENT } from '../../src/features/measurement-table.js';
import { PLAN } from '../../src/features/plan-table.js';
import { SIGNALS } from '../../src/features/signals-table.js';
import { STATUS } from '../../src/features/status-table.js';
import { TARIFF } from '../../src/features/tariff-table.js';
import type { FeatureSchema, FieldSchema, ValueType } from '../../src/model/schema.js';
import { parseYaml, type Yaml } from '../world/simple-yaml.js';

const TABLES: readonly (readonly [file: string, schema: FeatureSchema])[] = [
  ['device-info', DEVICE_INFO],
  ['status', STATUS],
  ['electrical', ELECTRICAL],
  ['measurement', MEASUREMENT],
  ['energy-control', ENERGY_CONTROL],
  ['charging-session', CHARGING_SESSION],
  ['tariff', TARIFF],
  ['signals', SIGNALS],
  ['plan', PLAN],
];

describe('the tables', () => {
  it.each(TABLES)('%s: ids are unique and in their order, names are unique', (_file, { attributes, commands }) => {
    for (const table of [attributes, commands]) {
      const ids = table.map(({ id }) => id);
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
    }
  });

  it('have every feature number once', () => {
    expect(TABLES.map(([, { id }]) => id).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

const DATA = new URL('../../../shared/data/', import.meta.url);
const present = existsSync(new URL('features/_shared.yaml', DATA));
type Row = Readonly<Record<string, Yaml>>;
const rows = (value: Yaml | undefined): readonly Row[] => (Array.isArray(value) ? (value as readonly Row[]) : []);
const read = (file: string): Row => parseYaml(readFileSync(new URL(file, DATA), 'utf8')) as Row;

/** What a type says, in the words of the specification's tables. */
function words(type: ValueType, enums: ReadonlyMap<string, Row>): unknown {
  const named = (values: Readonly<Record<string, number>>): string | undefined => {
    const text = JSON.stringify(values);
    for (const [name, row] of enums)
      if (JSON.stringify(Object.fromEntries(rows(row.values).map((v) => [v.name, v.value]))) === text) return name;
    return undefined;
  };
  switch (type.kind) {
    case 'integer':
      return { type: type.name, enum: type.values === undefined ? undefined : named(type.values), min: type.minimum, max: type.maximum };
    case 'map':
      return { type: 'map', keys: named(type.keys), value: words(type.value, enums) };
    case 'array':
      return { type: 'array', items: type.items === undefined ? undefined : words(type.items, enums) };
    case 'struct':
      return { type: 'object', structName: type.name };
    default:
      return { type: type.kind };
  }
}

function expected(row: Row): unknown {
  switch (row.type) {
    case 'map': {
      const value = String(row.mapValueType ?? 'int64');
      const integer = { enum: undefined, min: undefined, max: undefined };
      return {
        type: 'map',
        keys: row.mapKeyType ?? 'Phase',
        value: value === 'GridPhase' ? { ...integer, type: 'uint8', enum: value } : { ...integer, type: value },
      };
    }
    case 'array':
      return { type: 'array', items: row.items === undefined ? undefined : expected(row.items as Row) };
    case 'object':
      return { type: 'object', structName: row.structName };
    case 'string':
    case 'bool':
      return { type: row.type };
    default:
      return { type: row.type, enum: row.enum, min: row.min, max: row.max };
  }
}

const NOT_IN_THE_DATA: Readonly<Record<string, readonly string[]>> = {
  DeviceInfo: ['listZones'],
  EnergyControl: ['scheduleProcess', 'cancelProcess', 'adjustStartTime'],
};

/** Parameters that features.md makes optional where their table makes them mandatory. */
const OPTIONAL_BY_THE_RULES: Readonly<Record<string, readonly string[]>> = {
  // features.md §5: `{tariffId?, currency, …}`: absent = unchanged.
  setTariff: ['tariffId'],
};

describe.skipIf(!present)(
  `the tables are those of the specification's data${present ? '' : ' (skipped: ../shared/data is not here)'}`,
  () => {
    const shared = rows(present ? read('features/_shared.yaml').enums : []);

    it.each(TABLES)('%s', (file, schema) => {
      const data = read(`features/${file}.yaml`);
      const enums = new Map([...shared, ...rows(data.enums)].map((row) => [String(row.name), row]));
      const number = (row: Row, value: Yaml | undefined): Yaml | undefined =>
        typeof value === 'string' && row.enum !== undefined
          ? rows(enums.get(String(row.enum))?.values).find(({ name }) => name === value)?.value
          : value;
      expect({ id: schema.id, name: schema.name }).toEqual({ id: data.id, name: data.name });
      expect(schema.attributes.map((a) => ({ ...a, type: words(a.type, enums) }))).toEqual(
        rows(data.attributes).map((row) => ({
          id: row.id,
          name: row.name,
          type: expected(row),
          access: row.access,
          nullable: row.nullable ?? false,
          mandatory: row.mandatory ?? false,
          ...(row.unit === undefined ? {} : { unit: row.unit }),
          ...(row.default === undefined ? {} : { default: number(row, row.default) }),
        })),
      );
      const given = (list: readonly FieldSchema[]) =>
        list.map((f) => ({ name: f.name, required: f.optional !== true, ...(words(f.type, enums) as object) }));
      const due = (value: Yaml | undefined, optional: readonly string[] = []) =>
        rows(value).map((row) => ({
          name: row.name,
          required: row.required === true && !optional.includes(String(row.name)),
          ...(expected(row) as object),
        }));
      const extra = NOT_IN_THE_DATA[schema.name] ?? [];
      expect(schema.commands.filter(({ name }) => extra.includes(name)).map(({ name }) => name)).toEqual(extra);
      expect(
        schema.commands
          .filter(({ name }) => !extra.includes(name))
          .map((c) => ({ id: c.id, name: c.name, mandatory: c.mandatory, parameters: given(c.parameters), response: given(c.response) })),
      ).toEqual(
        rows(data.commands).map((row) => ({
          id: row.id,
          name: row.name,
          mandatory: row.mandatory ?? false,
          parameters: due(row.parameters, OPTIONAL_BY_THE_RULES[String(row.name)]),
          response: due(row.response),
        })),
      );
      expect(rows(data.attributes).length).toBeGreaterThan(2);
    });

    it('endpoint types and their mandatory attributes', () => {
      const types = read('endpoint-conformance.yaml').endpointTypes as Readonly<Record<string, Readonly<Record<string, Row>>>>;
      const mandatory = Object.entries(types).map(([type, features]) => [
        type,
        Object.fromEntries(Object.entries(features).flatMap(([name, row]) => (row.mandatory === undefined ? [] : [[name, row.mandatory]]))),
      ]);
      expect(ENDPOINT_MANDATORY).toEqual(Object.fromEntries(mandatory));
      const versions = (read('protocol-versions.yaml').versions as Readonly<Record<string, Row>>)['1.0'] as Row;
      expect(EndpointType).toEqual(Object.fromEntries(rows(versions.endpoint_types).map(({ name, id }) => [name, id])));
    });
  },
);
