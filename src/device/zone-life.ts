import type { Commissioner } from '../commissioning/commissioner.js';
import type { ZoneSessions } from '../interaction/zone-sessions.js';
import type { CertificateWatch } from '../zones/certificate-watch.js';
import type { TlsIdentities } from '../zones/tls-identities.js';
import type { Zone } from '../zones/zone.js';
import type { ZoneTable } from '../zones/zone-table.js';
import type { CommissioningIdentity } from './certificate.js';
import type { DeviceOptions, DeviceStatus } from './options.js';
import type { DevicePorts } from './ports.js';
import type { DeviceRemote } from './remote.js';
import type { DeviceServices } from './services.js';
import type { DeviceSteering } from './steering.js';
import type { DeviceWindow } from './window.js';

/** How long a stop waits for the zones to acknowledge its close, ms. */
const STOP_GRACE = 1000;

export interface DeviceZoneLifeParts {
  readonly options: DeviceOptions;
  readonly zones: ZoneTable;
  readonly identities: TlsIdentities;
  readonly commissioning: CommissioningIdentity;
  readonly certificates: CertificateWatch;
  readonly steering: DeviceSteering;
  readonly services: DeviceServices;
  readonly ports: DevicePorts;
  readonly sessions: ZoneSessions;
  readonly commissioner: Commissioner;
  readonly window: DeviceWindow;
  readonly remote: DeviceRemote | undefined;
  /** What the status shows has changed. */
  changed(): void;
}

/** What the rooms hear of a zone, from its commissioning to its removal. */
export class DeviceZoneLife {
  readonly #parts: DeviceZoneLifeParts;
  #gone: (() => void) | undefined;
  #stopping = false;

  constructor(parts: DeviceZoneLifeParts) {
    this.#parts = parts;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  get status(): DeviceStatus['zones'] {
    const { zones, sessions, certificates } = this.#parts;
    return zones.all.map((zone) => ({
      id: zone.id,
      name: zone.name,
      type: zone.type,
      connected: sessions.isConnected(zone),
      certificate: certificates.state(zone),
      expiresAt: certificates.expiresAt(zone),
    }));
  }

  commissioned(zone: Zone): void {
    const { options, commissioning, steering, identities, changed } = this.#parts;
    const { clock, listener, log } = options.platform;
    log.info('zone added', { zone: zone.id, name: zone.name, type: zone.type, dialect: zone.dialect });
    commissioning.drop();
    steering.energy.zoneAdded(zone);
    this.announce(zone);
    clock.after('prepare', 0, () => listener.prepare(identities.of(zone)));
    options.testControl?.zoneCommissioned(zone.id);
    changed();
  }

  announce(zone: Zone): void {
    const { services, ports, remote } = this.#parts;
    services.addZone(zone, ports.operational);
    remote?.want(true);
  }

  removed(zone: Zone): void {
    const { options, zones, steering, sessions, services, certificates, commissioner, window, remote, changed } = this.#parts;
    options.platform.log.info('zone removed', { zone: zone.id, name: zone.name, type: zone.type });
    steering.zoneRemoved(zone);
    sessions.closeZone(zone);
    services.removeZone(zone);
    if (zones.count === 0) remote?.want(false);
    certificates.check();
    options.testControl?.zoneRemoved(zone.id);
    // reference-behaviour §4.6: while GRID or LOCAL is free; a window that is open begins anew.
    const opens = options.profile['commissioning.openAfterRemoval'] === 'always' && !zones.full && !this.#stopping;
    if (opens) commissioner.openAnew();
    if (!commissioner.windowOpen) window.showIdle();
    changed();
  }

  /** The records stay as they are: the device id does. */
  renewed(zone: Zone): void {
    const { options, identities, certificates, changed } = this.#parts;
    options.platform.listener.prepare(identities.of(zone));
    certificates.check();
    changed();
  }

  connected(zone: Zone, remote: string): void {
    const { options, identities, steering, changed } = this.#parts;
    identities.connected(zone, remote);
    steering.zoneConnected(zone);
    options.testControl?.zoneConnected(zone.id);
    changed();
  }

  disconnected(zone: Zone): void {
    const { options, steering, sessions, changed } = this.#parts;
    steering.energy.zoneDisconnected(zone);
    if (!this.#stopping) options.testControl?.zoneDisconnected();
    if (sessions.count === 0) this.#gone?.();
    changed();
  }

  /** From here on a loss of zones opens nothing. */
  stop(): void {
    this.#stopping = true;
  }

  /** Resolves when every zone has acknowledged its close, or has had the time to. */
  allGone(): Promise<void> {
    const { options, sessions } = this.#parts;
    if (sessions.count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = options.platform.clock.after('STOP_GRACE', STOP_GRACE, resolve);
      this.#gone = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
