import type { CborValue } from '../codec/cbor.js';
import { ConfigError } from '../errors.js';
import type { Caller, FeatureInstance } from '../model/feature.js';
import type { EndpointDefinition } from '../model/model.js';
import type { AttributeSchema, ValueType } from '../model/schema.js';
import { examine, ValueError } from '../model/validate.js';
import { DEVICE_INFO } from './device-info-table.js';
import { ENDPOINT_MANDATORY, EndpointType } from './endpoint-types.js';

/** A constant is the same for everyone. */
const NOBODY: Caller = { id: '', type: 0, priority: 4 };

/**
 * A board that lacks what its tables make mandatory does not start: attributes and commands of the features that it has, attributes of its endpoint
 * types, DeviceInfo on endpoint 0 and nowhere else. Throws ConfigError naming the endpoint and what is missing.
 */
export function checkConformance(board: string, endpoints: readonly EndpointDefinition[]): void {
  for (const endpoint of endpoints) {
    const where = whereIs(board, endpoint);
    const same = endpoints.filter(({ id }) => id === endpoint.id);
    if (same.length > 1) throw new ConfigError(where, 'two endpoints have this id');
    checkFeatures(where, endpoint);
    checkType(where, endpoint);
    const root = endpoint.features.some(({ schema }) => schema === DEVICE_INFO);
    if (root !== (endpoint.id === 0)) throw new ConfigError(where, `DeviceInfo ${root ? 'belongs to endpoint 0' : 'is missing'}`);
  }
  if (!endpoints.some(({ id }) => id === 0)) throw new ConfigError(`board ${board}`, 'endpoint 0 is missing');
}

/**
 * A board whose own data do not fit the tables does not start either: null only where nullable (features.md, "Forms"), every value of its type and in its
 * range. Once all features can be read. Throws ConfigError naming the endpoint and the attribute.
 */
export function checkValues(board: string, endpoints: readonly EndpointDefinition[]): void {
  for (const endpoint of endpoints)
    for (const instance of endpoint.features)
      for (const attribute of instance.schema.attributes)
        if (instance.attributes.includes(attribute.id)) checkValue(whereIs(board, endpoint), instance, attribute);
}

function checkValue(where: string, instance: FeatureInstance, { id, name, type, nullable }: AttributeSchema): void {
  const value = instance.read(id, NOBODY);
  const attribute = `${instance.schema.name}.${name}`;
  if (value === null) {
    if (!nullable) throw new ConfigError(where, `${attribute} cannot be null`);
    return;
  }
  const problem = misfit(type, value, attribute);
  if (problem !== undefined) throw new ConfigError(where, problem.message);
}

function misfit(type: ValueType, value: CborValue, attribute: string): ValueError | undefined {
  try {
    return examine(type, value, attribute).violation;
  } catch (error) {
    if (error instanceof ValueError) return error;
    throw error;
  }
}

function whereIs(board: string, { id, type }: EndpointDefinition): string {
  return `board ${board}, endpoint ${id} (${typeName(type)})`;
}

function checkFeatures(where: string, endpoint: EndpointDefinition): void {
  const seen = new Set<number>();
  for (const instance of endpoint.features) {
    const { schema, attributes, commands } = instance;
    if (seen.has(schema.id)) throw new ConfigError(where, `${schema.name} is there twice`);
    seen.add(schema.id);
    for (const { id, name, mandatory } of schema.attributes)
      if (mandatory && !attributes.includes(id)) throw new ConfigError(where, `${schema.name}.${name} is mandatory`);
    for (const { id, name, mandatory, flag } of schema.commands)
      if (mandatory && !commands.includes(id) && !(flag !== undefined && isFalse(instance, flag)))
        throw new ConfigError(where, `${schema.name}.${name}() is mandatory`);
    for (const id of attributes)
      if (!schema.attributes.some((attribute) => attribute.id === id))
        throw new ConfigError(where, `${schema.name} has no attribute ${id}`);
    for (const id of commands)
      if (!schema.commands.some((command) => command.id === id)) throw new ConfigError(where, `${schema.name} has no command ${id}`);
  }
}

// features.md, "Forms": a command whose flag is false is not in 0xFFFA and answers 10.
function isFalse(instance: FeatureInstance, flag: string): boolean {
  const id = instance.schema.attributes.find(({ name }) => name === flag)?.id;
  return id !== undefined && instance.attributes.includes(id) && instance.read(id, NOBODY) === false;
}

function checkType(where: string, endpoint: EndpointDefinition): void {
  for (const [feature, names] of Object.entries(ENDPOINT_MANDATORY[typeName(endpoint.type)] ?? {})) {
    const instance = endpoint.features.find(({ schema }) => schema.name === feature);
    for (const name of names) {
      const listed = instance?.schema.attributes.some((attribute) => attribute.name === name && instance.attributes.includes(attribute.id));
      if (listed !== true) throw new ConfigError(where, `${feature}.${name} is mandatory`);
    }
  }
}

function typeName(type: number): string {
  for (const [name, value] of Object.entries(EndpointType)) if (value === type) return name;
  return `type ${type}`;
}
