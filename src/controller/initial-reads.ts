import type { CborMap } from '../codec/cbor.js';
import { DEVICE_INFO } from '../features/device-info-table.js';
import { ELECTRICAL } from '../features/electrical-table.js';
import { ENERGY_CONTROL } from '../features/energy-control-table.js';
import { MEASUREMENT } from '../features/measurement-table.js';
import { STATUS } from '../features/status-table.js';
import type { Log } from '../platform.js';
import { endpointsOf } from './endpoints.js';
import { ControllerError } from './errors.js';
import { featureName } from './names.js';
import type { ControllerSession } from './session.js';
import type { DeviceRecord, EndpointRecord } from './zone.js';

/** After DeviceInfo, in this order (connection-establishment §7.3); orders 3 and 4 are one Read of all attributes. */
const SEQUENCE = [ELECTRICAL.id, ENERGY_CONTROL.id, MEASUREMENT.id, STATUS.id];

/** "Attribute not found": the feature is not supported, and left out. */
const NOT_FOUND: readonly string[] = ['UNKNOWN_ENDPOINT', 'UNKNOWN_FEATURE', 'UNKNOWN_ATTRIBUTE', 'UNSUPPORTED'];

export interface FeatureValues {
  readonly endpoint: number;
  readonly feature: number;
  readonly values: CborMap;
}

/** What a device is and does, as the read sequence found it. */
export interface InitialState {
  /** All attributes of DeviceInfo; empty where it was not answered. */
  readonly deviceInfo: CborMap;
  readonly endpoints: readonly EndpointRecord[];
  readonly features: readonly FeatureValues[];
  /** A Read was not answered, the second time either. */
  readonly degraded: boolean;
}

/**
 * Reads a device in the order of connection-establishment §7.3, before anything is subscribed or ordered, with the error actions of its table: what is not
 * found is left out, an unanswered Read is repeated once and then leaves the device degraded, any other refusal is a warning. Rejects with
 * CONNECTION_LOST, and with PROTOCOL.
 */
export async function readInitially(session: ControllerSession, log: Log): Promise<InitialState> {
  const reader = new Reader(session, log);
  const deviceInfo = (await reader.read(0, DEVICE_INFO.id)) ?? new Map();
  const endpoints = endpointsOf(deviceInfo);
  const features: FeatureValues[] = [];
  for (const feature of SEQUENCE) {
    for (const { id: endpoint } of endpoints.filter(({ features: listed }) => listed.includes(feature))) {
      const values = await reader.read(endpoint, feature);
      if (values !== undefined) features.push({ endpoint, feature, values });
    }
  }
  return { deviceInfo, endpoints, features, degraded: reader.degraded };
}

/** The record with what the sequence found; what was not answered this time stays as it was known. */
export function rememberState(record: DeviceRecord, { deviceInfo, endpoints, degraded }: InitialState): DeviceRecord {
  if (deviceInfo.size === 0) return { ...record, degraded };
  const text = (id: number): string | undefined => {
    const value = deviceInfo.get(id);
    return typeof value === 'string' ? value : undefined;
  };
  return { ...record, deviceId: text(1), name: text(3), serial: text(4), endpoints, degraded };
}

class Reader {
  degraded = false;
  readonly #session: ControllerSession;
  readonly #log: Log;

  constructor(session: ControllerSession, log: Log) {
    this.#session = session;
    this.#log = log;
  }

  /** Undefined where nothing is to be had. */
  async read(endpoint: number, feature: number): Promise<CborMap | undefined> {
    try {
      return await this.#twice(endpoint, feature);
    } catch (error) {
      if (!(error instanceof ControllerError)) throw error;
      const what = { endpoint, feature: featureName(feature), reason: error.message };
      if (error.code === 'TIMEOUT') {
        this.degraded = true;
        this.#log.warn('a read was not answered twice: the device is degraded', what);
      } else if (error.code !== 'REFUSED') throw error;
      else if (!NOT_FOUND.includes(error.details.status ?? '')) this.#log.warn('a read was refused', what);
      return undefined;
    }
  }

  async #twice(endpoint: number, feature: number): Promise<CborMap> {
    try {
      return await this.#session.read(endpoint, feature);
    } catch (error) {
      if (!(error instanceof ControllerError) || error.code !== 'TIMEOUT') throw error;
      return this.#session.read(endpoint, feature);
    }
  }
}
