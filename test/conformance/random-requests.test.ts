import { afterEach, expect, it } from 'vitest';
import { type CborKey, type CborMap, type CborValue, encodeCbor, WideInteger } from '../../src/codec/cbor.js';
import { FEATURE_TABLES } from '../../src/features/tables.js';
import type { CommandSchema, FeatureSchema, FieldSchema, ValueType } from '../../src/model/schema.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { SeededEntropy } from '../world/entropy.js';
import { ZonePeer } from '../world/zone-peer.js';

const [READ, WRITE, SUBSCRIBE, INVOKE] = [1, 2, 3, 4];
const [DEVICE_INFO, ENERGY_CONTROL] = [1, 5];
const REMOVE_ZONE = 16;
const OPT_OUT = 3;
const REQUESTS = 1000;
/** protocol.md §3; 13 where the device cannot do it now, or the answer is too long. */
const STATUSES: readonly CborValue[] = [0, 2, 3, 4, 5, 6, 8, 10, 11, 13];
const NUMBERS = [0, 1, 2, 3, 10, 100, 255, 256, 3601, 7200, 86_401, 604_801, 65_536, 0xffff_ffff, 2 ** 32, -1, -(2 ** 31)].concat([
  1_000_000,
  5_000_000,
  11_040_000,
  11_040_001,
  1_795_305_600,
  1_795_309_200,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
]);
const TEXTS = ['', 'EUR', 'price', 'constraint', 'A', 'x'.repeat(65)];

/** Requests that are nearly right: of the tables, with values at their edges, and now and then of anything. */
class Requests {
  readonly #entropy: SeededEntropy;

  constructor(seed: number) {
    this.#entropy = new SeededEntropy(seed);
  }

  below(bound: number): number {
    return this.#entropy.below(bound);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  payload(operation: number, { attributes, commands }: FeatureSchema): CborValue | undefined {
    if (this.below(30) === 0) return this.#anything(0);
    const id = (): number => this.pick(attributes).id;
    switch (operation) {
      case READ:
        return this.pick<CborValue | undefined>([undefined, null, [], [id(), id()], new Map([[1, [0xfffb, id()]]])]);
      case WRITE:
        return new Map(
          this.#some(3, () => this.pick(attributes)).map(({ id: of, type }) => [of, this.#sometimes(5) ? null : this.#of(type)]),
        );
      case SUBSCRIBE:
        return new Map<number, CborValue>([
          [1, this.#some(4, id)],
          [2, this.pick([0, 1, 1000, 5000])],
          [3, this.pick([0, 1000, 60_000, 5])],
        ]);
      default: {
        const command = this.pick<Pick<CommandSchema, 'id' | 'parameters'>>(commands.length === 0 ? [{ id: 1, parameters: [] }] : commands);
        return new Map<number, CborValue>([
          [1, command.id],
          [2, this.#fields(command.parameters)],
        ]);
      }
    }
  }

  #of(type: ValueType): CborValue {
    if (this.#sometimes(25)) return this.#anything(0);
    switch (type.kind) {
      case 'integer':
        return this.pick(type.values === undefined ? NUMBERS : Object.values(type.values));
      case 'bool':
        return this.#sometimes(2);
      case 'string':
        return this.pick(TEXTS);
      case 'map':
        return new Map(this.#some(4, () => [this.pick<CborKey>([0, 1, 2, 'A', 'B', 'C']), this.#of(type.value)] as const));
      case 'array': {
        const { items } = type;
        return Array.from({ length: this.pick([0, 1, 2, 3, 96, 97]) }, () => (items === undefined ? null : this.#of(items)));
      }
      case 'struct':
        return this.#fields(type.fields);
    }
  }

  #fields(fields: readonly FieldSchema[]): CborMap {
    const there = fields.filter(({ optional }) => optional !== true || this.#sometimes(2));
    return new Map(there.map(({ name, type }, at) => [this.#sometimes(20) ? at + 1 : name, this.#sometimes(12) ? null : this.#of(type)]));
  }

  #anything(depth: number): CborValue {
    switch (this.below(depth > 3 ? 5 : 7)) {
      case 0:
        return this.pick([null, true, false]);
      case 1:
        return this.pick(TEXTS);
      case 2:
        return new Uint8Array(this.below(5));
      case 3:
        return new WideInteger(this.#sometimes(2), 0x2000_0000 + this.below(0x7fff_ffff), 0);
      case 4:
        return this.pick(NUMBERS);
      case 5:
        return this.#some(4, () => this.#anything(depth + 1));
      default:
        return new Map(this.#some(4, () => [this.pick<CborKey>([0, 1, 2, 'A', 'duration', 'cause']), this.#anything(depth + 1)] as const));
    }
  }

  #some<T>(bound: number, make: () => T): T[] {
    return Array.from({ length: this.below(bound) }, make);
  }

  #sometimes(once: number): boolean {
    return this.below(once) === 0;
  }
}

let world: DeviceWorld;
afterEach(() => world.close());

it.each([
  ['sim-evse', 'draft', 1],
  ['sim-evse', 'reference', 2],
  ['sim-heat-pump', 'draft', 3],
  ['sim-heat-pump', 'reference', 4],
] as const)(
  '%s, profile %s: a thousand requests at the edges of the tables: a documented status each, no bug, and all can be read',
  async (board, profile, seed) => {
    world = await DeviceWorld.start({ board, profile, powerStage: true, set: { 'session.liveness': 'tcp', 'meter.read': 'off' } });
    const zone = await ZonePeer.commission(world, profile, makeZone('Home', 3, undefined, 'LOCAL'));
    const requests = new Requests(seed);
    const endpointOf = ({ id }: FeatureSchema): number => (id === DEVICE_INFO ? 0 : 1);
    for (let i = 0; i < REQUESTS; i++) {
      const table = requests.pick(FEATURE_TABLES);
      const operation = requests.pick([READ, WRITE, WRITE, SUBSCRIBE, INVOKE, INVOKE, INVOKE, INVOKE]);
      const payload = requests.payload(operation, table);
      const removes = operation === INVOKE && table.id === DEVICE_INFO && payload instanceof Map && payload.get(1) === REMOVE_ZONE;
      if (removes || encodeCbor(payload ?? null).length > 8100) continue;
      const { status } = await zone.ask(operation, payload, table.id, endpointOf(table));
      expect(STATUSES).toContain(status);
      if (i % 10 === 0) await world.clock.advance(requests.below(30_000));
      // Nothing is refused for good, and there is room for the next subscription.
      if (i % 50 === 0) await zone.ask(WRITE, new Map([[OPT_OUT, 0]]), ENERGY_CONTROL, 1);
      if (i % 200 === 0) for (let id = 1; id <= 255; id++) await zone.ask(SUBSCRIBE, new Map([[1, id]]), 0, 0);
    }
    for (const table of FEATURE_TABLES) expect([0, 2, 13]).toContain((await zone.ask(READ, undefined, table.id, endpointOf(table))).status);
    expect(world.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  },
);
