import { formatTarget } from '../controller/addresses.js';
import { writeAtomically } from '../controller/atomic-file.js';
import { type Commissioned, commission } from '../controller/commissioning.js';
import { ControllerError } from '../controller/errors.js';
import { featureName, namedValues } from '../controller/names.js';
import { openOrCreateZone, openZone } from '../controller/open-zone.js';
import { type ControllerParts, connectDevice } from '../controller/operational.js';
import { renewDevice } from '../controller/renewal.js';
import { type CommissionableDevice, Resolver } from '../controller/resolver.js';
import { selectDevice } from '../controller/select-device.js';
import type { ControllerSession } from '../controller/session.js';
import { issueToken } from '../controller/token.js';
import type { Transport } from '../controller/transport.js';
import { type ControllerZone, type DeviceRecord, ZONE_KINDS } from '../controller/zone.js';
import { ZoneStore } from '../controller/zone-store.js';
import { DEVICE_INFO } from '../features/device-info-table.js';
import { parseCertificate } from '../pki/certificate.js';
import type { Clock, Crypto, Log, Multicast } from '../platform.js';
import { readCommissionFiles } from './commission-files.js';
import { type CommissionArguments, type GlobalOptions, planCommission, planRead, type TokenArguments } from './controller-options.js';
import { stepText, table, valuesText } from './controller-output.js';

/** The machine a command runs on. */
export interface Machine {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly transport: Transport;
  /** Throws ConfigError for interfaces that are none. */
  multicast(options: { readonly interfaces: readonly string[] | undefined; readonly ipv4: boolean }): Multicast;
}

/** What a command came to: one JSON value, and the same for people. */
export interface Outcome {
  readonly value: unknown;
  readonly text: string;
}

/** The commands of `mash-controller`. Each closes what it opened. */
export class ControllerCommands {
  readonly #machine: Machine;
  readonly #options: GlobalOptions;
  readonly #log: Log;
  readonly #progress: (line: string) => void;
  readonly #store: ZoneStore;
  #resolver: Promise<Resolver> | undefined;
  #ipv4: boolean;

  constructor(machine: Machine, options: GlobalOptions, log: Log, progress: (line: string) => void) {
    this.#machine = machine;
    this.#options = options;
    this.#log = log;
    this.#progress = progress;
    this.#store = new ZoneStore(options.zone, machine.crypto);
    // protocol.md, row "IPv4": only reference peers have it.
    this.#ipv4 = options.dialect === 'reference';
  }

  async discover(discriminator: number | undefined): Promise<Outcome> {
    const found = await (await this.#openResolver()).discover(discriminator);
    const rows = found.map((device) => [
      `MASH-${device.discriminator}`,
      [device.brand, device.model].filter((text) => text !== undefined).join(' ') || (device.deviceType ?? '-'),
      device.serial ?? '-',
      device.addresses.map(formatTarget).join(' '),
    ]);
    return { value: { commissionable: found.map(shownDevice) }, text: table([['DEVICE', 'MODEL', 'SERIAL', 'ADDRESSES'], ...rows]) };
  }

  async commission(text: string, given: CommissionArguments): Promise<Outcome> {
    const plan = planCommission(text, given, this.#options);
    const files = await readCommissionFiles(this.#machine.crypto, given);
    const { zoneType, zoneName, priority, dialect } = this.#options;
    const parts = this.#parts();
    const { zone, created } = await openOrCreateZone(parts, { kind: zoneType, name: zoneName, priority, dialect });
    if (created) this.#progress(`zone '${zone.name}' (${zone.kind}) created in ${this.#store.folder}`);
    const result = await commission(parts, { ...plan, ...files, zone, dialect }, (step) => this.#progress(stepText(step)));
    if (result.settled) this.#progress(`device ${result.device.id} holds this zone: an operational connection proved it`);
    return { value: shownCommissioning(result), text: valuesText(namedValues(DEVICE_INFO.id, result.deviceInfo)) };
  }

  /** Issues an admin token of the zone (commissioning-pase §8.2). */
  async token({ out, days, permissions }: TokenArguments): Promise<Outcome> {
    const { crypto, clock } = this.#machine;
    const zone = await this.#ownZone();
    const { bytes, id, expiresAt } = issueToken(crypto, zone, { now: Math.floor(clock.wall() / 1000), days, permissions });
    await writeAtomically(out, bytes);
    const value = { token: id, zone: zone.id, permissions, expiresAt: isoTime(expiresAt), file: out };
    return { value, text: valuesText(value) };
  }

  async zones(): Promise<Outcome> {
    const zone = await this.#store.load();
    if (zone === undefined) {
      this.#progress(`no zone in ${this.#store.folder} yet; 'commission' creates it`);
      return { value: [], text: '' };
    }
    const shown = { ...this.#shownZone(zone), devices: (await this.#store.devices()).length };
    return { value: [shown], text: valuesText(shown) };
  }

  async devices(): Promise<Outcome> {
    const records = await this.#store.devices();
    const rows = records.map((record) => [
      record.id,
      record.name ?? '-',
      record.serial ?? '-',
      record.dialect,
      record.state,
      record.addresses.map(formatTarget)[0] ?? '-',
    ]);
    return { value: records.map(shownRecord), text: table([['DEVICE', 'NAME', 'SERIAL', 'DIALECT', 'STATE', 'LAST ADDRESS'], ...rows]) };
  }

  async read(first: string | undefined, second: string | undefined): Promise<Outcome> {
    const plan = planRead(first, second);
    return this.#with(plan.device, async (session, record) => {
      const values = namedValues(plan.feature, await session.read(plan.endpoint, plan.feature, plan.attributes));
      const value = { device: record.id, endpoint: plan.endpoint, feature: featureName(plan.feature), values };
      return { value, text: valuesText(values) };
    });
  }

  async ping(device: string | undefined): Promise<Outcome> {
    return this.#with(device, async (session, record) => {
      const milliseconds = Math.round((await session.ping()) * 10) / 10;
      return { value: { device: record.id, milliseconds }, text: `${record.id} answered in ${milliseconds} ms` };
    });
  }

  async renew(device: string | undefined): Promise<Outcome> {
    return this.#with(device, async (session, record, zone) => {
      const { device: renewed, notAfter } = await renewDevice(this.#parts(), zone, record, session, this.#progress);
      const validUntil = isoTime(notAfter);
      return { value: { device: renewed.id, validUntil }, text: `${renewed.id} has a new certificate, valid until ${validUntil}` };
    });
  }

  async close(): Promise<void> {
    const resolver = await this.#resolver?.catch(() => undefined);
    await resolver?.close();
  }

  async #with(
    wanted: string | undefined,
    work: (session: ControllerSession, record: DeviceRecord, zone: ControllerZone) => Promise<Outcome>,
  ): Promise<Outcome> {
    const parts = this.#parts();
    const zone = await this.#ownZone();
    const record = selectDevice(await this.#store.devices(), wanted);
    this.#ipv4 ||= record.dialect === 'reference';
    this.#progress(`connecting to ${record.name ?? 'device'} ${record.id}`);
    const session = await connectDevice(parts, zone, record);
    try {
      return await work(session, record, zone);
    } finally {
      await session.close();
    }
  }

  async #ownZone(): Promise<ControllerZone> {
    const zone = await openZone(this.#parts());
    if (zone !== undefined) return zone;
    throw new ControllerError('NO_ZONE', `There is no zone in ${this.#store.folder}`, {
      suggestions: ["'mash-controller commission' creates it", 'Name another folder with --zone'],
    });
  }

  #parts(): ControllerParts {
    const { clock, crypto, transport } = this.#machine;
    return { clock, crypto, transport, log: this.#log, store: this.#store, resolver: () => this.#openResolver() };
  }

  /** Opened at its first use: a device at its last address needs none. */
  #openResolver(): Promise<Resolver> {
    this.#resolver ??= this.#startResolver();
    return this.#resolver;
  }

  async #startResolver(): Promise<Resolver> {
    const { clock, crypto } = this.#machine;
    const multicast = this.#machine.multicast({ interfaces: this.#options.interface, ipv4: this.#ipv4 });
    const resolver = new Resolver({ multicast, clock, entropy: crypto, log: this.#log });
    await resolver.start();
    return resolver;
  }

  #shownZone(zone: ControllerZone): Readonly<Record<string, unknown>> {
    const { crypto } = this.#machine;
    return {
      folder: this.#store.folder,
      id: zone.id,
      name: zone.name,
      type: zone.kind,
      referenceType: ZONE_KINDS[zone.kind].reference,
      priority: zone.priority,
      createdAt: isoTime(zone.createdAt),
      caValidUntil: isoTime(parseCertificate(crypto, zone.caCertificate).notAfter),
      controllerValidUntil: isoTime(parseCertificate(crypto, zone.controllerCertificate).notAfter),
    };
  }
}

function shownDevice(device: CommissionableDevice): Readonly<Record<string, unknown>> {
  return { ...device, addresses: device.addresses.map(formatTarget) };
}

function shownRecord(record: DeviceRecord): Readonly<Record<string, unknown>> {
  const { certificate: _certificate, ...shown } = record;
  return { ...shown, addresses: record.addresses.map(formatTarget), addedAt: isoTime(record.addedAt) };
}

function shownCommissioning({ device, deviceInfo, steps, attestation, settled }: Commissioned): Readonly<Record<string, unknown>> {
  return { device: shownRecord(device), deviceInfo: namedValues(DEVICE_INFO.id, deviceInfo), settled, attestation, steps };
}

function isoTime(unix: number): string {
  return new Date(unix * 1000).toISOString();
}
