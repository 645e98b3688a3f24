import { type Browse, Browser, type BrowserOptions } from '../discovery/browser.js';
import type { DiscoveredService, IncompleteService } from '../discovery/discovered.js';
import { PAIRING_REQUEST } from '../discovery/pairing-request.js';
import { txtValue } from '../discovery/txt.js';
import type { Multicast } from '../platform.js';
import type { DeviceOptions } from './options.js';

/** Anyone on the link can send a request: one that opens the window keeps the next from doing so for this long, ms. */
const PAIRING_REST = 60_000;

export interface PairingEvents {
  /** Requests are ignored while this is true: the window is open, or no zone would fit. */
  isBusy(): boolean;
  /** A controller asks for the window. */
  onRequest(zoneId: string | undefined): void;
}

/**
 * Looks out for pairing requests to this device (protocol.md, profile `reference`). A request counts when it appears, and again only when it
 * has disappeared in between (reference-behaviour §4.11); what came while it was to be ignored stays ignored. Of a request its TXT alone is needed:
 * nobody connects to it.
 */
export class DevicePairing {
  readonly #options: BrowserOptions;
  readonly #discriminator: number;
  readonly #events: PairingEvents;
  readonly #browser: Browser;
  /** Requests that are there now, by instance. */
  readonly #seen = new Set<string>();
  #notBefore = Number.NEGATIVE_INFINITY;
  #browse: Browse | undefined;

  constructor(options: BrowserOptions, discriminator: number, events: PairingEvents) {
    this.#options = options;
    this.#discriminator = discriminator;
    this.#events = events;
    this.#browser = new Browser(options);
  }

  async start(): Promise<void> {
    await this.#browser.start();
    this.restart();
  }

  /** Sees requests that are still there afresh. */
  restart(): void {
    this.#browse?.close();
    this.#seen.clear();
    this.#notBefore = Number.NEGATIVE_INFINITY;
    const onSeen = (service: DiscoveredService | IncompleteService): void => this.#onSeen(service);
    this.#browse = this.#browser.browse(PAIRING_REQUEST, {
      added: onSeen,
      updated: onSeen,
      incomplete: onSeen,
      removed: ({ instance }) => this.#seen.delete(instance.toLowerCase()),
    });
  }

  close(): Promise<void> {
    return this.#browser.close();
  }

  /** Forgets requests that went before they were complete. */
  #prune(): void {
    const there = new Set(
      [...(this.#browse?.services() ?? []), ...(this.#browse?.incomplete() ?? [])].map(({ instance }) => instance.toLowerCase()),
    );
    for (const key of this.#seen) if (!there.has(key)) this.#seen.delete(key);
  }

  #onSeen({ instance, txt }: DiscoveredService | IncompleteService): void {
    this.#prune();
    const key = instance.toLowerCase();
    if (txtValue(txt, 'D') !== String(this.#discriminator) || this.#seen.has(key)) return;
    this.#seen.add(key);
    const now = this.#options.clock.now();
    if (now < this.#notBefore || this.#events.isBusy()) {
      this.#options.log.debug('pairing request ignored', { instance });
      return;
    }
    this.#notBefore = now + PAIRING_REST;
    this.#events.onRequest(txtValue(txt, 'ZI'));
  }
}

/** The look-out of a device whose profile heeds pairing requests; undefined otherwise. `open` opens the window. */
export function devicePairing(
  { profile, platform: { clock, crypto, log } }: DeviceOptions,
  multicast: Multicast,
  discriminator: number,
  isBusy: () => boolean,
  open: () => void,
): DevicePairing | undefined {
  if (profile['commissioning.pairingRequests'] !== 'heed') return undefined;
  const onRequest = (zone: string | undefined): void => {
    log.info('a pairing request opens the window', { zone });
    open();
  };
  return new DevicePairing({ multicast, clock, entropy: crypto, log }, discriminator, { isBusy, onRequest });
}
