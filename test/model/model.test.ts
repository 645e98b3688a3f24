import { describe, expect, it } from 'vitest';
import type { Caller, FeatureInstance, ReportChange } from '../../src/model/feature.js';
import { DeviceModel, describeEndpoints, type EndpointDefinition, Global } from '../../src/model/model.js';
import type { FeatureSchema } from '../../src/model/schema.js';
import { attribute, command, int64 } from '../../src/model/table.js';

const caller: Caller = { id: 'A1', type: 3, priority: 2 };
const schema: FeatureSchema = {
  id: 5,
  name: 'EnergyControl',
  attributes: [attribute(20, 'x', int64), attribute(2, 'y', int64), attribute(30, 'unlisted', int64)],
  commands: [command(4, 'd', []), command(1, 'a', []), command(9, 'unlisted', [])],
};
let report: ReportChange = () => {};
function instance(id: number): FeatureInstance {
  return {
    schema: { ...schema, id },
    attributes: [20, 2],
    commands: [4, 1],
    attach: (given) => {
      if (id === 5) report = given;
    },
    read: (attributeId, { priority }) => attributeId * 10 + priority,
  };
}
const root: EndpointDefinition = { id: 0, type: 0, featureMap: 0x0001, features: [instance(1)] };
const charger: EndpointDefinition = { id: 1, type: 5, label: 'EV Charger', featureMap: 0x000a, features: [instance(5), instance(2)] };
const model = new DeviceModel([root, charger]);
const feature = model.endpoint(1)?.feature(5) ?? expect.fail('no feature');

describe('DeviceModel', () => {
  it('finds endpoints and features by id', () => {
    expect(model.endpoint(1)).toMatchObject({ id: 1, type: 5, label: 'EV Charger' });
    expect(model.endpoint(2)).toBeUndefined();
    expect(feature.endpoint).toBe(1);
    expect(model.endpoint(1)?.feature(1)).toBeUndefined();
  });

  it('has the feature maps of all endpoints together', () => {
    expect(model.featureMap).toBe(0x000b);
    expect(new DeviceModel([]).featureMap).toBe(0);
  });

  it('describes its endpoints as in the recorded session: a label only where there is one', () => {
    // reference-trace.json, frame 12, attribute 20.
    expect(describeEndpoints(model.endpoints)).toEqual([
      new Map<number, unknown>([
        [1, 0],
        [2, 0],
        [4, [1]],
      ]),
      new Map<number, unknown>([
        [1, 1],
        [2, 5],
        [3, 'EV Charger'],
        [4, [2, 5]],
      ]),
    ]);
  });
});

describe('globals', () => {
  it('are computed from what is listed', () => {
    expect(feature.read(Global.COMMANDS, caller)).toEqual([1, 4]);
    expect(feature.read(Global.ATTRIBUTES, caller)).toEqual([2, 20, 0xfffa, 0xfffb, 0xfffc]);
    expect(feature.read(Global.FEATURE_MAP, caller)).toBe(0x000a);
    expect(feature.read(0xfffd, caller)).toBeUndefined();
    expect(feature.attributeIds).toEqual([2, 20, 0xfffa, 0xfffb, 0xfffc]);
    expect([2, 20, 30, 0xfffa, 0xfffd].map((id) => feature.has(id))).toEqual([true, true, false, true, false]);
  });
});

describe('attributes', () => {
  it('are read for the one who asks, and only if they are listed', () => {
    expect([feature.read(2, caller), feature.read(20, { ...caller, priority: 1 }), feature.read(30, caller)]).toEqual([22, 201, undefined]);
  });

  it('that change are told to every listener, with the zone where it is one alone', () => {
    const seen: unknown[] = [];
    const stop = model.onChange((changed, ids, onlyZone) => seen.push([changed.endpoint, changed.id, ids, onlyZone]));
    report([20]);
    report([2, 20], 'A1');
    report([]);
    stop();
    report([2]);
    expect(seen).toEqual([
      [1, 5, [20], undefined],
      [1, 5, [2, 20], 'A1'],
    ]);
  });
});
