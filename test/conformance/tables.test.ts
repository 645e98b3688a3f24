import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boards } from '../../boards/index.js';
import { type CborKey, type CborValue, WideInteger } from '../../src/codec/cbor.js';
import { CHARGING_SESSION } from '../../src/features/charging-session-table.js';
import { DEVICE_INFO } from '../../src/features/device-info-table.js';
import { ELECTRICAL } from '../../src/features/electrical-table.js';
import { ENERGY_CONTROL } from '../../src/features/energy-control-table.js';
import { MEASUREMENT } from '../../src/features/measurement-table.js';
import { PLAN } from '../../src/features/plan-table.js';
import { SIGNALS } from '../../src/features/signals-table.js';
import { STATUS } from '../../src/features/status-table.js';
import { TARIFF } from '../../src/features/tariff-table.js';
import type { AttributeSchema, CommandSchema, FieldSchema, IntegerName, ValueType } from '../../src/model/schema.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const SCHEMAS = [DEVICE_INFO, STATUS, ELECTRICAL, MEASUREMENT, ENERGY_CONTROL, CHARGING_SESSION, SIGNALS, PLAN, TARIFF];
const ATTRIBUTES = SCHEMAS.flatMap(({ id, name, attributes }) => attributes.map((each) => [`${name}.${each.name}`, id, each] as const));
const COMMANDS = SCHEMAS.flatMap(({ id, name, commands }) => commands.map((each) => [`${name}.${each.name}`, id, each] as const));

const READ = 1;
const WRITE = 2;
const INVOKE = 4;
const BEYOND: Readonly<Record<IntegerName, readonly CborValue[]>> = {
  uint8: [-1, 0x100],
  uint16: [-1, 0x1_0000],
  uint32: [-1, 0x1_0000_0000],
  uint64: [-1],
  int16: [-0x8001, 0x8000],
  int32: [-0x8000_0001, 0x8000_0000],
  int64: [new WideInteger(false, 0xffff_ffff, 0xffff_ffff)],
};

/** Values that do not fit the type, each with its status: shape 5, range 11 (features.md, "Forms"). */
function misfits(type: ValueType): readonly (readonly [CborValue, number])[] {
  const shape = (...values: readonly CborValue[]) => values.map((value) => [value, 5] as const);
  switch (type.kind) {
    case 'integer': {
      const outside = [type.minimum, type.maximum].flatMap((bound, i) => (bound === undefined ? [] : [bound + (i === 0 ? -1 : 1)]));
      const fitting = outside.filter((value) => value >= 0);
      const unnamed = type.values === undefined ? [] : [Math.max(...Object.values(type.values).filter((value) => value < 0xff)) + 1];
      return [
        ...shape('1', true, Uint8Array.of(1), [1], new Map([[1, 1]]), ...BEYOND[type.name], ...unnamed),
        ...fitting.map((value) => [value, 11] as const),
      ];
    }
    case 'bool':
      return shape(1, 'true', []);
    case 'string':
      return [
        ...shape(1, true, Uint8Array.of(65), []),
        ...(type.maximum === undefined ? [] : [['x'.repeat(type.maximum + 1), 11] as const]),
      ];
    case 'map':
      return shape(1, 'A', [1], new Map([[99, 1]]), new Map([['Z', 1]]), new Map([[0, 'x']]));
    case 'array':
      return shape(1, 'x', new Map([[1, 1]]));
    case 'struct':
      return shape(1, 'x', [1]);
  }
}

/** Any value that has the type. */
function sample(type: ValueType): CborValue {
  switch (type.kind) {
    case 'integer':
      return type.values === undefined ? (type.minimum ?? 0) : (Object.values(type.values)[0] as number);
    case 'bool':
      return false;
    case 'string':
      return '';
    case 'map':
      return new Map();
    case 'array':
      return [];
    case 'struct':
      return parameters(type.fields);
  }
}

function parameters(fields: readonly FieldSchema[], without?: string): Map<CborKey, CborValue> {
  return new Map(
    fields.filter(({ name, optional }) => optional !== true && name !== without).map(({ name, type }) => [name, sample(type)]),
  );
}

describe.each([...boards.keys()])('%s over TLS, from the tables alone', (board) => {
  let world: DeviceWorld;
  let zone: ZonePeer;
  /** Of each feature, the endpoint that has it and what it lists. */
  const listed = new Map<number, { endpoint: number; attributes: readonly number[]; commands: readonly number[] }>();

  beforeAll(async () => {
    world = await DeviceWorld.start({ board, powerStage: true, set: { 'session.liveness': 'tcp' } });
    zone = await ZonePeer.commission(world, 'draft', makeZone('Grid', 1));
    for (const endpoint of (await zone.ask(READ, [20])).payload.get(20) as readonly ReadonlyMap<number, CborValue>[])
      for (const feature of endpoint.get(4) as readonly number[]) {
        const { payload } = await zone.ask(READ, [0xfffa, 0xfffb], feature, endpoint.get(1) as number);
        const [commands, attributes] = [0xfffa, 0xfffb].map((id) => payload.get(id) as readonly number[]);
        listed.set(feature, { endpoint: endpoint.get(1) as number, attributes: attributes ?? [], commands: commands ?? [] });
      }
  });
  afterAll(() => world.close());

  const everything = async (feature: number): Promise<CborValue> =>
    (await zone.ask(READ, undefined, feature, listed.get(feature)?.endpoint)).payload;
  const statusOf = async (operation: number, feature: number, payload: CborValue): Promise<CborValue> =>
    (await zone.ask(operation, payload, feature, listed.get(feature)?.endpoint)).status;
  const write = (feature: number, id: number, value: CborValue) => statusOf(WRITE, feature, new Map([[id, value]]));
  const invoke = (feature: number, id: number, given: CborValue) =>
    statusOf(
      INVOKE,
      feature,
      new Map<CborKey, CborValue>([
        [1, id],
        [2, given],
      ]),
    );

  it.each(ATTRIBUTES)('%s', async (_name, feature, { id, type, access, nullable }: AttributeSchema) => {
    const known = listed.get(feature);
    if (known === undefined) {
      expect([await statusOf(READ, feature, [id]), await write(feature, id, sample(type))]).toEqual([2, 2]);
      return;
    }
    if (!known.attributes.includes(id)) {
      expect([await statusOf(READ, feature, [id]), await write(feature, id, sample(type))]).toEqual([3, 3]);
      return;
    }
    const before = await everything(feature);
    if (access === 'readOnly') for (const value of [sample(type), null, 'x']) expect(await write(feature, id, value)).toBe(6);
    else {
      for (const [value, status] of misfits(type)) expect([value, await write(feature, id, value)]).toEqual([value, status]);
      if (!nullable) expect(await write(feature, id, null)).toBe(11);
    }
    expect(await everything(feature)).toEqual(before);
  });

  it.each([0xfffa, 0xfffb, 0xfffc])('global %i is read-only in every feature, and 0xFFFD does not exist', async (id) => {
    for (const feature of listed.keys()) {
      expect(await write(feature, id, [])).toBe(6);
      expect(await statusOf(READ, feature, [0xfffd])).toBe(3);
    }
  });

  it.each(COMMANDS)('%s', async (_name, feature, { id, parameters: fields }: CommandSchema) => {
    const known = listed.get(feature);
    if (known === undefined) {
      expect(await invoke(feature, id, parameters(fields))).toBe(2);
      return;
    }
    if (!known.commands.includes(id)) {
      expect(await invoke(feature, id, parameters(fields))).toBe(10);
      return;
    }
    const before = await everything(feature);
    for (const { name, type, optional } of fields) {
      if (optional !== true) expect([name, await invoke(feature, id, parameters(fields, name))]).toEqual([name, 5]);
      for (const [value, status] of misfits(type)) {
        expect([name, value, await invoke(feature, id, parameters(fields).set(name, value))]).toEqual([name, value, status]);
        expect(await invoke(feature, id, parameters(fields, name).set(fields.findIndex((each) => each.name === name) + 1, value))).toBe(
          status,
        );
      }
    }
    if (fields.length > 0) for (const odd of [1, 'x', [1]]) expect(await invoke(feature, id, odd)).toBe(5);
    expect(await everything(feature)).toEqual(before);
  });

  it('a command that no table has: 4', async () => {
    for (const [feature, { commands }] of listed) {
      const ids = SCHEMAS.find((schema) => schema.id === feature)?.commands.map((each) => each.id) ?? [];
      for (const id of [0, 77, 255]) expect(ids.includes(id) || (await invoke(feature, id, new Map())) === 4).toBe(true);
      expect(commands.every((id) => ids.includes(id))).toBe(true);
    }
  });
});
