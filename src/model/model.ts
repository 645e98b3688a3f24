import type { CborMap, CborValue } from '../codec/cbor.js';
import type { Caller, FeatureInstance } from './feature.js';
import type { AttributeSchema, CommandSchema, FeatureSchema } from './schema.js';

/** An endpoint with the features at work on it: what a device model is built from. */
export interface EndpointDefinition {
  /** 0…255; 0 is the device root. */
  readonly id: number;
  /** `EndpointType`: 0 DEVICE_ROOT, 5 EV_CHARGER, 6 HEAT_PUMP, … */
  readonly type: number;
  readonly label?: string;
  /** Bits of the feature map: 0 CORE, 1 FLEX, 2 BATTERY, 3 EMOB, 4 SIGNALS, 5 TARIFF, 6 PLAN, 7 PROCESS, 8 FORECAST, 9 ASYMMETRIC, 10 V2X. */
  readonly featureMap: number;
  readonly features: readonly FeatureInstance[];
}

/** Global attributes that every feature has (protocol.md §3); 0xFFFD does not exist. */
export const Global = { COMMANDS: 0xfffa, ATTRIBUTES: 0xfffb, FEATURE_MAP: 0xfffc } as const;

/** Attributes of one feature have changed; `onlyZone`: for that zone alone. */
export type ChangeListener = (feature: Feature, ids: readonly number[], onlyZone: string | undefined) => void;

/** One feature of one endpoint: its lists are fixed when the model is built. */
export class Feature {
  /** Id of its endpoint. */
  readonly endpoint: number;
  readonly schema: FeatureSchema;
  readonly instance: FeatureInstance;
  /** 0xFFFB: ascending, globals included. */
  readonly attributeIds: readonly number[];
  /** 0xFFFA: ascending. */
  readonly commandIds: readonly number[];
  readonly #featureMap: number;
  readonly #attributes = new Map<number, AttributeSchema>();

  constructor(endpoint: EndpointDefinition, instance: FeatureInstance) {
    const { schema, attributes, commands } = instance;
    this.endpoint = endpoint.id;
    this.schema = schema;
    this.instance = instance;
    this.#featureMap = endpoint.featureMap;
    for (const attribute of schema.attributes) if (attributes.includes(attribute.id)) this.#attributes.set(attribute.id, attribute);
    const ids = [...this.#attributes.keys()].sort((a, b) => a - b);
    this.attributeIds = [...ids, Global.COMMANDS, Global.ATTRIBUTES, Global.FEATURE_MAP];
    this.commandIds = [...commands].sort((a, b) => a - b);
  }

  get id(): number {
    return this.schema.id;
  }

  /** The table of a listed attribute; undefined for globals and for what is not listed. */
  attribute(id: number): AttributeSchema | undefined {
    return this.#attributes.get(id);
  }

  /** The table of a command, listed or not. */
  command(id: number): CommandSchema | undefined {
    for (const command of this.schema.commands) if (command.id === id) return command;
    return undefined;
  }

  has(id: number): boolean {
    return this.#attributes.has(id) || isGlobal(id);
  }

  /** The value of one attribute for this caller, or undefined where the feature does not have it. */
  read(id: number, caller: Caller): CborValue | undefined {
    if (this.#attributes.has(id)) return this.instance.read(id, caller);
    switch (id) {
      case Global.COMMANDS:
        return this.commandIds;
      case Global.ATTRIBUTES:
        return this.attributeIds;
      case Global.FEATURE_MAP:
        return this.#featureMap;
      default:
        return undefined;
    }
  }
}

export function isGlobal(id: number): boolean {
  return id === Global.COMMANDS || id === Global.ATTRIBUTES || id === Global.FEATURE_MAP;
}

export class Endpoint {
  readonly id: number;
  readonly type: number;
  readonly label: string | undefined;
  readonly featureMap: number;
  readonly features: readonly Feature[];

  constructor(definition: EndpointDefinition) {
    this.id = definition.id;
    this.type = definition.type;
    this.label = definition.label;
    this.featureMap = definition.featureMap;
    this.features = definition.features.map((instance) => new Feature(definition, instance));
  }

  feature(id: number): Feature | undefined {
    for (const feature of this.features) if (feature.id === id) return feature;
    return undefined;
  }
}

/** Device > endpoint > feature > attribute. */
export class DeviceModel {
  readonly endpoints: readonly Endpoint[];
  readonly #listeners = new Set<ChangeListener>();

  constructor(definitions: readonly EndpointDefinition[]) {
    this.endpoints = definitions.map((definition) => new Endpoint(definition));
    for (const { features } of this.endpoints) {
      for (const feature of features) feature.instance.attach?.((ids, onlyZone) => this.#changed(feature, ids, onlyZone));
    }
  }

  endpoint(id: number): Endpoint | undefined {
    for (const endpoint of this.endpoints) if (endpoint.id === id) return endpoint;
    return undefined;
  }

  /** OR of the endpoints' feature maps: TXT key FM (protocol.md, row "records"). */
  get featureMap(): number {
    return this.endpoints.reduce((bits, endpoint) => bits | endpoint.featureMap, 0);
  }

  /** Calls back in the turn of every change. Returns a function that takes the listener away. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #changed(feature: Feature, ids: readonly number[], onlyZone: string | undefined): void {
    if (ids.length === 0) return;
    for (const listener of this.#listeners) listener(feature, ids, onlyZone);
  }
}

/** DeviceInfo attribute 20: `{1:id, 2:type, 3?:label, 4:[features]}` per endpoint, as in the recorded session. */
export function describeEndpoints(endpoints: readonly Endpoint[]): readonly CborMap[] {
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
