import { formatQr } from '../crypto/qr.js';
import type { ZoneTable } from '../zones/zone-table.js';
import type { CommissioningIdentity } from './certificate.js';
import type { DeviceIdentity } from './identity.js';
import type { DeviceOptions } from './options.js';
import type { DevicePanel } from './panel.js';
import type { DevicePorts } from './ports.js';
import type { DeviceServices } from './services.js';

export interface DeviceWindowParts {
  readonly options: DeviceOptions;
  readonly panel: DevicePanel;
  readonly identity: DeviceIdentity;
  readonly commissioning: CommissioningIdentity;
  readonly zones: ZoneTable;
  readonly ports: DevicePorts;
  readonly services: DeviceServices;
  /** What the status shows has changed. */
  changed(): void;
}

/** What an open commissioning window is outside of the commissioner: a code on the display, a port, and records. */
export class DeviceWindow {
  readonly #parts: DeviceWindowParts;
  #until: number | undefined;
  /** Openings so far. */
  #openings = 0;
  /** The port of the last opening, until its services are published. */
  #published: Promise<void> = Promise.resolve();

  constructor(parts: DeviceWindowParts) {
    this.#parts = parts;
  }

  /** Monotonic end; undefined while it is closed. */
  get until(): number | undefined {
    return this.#until;
  }

  /** Resolves when the last opening is announced. */
  get published(): Promise<void> {
    return this.#published;
  }

  get qr(): string {
    const { identity, options } = this.#parts;
    const { discriminator, setupCode: code } = identity;
    const { vendorId, productId } = options.board;
    return formatQr({ discriminator, code, vendorId, productId });
  }

  opened(until: number): void {
    const { options, panel, identity, commissioning, ports, services, changed } = this.#parts;
    this.#until = until;
    options.platform.listener.prepare(commissioning.current());
    panel.showQr(this.qr, [`Discriminator ${identity.discriminator}`, `Code ${identity.setupCode.digits()}`]);
    const opening = ++this.#openings;
    this.#published = ports.openCommissioning().then((port) => {
      if (this.#until !== undefined && this.#openings === opening) services.openWindow(port);
    });
    changed();
  }

  moved(until: number): void {
    this.#until = until;
    this.#parts.changed();
  }

  closed(): void {
    const { ports, services, changed } = this.#parts;
    this.#until = undefined;
    services.closeWindow();
    ports.closeCommissioning();
    this.showIdle();
    changed();
  }

  // commissioning-pase §12.1: the code is on the display only while the window is open.
  showIdle(): void {
    const { zones, panel, options } = this.#parts;
    const count = zones.count;
    panel.showText([options.board.model, count === 0 ? 'not commissioned' : count === 1 ? '1 zone' : `${count} zones`]);
  }
}
