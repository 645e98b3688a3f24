import type { CborMap } from '../codec/cbor.js';
import type { SetupCode } from '../crypto/setup-code.js';
import { draftDialect, referenceDialect } from '../dialect/dialect.js';
import type { DialectName } from '../dialect/messages.js';
import { CertificateError } from '../pki/certificate-error.js';
import { signThroughOwner } from './admin/client.js';
import { type AttestationOptions, type AttestationResult, applyPolicy, describeAttestation, judgeAttestation } from './attestation.js';
import { CommissioningChannel } from './channel.js';
import { Conversation } from './conversation.js';
import { ControllerError } from './errors.js';
import { Candidates, type CommissioningTarget, connectForCommissioning, type FoundDevice } from './find-device.js';
import { describeReads, readFirst } from './first-reads.js';
import { type FeatureValues, rememberState } from './initial-reads.js';
import { type ControllerParts, findSession, foundAt, type OpenedSession } from './operational.js';
import { type Installed, settle, transition } from './settlement.js';
import { type Step, StepReporter } from './steps.js';
import { type AdminZone, type ControllerZone, type DeviceAddress, type DeviceRecord, isOwn } from './zone.js';
import type { IssuedCertificate } from './zone-authority.js';

const COMMISSIONING_PORT = 8444;
const OPERATIONAL_PORT = 8443;

export interface CommissionOptions extends CommissioningTarget {
  readonly code: SetupCode;
  /** Spoken throughout: never changed by what the device answers (protocol.md, first table). */
  readonly dialect: DialectName;
  /** Our own, or one for which we are an admin: its owner signs then, and the token goes along (commissioning-pase §8.3). */
  readonly zone: ControllerZone | AdminZone;
  /** Of the label; written into certificates of the reference dialect. */
  readonly vendorId?: number | undefined;
  readonly productId?: number | undefined;
  /** Default: accept, without a manufacturer CA. Draft dialect alone. */
  readonly attestation?: AttestationOptions | undefined;
  /** Sent with CERT_INSTALL (commissioning-pase §8.3). Draft dialect alone. */
  readonly adminToken?: Uint8Array | undefined;
  /** Where the device takes operational connections, if not on 8443 of the same address and not found by multicast. */
  readonly operationalPort?: number | undefined;
}

export interface Commissioned {
  readonly device: DeviceRecord;
  /** Attributes of DeviceInfo on endpoint 0; empty for an admin, who has no operational certificate to read them with. */
  readonly deviceInfo: CborMap;
  /** What the rest of the read sequence found (§7.3). */
  readonly features: readonly FeatureValues[];
  readonly steps: readonly Step[];
  /** Undefined where it was not asked for. */
  readonly attestation: AttestationResult | undefined;
  /** True where the device held this zone already, or had installed a certificate whose acknowledgement was lost. */
  readonly settled: boolean;
}

/**
 * Commissions a device (connection-establishment §7.1), told step by step, and ends with its DeviceInfo. Where the acknowledgement of the
 * certificate is lost, or the device says that it holds this zone already, an operational connection decides. Rejects with ControllerError or StoreError.
 */
export function commission(parts: ControllerParts, options: CommissionOptions, onStep: (step: Step) => void): Promise<Commissioned> {
  return new Commissioning(parts, options, onStep).run();
}

class Commissioning {
  readonly #parts: ControllerParts;
  readonly #options: CommissionOptions;
  readonly #steps: StepReporter;
  #attestation: AttestationResult | undefined;

  constructor(parts: ControllerParts, options: CommissionOptions, onStep: (step: Step) => void) {
    this.#parts = parts;
    this.#options = options;
    this.#steps = new StepReporter(parts.clock, onStep);
  }

  async run(): Promise<Commissioned> {
    const { discriminator } = this.#options;
    this.#steps.done(1, discriminator === undefined ? 'setup code alone' : `discriminator ${discriminator}`);
    const { record, settled } = await this.#installOnOne();
    if (settled === undefined) await this.#supersede(record);
    const { zone } = this.#options;
    if (!isOwn(zone)) return this.#leaveToOwner(record);
    return this.#finish(zone, record, settled ?? (await this.#reconnect(zone, record)), settled !== undefined);
  }

  /** Steps 2 to 10, with the device that proves the code where several have the discriminator. */
  async #installOnOne(): Promise<Installed> {
    const { discriminator, address, search, vendorId, productId } = this.#options;
    const label = vendorId === undefined || productId === undefined ? undefined : { vendorId, productId };
    const target = { discriminator, address, search: { label, ...search } };
    const candidates = new Candidates(this.#parts, target, this.#steps);
    let found = await connectForCommissioning(this.#parts, target, this.#steps);
    for (;;) {
      try {
        return await this.#install(found);
      } catch (error) {
        const next = await candidates.after(found, error);
        if (next === undefined) throw error;
        found = next;
      }
    }
  }

  /** Steps 6 to 10. */
  async #install(found: FoundDevice): Promise<Installed> {
    const { clock } = this.#parts;
    const dialect = this.#options.dialect === 'draft' ? draftDialect : referenceDialect;
    const channel = new CommissioningChannel(found.connection.stream, dialect, clock);
    const { zone, adminToken } = this.#options;
    let pending: DeviceRecord | undefined;
    try {
      const conversation = new Conversation(channel, this.#parts.crypto);
      pending = await this.#prepare(conversation, found);
      const { certificate } = pending;
      await this.#steps.run(
        9,
        () => 'acknowledged, stored',
        () => conversation.install(zone, certificate, isOwn(zone) ? adminToken : zone.token),
      );
      const record: DeviceRecord = { ...pending, state: 'confirmed' };
      await this.#parts.store.put(record);
      await this.#steps.run(
        10,
        () => 'closed, 1 s for the device to change over',
        async () => {
          await conversation.finish();
          await transition(this.#parts.clock);
        },
      );
      return { record };
    } catch (error) {
      channel.destroy('commissioning failed');
      const address = this.#operationalAddress(found.address);
      const settled = await settle(this.#parts, zone, { address, discriminator: found.discriminator, pending, error });
      if (settled === undefined) throw error;
      return settled;
    }
  }

  /** Steps 6 to 8; the record is stored before the certificate is sent, so that a lost acknowledgement can be settled. */
  async #prepare(conversation: Conversation, found: FoundDevice): Promise<DeviceRecord> {
    const { clock, store } = this.#parts;
    const { zone, dialect, code } = this.#options;
    const zoneId = await this.#steps.run(
      6,
      () => 'both sides proved the setup code',
      () => conversation.pase(code),
    );
    if (dialect === 'draft') this.#attestation = await this.#steps.run(7, describeAttestation, () => this.#attest(conversation));
    else this.#steps.skipped(7, 'not in the reference dialect');
    const issued = await this.#steps.run(
      8,
      ({ deviceId }) => `certificate issued for device ${deviceId}`,
      async () => {
        const csr = await conversation.csr(zone);
        return isOwn(zone) ? this.#issue(zone, csr) : signThroughOwner(this.#parts, zone, csr);
      },
    );
    const record: DeviceRecord = {
      id: issued.deviceId,
      zoneId: zoneId ?? zone.id,
      dialect,
      state: 'pending',
      certificate: issued.certificate,
      addresses: [this.#operationalAddress(found.address)],
      discriminator: found.discriminator,
      name: undefined,
      serial: undefined,
      deviceId: undefined,
      addedAt: Math.floor(clock.wall() / 1000),
    };
    await store.put(record);
    return record;
  }

  async #issue(zone: ControllerZone, csr: Uint8Array): Promise<IssuedCertificate> {
    const { crypto, clock } = this.#parts;
    const { dialect, vendorId, productId } = this.#options;
    const now = Math.floor(clock.wall() / 1000);
    // @peculiar/x509 is loaded here, and by nothing that does not issue.
    const { issueDeviceCertificate } = await import('./zone-authority.js');
    try {
      return await issueDeviceCertificate(crypto, zone, csr, { dialect, now, vendorId, productId });
    } catch (error) {
      if (error instanceof CertificateError) throw new ControllerError('PROTOCOL', `The CSR of the device is refused: ${error.message}`);
      throw error;
    }
  }

  /** Nothing is issued to a device whose attestation the policy refuses. */
  async #attest(conversation: Conversation): Promise<AttestationResult> {
    const { crypto, clock, log } = this.#parts;
    const { policy, authorities } = this.#options.attestation ?? { policy: 'accept', authorities: [] };
    const { vendorId, productId } = this.#options;
    const time = { quality: 'synchronised', now: Math.floor(clock.wall() / 1000) } as const;
    const result = judgeAttestation(crypto, await conversation.attestation(), { authorities, time, vendorId, productId });
    const warning = applyPolicy(policy, result);
    if (warning !== undefined) log.warn('attestation', { status: result.status, problem: warning });
    return result;
  }

  /** commissioning-pase §8.3 ends with CERT_ACK: the operational connection is the owner's. */
  #leaveToOwner(record: DeviceRecord): Commissioned {
    for (const step of [11, 12, 13] as const) this.#steps.skipped(step, "left to the zone's owner");
    return {
      device: record,
      deviceInfo: new Map(),
      features: [],
      steps: this.#steps.steps,
      attestation: this.#attestation,
      settled: false,
    };
  }

  /** Steps 11 and 12: the same address first, then the one that the device announces for the zone. */
  async #reconnect(zone: ControllerZone, record: DeviceRecord): Promise<OpenedSession> {
    const begun = this.#parts.clock.now();
    try {
      return await findSession(this.#parts, zone, record, record.addresses);
    } catch (error) {
      this.#steps.failed(11, error, begun);
      throw error;
    }
  }

  /** Steps 11 to 13 are told, and what the read sequence found is remembered. */
  async #finish(zone: ControllerZone, record: DeviceRecord, opened: OpenedSession, settled: boolean): Promise<Commissioned> {
    const { session, address } = opened;
    this.#steps.done(11, address.host, opened.tcpTime);
    this.#steps.done(12, `device ${record.id} proved its certificate`, opened.tlsTime);
    const found = foundAt({ ...record, addresses: [] }, address);
    const { deviceInfo, features, ...state } = await this.#steps.run(13, describeReads, () => readFirst(this.#parts, zone, found, session));
    const device = rememberState(found, { deviceInfo, features, ...state });
    await this.#parts.store.put(device);
    return { device, deviceInfo, features, steps: this.#steps.steps, attestation: this.#attestation, settled };
  }

  /** A device that takes our certificate held no zone of ours: what is pending under its discriminator was never installed. */
  async #supersede(record: DeviceRecord): Promise<void> {
    const { store } = this.#parts;
    for (const other of await store.devices()) {
      const same = other.state === 'pending' && other.id !== record.id && other.discriminator === record.discriminator;
      if (same && record.discriminator !== undefined) await store.remove(other.id);
    }
  }

  #operationalAddress({ host, port }: DeviceAddress): DeviceAddress {
    return { host, port: this.#options.operationalPort ?? (port === COMMISSIONING_PORT ? OPERATIONAL_PORT : port) };
  }
}
