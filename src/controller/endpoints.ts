import { type CborMap, type CborValue, isMap } from '../codec/cbor.js';
import { ConfigError } from '../errors.js';
import { DEVICE_INFO } from '../features/device-info-table.js';
import { ControllerError } from './errors.js';
import { featureName } from './names.js';
import type { ControllerSession } from './session.js';
import type { DeviceRecord, EndpointRecord } from './zone.js';

const ENDPOINTS = 20;

/** DeviceInfo attribute 20, `{1:id, 2:type, 3?:label, 4:[features]}` each; what is none is left out. */
export function endpointsOf(deviceInfo: CborMap): readonly EndpointRecord[] {
  const list = deviceInfo.get(ENDPOINTS);
  return Array.isArray(list) ? list.flatMap((item: CborValue) => endpointOf(item) ?? []) : [];
}

/**
 * The endpoint that is meant: the given one, else the only one that has the feature, as the record tells or the device itself. Rejects with REFUSED where
 * none has it, with ConfigError where several have.
 */
export async function findEndpoint(
  session: ControllerSession,
  record: Pick<DeviceRecord, 'endpoints'>,
  { endpoint, feature }: { readonly endpoint: number | undefined; readonly feature: number },
): Promise<number> {
  if (endpoint !== undefined) return endpoint;
  if (feature === DEVICE_INFO.id) return 0;
  const known = having(record.endpoints ?? [], feature);
  const found = known.length > 0 ? known : having(endpointsOf(await session.read(0, DEVICE_INFO.id, [ENDPOINTS])), feature);
  const [first, ...others] = found;
  const name = featureName(feature);
  if (first === undefined) throw new ControllerError('REFUSED', `The device has ${name} on no endpoint`, { status: 'UNKNOWN_FEATURE' });
  if (others.length > 0)
    throw new ConfigError('endpoint', `endpoints ${found.join(', ')} have ${name}: name one, ${first}/${name} or --endpoint ${first}`);
  return first;
}

function having(endpoints: readonly EndpointRecord[], feature: number): readonly number[] {
  return endpoints.filter(({ features }) => features.includes(feature)).map(({ id }) => id);
}

function endpointOf(item: CborValue): EndpointRecord | undefined {
  if (!isMap(item)) return undefined;
  const [id, type, label, features] = [item.get(1), item.get(2), item.get(3), item.get(4)];
  if (typeof id !== 'number' || typeof type !== 'number' || !Array.isArray(features)) return undefined;
  const numbers = features.filter((feature: CborValue) => typeof feature === 'number');
  return { id, type, label: typeof label === 'string' ? label : undefined, features: numbers };
}
