import { toHex } from '../codec/hex.js';
import type { RecordForm, ServiceDefinition } from './service.js';
import { txtText } from './txt.js';

/** The three services of a device (protocol.md §2.16; connection-establishment §2), from plain data. */

/** Open commissioning window, found by the app. */
export const COMMISSIONABLE = '_mash-comm._tcp';
/** The same window under its older name; published in profile `draft` alone. */
export const COMMISSIONABLE_UDP = '_mashc._udp';
/** One instance a zone. */
export const OPERATIONAL = '_mash._tcp';

export interface CommissionableData {
  /** 0…4095 */
  readonly discriminator: number;
  readonly category: readonly number[];
  readonly serial: string;
  readonly brand: string;
  readonly model: string;
  readonly deviceName?: string;
  readonly port: number;
}

export function commissionableService(data: CommissionableData, form: RecordForm): ServiceDefinition {
  return {
    type: COMMISSIONABLE,
    instance: commissionableInstance(data.discriminator, form),
    port: data.port,
    txt: [
      ['D', String(data.discriminator)],
      ['cat', data.category.join(',')],
      ['serial', txtText(data.serial)],
      ['brand', txtText(data.brand)],
      ['model', txtText(data.model)],
      ...(data.deviceName === undefined ? [] : [['DN', txtText(data.deviceName)] as const]),
    ],
  };
}

export interface CommissionableUdpData {
  /** 0…4095 */
  readonly discriminator: number;
  /** 0…65535 */
  readonly vendorId: number;
  /** 0…65535 */
  readonly productId: number;
  /** `EVSE` */
  readonly deviceType: string;
  readonly port: number;
}

export function commissionableUdpService(data: CommissionableUdpData): ServiceDefinition {
  return {
    type: COMMISSIONABLE_UDP,
    instance: commissionableInstance(data.discriminator, 'draft'),
    port: data.port,
    txt: [
      ['D', String(data.discriminator)],
      ['VP', vendorProduct(data.vendorId, data.productId)],
      ['DT', data.deviceType],
      ['CM', '1'],
    ],
  };
}

export interface OperationalData {
  /** 16 hexadecimal digits, in the case of the zone's dialect. */
  readonly zoneId: string;
  /** 16 hexadecimal digits. */
  readonly deviceId: string;
  readonly vendorId: number;
  readonly productId: number;
  readonly firmware: string;
  /** Number of endpoints, the device's own included. */
  readonly endpoints: number;
  /** All feature maps, or-ed. */
  readonly featureMap: number;
  readonly port: number;
}

/** Both ids are hashes of keys, so no other device can have the name: it is announced without probing, at once. */
export function operationalService(data: OperationalData, form: RecordForm): ServiceDefinition {
  const featureMap = `0x${data.featureMap.toString(16).toUpperCase().padStart(4, '0')}`;
  return {
    type: OPERATIONAL,
    instance: operationalInstance(data.zoneId, data.deviceId),
    port: data.port,
    txt: [
      ['ZI', data.zoneId],
      ['DI', data.deviceId],
      ['VP', vendorProduct(data.vendorId, data.productId)],
      ['FW', data.firmware],
      ['EP', String(data.endpoints)],
      ...(form === 'draft' ? [['FM', featureMap] as const] : []),
    ],
    known: true,
  };
}

/** `MASH-7` in form `draft`, `MASH-0007` in form `reference`. */
export function commissionableInstance(discriminator: number, form: RecordForm): string {
  return `MASH-${form === 'reference' ? String(discriminator).padStart(4, '0') : discriminator}`;
}

/** `<zone-id>-<device-id>` (connection-establishment §2.2). */
export function operationalInstance(zoneId: string, deviceId: string): string {
  return `${zoneId}-${deviceId}`;
}

/** `mash-<8 hex>.local` from four bytes that stay the same for the life of the device; never the machine's own name. */
export function hostName(seed: Uint8Array): string {
  return `mash-${toHex(seed.subarray(0, 4))}.local`;
}

function vendorProduct(vendorId: number, productId: number): string {
  const hex = (id: number): string => id.toString(16).padStart(4, '0');
  return `${hex(vendorId)}:${hex(productId)}`;
}
