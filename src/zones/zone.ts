import { type CborValue, decodeCbor, encodeCbor } from '../codec/cbor.js';
import { bytesAt, integerAt, mapOf, optionalAt, textAt } from '../codec/shape.js';
import type { DialectName } from '../dialect/messages.js';
import type { Crypto, PrivateKey } from '../platform.js';

/** protocol.md §2.14; 0 is the observer zone TEST of §3, which counts nowhere. */
export const ZoneType = { TEST: 0, GRID_OPERATOR: 1, BUILDING_MANAGER: 2, HOME_MANAGER: 3, USER_APP: 4 } as const;

export function zoneTypeName(type: number): string {
  for (const [name, value] of Object.entries(ZoneType)) if (value === type) return name;
  return `zone type ${type}`;
}

/** A zone that the device belongs to: one persisted slot. */
export interface Zone {
  /** Slot number, from 0. */
  readonly slot: number;
  /** 16 hex digits (protocol.md §2.15 and §3); compared without regard to case. */
  readonly id: string;
  /** 0–4. */
  readonly type: number;
  /** 1 (highest) – 4. */
  readonly priority: number;
  /** In which dialect it was commissioned: how the device speaks to it later. */
  readonly dialect: DialectName;
  /** CN of the first operational certificate: the device's id in this zone. */
  readonly deviceId: string;
  /** For people: from the Zone CA's subject. */
  readonly name: string;
  /** Unix seconds by the device's clock; 0 when it was never set. */
  readonly addedAt: number;
  /** Counts up with every zone added: which one is newest does not depend on the clock. */
  readonly order: number;
  /** X.509 DER. */
  readonly caCertificate: Uint8Array;
  /** X.509 DER of the device's operational certificate. */
  readonly certificate: Uint8Array;
  readonly key: PrivateKey;
  /** The admin token it was commissioned with, as received: for the owner, it grants nothing here (protocol.md §2.12). */
  readonly adminToken?: Uint8Array;
  /** Of the last renewal: stored and echoed, never compared (protocol.md §3). Absent before the first. */
  readonly sequence?: number;
}

const VERSION = 1;

/** The slot as one journal record: certificate and key are replaced together or not at all. */
export function encodeZone(crypto: Crypto, zone: Zone): Uint8Array {
  return encodeCbor(
    new Map<number, CborValue>([
      [0, VERSION],
      [1, zone.id],
      [2, zone.type],
      [3, zone.priority],
      [4, zone.dialect === 'draft' ? 0 : 1],
      [5, zone.deviceId],
      [6, zone.name],
      [7, zone.addedAt],
      [8, zone.caCertificate],
      [9, zone.certificate],
      [10, crypto.exportKey(zone.key)],
      [11, zone.order],
      ...(zone.adminToken === undefined ? [] : [[12, zone.adminToken] as const]),
      ...(zone.sequence === undefined ? [] : [[13, zone.sequence] as const]),
    ]),
  );
}

/** Throws ShapeError or CborError when the record is not a zone of this version. */
export function decodeZone(crypto: Crypto, slot: number, bytes: Uint8Array): Zone {
  const map = mapOf(decodeCbor(bytes), 'zone record');
  const adminToken = optionalAt(map, 12, () => bytesAt(map, 12, 'admin token'));
  const sequence = optionalAt(map, 13, () => integerAt(map, 13, 'sequence', 0, 0xffff_ffff));
  integerAt(map, 0, 'zone record version', VERSION, VERSION);
  return {
    slot,
    id: textAt(map, 1, 'zone id'),
    type: integerAt(map, 2, 'zone type', 0, 4),
    priority: integerAt(map, 3, 'zone priority', 1, 4),
    dialect: integerAt(map, 4, 'zone dialect', 0, 1) === 0 ? 'draft' : 'reference',
    deviceId: textAt(map, 5, 'device id'),
    name: textAt(map, 6, 'zone name'),
    addedAt: integerAt(map, 7, 'added at'),
    caCertificate: bytesAt(map, 8, 'Zone CA'),
    certificate: bytesAt(map, 9, 'operational certificate'),
    key: crypto.importKey(bytesAt(map, 10, 'operational key', 32)),
    order: integerAt(map, 11, 'order'),
    ...(adminToken === undefined ? {} : { adminToken }),
    ...(sequence === undefined ? {} : { sequence }),
  };
}
