import { Browser, type BrowserOptions } from '../discovery/browser.js';
import type { DiscoveredService, IncompleteService } from '../discovery/discovered.js';
import { COMMISSIONABLE, COMMISSIONABLE_UDP, OPERATIONAL, operationalInstance } from '../discovery/mash-services.js';
import { txtValue } from '../discovery/txt.js';
import type { Clock, Multicast } from '../platform.js';
import { serviceAddresses } from './addresses.js';
import { ControllerError } from './errors.js';
import type { DeviceAddress } from './zone.js';

/** connection-establishment §7.4: PTR, SRV and AAAA together. */
export const RESOLUTION_TIMEOUT = 10_000;
/** How long a look-out for everything lasts: two rounds of queries. */
export const DISCOVERY_TIME = 3000;

/** A device whose commissioning window is open. */
export interface CommissionableDevice {
  /** 0…4095. */
  readonly discriminator: number;
  readonly instance: string;
  /** `mash-1a2b3c4d.local`. */
  readonly host: string;
  /** Best first. */
  readonly addresses: readonly DeviceAddress[];
  readonly brand: string | undefined;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  /** `EVSE`. */
  readonly deviceType: string | undefined;
}

/** Finds devices by multicast; needs no resolver of the system. `start` first; everything ends with `close`. */
export class Resolver {
  readonly #browser: Browser;
  readonly #clock: Clock;
  readonly #multicast: Multicast;

  constructor(options: BrowserOptions) {
    this.#browser = new Browser(options);
    this.#clock = options.clock;
    this.#multicast = options.multicast;
  }

  /** Rejects with NO_INTERFACE where nothing could be heard. */
  async start(): Promise<void> {
    await this.#browser.start();
    if (this.#multicast.interfaces().length > 0) return;
    await this.close();
    throw new ControllerError('NO_INTERFACE', 'No network interface can be used for multicast: none is up with a link-local IPv6 address', {
      suggestions: ['Check that the network is up', 'Name the interface with --interface', 'Give the address of the device with --address'],
    });
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#browser.close();
  }

  /** All devices that answer within the time; rejects with one of the first three codes of connection-establishment §7.5 where none fits. */
  async discover(discriminator: number | undefined, time = DISCOVERY_TIME): Promise<readonly CommissionableDevice[]> {
    const { complete, incomplete } = await this.#lookOut(time, () => false);
    const found = merge(complete).filter((device) => discriminator === undefined || device.discriminator === discriminator);
    if (found.length === 0) throw notFound(discriminator, complete, incomplete);
    return found;
  }

  /** The device with that discriminator, as soon as it answers. Rejects like `discover`. */
  async findCommissionable(discriminator: number, timeout = RESOLUTION_TIMEOUT): Promise<CommissionableDevice> {
    const { complete, incomplete } = await this.#lookOut(timeout, (service) => discriminatorOf(service) === discriminator);
    const found = merge(complete).find((device) => device.discriminator === discriminator);
    if (found === undefined) throw notFound(discriminator, complete, incomplete);
    return found;
  }

  /** The only device that can be commissioned now. Rejects with AMBIGUOUS_DEVICE where there are several, otherwise like `discover`. */
  async findOnlyCommissionable(): Promise<CommissionableDevice> {
    const [first, ...others] = await this.discover(undefined);
    if (first !== undefined && others.length === 0) return first;
    const names = [first, ...others].map((device) => device?.discriminator).join(', ');
    throw new ControllerError('AMBIGUOUS_DEVICE', `Several devices can be commissioned; their discriminators: ${names}`, {
      suggestions: ['Name one with --discriminator, or scan the whole QR code'],
    });
  }

  /** Where a device of a zone is now. Rejects with ADDRESS_RESOLUTION_FAILED, or NO_DEVICES_FOUND where nobody announces it. */
  async findOperational(zoneId: string, deviceId: string, timeout = RESOLUTION_TIMEOUT): Promise<readonly DeviceAddress[]> {
    const result = await this.#browser.resolve(operationalInstance(zoneId, deviceId), OPERATIONAL, timeout);
    if (result.kind === 'found') return serviceAddresses(result.service);
    if (result.incomplete.length > 0) throw withoutAddress();
    throw new ControllerError('NO_DEVICES_FOUND', `Device ${deviceId} is not on the network`, {
      suggestions: ['Ensure device is powered on', 'Check device is on same network'],
    });
  }

  /** Both services of the commissioning window, the older name included; ends early with a service that is enough. */
  #lookOut(time: number, isEnough: (service: DiscoveredService) => boolean): Promise<Sighting> {
    return new Promise((resolve) => {
      const check = (service: DiscoveredService): void => {
        if (isEnough(service)) finish();
      };
      const browses = [COMMISSIONABLE, COMMISSIONABLE_UDP].map((type) => this.#browser.browse(type, { added: check, updated: check }));
      const finish = (): void => {
        deadline.cancel();
        const sighting = {
          complete: browses.flatMap((browse) => browse.services()),
          incomplete: browses.flatMap((browse) => browse.incomplete()),
        };
        for (const browse of browses) browse.close();
        resolve(sighting);
      };
      const deadline = this.#clock.after('MDNS_SEARCH', time, finish);
    });
  }
}

interface Sighting {
  readonly complete: readonly DiscoveredService[];
  readonly incomplete: readonly IncompleteService[];
}

/** TXT key D, else the number in the instance's name `MASH-<D>`; undefined where both are none. */
function discriminatorOf({ txt, instance }: { txt: ReadonlyMap<string, string>; instance: string }): number | undefined {
  const text = txtValue(txt, 'D') ?? /^MASH-(\d{1,4})\b/i.exec(instance)?.[1] ?? '';
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return value <= 4095 ? value : undefined;
}

/** A device with both services is one device. */
function merge(services: readonly DiscoveredService[]): readonly CommissionableDevice[] {
  const devices = new Map<string, CommissionableDevice>();
  for (const service of services) {
    const discriminator = discriminatorOf(service);
    if (discriminator === undefined) continue;
    const key = `${discriminator} ${service.host.toLowerCase()}`;
    const before = devices.get(key);
    const text = (name: string): string | undefined => txtValue(service.txt, name);
    devices.set(key, {
      discriminator,
      instance: before?.instance ?? service.instance,
      host: service.host,
      addresses: before?.addresses ?? serviceAddresses(service),
      brand: before?.brand ?? text('brand'),
      model: before?.model ?? text('model'),
      serial: before?.serial ?? text('serial'),
      deviceType: before?.deviceType ?? text('DT'),
    });
  }
  return [...devices.values()].sort((a, b) => a.discriminator - b.discriminator);
}

/** connection-establishment §7.5. */
function notFound(
  discriminator: number | undefined,
  complete: readonly DiscoveredService[],
  incomplete: readonly IncompleteService[],
): ControllerError {
  const wanted = (service: DiscoveredService | IncompleteService): boolean =>
    discriminator === undefined || discriminatorOf(service) === discriminator;
  if (incomplete.some(wanted)) return withoutAddress();
  const others = [...new Set([...complete, ...incomplete].map(discriminatorOf))].filter((other) => other !== undefined);
  if (discriminator !== undefined && others.length > 0) {
    return new ControllerError('DISCRIMINATOR_MISMATCH', `Device with discriminator ${discriminator} not found`, {
      suggestions: [
        'Verify QR code is for the device you want to pair',
        `Found devices with discriminators: ${others.join(', ')}`,
        'Device may have been reset (new QR code)',
      ],
    });
  }
  return new ControllerError('NO_DEVICES_FOUND', 'No devices found in pairing mode', {
    suggestions: [
      'Press the pairing button on your device',
      'Ensure device is powered on',
      'Check device is on same network',
      'Wait for device to finish booting',
    ],
  });
}

function withoutAddress(): ControllerError {
  return new ControllerError('ADDRESS_RESOLUTION_FAILED', 'Device found but network address unavailable', {
    suggestions: ['Device may have network issues', 'Check router/DHCP configuration', 'Try restarting device'],
  });
}
