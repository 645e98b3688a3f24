import type { CborMap, CborValue } from '../codec/cbor.js';

/** Device > endpoint > feature > attribute. A feature is a table; reading, encoding and the globals follow from the table alone. */
export interface AttributeDefinition {
  /** 1…0xFEFF. */
  readonly id: number;
  readonly name: string;
  readonly access: 'readOnly' | 'readWrite';
  readonly nullable: boolean;
  /** Current value in wire form. */
  readonly read: () => CborValue;
}

export interface CommandDefinition {
  readonly id: number;
  readonly name: string;
}

export interface FeatureDefinition {
  readonly id: number;
  readonly name: string;
  readonly attributes: readonly AttributeDefinition[];
  readonly commands: readonly CommandDefinition[];
}

export interface EndpointDefinition {
  /** 0…255; 0 is the device root. */
  readonly id: number;
  /** `data/protocol-versions`: 0 DEVICE_ROOT, 5 EV_CHARGER, 6 HEAT_PUMP, … */
  readonly type: number;
  readonly label?: string;
  /** Bits of the feature map: 0 CORE, 1 FLEX, 2 BATTERY, 3 EMOB, 4 SIGNALS, 5 TARIFF, 6 PLAN, 7 PROCESS, 8 FORECAST, 9 ASYMMETRIC, 10 V2X. */
  readonly featureMap: number;
  readonly features: readonly FeatureDefinition[];
}

/** Global attributes that every feature has (protocol.md §3); 0xFFFD does not exist. */
export const Global = { COMMANDS: 0xfffa, ATTRIBUTES: 0xfffb, FEATURE_MAP: 0xfffc } as const;

export class DeviceModel {
  readonly endpoints: readonly EndpointDefinition[];

  constructor(endpoints: readonly EndpointDefinition[]) {
    this.endpoints = endpoints;
  }

  endpoint(id: number): EndpointDefinition | undefined {
    for (const endpoint of this.endpoints) if (endpoint.id === id) return endpoint;
    return undefined;
  }

  /** OR of the endpoints' feature maps: TXT key FM (protocol.md, row "records"). */
  get featureMap(): number {
    return this.endpoints.reduce((bits, endpoint) => bits | endpoint.featureMap, 0);
  }
}

export function findFeature(endpoint: EndpointDefinition, id: number): FeatureDefinition | undefined {
  for (const feature of endpoint.features) if (feature.id === id) return feature;
  return undefined;
}

/** Ids of all attributes of a feature in ascending order, globals included. */
export function attributeIds(feature: FeatureDefinition): number[] {
  const ids = feature.attributes.map((attribute) => attribute.id).sort((a, b) => a - b);
  return [...ids, Global.COMMANDS, Global.ATTRIBUTES, Global.FEATURE_MAP];
}

/** The value of one attribute, or undefined where the feature does not have it. */
export function readAttribute(endpoint: EndpointDefinition, feature: FeatureDefinition, id: number): CborValue | undefined {
  switch (id) {
    case Global.COMMANDS:
      return feature.commands.map((command) => command.id).sort((a, b) => a - b);
    case Global.ATTRIBUTES:
      return attributeIds(feature);
    case Global.FEATURE_MAP:
      return endpoint.featureMap;
    default:
      for (const attribute of feature.attributes) if (attribute.id === id) return attribute.read();
      return undefined;
  }
}

/** DeviceInfo attribute 20: `{1:id, 2:type, 3?:label, 4:[features]}` per endpoint, as in the recorded session. */
export function describeEndpoints(endpoints: readonly EndpointDefinition[]): readonly CborMap[] {
  return endpoints.map((endpoint) => {
    const map = new Map<number, CborValue>([
      [1, endpoint.id],
      [2, endpoint.type],
    ]);
    if (endpoint.label !== undefined) map.set(3, endpoint.label);
    map.set(
      4,
      endpoint.features.map((feature) => feature.id).sort((a, b) => a - b),
    );
    return map;
  });
}
