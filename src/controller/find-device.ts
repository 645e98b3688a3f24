import { parseCertificate } from '../pki/certificate.js';
import { CertificateError } from '../pki/certificate-error.js';
import { commonName } from '../pki/name.js';
import { commissioningCommonName } from '../pki/self-signed.js';
import { connectFirst, formatTarget } from './addresses.js';
import type { CommissionableDevice, DeviceChoice } from './commissionable.js';
import { ControllerError } from './errors.js';
import { connectionFailed } from './not-found.js';
import type { ControllerParts } from './operational.js';
import type { SearchOptions } from './resolver.js';
import type { StepReporter } from './steps.js';
import type { ClientConnection } from './transport.js';
import type { DeviceAddress } from './zone.js';

/** Which device is meant. With neither, the only one that can be commissioned. */
export interface CommissioningTarget {
  /** 0…4095, from the label. */
  readonly discriminator?: number | undefined;
  /** Where it is; nothing is looked for then. */
  readonly address?: DeviceAddress | undefined;
  /** What is told while it is looked for, who asks it to open its window, and how patiently. */
  readonly search?: SearchOptions | undefined;
}

export interface FoundDevice {
  readonly connection: ClientConnection;
  readonly address: DeviceAddress;
  /** Of its commissioning certificate, CN=`MASH-<D>`; undefined where the CN is none. */
  readonly discriminator: number | undefined;
  /** As found by multicast. */
  readonly device: CommissionableDevice | undefined;
}

/** Devices with one discriminator that are tried, each with the code that was given. */
const DEVICE_MAXIMUM = 3;

interface Whereabouts {
  readonly addresses: readonly DeviceAddress[];
  readonly discriminator: number | undefined;
  /** As found by multicast. */
  readonly device?: CommissionableDevice;
}

/**
 * Steps 2 to 5 of connection-establishment §7.1: finds the device and connects to it. A certificate of another discriminator ends the
 * connection (§3.4); where the user gave the address it is a warning (TC-TLS-COMM-2), since the code decides who it is. Where nobody answers
 * at what was found, the device is looked for once more (§7.4).
 */
export async function connectForCommissioning(
  parts: ControllerParts,
  target: CommissioningTarget,
  steps: StepReporter,
): Promise<FoundDevice> {
  return connectAt(parts, target, await locate(parts, target, steps), steps);
}

/** What is found one after the other where several devices have the discriminator: the setup code tells which one is meant. */
export class Candidates {
  readonly #parts: ControllerParts;
  readonly #target: CommissioningTarget;
  readonly #steps: StepReporter;
  readonly #tried = new Set<string>();

  constructor(parts: ControllerParts, target: CommissioningTarget, steps: StepReporter) {
    this.#parts = parts;
    this.#target = target;
    this.#steps = steps;
  }

  /** Another device than those tried, connected; undefined where it was no wrong code that ended the last one, where there is none, or after three. */
  async after(last: FoundDevice, error: unknown): Promise<FoundDevice | undefined> {
    const { device } = last;
    if (!(error instanceof ControllerError) || error.code !== 'WRONG_CODE' || device === undefined) return undefined;
    if (this.#target.discriminator === undefined) return undefined;
    this.#tried.add(device.host.toLowerCase());
    if (this.#tried.size >= DEVICE_MAXIMUM) return undefined;
    const resolver = await this.#parts.resolver();
    const begun = this.#parts.clock.now();
    const choice: DeviceChoice = { label: this.#target.search?.label, except: this.#tried };
    const other = await resolver.findAnother(device, choice);
    if (other === undefined) return undefined;
    const { host, addresses, discriminator } = other;
    this.#steps.done(2, `another device with discriminator ${discriminator}: ${host}`, this.#parts.clock.now() - begun);
    const target = { ...this.#target, search: { ...this.#target.search, ...choice } };
    return connectAt(this.#parts, target, { addresses, discriminator, device: other }, this.#steps);
  }
}

async function connectAt(
  parts: ControllerParts,
  target: CommissioningTarget,
  first: Whereabouts,
  steps: StepReporter,
): Promise<FoundDevice> {
  const begun = parts.clock.now();
  try {
    return await reach(parts, target, first, steps);
  } catch (error) {
    const failed = error instanceof ControllerError && ['CONNECTION_FAILED', 'NOT_TRUSTED'].includes(error.code);
    const again = failed && first.device !== undefined ? await locateAgain(parts, first.device, target.search) : undefined;
    try {
      if (again === undefined) throw error;
      parts.log.info('not at the addresses that were found; looked for again', { reason: (error as Error).message });
      return await reach(parts, target, again, steps);
    } catch (final) {
      steps.failed(final instanceof ControllerError && final.code === 'CONNECTION_FAILED' ? 4 : 5, final, begun);
      throw final;
    }
  }
}

/** Steps 4 and 5. */
async function reach(parts: ControllerParts, target: CommissioningTarget, at: Whereabouts, steps: StepReporter): Promise<FoundDevice> {
  const { addresses, discriminator } = at;
  const strict = target.address === undefined ? discriminator : undefined;
  const reached = await connectFirst(
    parts.clock,
    addresses,
    (address, signal) => connect(parts, address, strict, signal),
    (late) => late.stream.destroy(),
    connectionFailed,
  );
  const { tcpTime, tlsTime, certificate } = reached.value;
  const name = readCommonName(parts, certificate);
  steps.done(4, formatTarget(reached.address), tcpTime);
  const differs = discriminator !== undefined && name !== commissioningCommonName(discriminator);
  if (differs) parts.log.warn('the certificate is not of that discriminator', { expected: commissioningCommonName(discriminator), name });
  steps.done(5, `TLS 1.3, CN=${name ?? '?'}${differs ? `, expected ${commissioningCommonName(discriminator)}` : ''}`, tlsTime);
  return { connection: reached.value, address: reached.address, discriminator: discriminatorOf(name), device: at.device };
}

/** connection-establishment §7.4: a refused connection and a failed handshake invalidate what is known. Undefined where it is gone. */
async function locateAgain(
  parts: ControllerParts,
  device: CommissionableDevice,
  choice: DeviceChoice = {},
): Promise<Whereabouts | undefined> {
  const resolver = await parts.resolver();
  resolver.forgetCommissionable(device);
  const found = await resolver.locateCommissionable(device.discriminator, choice);
  return found && { addresses: found.addresses, discriminator: found.discriminator, device: found };
}

/** Steps 2 and 3. */
async function locate(parts: ControllerParts, target: CommissioningTarget, steps: StepReporter): Promise<Whereabouts> {
  const { discriminator, address, search } = target;
  if (address !== undefined) {
    steps.skipped(2, `address given: ${formatTarget(address)}`);
    steps.skipped(3, 'left to the certificate');
    return { addresses: [address], discriminator };
  }
  const device = await steps.run(
    2,
    ({ host, addresses }) => `${host}, ${addresses.length} addresses`,
    async () => {
      const resolver = await parts.resolver();
      return discriminator === undefined ? resolver.findOnlyCommissionable(search) : resolver.findCommissionable(discriminator, search);
    },
  );
  steps.done(3, discriminator === undefined ? `MASH-${device.discriminator}, the only device` : `${device.instance} matches`);
  return { addresses: device.addresses, discriminator: device.discriminator, device };
}

async function connect(
  parts: ControllerParts,
  address: DeviceAddress,
  discriminator: number | undefined,
  signal: AbortSignal,
): Promise<ClientConnection> {
  const connection = await parts.transport.connect(address, { kind: 'commissioning' }, signal);
  if (discriminator === undefined) return connection;
  const expected = commissioningCommonName(discriminator);
  const name = readCommonName(parts, connection.certificate);
  if (name === expected) return connection;
  connection.stream.destroy();
  throw new ControllerError(
    'NOT_TRUSTED',
    `${formatTarget(address)}: the certificate is for '${name ?? 'nobody'}', not for '${expected}'`,
    {
      suggestions: ['Verify QR code is for the device you want to pair'],
    },
  );
}

/** Undefined for a certificate that is none of ours to read, too: the setup code decides. */
function readCommonName(parts: ControllerParts, der: Uint8Array): string | undefined {
  try {
    return commonName(parseCertificate(parts.crypto, der).subject);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return undefined;
  }
}

function discriminatorOf(name: string | undefined): number | undefined {
  const digits = /^MASH-(\d{1,4})$/.exec(name ?? '')?.[1];
  return digits === undefined || Number(digits) > 4095 ? undefined : Number(digits);
}
