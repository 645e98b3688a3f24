import { describe, expect, it } from 'vitest';
import {
  attributeIds,
  DeviceModel,
  describeEndpoints,
  type EndpointDefinition,
  findFeature,
  Global,
  readAttribute,
} from '../../src/model/model.js';

const feature = {
  id: 5,
  name: 'EnergyControl',
  commands: [
    { id: 4, name: 'd' },
    { id: 1, name: 'a' },
  ],
  attributes: [],
} as const;
const root: EndpointDefinition = { id: 0, type: 0, featureMap: 0x0001, features: [{ ...feature, id: 1 }] };
const charger: EndpointDefinition = { id: 1, type: 5, label: 'EV Charger', featureMap: 0x000a, features: [feature, { ...feature, id: 2 }] };
const model = new DeviceModel([root, charger]);

describe('DeviceModel', () => {
  it('finds endpoints and features by id', () => {
    expect(model.endpoint(1)).toBe(charger);
    expect(model.endpoint(2)).toBeUndefined();
    expect(findFeature(charger, 5)).toBe(feature);
    expect(findFeature(charger, 1)).toBeUndefined();
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
  it('are computed from the tables', () => {
    expect(readAttribute(charger, feature, Global.COMMANDS)).toEqual([1, 4]);
    expect(readAttribute(charger, feature, Global.ATTRIBUTES)).toEqual([0xfffa, 0xfffb, 0xfffc]);
    expect(readAttribute(charger, feature, Global.FEATURE_MAP)).toBe(0x000a);
    expect(readAttribute(charger, feature, 0xfffd)).toBeUndefined();
    expect(attributeIds(feature)).toEqual([0xfffa, 0xfffb, 0xfffc]);
  });
});
