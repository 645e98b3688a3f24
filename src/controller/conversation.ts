import { sameBytes } from '../codec/bytes.js';
import { utf8Encode } from '../codec/utf8.js';
import type { SetupCode } from '../crypto/setup-code.js';
import { type ProverKeys, startProver } from '../crypto/spake2plus-prover.js';
import type { DeviceMessage } from '../dialect/messages.js';
import { PeerError } from '../errors.js';
import type { Attestation } from '../pki/attestation.js';
import type { Crypto } from '../platform.js';
import { CLOSE_TIMEOUT } from '../session/framed-connection.js';
import type { CommissioningChannel } from './channel.js';
import { refusalOf } from './device-status.js';
import { ControllerError } from './errors.js';
import { type ControllerZone, ZONE_KINDS } from './zone.js';

/** What of a zone goes to a device. */
type InstalledZone = Pick<ControllerZone, 'kind' | 'priority' | 'caCertificate'>;

/** protocol.md §2.4. */
const EXPORTER_LABEL = 'EXPORTER-MASH-PASE';
const EXPORTER_LENGTH = 32;
const NONCE_LENGTH = 32;
/** A device may slow down wrong codes and compute for 20 s (protocol.md, profile `reference`); everything else is quicker. */
const PASE_TIMEOUT = 25_000;
const ANSWER_TIMEOUT = 15_000;
/** The first installation of a key; only echoed (protocol.md §3). */
const SEQUENCE = 1;

/** The commissioning conversation as the controller leads it (commissioning-pase §4.1). Each part rejects with ControllerError. */
export class Conversation {
  readonly #channel: CommissioningChannel;
  readonly #crypto: Crypto;

  constructor(channel: CommissioningChannel, crypto: Crypto) {
    this.#channel = channel;
    this.#crypto = crypto;
  }

  get #draft(): boolean {
    return this.#channel.dialect.name === 'draft';
  }

  /**
   * PASE until both sides have proved the code; the zone id of the reference dialect, undefined in the draft dialect. In the draft dialect the
   * device proves the code first, and nothing more is sent to one that does not.
   */
  async pase(code: SetupCode): Promise<string | undefined> {
    const prover = startProver(this.#crypto, this.#channel.dialect.name, code);
    // Our own exporter value, also in the transcript: what was received from a relay never enters it (protocol.md §2.4).
    const context = this.#draft ? this.#channel.exporter(EXPORTER_LABEL, EXPORTER_LENGTH) : undefined;
    this.#channel.send({
      type: 'paseX',
      point: prover.X,
      ...(context === undefined ? { identity: utf8Encode('mash-controller') } : { context }),
    });
    const answer = await this.#receive('paseY', PASE_TIMEOUT);
    const keys = finish(() => prover.finish(answer.point, context));
    if (this.#draft && !proves(keys, answer.verifier)) throw wrongCode();
    this.#channel.send({ type: 'paseVerify', verifier: keys.confirmController });
    const confirm = await this.#receive('paseConfirm', PASE_TIMEOUT);
    if (!this.#draft && !proves(keys, confirm.verifier)) throw wrongCode();
    return keys.zoneId;
  }

  /** Certificate and chain, which are informational (protocol.md §2.7); empty where the device has none. Draft dialect alone. */
  async attestation(): Promise<Attestation> {
    this.#channel.send({ type: 'attestationReq' });
    const { certificate, chain } = await this.#receive('attestationRsp', ANSWER_TIMEOUT);
    return { certificate, chain };
  }

  /** The CSR as received. */
  async csr(zone: InstalledZone): Promise<Uint8Array> {
    const nonce = this.#crypto.bytes(NONCE_LENGTH);
    this.#channel.send({ type: 'csrReq', nonce, ...(this.#draft ? {} : { zoneCa: zone.caCertificate }) });
    const { csr, nonceHash } = await this.#receive('csrRsp', ANSWER_TIMEOUT);
    if (nonceHash !== undefined && !sameBytes(nonceHash, this.#crypto.sha256(nonce).subarray(0, 16)))
      throw new ControllerError('NOT_TRUSTED', 'The CSR does not answer our nonce');
    return csr;
  }

  /** Resolves when the device has acknowledged. The token goes along in the draft dialect alone. */
  async install(zone: InstalledZone, certificate: Uint8Array, adminToken?: Uint8Array): Promise<void> {
    const { kind, priority, caCertificate } = zone;
    const zoneType = ZONE_KINDS[kind].draft;
    const rank = zoneType === undefined ? { priority } : { zoneType, priority };
    this.#channel.send({
      type: 'certInstall',
      certificate,
      ...(this.#draft ? { zoneCa: caCertificate, ...rank, ...(adminToken === undefined ? {} : { adminToken }) } : { sequence: SEQUENCE }),
    });
    await this.#receive('certAck', ANSWER_TIMEOUT);
  }

  /** Draft: close, close_ack. Reference: the device closes (protocol.md §3). Resolves when the connection is down. */
  async finish(): Promise<void> {
    if (!this.#draft) await this.#channel.closed(CLOSE_TIMEOUT);
    else {
      try {
        this.#channel.send({ type: 'close', reason: 'commissioning_complete' });
        await this.#channel.receive('close_ack', CLOSE_TIMEOUT);
      } catch (error) {
        // protocol.md §2.13: without an acknowledgement the connection is closed anyway.
        if (!(error instanceof ControllerError)) throw error;
      }
    }
    await this.#channel.end();
  }

  async #receive<T extends DeviceMessage['type']>(type: T, timeout: number): Promise<Extract<DeviceMessage, { type: T }>> {
    const message = await this.#channel.receive(type, timeout);
    const refusal = refusalOf(this.#channel.dialect.name, message);
    if (refusal !== undefined) throw type === 'paseY' && refusal.code === 'WRONG_CODE' ? relayed(refusal) : refusal;
    if (message.type !== type) throw new ControllerError('PROTOCOL', `The device sent ${message.type} where ${type} is due`);
    return message as Extract<DeviceMessage, { type: T }>;
  }
}

function proves(keys: ProverKeys, verifier: Uint8Array | undefined): boolean {
  return verifier !== undefined && keys.checkDevice(verifier);
}

/** A point that is none is the peer's fault. */
function finish(work: () => ProverKeys): ProverKeys {
  try {
    return work();
  } catch (error) {
    if (error instanceof PeerError) throw new ControllerError('NOT_TRUSTED', `The device sent no valid PASE share: ${error.message}`);
    throw error;
  }
}

/** protocol.md §2.4: before PASE_Y no code has been judged; the status says that the device's exporter value is not ours. */
function relayed(refusal: ControllerError): ControllerError {
  return new ControllerError('NOT_TRUSTED', 'The device sees another TLS connection than we do: somebody relays it', refusal.details);
}

function wrongCode(): ControllerError {
  return new ControllerError('WRONG_CODE', 'The device does not prove the setup code: the code is wrong, or this is not the device', {
    suggestions: ['Compare the code with the label or the display of the device'],
  });
}
