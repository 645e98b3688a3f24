import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CborMap, decodeCbor } from '../../src/codec/cbor.js';
import { fromHex } from '../../src/codec/hex.js';
import { CHARGING_SESSION } from '../../src/features/charging-session-table.js';
import { DEVICE_INFO } from '../../src/features/device-info-table.js';
import { ELECTRICAL } from '../../src/features/electrical-table.js';
import { EndpointType } from '../../src/features/endpoint-types.js';
import { ENERGY_CONTROL } from '../../src/features/energy-control-table.js';
import { MEASUREMENT } from '../../src/features/measurement-table.js';
import { PLAN } from '../../src/features/plan-table.js';
import { SIGNALS } from '../../src/features/signals-table.js';
import { STATUS } from '../../src/features/status-table.js';
import { TARIFF } from '../../src/features/tariff-table.js';
import { USE_CASES } from '../../src/features/use-case-table.js';
import { describeUseCases } from '../../src/features/use-cases.js';
import type { FeatureInstance } from '../../src/model/feature.js';
import type { FeatureSchema } from '../../src/model/schema.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const SCHEMAS = [STATUS, ELECTRICAL, MEASUREMENT, ENERGY_CONTROL, CHARGING_SESSION, SIGNALS, PLAN, TARIFF];

/** Everything of a table, all flags true, but what is named. */
function whole(schema: FeatureSchema, lacking: readonly string[], off: readonly string[]): FeatureInstance {
  const without = <T extends { readonly name: string }>(entries: readonly T[]) => entries.filter(({ name }) => !lacking.includes(name));
  return {
    schema,
    attributes: without(schema.attributes).map(({ id }) => id),
    commands: without(schema.commands).map(({ id }) => id),
    read: (id) => !off.some((name) => schema.attributes.some((entry) => entry.id === id && entry.name === name)),
  };
}

/** Declared scenario bits by use case. `lacking`: features, attributes, commands; `off`: flags. */
function declared(type: number, lacking: readonly string[] = [], off: readonly string[] = []): Record<string, number> {
  const schemas = SCHEMAS.filter(({ name }) => !lacking.includes(name));
  const features = schemas.map((schema) => whole(schema, lacking, off));
  const list = describeUseCases([{ id: 1, type, featureMap: 1, features }]);
  return Object.fromEntries(list.map((entry) => [USE_CASES.find(({ id }) => id === entry.get(2))?.name ?? '?', entry.get(5) as number]));
}

/** What sim-evse lacks of the whole: it neither discharges nor knows contracts of production. */
const EVSE_LACKS = ['evMinDischargingRequest', 'contractualProductionMax'];

describe('useCases (features.md §5)', () => {
  it("a charger that does not discharge declares the recorded session's six, with the same scenarios", () => {
    const trace = JSON.parse(readFileSync(new URL('../vectors/reference-trace.json', import.meta.url), 'utf8')) as {
      frames: { hex: string }[];
    };
    const recorded = trace.frames
      .map(({ hex }) => decodeCbor(fromHex(hex)) as CborMap)
      .map((frame) => frame.get(3))
      .filter((payload): payload is CborMap => payload instanceof Map && Array.isArray(payload.get(21)))
      .map((payload) => payload.get(21) as readonly CborMap[])[0];
    const byId = (a: CborMap, b: CborMap): number => (a.get(2) as number) - (b.get(2) as number);
    const features = SCHEMAS.map((schema) => whole(schema, EVSE_LACKS, []));
    const own = describeUseCases([{ id: 1, type: EndpointType.EV_CHARGER, featureMap: 1, features }]);
    expect(own).toEqual([...(recorded ?? [])].sort(byId));
    expect(own).toHaveLength(6);
  });

  it('a board that lacks a command loses the scenario, one that lacks a base the use case', () => {
    const evse = (...lacking: string[]) => declared(EndpointType.EV_CHARGER, [...EVSE_LACKS, ...lacking]);
    expect(evse()).toEqual({ GPL: 0x1b, MPD: 7, EVC: 0x37, ITPCM: 7, POEN: 3, PODF: 1 });
    expect(evse('setCurrentLimits').EVC).toBe(0x33);
    expect(evse('acceptPlan')).toEqual({ GPL: 0x1b, MPD: 7, EVC: 0x27, POEN: 3, PODF: 1 });
    expect(evse('clearLimit')).toEqual({ MPD: 7, ITPCM: 7, POEN: 3, PODF: 1 });
    expect(evse('contractualConsumptionMax').GPL).toBeUndefined();
    expect(evse('overrideReason').GPL).toBe(0x0b);
    expect(evse('energyCapacity').MPD).toBe(5);
    expect(evse('Signals', 'Plan')).toEqual({ GPL: 0x1b, MPD: 7, EVC: 0x27 });
    expect(evse('Measurement')).toEqual({ GPL: 0x13, ITPCM: 3, POEN: 1, PODF: 1 });
  });

  it('a flag that is false takes the scenario, whatever is listed', () => {
    expect(declared(EndpointType.EV_CHARGER, EVSE_LACKS, ['acceptsCurrentLimits']).EVC).toBe(0x33);
    expect(declared(EndpointType.EV_CHARGER, EVSE_LACKS, ['acceptsLimits'])).toEqual({ MPD: 7, ITPCM: 7, POEN: 3, PODF: 1 });
    expect(declared(EndpointType.HEAT_PUMP, [], ['isPausable']).OHPCF).toBeUndefined();
    expect(declared(EndpointType.HEAT_PUMP, [], ['acceptsSetpoints']).FLOA).toBe(3);
  });

  it('a use case or scenario of another endpoint type is not declared', () => {
    expect(declared(EndpointType.HEAT_PUMP)).toEqual({ GPL: 0x1b, MPD: 7, OHPCF: 3, ITPCM: 7, FLOA: 7, POEN: 3, PODF: 1, TOUT: 1 });
    expect(declared(EndpointType.BATTERY)).toMatchObject({ GPL: 0x1f, COB: 7 });
    expect(declared(EndpointType.SUB_METER)).toEqual({ MPD: 7, PODF: 1, TOUT: 1 });
    expect(describeUseCases([{ id: 0, type: 0, featureMap: 1, features: [whole(DEVICE_INFO, [], [])] }])).toEqual([]);
  });

  it('every name is one of its table', () => {
    for (const { scenarios } of USE_CASES)
      for (const { needs } of scenarios)
        for (const { feature, attributes = [], flags = [], commands = [] } of needs) {
          const schema = SCHEMAS.find(({ name }) => name === feature) ?? expect.fail(feature);
          expect(schema.attributes.map(({ name }) => name)).toEqual(expect.arrayContaining([...attributes, ...flags]));
          expect(schema.commands.map(({ name }) => name)).toEqual(expect.arrayContaining([...commands]));
        }
  });

  it.each([
    ['sim-evse', '1:1b 2:7 3:37 6:7 8:3 9:1'],
    ['sim-heat-pump', '1:1b 2:7 5:3 6:7 7:3 8:3 9:1 10:1'],
  ])('%s tells its own', async (board, all) => {
    const world = await DeviceWorld.start({ board, powerStage: true });
    try {
      const zone = await ZonePeer.commission(world, 'draft', makeZone('Home'));
      const { payload } = await zone.ask(1, [21]);
      const told = payload.get(21) as readonly ReadonlyMap<number, number>[];
      expect(told.map((entry) => `${entry.get(2)}:${entry.get(5)?.toString(16)}`).join(' ')).toBe(all);
    } finally {
      await world.close();
    }
  });
});
