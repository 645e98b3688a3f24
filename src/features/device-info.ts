import type { CborValue } from '../codec/cbor.js';
import type { FeatureDefinition } from '../model/model.js';

/** DeviceInfo, feature 0x01, mandatory on endpoint 0. */
export const DEVICE_INFO = 0x01;

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
  /** Number of zones configured. */
  zoneCount(): number;
}

export function deviceInfoFeature(values: DeviceInfoValues): FeatureDefinition {
  const constant = (id: number, name: string, value: CborValue, nullable = false) =>
    ({ id, name, access: 'readOnly', nullable, read: () => value }) as const;
  return {
    id: DEVICE_INFO,
    name: 'DeviceInfo',
    commands: [],
    attributes: [
      constant(1, 'deviceId', values.deviceId),
      constant(2, 'vendorName', values.vendorName),
      constant(3, 'productName', values.productName),
      constant(4, 'serialNumber', values.serialNumber),
      constant(5, 'vendorId', values.vendorId, true),
      constant(6, 'productId', values.productId, true),
      constant(10, 'softwareVersion', values.softwareVersion),
      constant(11, 'hardwareVersion', values.hardwareVersion, true),
      constant(12, 'specVersion', '1.0'),
      { id: 20, name: 'endpoints', access: 'readOnly', nullable: false, read: () => values.endpoints() },
      { id: 21, name: 'useCases', access: 'readOnly', nullable: false, read: () => values.useCases() },
      { id: 32, name: 'zoneCount', access: 'readOnly', nullable: false, read: () => values.zoneCount() },
    ],
  };
}
