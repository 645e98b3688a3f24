import { type CborMap, type CborValue, isMap } from '../../src/codec/cbor.js';
import { parseSetupCode } from '../../src/crypto/setup-code.js';
import { type ProverKeys, startProver } from '../../src/crypto/spake2plus-prover.js';
import { type Dialect, draftDialect, referenceDialect } from '../../src/dialect/dialect.js';
import type { ControllerMessage, DeviceMessage, DialectName } from '../../src/dialect/messages.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { parseCsr } from '../../src/pki/csr.js';
import { deviceIdOfKey } from '../../src/pki/identities.js';
import {
  type CertificateOptions,
  issueController,
  issueDeviceCertificate,
  makeZoneCa,
  type TestController,
  type TestZoneCa,
} from './certificates.js';
import type { Peer } from './peer.js';

const crypto = nodeCrypto();

export interface TestZone {
  readonly ca: TestZoneCa;
  readonly controller: TestController;
  readonly type: number;
  readonly priority: number;
}

/** `ou`: the zone type as the reference writes it. */
export function makeZone(name: string, type = 3, priority = type, ou?: 'GRID' | 'LOCAL' | 'TEST'): TestZone {
  const ca = makeZoneCa({ zoneName: name, ...(ou === undefined ? {} : { zoneType: ou }) });
  return { ca, controller: issueController(ca), type, priority };
}

export interface StepOptions {
  readonly code?: string;
  readonly attestation?: boolean;
  /** Fields of the device's certificate that are to be wrong or different. */
  readonly certificate?: CertificateOptions;
  /** Whose CA is installed; default the zone's. */
  readonly installCa?: Uint8Array;
  readonly installCertificate?: Uint8Array;
  readonly token?: Uint8Array;
  readonly context?: Uint8Array | null;
}

/** A controller that goes through a commissioning one message at a time, so that a test can do anything between two of them. */
export class StepController {
  readonly peer: Peer;
  readonly dialect: Dialect;
  readonly zone: TestZone;
  readonly options: StepOptions;
  #keys: ProverKeys | undefined;
  #csr: Uint8Array | undefined;
  deviceId = '';
  certificate: Uint8Array = new Uint8Array(0);
  zoneId = '';

  constructor(peer: Peer, dialect: DialectName, zone: TestZone, options: StepOptions = {}) {
    this.peer = peer;
    this.dialect = dialect === 'draft' ? draftDialect : referenceDialect;
    this.zone = zone;
    this.options = options;
    this.#prover = startProver(crypto, dialect, parseSetupCode(options.code ?? '20220211', { allowTrivial: true }));
  }

  readonly #prover;

  send(message: ControllerMessage): void {
    this.peer.send(this.dialect.encode(message));
  }

  async receive(): Promise<DeviceMessage> {
    return this.dialect.decodeDevice(await this.peer.receive());
  }

  /** The messages of the controller in their order; each is made from what was received before. */
  get steps(): readonly (() => void)[] {
    const draft = this.dialect.name === 'draft';
    return [
      () => this.paseX(),
      () => this.paseVerify(),
      ...(this.options.attestation === true && draft ? [() => this.send({ type: 'attestationReq' })] : []),
      () => this.csrReq(),
      () => this.certInstall(),
    ];
  }

  paseX(): void {
    const { context } = this.options;
    const binding = context === null ? {} : { context: context ?? this.peer.exporter() };
    const identity = new TextEncoder().encode('mash-controller');
    this.send({ type: 'paseX', point: this.#prover.X, ...(this.dialect.name === 'draft' ? binding : { identity }) });
  }

  /** Takes PASE_Y; true where the device proved the code (draft). */
  takeY(message: DeviceMessage): boolean {
    if (message.type !== 'paseY') throw new Error(`${message.type} instead of paseY`);
    const draft = this.dialect.name === 'draft';
    this.#keys = this.#prover.finish(message.point, draft ? this.peer.exporter() : undefined);
    return message.verifier === undefined || this.#keys.checkDevice(message.verifier);
  }

  paseVerify(): void {
    this.send({ type: 'paseVerify', verifier: this.#keys?.confirmController ?? new Uint8Array(32) });
  }

  csrReq(): void {
    const nonce = crypto.bytes(32);
    this.send({
      type: 'csrReq',
      nonce,
      ...(this.dialect.name === 'reference' ? { zoneCa: this.options.installCa ?? this.zone.ca.der } : {}),
    });
  }

  certInstall(): void {
    const { publicKey } = parseCsr(crypto, this.#csr ?? new Uint8Array(0));
    this.deviceId = deviceIdOfKey(crypto, publicKey);
    this.certificate = this.options.installCertificate ?? issueDeviceCertificate(this.zone.ca, publicKey, this.options.certificate).der;
    this.zoneId = this.#keys?.zoneId ?? this.zone.ca.zoneId;
    const draft = this.dialect.name === 'draft';
    const { type, priority } = this.zone;
    const { token } = this.options;
    this.send({
      type: 'certInstall',
      certificate: this.certificate,
      ...(draft
        ? {
            zoneCa: this.options.installCa ?? this.zone.ca.der,
            zoneType: type,
            priority,
            ...(token === undefined ? {} : { adminToken: token }),
          }
        : { sequence: 2 }),
    });
  }

  take(message: DeviceMessage): void {
    if (message.type === 'paseY') this.takeY(message);
    else if (message.type === 'csrRsp') this.#csr = message.csr;
  }

  /** Runs through all steps; the last answer. Stops at the first failure. */
  async run(): Promise<DeviceMessage> {
    let answer: DeviceMessage = { type: 'closeAck' };
    for (const step of this.steps) {
      step();
      answer = await this.receive();
      if (failed(answer)) return answer;
      this.take(answer);
    }
    return answer;
  }

  /** Graceful end of a draft commissioning; a reference device closes by itself. */
  async finish(): Promise<void> {
    if (this.dialect.name === 'draft') {
      this.send({ type: 'close', reason: 'commissioning_complete' });
      await this.receive();
    }
    await this.peer.end();
  }
}

export function failed(message: DeviceMessage): boolean {
  return message.type === 'error' || ((message.type === 'paseConfirm' || message.type === 'certAck') && message.status !== 0);
}

/** A read of all attributes of a feature. */
export function readAll(id: number, endpoint = 0, feature = 1): CborMap {
  return new Map<number, CborValue>([
    [1, id],
    [2, 1],
    [3, endpoint],
    [4, feature],
  ]);
}

export function mapOf(value: CborValue | undefined): CborMap {
  if (!isMap(value)) throw new Error('not a map');
  return value;
}
