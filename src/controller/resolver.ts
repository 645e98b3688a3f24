import { Advertiser, type Published } from '../discovery/advertiser.js';
import { Browser, type BrowserOptions } from '../discovery/browser.js';
import { COMMISSIONER } from '../discovery/commissioner-service.js';
import type { DiscoveredService, IncompleteService } from '../discovery/discovered.js';
import { COMMISSIONABLE, COMMISSIONABLE_UDP, hostName, OPERATIONAL, operationalInstance } from '../discovery/mash-services.js';
import { pairingRequestService } from '../discovery/pairing-request.js';
import { recordPolicy, type ServiceDefinition } from '../discovery/service.js';
import { SharedMulticast } from '../discovery/shared-multicast.js';
import { txtValue } from '../discovery/txt.js';
import type { Clock } from '../platform.js';
import { serviceAddresses } from './addresses.js';
import { type CommissionableDevice, commissionableDevices, type DeviceChoice, rank } from './commissionable.js';
import { ControllerError } from './errors.js';
import { collect, type LookOutPlan, type LookOutResult, lookOut } from './look-out.js';
import { type DeviceListener, monitorZone } from './monitor.js';
import { discriminatorOf, notAnnounced, notFound, type Sighting, withoutAddress } from './not-found.js';
import { persist, type SearchWarning, windowWarnings } from './persistence.js';
import type { DeviceAddress } from './zone.js';

/** How long a look-out for everything lasts: two rounds of queries. */
export const DISCOVERY_TIME = 3000;

/** How long others with the discriminator may take to answer where the one found is not known to be the label's, ms. */
const OTHERS_TIME = 300;
/** How long another device is looked for when one did not prove the code: two rounds of queries, ms. */
const ANOTHER_TIME = 1500;

export interface SearchOptions extends DeviceChoice {
  readonly onWarning?: (warning: SearchWarning) => void;
  /** Who asks the device to open its window, from the first look that missed it until it is found. */
  readonly request?: { readonly zoneId: string; readonly zoneName: string };
  /** How long to go on looking after the last retry, ms: a device may be days away from its commissioning. Default 0. */
  readonly patience?: number;
}

const WINDOW_TYPES = [COMMISSIONABLE, COMMISSIONABLE_UDP];

/** Finds devices by multicast; needs no resolver of the system. `start` first; everything ends with `close`. */
export class Resolver {
  readonly #options: BrowserOptions;
  readonly #shared: SharedMulticast;
  readonly #browser: Browser;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #announcer: Promise<Advertiser> | undefined;

  constructor(options: BrowserOptions) {
    this.#options = options;
    this.#shared = new SharedMulticast(options.multicast);
    this.#browser = new Browser({ ...options, multicast: this.#shared.port() });
    this.#clock = options.clock;
  }

  /** Rejects with NO_INTERFACE where nothing could be heard. */
  async start(): Promise<void> {
    await this.#browser.start();
    if (this.#options.multicast.interfaces().length > 0) return;
    await this.close();
    throw new ControllerError('NO_INTERFACE', 'No network interface can be used for multicast: none is up with a link-local IPv6 address', {
      suggestions: ['Check that the network is up', 'Name the interface with --interface', 'Give the address of the device with --address'],
    });
  }

  /** What is looked for is given up. Idempotent. */
  async close(): Promise<void> {
    this.#closed.abort();
    await (await this.#announcer)?.close();
    await this.#browser.close();
  }

  /** All devices that answer within the time; rejects with one of the first three codes of connection-establishment §7.5 where none fits. */
  async discover(discriminator: number | undefined, time = DISCOVERY_TIME): Promise<readonly CommissionableDevice[]> {
    const sighting = await collect(this.#browser, this.#clock, WINDOW_TYPES, time, this.#closed.signal);
    const found = fitting(sighting, discriminator);
    if (found.length === 0) throw notFound(discriminator, sighting);
    return found;
  }

  /**
   * The device with that discriminator, as soon as it answers; looked for four times, 2, 5 and 10 s apart (connection-establishment §7.5).
   * Rejects like `discover`.
   */
  async findCommissionable(discriminator: number, options: SearchOptions = {}): Promise<CommissionableDevice> {
    let last: Sighting = { complete: [], incomplete: [] };
    const look = async (linger: number): Promise<CommissionableDevice | undefined> => {
      last = await this.#lookFor(discriminator, linger);
      return this.#choose(discriminator, last, options);
    };
    const found = await this.#search(discriminator, look, options);
    if (found === undefined) throw notFound(discriminator, last);
    return found;
  }

  /** The same in one look; undefined where it is not there. */
  async locateCommissionable(discriminator: number, choice: DeviceChoice = {}): Promise<CommissionableDevice | undefined> {
    return this.#choose(discriminator, await this.#lookFor(discriminator, 0), choice);
  }

  /** Another device with that discriminator than `except`; undefined where there is none. */
  async findAnother(not: CommissionableDevice, choice: DeviceChoice): Promise<CommissionableDevice | undefined> {
    const { discriminator } = not;
    // Two devices may even share the instance's name: what is known of it is asked for anew.
    this.forgetCommissionable(not);
    const fits = (service: DiscoveredService): boolean =>
      fitting({ complete: [service], incomplete: [] }, discriminator, choice).length > 0;
    const sighting = await collect(this.#browser, this.#clock, WINDOW_TYPES, ANOTHER_TIME, this.#closed.signal, fits);
    return this.#choose(discriminator, sighting, choice);
  }

  /**
   * The only device that can be commissioned now, looked for as often as `findCommissionable` does. Rejects with AMBIGUOUS_DEVICE where there
   * are several, otherwise like `discover`.
   */
  async findOnlyCommissionable(options: SearchOptions = {}): Promise<CommissionableDevice> {
    let last: Sighting = { complete: [], incomplete: [] };
    const look = async (linger: number): Promise<readonly CommissionableDevice[] | undefined> => {
      for (const time of [DISCOVERY_TIME, linger]) {
        last = await collect(this.#browser, this.#clock, WINDOW_TYPES, time, this.#closed.signal);
        const found = fitting(last, undefined);
        if (found.length > 0) return found;
      }
      return undefined;
    };
    const [first, ...others] = (await this.#search(undefined, look, options)) ?? [];
    if (first === undefined) throw notFound(undefined, last);
    if (others.length === 0) return first;
    const names = [first, ...others].map((device) => device.discriminator).join(', ');
    throw new ControllerError('AMBIGUOUS_DEVICE', `Several devices can be commissioned; their discriminators: ${names}`, {
      suggestions: ['Name one with --discriminator, or scan the whole QR code'],
    });
  }

  /** Where a device of a zone is now. Rejects with ADDRESS_RESOLUTION_FAILED, or NO_DEVICES_FOUND where nobody announces it. */
  async findOperational(zoneId: string, deviceId: string): Promise<readonly DeviceAddress[]> {
    const instance = operationalInstance(zoneId, deviceId);
    const isWanted = (service: { readonly instance: string }): boolean => service.instance.toLowerCase() === instance.toLowerCase();
    const { found, incomplete } = await this.#lookOut({ types: [OPERATIONAL], instance, isWanted });
    if (found !== undefined) return serviceAddresses(found);
    throw incomplete.some(isWanted) ? withoutAddress() : notAnnounced(deviceId);
  }

  /** The owner of a zone who shows that code, or of that zone, as soon as it answers. Rejects with NO_DEVICES_FOUND or ADDRESS_RESOLUTION_FAILED. */
  async findOwner(wanted: { readonly discriminator: number } | { readonly zoneId: string }): Promise<readonly DeviceAddress[]> {
    // A controller that only announces its zone has port 0.
    const isWanted = (service: DiscoveredService | IncompleteService): boolean => {
      const { txt } = service;
      if (service.kind === 'complete' && service.port === 0) return false;
      return 'zoneId' in wanted
        ? txtValue(txt, 'ZI')?.toUpperCase() === wanted.zoneId.toUpperCase()
        : txtValue(txt, 'D') === String(wanted.discriminator);
    };
    const { found, incomplete } = await this.#lookOut({ types: [COMMISSIONER], isWanted });
    if (found !== undefined) return serviceAddresses(found);
    if (incomplete.some(isWanted)) throw withoutAddress();
    throw new ControllerError('NO_DEVICES_FOUND', 'The owner of the zone is not on the network, or shows no such code', {
      suggestions: ["Run 'mash-controller admin open' on the owner's side", 'Give its address with --address'],
    });
  }

  /** What is known of a device's whereabouts did not hold (connection-establishment §7.4); the next look asks anew. */
  forget(zoneId: string, deviceId: string): void {
    this.#browser.forget(operationalInstance(zoneId, deviceId), OPERATIONAL);
  }

  /** The same for a device that is to be commissioned. */
  forgetCommissionable({ instance }: CommissionableDevice): void {
    for (const type of WINDOW_TYPES) this.#browser.forget(instance, type);
  }

  /** Continuous look-out for the devices of a zone (connection-establishment §7.4); ends with its `close` or the resolver's. */
  monitor(zoneId: string, listener: DeviceListener): { close(): void } {
    return monitorZone(this.#browser, zoneId, listener);
  }

  /** Publishes a service of the controller: `_mashd._udp`, `_mashp._udp`. Ends with its `withdraw` or with `close`. */
  async announce(service: ServiceDefinition): Promise<Published> {
    this.#announcer ??= this.#startAnnouncer();
    return (await this.#announcer).publish(service);
  }

  /** The best of what was seen; a wrong device costs an attempt at it, so that the label's gets a moment to answer. */
  async #choose(discriminator: number, seen: Sighting, choice: DeviceChoice): Promise<CommissionableDevice | undefined> {
    const isBest = (device: CommissionableDevice | undefined): boolean => device !== undefined && rank(device, choice) === 0;
    const [first] = fitting(seen, discriminator, choice);
    if (first === undefined || isBest(first)) return first;
    const enough = (service: DiscoveredService): boolean =>
      isBest(fitting({ complete: [service], incomplete: [] }, discriminator, choice)[0]);
    const more = await collect(this.#browser, this.#clock, WINDOW_TYPES, OTHERS_TIME, this.#closed.signal, enough);
    return fitting({ complete: [...seen.complete, ...more.complete], incomplete: [] }, discriminator, choice)[0];
  }

  #lookFor(discriminator: number, linger: number): Promise<Sighting> {
    return this.#lookOut({ types: WINDOW_TYPES, isWanted: (service) => discriminatorOf(service) === discriminator, linger });
  }

  #lookOut(plan: LookOutPlan): Promise<LookOutResult> {
    return lookOut(this.#browser, this.#clock, { ...plan, signal: this.#closed.signal });
  }

  async #startAnnouncer(): Promise<Advertiser> {
    const { clock, entropy, log } = this.#options;
    const announcer = new Advertiser({
      multicast: this.#shared.port(),
      clock,
      entropy,
      log,
      hostName: hostName(entropy.bytes(4)),
      policy: recordPolicy('reference', true),
    });
    await announcer.start();
    return announcer;
  }

  async #search<T>(
    discriminator: number | undefined,
    look: (linger: number) => Promise<T | undefined>,
    { onWarning, request, patience = 0 }: SearchOptions,
  ): Promise<T | undefined> {
    const warnings = windowWarnings(this.#clock, (warning) => onWarning?.(warning));
    let announced: Promise<Published> | undefined;
    const onMissed = (): void => {
      if (request !== undefined && discriminator !== undefined && !this.#closed.signal.aborted)
        announced ??= this.announce(pairingRequestService({ ...request, discriminator }));
    };
    try {
      // connection-establishment §7.4: a first connection never trusts what was there before.
      for (const type of WINDOW_TYPES) this.#browser.forgetType(type);
      return await persist(look, onMissed, () => this.#closed.signal.aborted, patience);
    } finally {
      warnings.end();
      (await announced)?.withdraw();
    }
  }
}

function fitting({ complete }: Sighting, discriminator: number | undefined, choice?: DeviceChoice): readonly CommissionableDevice[] {
  return commissionableDevices(complete, choice).filter((device) => discriminator === undefined || device.discriminator === discriminator);
}
