import { sameBytes } from '../codec/bytes.js';
import type { CborMap } from '../codec/cbor.js';
import type { ControllerMessage, DeviceMessage } from '../dialect/messages.js';
import { decodeReferenceController, encodeReference, Message, RenewalStatus } from '../dialect/reference.js';
import { StoreError } from '../errors.js';
import { parseCertificate } from '../pki/certificate.js';
import { CertificateError } from '../pki/certificate-error.js';
import { createCsr } from '../pki/csr.js';
import type { TrustedTime } from '../pki/trusted-time.js';
import { checkDeviceCertificate, checkZoneCa } from '../pki/verify.js';
import type { Crypto, Log, PrivateKey } from '../platform.js';
import type { Zone } from './zone.js';
import type { ZoneTable } from './zone-table.js';

export const NONCE_LENGTH = 32;
const NONCE_HASH_LENGTH = 16;

export interface RenewalParts {
  readonly crypto: Crypto;
  readonly zones: ZoneTable;
  readonly time: TrustedTime;
  readonly log: Log;
  /** For the subject of the CSR. */
  readonly board: { readonly vendorId: number; readonly productId: number };
  /** Certificate and key of a zone were replaced; later handshakes show the new ones. */
  onRenewed(zone: Zone): void;
}

/** Gives each operational connection its own renewal. */
export class Renewals {
  readonly #parts: RenewalParts;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
  }

  open(zoneId: string): Renewal {
    return new Renewal(this.#parts, zoneId);
  }
}

/**
 * The device's side of messages 30–33 on one operational connection (protocol.md §3): `idle`, or one pending key from message 30, which a new
 * message 30 replaces, a successful message 32 uses up, and the end of the connection forgets with this object.
 */
export class Renewal {
  readonly #parts: RenewalParts;
  readonly #zoneId: string;
  #pending: PrivateKey | undefined;

  constructor(parts: RenewalParts, zoneId: string) {
    this.#parts = parts;
    this.#zoneId = zoneId;
  }

  /**
   * Answers message 30 with 31 or 33, message 32 with 33. Undefined: messages 31 and 33 answer nothing that a device asks, whatever they look like.
   * Throws ShapeError for a message 30 or 32 of the wrong shape; what is pending stays.
   */
  receive(value: CborMap): CborMap | Promise<CborMap> | undefined {
    const type = value.get(1);
    if (type !== Message.RENEWAL && type !== Message.INSTALL) return undefined;
    const message = decodeReferenceController(value);
    if (message.type === 'csrReq') return encodeReference(this.#request(message));
    if (message.type === 'certInstall')
      return this.#install(message).then(encodeReference, (error: unknown) => encodeReference(this.#internal(error)));
    return undefined;
  }

  get #zone(): Zone | undefined {
    return this.#parts.zones.byId(this.#zoneId);
  }

  #request(message: Extract<ControllerMessage, { type: 'csrReq' }>): DeviceMessage {
    const { crypto, board, log } = this.#parts;
    const zone = this.#zone;
    if (zone === undefined) return this.#answer(RenewalStatus.CSR_FAILED, 'the zone was removed');
    if (message.nonce.length !== NONCE_LENGTH) return this.#answer(RenewalStatus.INVALID_NONCE, 'the nonce is not 32 bytes long');
    if (message.zoneCa !== undefined && !sameBytes(message.zoneCa, zone.caCertificate))
      return this.#answer(RenewalStatus.INVALID_CERT, 'another Zone CA than the stored one');
    try {
      const key = crypto.generateKey();
      // protocol.md §2.15: the device id stays though the key is new.
      const csr = createCsr(crypto, { key, vendorId: board.vendorId, productId: board.productId, commonName: zone.deviceId });
      this.#pending = key;
      return { type: 'csrRsp', csr, nonceHash: crypto.sha256(message.nonce).slice(0, NONCE_HASH_LENGTH) };
    } catch (error) {
      log.error('no key could be made for a renewal', {
        zone: this.#zoneId,
        reason: error instanceof Error ? error.message : String(error),
      });
      return this.#answer(RenewalStatus.CSR_FAILED, 'no key could be made');
    }
  }

  async #install(message: Extract<ControllerMessage, { type: 'certInstall' }>): Promise<DeviceMessage> {
    const key = this.#pending;
    const zone = this.#zone;
    if (key === undefined || zone === undefined) return this.#answer(RenewalStatus.INSTALL_FAILED, 'nothing is pending');
    try {
      this.#check(message.certificate, key, zone);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      const status = error.reason === 'wrong-key' ? RenewalStatus.INVALID_NONCE : RenewalStatus.INVALID_CERT;
      return this.#answer(status, error.message);
    }
    const { zones, log } = this.#parts;
    const sequence = message.sequence ?? 0;
    // One message 32 uses the key; a message 30 that arrives during the commit makes another one.
    this.#pending = undefined;
    let renewed: Zone;
    try {
      renewed = await zones.replace(zone, { certificate: message.certificate, key, sequence });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#pending ??= key;
      return this.#answer(RenewalStatus.INSTALL_FAILED, `it could not be stored: ${error.message}`);
    }
    log.info('certificate renewed', { zone: renewed.id, device: renewed.deviceId, sequence });
    this.#parts.onRenewed(renewed);
    return { type: 'certAck', status: RenewalStatus.SUCCESS, sequence };
  }

  /** protocol.md §3: the checks of §2.11 against the stored Zone CA, and the common name unchanged. */
  #check(der: Uint8Array, key: PrivateKey, zone: Zone): void {
    const { crypto, zones } = this.#parts;
    const time = this.#parts.time.read();
    const ca = zones.authority(zone);
    const certificate = parseCertificate(crypto, der);
    checkDeviceCertificate(crypto, { certificate, ca, expectedPublicKey: key.publicKey, time, expectedCommonName: zone.deviceId });
    checkZoneCa(crypto, ca, time);
  }

  /** A bug of ours ends no more than this renewal. */
  #internal(error: unknown): DeviceMessage {
    this.#parts.log.error('internal error during a renewal', { zone: this.#zoneId, error });
    return this.#answer(RenewalStatus.INSTALL_FAILED, 'internal error');
  }

  /** A refusal carries the sequence that is in force. */
  #answer(status: number, reason: string): DeviceMessage {
    this.#parts.log.warn('renewal refused', { zone: this.#zoneId, status, reason });
    return { type: 'certAck', status, sequence: this.#zone?.sequence ?? 0 };
  }
}
