import type { DialectName } from '../dialect/messages.js';
import type { PrivateKey } from '../platform.js';
import { ZoneType } from '../zones/zone.js';

/** `--zone-type`. `test` exists in the reference dialect alone. */
export type ZoneKind = 'grid' | 'building' | 'home' | 'user' | 'test';

interface KindRow {
  /** CERT_INSTALL key 4 (protocol.md §2.14); undefined where the draft dialect has no such type. */
  readonly draft: number | undefined;
  /** The Zone CA's OU (protocol.md §3). */
  readonly reference: 'GRID' | 'LOCAL' | 'TEST';
}

export const ZONE_KINDS: Readonly<Record<ZoneKind, KindRow>> = {
  grid: { draft: ZoneType.GRID_OPERATOR, reference: 'GRID' },
  building: { draft: ZoneType.BUILDING_MANAGER, reference: 'LOCAL' },
  home: { draft: ZoneType.HOME_MANAGER, reference: 'LOCAL' },
  user: { draft: ZoneType.USER_APP, reference: 'LOCAL' },
  test: { draft: undefined, reference: 'TEST' },
};

export function isZoneKind(text: string): text is ZoneKind {
  return Object.hasOwn(ZONE_KINDS, text);
}

/** A zone as its owner has it: the Zone CA and the controller's own certificate, with their keys. */
export interface ControllerZone {
  readonly kind: ZoneKind;
  readonly name: string;
  /** 1 (highest) … 4; sent in the draft dialect. */
  readonly priority: number;
  /** Zone id of the draft dialect; in the reference dialect each device has its own. */
  readonly id: string;
  /** Unix seconds. */
  readonly createdAt: number;
  /** X.509 DER. */
  readonly caCertificate: Uint8Array;
  readonly caKey: PrivateKey;
  /** X.509 DER. */
  readonly controllerCertificate: Uint8Array;
  readonly controllerKey: PrivateKey;
}

/** A zone for which we act as an admin: its owner has the keys (protocol.md §2.12). */
export interface AdminZone {
  readonly kind: ZoneKind;
  readonly name: string;
  readonly priority: number;
  readonly id: string;
  /** X.509 DER. */
  readonly caCertificate: Uint8Array;
  /** CBOR of commissioning-pase §8.2. */
  readonly token: Uint8Array;
  /** Of the token, Unix seconds. */
  readonly expiresAt: number;
  /** Where the owner answered last. */
  readonly owner: readonly DeviceAddress[];
  /** Unix seconds. */
  readonly joinedAt: number;
}

/** Whether the keys of the zone are ours. */
export function isOwn(zone: ControllerZone | AdminZone): zone is ControllerZone {
  return 'caKey' in zone;
}

/** Where a device answered last. */
export interface DeviceAddress {
  /** IPv6 or IPv4 with the scope of a link-local address: `fe80::1%eth0`. */
  readonly host: string;
  readonly port: number;
}

/** An endpoint as DeviceInfo lists it. */
export interface EndpointRecord {
  readonly id: number;
  /** `EndpointType`. */
  readonly type: number;
  readonly label: string | undefined;
  /** Feature ids. */
  readonly features: readonly number[];
}

/** A device of the zone. */
export interface DeviceRecord {
  /** CN of its operational certificate: its id in this zone. */
  readonly id: string;
  /** Zone id under which it announces itself. */
  readonly zoneId: string;
  readonly dialect: DialectName;
  /** `pending`: CERT_INSTALL was about to be sent, and no proof of its success has been seen yet. */
  readonly state: 'pending' | 'confirmed';
  /** X.509 DER, as installed. */
  readonly certificate: Uint8Array;
  /** Best first. */
  readonly addresses: readonly DeviceAddress[];
  /** 0…4095, from its commissioning certificate. */
  readonly discriminator: number | undefined;
  /** From DeviceInfo, once read: productName, serialNumber and deviceId (which no certificate changes). */
  readonly name: string | undefined;
  readonly serial: string | undefined;
  readonly deviceId: string | undefined;
  /** From DeviceInfo, once read. */
  readonly endpoints?: readonly EndpointRecord[] | undefined;
  /** A read of the last sequence of §7.3 was not answered, the second time either. */
  readonly degraded?: boolean | undefined;
  /** Unix seconds. */
  readonly addedAt: number;
}
