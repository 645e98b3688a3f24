import { peerShare } from '../crypto/pase-share.js';
import type { PaseKeys, PreparedShare } from '../crypto/spake2plus.js';
import { type ControllerMessage, type DeviceMessage, type DialectName, Status } from '../dialect/messages.js';
import type { Crypto, SecureStream } from '../platform.js';
import { Refusal } from './host.js';

/** RFC 8446 §7.5, protocol.md §2.4. */
const EXPORTER_LABEL = 'EXPORTER-MASH-PASE';
const EXPORTER_LENGTH = 32;

/** The SPAKE2+ part of one commissioning, in the order of its calls: accept, compute, reply, check, confirmation. */
export class PaseExchange {
  readonly #crypto: Crypto;
  readonly #stream: SecureStream;
  readonly #dialect: DialectName;
  readonly #takeShare: () => PreparedShare;
  /** X as it was sent. */
  #received: Uint8Array = new Uint8Array(0);
  #share: PreparedShare | undefined;
  #point: Uint8Array = new Uint8Array(0);
  #keys: PaseKeys | undefined;

  constructor(crypto: Crypto, stream: SecureStream, dialect: DialectName, takeShare: () => PreparedShare) {
    this.#crypto = crypto;
    this.#stream = stream;
    this.#dialect = dialect;
    this.#takeShare = takeShare;
  }

  /** Channel binding, then the point; multiplies nothing. Throws Refusal for the first, PeerError for the second. */
  accept(message: Extract<ControllerMessage, { type: 'paseX' }>): void {
    if (this.#dialect === 'draft' && !this.#crypto.equal(message.context ?? new Uint8Array(0), this.#exporter())) {
      throw new Refusal({ status: Status.VERIFICATION_FAILED, text: 'the context is not the exporter value of this connection' });
    }
    this.#received = peerShare(this.#crypto, this.#dialect, message.point).sent;
  }

  /** The draft's PASE_Y carries the device's verifier; the reference answers first and computes while the peer does. Throws PeerError. */
  compute(moment: 'before PASE_Y' | 'after PASE_Y'): void {
    if (moment === 'before PASE_Y') {
      // A share is made, or used up, for who is answered: not for who is told that the device is busy.
      this.#share = this.#takeShare();
      this.#point = this.#share.accept(this.#received);
    }
    const due = this.#dialect === 'draft' ? 'before PASE_Y' : 'after PASE_Y';
    if (moment === due) this.#keys = this.#share?.finish(this.#dialect === 'draft' ? this.#exporter() : undefined);
  }

  get reply(): DeviceMessage {
    const verifier = this.#keys?.confirmDevice;
    return { type: 'paseY', point: this.#point, ...(verifier === undefined ? {} : { verifier }) };
  }

  check(verifier: Uint8Array): boolean {
    return this.#keys?.checkController(verifier) === true;
  }

  /** PASE_CONFIRM, or message 4 with the device's MAC. */
  get confirmation(): DeviceMessage {
    const verifier = this.#dialect === 'reference' ? this.#keys?.confirmDevice : undefined;
    return { type: 'paseConfirm', status: Status.SUCCESS, ...(verifier === undefined ? {} : { verifier }) };
  }

  /** Reference dialect: the zone's id, from Ke. */
  get zoneId(): string | undefined {
    return this.#keys?.zoneId;
  }

  #exporter(): Uint8Array {
    return this.#stream.exporter(EXPORTER_LABEL, EXPORTER_LENGTH);
  }
}
