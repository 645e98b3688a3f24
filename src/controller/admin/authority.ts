import { sameBytes } from '../../codec/bytes.js';
import { toHex } from '../../codec/hex.js';
import { Status } from '../../dialect/messages.js';
import { StoreError } from '../../errors.js';
import { AdminTokenError, verifyAdminToken } from '../../pki/admin-token.js';
import { parseCertificate } from '../../pki/certificate.js';
import { CertificateError } from '../../pki/certificate-error.js';
import { parseCsr } from '../../pki/csr.js';
import { deviceIdOfKey, sameId } from '../../pki/identities.js';
import type { Clock, Crypto, Log } from '../../platform.js';
import { issueToken, type Permission } from '../token.js';
import { type ControllerZone, ZONE_KINDS } from '../zone.js';
import { issueDeviceCertificate } from '../zone-authority.js';
import type { ZoneStore } from '../zone-store.js';
import type { AdminAnswer } from './messages.js';
import type { AdminRegister } from './register.js';

export interface AdminAuthorityParts {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: Log;
  readonly zone: ControllerZone;
  readonly store: ZoneStore;
  readonly register: AdminRegister;
  /** Of the tokens it issues. */
  readonly days: number;
  readonly permissions: readonly Permission[];
  /** A device is to join the zone. */
  onSigned(deviceId: string, tokenId: string): void;
}

/** commissioning-pase §8.4: one answer for every token that does not hold; which failure it was is in the log alone. */
const INVALID_TOKEN: AdminAnswer = { type: 'adminError', status: Status.INVALID_CERT, text: 'Invalid admin token' };

/** What the owner of a zone does for its admins (protocol.md §2.12): issues tokens, signs forwarded CSRs, refuses revoked tokens. */
export class AdminAuthority {
  readonly #parts: AdminAuthorityParts;

  constructor(parts: AdminAuthorityParts) {
    this.#parts = parts;
  }

  /** A new token with the Zone CA; it is in the register before it leaves. */
  async issue(name: string | undefined): Promise<AdminAnswer> {
    const { crypto, zone, register, days, permissions } = this.#parts;
    const { bytes, ...token } = issueToken(crypto, zone, { now: this.#now(), days, permissions });
    return this.#stored(async () => {
      await register.put({ ...token, ...(name === undefined ? {} : { name }) });
      const zoneType = ZONE_KINDS[zone.kind].draft;
      const rank = zoneType === undefined ? {} : { zoneType, priority: zone.priority };
      return { type: 'adminRsp', token: bytes, ca: zone.caCertificate, ...rank };
    });
  }

  /** The certificate for a device's CSR; it is among the zone's devices before it leaves. The CSR of a device that is one gets its certificate again. */
  async sign(csr: Uint8Array, token: Uint8Array): Promise<AdminAnswer> {
    const { crypto, zone, store, onSigned } = this.#parts;
    return this.#stored(async () => {
      const tokenId = await this.#judge(token);
      if (tokenId === undefined) return INVALID_TOKEN;
      try {
        const { publicKey } = parseCsr(crypto, csr);
        const id = deviceIdOfKey(crypto, publicKey);
        const known = (await store.devices()).find((device) => sameId(device.id, id));
        if (known !== undefined) {
          if (!sameBytes(parseCertificate(crypto, known.certificate).publicKey, publicKey))
            return { type: 'adminError', status: Status.ALREADY_COMMISSIONED, text: 'this key has been replaced by a renewal' };
          return { type: 'adminSigned', certificate: known.certificate };
        }
        const now = this.#now();
        const { certificate, deviceId } = await issueDeviceCertificate(crypto, zone, csr, { dialect: 'draft', now });
        await store.put({
          id: deviceId,
          zoneId: zone.id,
          dialect: 'draft',
          state: 'pending',
          certificate,
          addresses: [],
          discriminator: undefined,
          name: undefined,
          serial: undefined,
          deviceId: undefined,
          addedAt: now,
        });
        onSigned(deviceId, tokenId);
        return { type: 'adminSigned', certificate };
      } catch (error) {
        if (!(error instanceof CertificateError)) throw error;
        return { type: 'adminError', status: Status.INVALID_FORMAT, text: `CSR: ${error.message}` };
      }
    });
  }

  /** The id of a token that holds and is not revoked; undefined, and why in the log, for any other. */
  async #judge(bytes: Uint8Array): Promise<string | undefined> {
    const { crypto, zone, log, register } = this.#parts;
    try {
      const ca = parseCertificate(crypto, zone.caCertificate);
      const id = toHex(verifyAdminToken(crypto, bytes, { ca, time: { quality: 'synchronised', now: this.#now() } }).id);
      if ((await register.find(id))?.revokedAt === undefined) return id;
      log.warn('admin token refused', { failure: 'revoked', token: id });
    } catch (error) {
      if (!(error instanceof AdminTokenError)) throw error;
      log.warn('admin token refused', { failure: error.reason, reason: error.message });
    }
    return undefined;
  }

  async #stored(work: () => Promise<AdminAnswer>): Promise<AdminAnswer> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#parts.log.error('an admin request could not be stored', { error });
      return { type: 'adminError', status: Status.STORAGE_ERROR, text: 'storage' };
    }
  }

  #now(): number {
    return Math.floor(this.#parts.clock.wall() / 1000);
  }
}
