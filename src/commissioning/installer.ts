import { toHex } from '../codec/hex.js';
import { Status } from '../dialect/messages.js';
import { StoreError } from '../errors.js';
import { AdminTokenError, verifyAdminToken } from '../pki/admin-token.js';
import { type Certificate, parseCertificate } from '../pki/certificate.js';
import { CertificateError } from '../pki/certificate-error.js';
import { zoneIdOfCa } from '../pki/identities.js';
import { attributeValues, commonName } from '../pki/name.js';
import { OID } from '../pki/oid.js';
import type { TrustedTime } from '../pki/trusted-time.js';
import { checkDeviceCertificate, checkZoneCa, checkZoneIdFree } from '../pki/verify.js';
import type { Crypto, Log } from '../platform.js';
import { type Zone, ZoneType } from '../zones/zone.js';
import type { ZoneTable } from '../zones/zone-table.js';
import { type InstallRequest, Refusal } from './host.js';

export interface InstallerParts {
  readonly crypto: Crypto;
  readonly zones: ZoneTable;
  readonly time: TrustedTime;
  readonly log: Log;
  /** Stores the clock's floor, where a Zone CA just proved raised it. */
  storeFloor(floor: number): void;
  /** TEST zones are accepted: an enable key was given. */
  readonly testZones: boolean;
  isConnected(zone: Zone): boolean;
  /** Takes a TEST zone out of its slot with everything of it. Rejects with StoreError. */
  removeTestZone(zone: Zone): Promise<void>;
}

/** What is installed, and what is refused (protocol.md §2.10, §2.11, §3). */
export class Installer {
  readonly #parts: InstallerParts;

  constructor(parts: InstallerParts) {
    this.#parts = parts;
  }

  /** Message 30: the zone's type and its Zone CA are judged before a key is made. Throws Refusal. */
  checkReferenceCa(der: Uint8Array): Certificate {
    const ca = this.#parse(der, 'Zone CA');
    this.#judge(() => checkZoneCa(this.#parts.crypto, ca, this.#parts.time.read()));
    const { type } = this.#referenceRank(ca);
    this.#refuseKnown(ca, type);
    if (type === ZoneType.TEST) {
      if (this.#connectedTestZone()) throw refusal(Status.ALREADY_COMMISSIONED, 'zone type already exists');
      return ca;
    }
    if (this.#parts.zones.typeTaken(type)) throw refusal(Status.ALREADY_COMMISSIONED, 'zone type already exists');
    if (this.#parts.zones.full) throw refusal(Status.ZONE_FULL, 'zone slots full');
    return ca;
  }

  /** All checks of §2.11, then one atomic commit. Rejects with Refusal; nothing has changed then. */
  async install(request: InstallRequest): Promise<Zone> {
    const { crypto, zones, time } = this.#parts;
    const ca = request.authority ?? this.#parse(request.zoneCa, 'Zone CA');
    const certificate = this.#parse(request.message.certificate, 'operational certificate');
    const rank = request.dialect === 'reference' ? this.#referenceRank(ca) : draftRank(request);
    const id = request.zoneId ?? zoneIdOfCa(crypto, request.zoneCa);
    this.#judge(() => {
      if (request.authority === undefined) checkZoneCa(crypto, ca, time.read());
      checkDeviceCertificate(crypto, { certificate, ca, expectedPublicKey: request.key.publicKey, time: time.read() });
    });
    this.#checkToken(request, ca);
    if (rank.type === ZoneType.TEST) await this.#recycleTestZone();
    this.#refuseKnown(ca, rank.type);
    this.#judge(() =>
      checkZoneIdFree(
        { zoneId: id, ca },
        zones.all.map((zone) => ({ zoneId: zone.id, ca: zones.authority(zone) })),
      ),
    );
    if (zones.typeTaken(rank.type)) throw refusal(Status.ZONE_FULL, 'no slot for another zone of this type');
    if (zones.full && rank.type !== ZoneType.TEST) throw refusal(Status.ZONE_FULL, 'zone slots full');
    const zone = await this.#commit(request, ca, certificate, id, rank);
    // Only now is the Zone CA one that the setup code has proved.
    const floor = time.proveBy(certificate.notBefore);
    if (floor !== undefined) this.#parts.storeFloor(floor);
    return zone;
  }

  /** commissioning-pase §8.4: where a token is present it must hold; what is wrong with it is told to the log alone. */
  #checkToken({ message: { adminToken } }: InstallRequest, ca: Certificate): void {
    if (adminToken === undefined) return;
    const { crypto, time, log } = this.#parts;
    try {
      const { id, permissions } = verifyAdminToken(crypto, adminToken, { ca, time: time.read() });
      log.info('admin token holds', { token: toHex(id), permissions });
    } catch (error) {
      if (!(error instanceof AdminTokenError)) throw error;
      log.warn('admin token refused', { failure: error.reason, detail: error.message });
      throw refusal(Status.INVALID_CERT, 'Invalid admin token');
    }
  }

  async #commit(request: InstallRequest, ca: Certificate, certificate: Certificate, id: string, rank: Rank): Promise<Zone> {
    const { zones, time } = this.#parts;
    const { quality, now } = time.read();
    const { adminToken } = request.message;
    try {
      return await zones.add({
        id,
        ...rank,
        dialect: request.dialect,
        deviceId: commonName(certificate.subject) ?? '',
        name: zoneName(ca, id),
        addedAt: quality === 'unset' ? 0 : now,
        authority: ca,
        certificate: certificate.raw,
        key: request.key,
        ...(adminToken === undefined ? {} : { adminToken }),
      });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#parts.log.error('a zone could not be stored', { reason: error.message });
      throw refusal(Status.STORAGE_ERROR, 'cannot store the certificate');
    }
  }

  #referenceRank(ca: Certificate): Rank {
    const rank = referenceRank(ca);
    if (rank.type === ZoneType.TEST && !this.#parts.testZones) throw refusal(Status.INVALID_FORMAT, 'TEST zones are not enabled');
    return rank;
  }

  #connectedTestZone(): boolean {
    const { zones, isConnected } = this.#parts;
    return zones.all.some((zone) => zone.type === ZoneType.TEST && isConnected(zone));
  }

  /** reference-behaviour §3.5: a TEST zone that is away makes room for the next one. */
  async #recycleTestZone(): Promise<void> {
    for (const zone of this.#parts.zones.all.filter(({ type }) => type === ZoneType.TEST)) await this.#parts.removeTestZone(zone);
  }

  #refuseKnown(ca: Certificate, type: number): void {
    const known = this.#parts.zones.withAuthorityKey(ca.publicKey);
    if (known !== undefined && !(known.type === ZoneType.TEST && type === ZoneType.TEST)) {
      throw refusal(Status.ALREADY_COMMISSIONED, 'this Zone CA holds a zone already');
    }
  }

  #parse(der: Uint8Array, what: string): Certificate {
    try {
      return parseCertificate(this.#parts.crypto, der);
    } catch (error) {
      throw certificateRefusal(error, `${what}: `);
    }
  }

  #judge(check: () => void): void {
    try {
      check();
    } catch (error) {
      throw certificateRefusal(error, '');
    }
  }
}

/** The lowest: it counts nowhere. */
const TEST_PRIORITY = 4;

interface Rank {
  readonly type: number;
  readonly priority: number;
}

function draftRank({ message }: InstallRequest): Rank {
  return { type: message.zoneType ?? 0, priority: message.priority ?? 0 };
}

/** protocol.md §3: the type is one of the Zone CA's OUs; a zone may be *named* like a type, then two match. */
function referenceRank(ca: Certificate): Rank {
  const types = ['GRID', 'LOCAL', 'TEST'].filter((type) => attributeValues(ca.subject, OID.organizationalUnit).includes(type));
  if (types.length > 1) throw refusal(Status.INVALID_CERT, 'Zone CA: two zone types among its OUs');
  if (types[0] === 'GRID') return { type: ZoneType.GRID_OPERATOR, priority: 1 };
  if (types[0] === 'TEST') return { type: ZoneType.TEST, priority: TEST_PRIORITY };
  return { type: ZoneType.HOME_MANAGER, priority: 3 };
}

const CA_PREFIX = 'MASH Zone CA - ';

function zoneName(ca: Certificate, id: string): string {
  const name = commonName(ca.subject) ?? id;
  return name.startsWith(CA_PREFIX) ? name.slice(CA_PREFIX.length) : name;
}

function refusal(status: Status, text: string): Refusal {
  return new Refusal({ status, text });
}

function certificateRefusal(error: unknown, prefix: string): unknown {
  if (!(error instanceof CertificateError)) return error;
  return new Refusal({ status: Status.INVALID_CERT, text: prefix + error.message, wrongKey: error.reason === 'wrong-key' });
}
