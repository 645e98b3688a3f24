import { utf8Encode } from '../codec/utf8.js';
import { CommissioningChannel } from '../controller/channel.js';
import { ControllerError } from '../controller/errors.js';
import type { Transport } from '../controller/transport.js';
import { type DeviceAddress, ZONE_KINDS } from '../controller/zone.js';
import type { SetupCode } from '../crypto/setup-code.js';
import { type PaseProver, type ProverKeys, startProver } from '../crypto/spake2plus-prover.js';
import { draftDialect, referenceDialect } from '../dialect/dialect.js';
import type { ControllerMessage, DeviceMessage, DialectName } from '../dialect/messages.js';
import { parseCsr } from '../pki/csr.js';
import { deviceIdOfKey, zoneIdOfCa } from '../pki/identities.js';
import type { Clock, Crypto } from '../platform.js';
import { Refuted } from './verdict.js';
import type { LeafChange, ZoneKit } from './zone-kit.js';

const EXPORTER_LABEL = 'EXPORTER-MASH-PASE';
/** A device may compute for 20 s, of which its pace takes ten (protocol.md, profile `reference`). */
const PATIENCE = 25_000;

export interface CommissioningParts {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly transport: Transport;
}

export interface CommissioningOptions {
  readonly dialect: DialectName;
  readonly zone: ZoneKit;
  readonly code: SetupCode;
}

/** An answer, or what came in its place. */
export type Answer = DeviceMessage | { readonly type: 'closed' };

/** What of CERT_INSTALL is other than it should be. */
export interface InstallChange extends LeafChange {
  readonly certificate?: Uint8Array;
  readonly adminToken?: Uint8Array;
}

export type CommissioningStep = 'paseX' | 'paseVerify' | 'csrReq' | 'certInstall';
const ORDER: readonly CommissioningStep[] = ['paseX', 'paseVerify', 'csrReq', 'certInstall'];

/** A commissioning, one message at a time, so that a case can do anything between two of them. */
export class CommissioningPeer {
  readonly dialect: DialectName;
  readonly zone: ZoneKit;
  readonly channel: CommissioningChannel;
  readonly #crypto: Crypto;
  readonly #prover: PaseProver;
  #keys: ProverKeys | undefined;
  #csr: Uint8Array | undefined;
  /** Once certInstall was sent. */
  deviceId = '';
  zoneId = '';
  /** CERT_ACK 0 was seen: the zone is on the device, whatever the case wanted. */
  installed = false;

  private constructor(channel: CommissioningChannel, crypto: Crypto, { dialect, zone, code }: CommissioningOptions) {
    this.channel = channel;
    this.#crypto = crypto;
    this.dialect = dialect;
    this.zone = zone;
    this.#prover = startProver(crypto, dialect, code);
  }

  /** Rejects with ControllerError (WINDOW_CLOSED …) or NetworkError. */
  static async connect(parts: CommissioningParts, target: DeviceAddress, options: CommissioningOptions): Promise<CommissioningPeer> {
    const { stream } = await parts.transport.connect(target, { kind: 'commissioning' }, new AbortController().signal);
    const dialect = options.dialect === 'draft' ? draftDialect : referenceDialect;
    return new CommissioningPeer(new CommissioningChannel(stream, dialect, parts.clock), parts.crypto, options);
  }

  get share(): Uint8Array {
    return this.#prover.X;
  }

  get exporter(): Uint8Array {
    return this.channel.exporter(EXPORTER_LABEL, 32);
  }

  send(message: ControllerMessage): void {
    this.channel.send(message);
  }

  /** The next message; `closed` where the connection ends first. Throws Refuted where nothing comes, and for what is no message. */
  async answer(due: string, timeout = PATIENCE): Promise<Answer> {
    try {
      const answer = await this.channel.receive(due, timeout);
      if (answer.type === 'certAck' && answer.status === 0) this.installed = true;
      return answer;
    } catch (error) {
      if (!(error instanceof ControllerError)) throw error;
      if (error.code === 'CONNECTION_LOST') return { type: 'closed' };
      throw new Refuted(error.message);
    }
  }

  /** `context`: null leaves it out (draft dialect). */
  paseX(change: { readonly point?: Uint8Array; readonly context?: Uint8Array | null } = {}): void {
    const point = change.point ?? this.share;
    if (this.dialect === 'reference') this.send({ type: 'paseX', point, identity: utf8Encode('mash-controller') });
    else if (change.context === null) this.send({ type: 'paseX', point });
    else this.send({ type: 'paseX', point, context: change.context ?? this.exporter });
  }

  /** Goes on from `from` (default: the beginning) through `to`; the last answer. Stops at the first one that says no. */
  async run(to: CommissioningStep, from: CommissioningStep = 'paseX', change: InstallChange = {}): Promise<Answer> {
    let answer: Answer = { type: 'closed' };
    for (const step of ORDER.slice(ORDER.indexOf(from), ORDER.indexOf(to) + 1)) {
      this.#send(step, change);
      answer = await this.answer(`the answer to ${step}`);
      if (saysNo(answer)) return answer;
      this.#take(answer);
    }
    return answer;
  }

  /** Draft: close, and its acknowledgement. Reference: the device closes. Resolves with what was seen. */
  async finish(): Promise<'close_ack' | 'closed' | 'other'> {
    if (this.dialect === 'draft') {
      this.send({ type: 'close', reason: 'commissioning_complete' });
      const answer = await this.answer('close_ack', 6000);
      await this.channel.end();
      return answer.type === 'closeAck' ? 'close_ack' : answer.type === 'closed' ? 'closed' : 'other';
    }
    const answer = await this.answer('the end of the connection', 6000);
    this.destroy();
    return answer.type === 'closed' ? 'closed' : 'other';
  }

  destroy(): void {
    this.channel.destroy('the case is done');
  }

  #send(step: CommissioningStep, change: InstallChange): void {
    switch (step) {
      case 'paseX':
        this.paseX();
        return;
      case 'paseVerify':
        this.send({ type: 'paseVerify', verifier: this.#keys?.confirmController ?? new Uint8Array(32) });
        return;
      case 'csrReq':
        this.send({ type: 'csrReq', nonce: this.#crypto.bytes(32), ...(this.dialect === 'draft' ? {} : { zoneCa: this.zone.ca }) });
        return;
      case 'certInstall':
        this.#install(change);
    }
  }

  #install({ certificate, adminToken, ...change }: InstallChange): void {
    const { publicKey } = parseCsr(this.#crypto, this.#csr ?? new Uint8Array(0));
    this.deviceId = deviceIdOfKey(this.#crypto, publicKey);
    this.zoneId = this.#keys?.zoneId ?? zoneIdOfCa(this.#crypto, this.zone.ca);
    const issued = certificate ?? this.zone.issueDevice(publicKey, change);
    if (this.dialect === 'reference') {
      this.send({ type: 'certInstall', certificate: issued, sequence: 2 });
      return;
    }
    const zoneType = ZONE_KINDS[this.zone.kind].draft ?? 3;
    const token = adminToken === undefined ? {} : { adminToken };
    this.send({ type: 'certInstall', certificate: issued, zoneCa: this.zone.ca, zoneType, priority: zoneType, ...token });
  }

  #take(answer: Answer): void {
    if (answer.type === 'csrRsp') this.#csr = answer.csr;
    else if (answer.type === 'paseY') {
      this.#keys = this.#prover.finish(answer.point, this.dialect === 'draft' ? this.exporter : undefined);
    }
  }
}

export function saysNo(answer: Answer): boolean {
  if (answer.type === 'paseConfirm' || answer.type === 'certAck') return answer.status !== 0;
  return answer.type === 'error' || answer.type === 'closed' || answer.type === 'close';
}

/** `PASE_CONFIRM 1`, `CERT_ACK 5`, `ERROR 5`, `closed`. */
export function answerText(answer: Answer): string {
  switch (answer.type) {
    case 'paseY':
      return 'PASE_Y';
    case 'paseConfirm':
      return `PASE_CONFIRM ${answer.status}`;
    case 'attestationRsp':
      return 'ATTESTATION_RSP';
    case 'csrRsp':
      return 'CSR_RSP';
    case 'certAck':
      return `CERT_ACK ${answer.status}`;
    case 'error':
      return `ERROR ${answer.code}`;
    default:
      return answer.type;
  }
}
