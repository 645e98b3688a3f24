import { Commissioner, type CommissionerEvents } from '../commissioning/commissioner.js';
import { Installer } from '../commissioning/installer.js';
import { PreparedMaterial } from '../commissioning/prepared-material.js';
import type { TrustedTime } from '../pki/trusted-time.js';
import type { Admission } from '../session/admission.js';
import type { Journal } from '../store/journal.js';
import { type Zone, ZoneType } from '../zones/zone.js';
import type { ZoneTable } from '../zones/zone-table.js';
import { readAttestation } from './attestation.js';
import type { DeviceIdentity } from './identity.js';
import type { DeviceOptions } from './options.js';

export interface DeviceCommissioningParts {
  readonly options: DeviceOptions;
  readonly journal: Journal;
  readonly identity: DeviceIdentity;
  readonly time: TrustedTime;
  readonly zones: ZoneTable;
  readonly admission: Admission;
  /** Stores the clock's floor. */
  storeFloor(floor: number): void;
  isConnected(zone: Zone): boolean;
  /** The zone is out of its slot: everything of it ends. */
  onRemoved(zone: Zone): void;
  readonly events: Omit<CommissionerEvents, 'onLock' | 'onBegun'>;
}

/** The commissioner with what it installs and what it prepares. */
export function deviceCommissioner(parts: DeviceCommissioningParts): Commissioner {
  const { options, journal, identity, time, zones, admission, events } = parts;
  const { profile, board, testControl } = options;
  const { clock, crypto } = options.platform;
  const log = options.platform.log.scoped('commissioning');
  const installer = new Installer({
    crypto,
    zones,
    time,
    log,
    storeFloor: (floor) => parts.storeFloor(floor),
    testZones: testControl !== undefined,
    isConnected: (zone) => parts.isConnected(zone),
    removeTestZone: async (zone) => {
      await zones.remove(zone);
      parts.onRemoved(zone);
    },
  });
  // reference-behaviour §3.5: with an enable key a TEST zone may come beside two others, and a zone that is away makes room.
  const staying = (): number => zones.all.filter((zone) => zone.type === ZoneType.TEST || parts.isConnected(zone)).length;
  return new Commissioner(
    {
      profile,
      crypto,
      clock,
      log,
      zones,
      installer,
      material: new PreparedMaterial(crypto, clock, identity.verifiers, board),
      attestation: readAttestation(journal, options.platform.log),
      full: () => (testControl === undefined ? zones.full : staying() > profile['zones.slots']),
    },
    {
      ...events,
      onLock: (connection) => {
        admission.lockHolder = connection;
      },
      onBegun: () => testControl?.commissioningBegins(),
    },
  );
}
