import type { CborKey, CborValue } from '../codec/cbor.js';
import { PeerError } from '../errors.js';
import type { Caller, CommandOutcome, FeatureInstance, ReportChange } from '../model/feature.js';
import { InteractionStatus } from '../model/status.js';
import { DEVICE_INFO } from './device-info-table.js';

const LOCATION = 30;
const LABEL = 31;
const REMOVE_ZONE = 16;
const LIST_ZONES = 17;

export interface ZoneEntry {
  readonly id: string;
  readonly type: number;
  readonly priority: number;
  readonly connected: boolean;
}

/** The zones, as the commands of DeviceInfo see them. */
export interface ZoneAdministration {
  /** TEST zones included. */
  readonly count: number;
  list(): readonly ZoneEntry[];
  /** Commits the removal; resolves with what is to happen after the response. Rejects with PeerError: 4 unknown zone, 11 not allowed. */
  remove(zoneId: string, caller: Caller): Promise<() => void>;
}

/** Location and label, text of at most 64 bytes or null. */
export interface DeviceTexts {
  read(id: number): string | null;
  /** Resolves when the values are durable and in force. */
  store(values: ReadonlyMap<number, string | null>): Promise<void>;
}

export interface DeviceInfoValues {
  /** Unique per device, independent of certificates (features.md §5). */
  readonly deviceId: string;
  readonly vendorName: string;
  readonly productName: string;
  readonly serialNumber: string;
  readonly vendorId: number | null;
  readonly productId: number | null;
  readonly softwareVersion: string;
  readonly hardwareVersion: string | null;
  /** The structure of all endpoints, this one included. */
  endpoints(): CborValue;
  useCases(): CborValue;
  readonly zones: ZoneAdministration;
  readonly texts: DeviceTexts;
  /** False: nothing of DeviceInfo notifies (profile `reference`). */
  readonly notifies: boolean;
}

/** Who the device is, how it is built, and to which zones it belongs. */
export class DeviceInfo implements FeatureInstance {
  readonly schema = DEVICE_INFO;
  readonly attributes = [1, 2, 3, 4, 5, 6, 10, 11, 12, 20, 21, LOCATION, LABEL, 32];
  readonly commands = [REMOVE_ZONE, LIST_ZONES];
  readonly silent: boolean;
  readonly #values: DeviceInfoValues;
  #report: ReportChange | undefined;

  constructor(values: DeviceInfoValues) {
    this.#values = values;
    this.silent = !values.notifies;
  }

  attach(report: ReportChange): void {
    this.#report = report;
  }

  read(id: number): CborValue {
    const values = this.#values;
    switch (id) {
      case 1:
        return values.deviceId;
      case 2:
        return values.vendorName;
      case 3:
        return values.productName;
      case 4:
        return values.serialNumber;
      case 5:
        return values.vendorId;
      case 6:
        return values.productId;
      case 10:
        return values.softwareVersion;
      case 11:
        return values.hardwareVersion;
      case 12:
        return '1.0';
      case 20:
        return values.endpoints();
      case 21:
        return values.useCases();
      case 32:
        // features.md §5: a change of it is never told.
        return values.zones.count;
      default:
        return values.texts.read(id);
    }
  }

  async write(values: ReadonlyMap<number, CborValue>): Promise<void> {
    await this.#values.texts.store(values as ReadonlyMap<number, string | null>);
    this.#report?.([...values.keys()]);
  }

  async invoke(command: number, parameters: ReadonlyMap<string, CborValue>, caller: Caller): Promise<CommandOutcome> {
    const { zones } = this.#values;
    if (command === LIST_ZONES) return { values: new Map([['zones', zones.list().map(describeZone)]]) };
    const zoneId = parameters.get('zoneId');
    if (typeof zoneId !== 'string') throw new PeerError(InteractionStatus.INVALID_PARAMETER, 'zoneId is missing');
    return { values: new Map([['removed', true]]), afterResponse: await zones.remove(zoneId, caller) };
  }
}

/** An element of `zones`, the result of ListZones. */
export function describeZone(zone: ZoneEntry): ReadonlyMap<CborKey, CborValue> {
  return new Map<string, CborValue>([
    ['zoneId', zone.id],
    ['zoneType', zone.type],
    ['priority', zone.priority],
    ['connected', zone.connected],
  ]);
}
