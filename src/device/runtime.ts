import type { Commissioner } from '../commissioning/commissioner.js';
import type { Press } from '../commissioning/press.js';
import { SharedMulticast } from '../discovery/shared-multicast.js';
import { ZoneCommands } from '../interaction/zone-commands.js';
import { ZoneSessions } from '../interaction/zone-sessions.js';
import type { DeviceModel } from '../model/model.js';
import { TrustedTime } from '../pki/trusted-time.js';
import { Admission } from '../session/admission.js';
import { ClockFloor } from '../store/clock-floor.js';
import type { Journal } from '../store/journal.js';
import { CertificateWatch } from '../zones/certificate-watch.js';
import { Renewals } from '../zones/renewal.js';
import { TlsIdentities } from '../zones/tls-identities.js';
import { ZoneTable } from '../zones/zone-table.js';
import { CommissioningIdentity } from './certificate.js';
import { deviceCommissioner } from './commissioning.js';
import type { DeviceIdentity } from './identity.js';
import { deviceModel } from './model.js';
import type { DeviceOptions, DeviceStatus } from './options.js';
import { type DevicePairing, devicePairing } from './pairing.js';
import type { DevicePanel } from './panel.js';
import { DevicePorts } from './ports.js';
import { type DeviceRemote, deviceRemote } from './remote.js';
import { deviceRouting } from './routing.js';
import { DeviceServices } from './services.js';
import { DeviceSteering } from './steering.js';
import { DeviceTestHost } from './test-host.js';
import { JournalledTexts } from './texts.js';
import { DeviceWindow } from './window.js';
import { DeviceZoneLife } from './zone-life.js';

/** What a device is made of, for who describes it. */
export interface DeviceAnatomy {
  readonly model: DeviceModel;
  readonly zones: ZoneTable;
  readonly services: DeviceServices;
  readonly commissioning: CommissioningIdentity;
  readonly heedsPairingRequests: boolean;
  /** EnergyControl by endpoint. */
  readonly energy: DeviceSteering['energy']['features'];
}

/** The device once its journal is read: wires the rooms together and holds no rule of its own. */
export class DeviceRuntime {
  readonly #options: DeviceOptions;
  readonly #panel: DevicePanel;
  readonly #identity: DeviceIdentity;
  readonly #changed: () => void;
  readonly #floor: ClockFloor;
  readonly #time: TrustedTime;
  readonly #zones: ZoneTable;
  readonly #identities: TlsIdentities;
  readonly #commissioning: CommissioningIdentity;
  readonly #certificates: CertificateWatch;
  readonly #steering: DeviceSteering;
  readonly #sessions: ZoneSessions;
  readonly #commissioner: Commissioner;
  readonly #services: DeviceServices;
  readonly #pairing: DevicePairing | undefined;
  readonly #remote: DeviceRemote | undefined;
  readonly #ports: DevicePorts;
  readonly #model: DeviceModel;
  readonly #window: DeviceWindow;
  readonly #life: DeviceZoneLife;
  /** Test builds with an enable key alone. */
  readonly #testHost: DeviceTestHost | undefined;

  constructor(options: DeviceOptions, panel: DevicePanel, journal: Journal, identity: DeviceIdentity, changed: () => void) {
    const { profile, board, firmware, platform, earliest, testControl } = options;
    const { clock, crypto, log, multicast } = platform;
    this.#options = options;
    this.#panel = panel;
    this.#identity = identity;
    this.#changed = changed;
    this.#floor = new ClockFloor(journal, clock, log);
    const time = new TrustedTime({ clock, earliest, floor: this.#floor.read() });
    const zones = new ZoneTable(crypto, journal, { slots: profile['zones.slots'], policy: profile['zones.policy'] }, log);
    this.#time = time;
    this.#zones = zones;
    this.#identities = new TlsIdentities(zones);
    this.#commissioning = new CommissioningIdentity(crypto, journal, time, profile, identity.discriminator, log);
    const steering = new DeviceSteering({ options, panel, journal, time, zones: zones.all, lostZone: zones.unreadable > 0, changed });
    this.#steering = steering;
    const model = deviceModel({
      board,
      identity,
      firmware,
      zones: new ZoneCommands({
        zones,
        forced: profile['zones.forcedRemoval'] === 'on',
        isConnected: (zone) => this.#sessions.isConnected(zone),
        onRemoved: (zone) => this.#life.removed(zone),
      }),
      texts: new JournalledTexts(journal),
      energy: steering.energy.features,
      power: (endpoint) => steering.power.features(endpoint),
      incentives: (endpoint) => steering.signals.features(endpoint),
      testControl,
      deviceInfoNotifies: profile['subscriptions.deviceInfo'] === 'notify',
    });
    this.#model = model;
    const certificates = new CertificateWatch({ profile, crypto, clock, log: log.scoped('zones'), time, zones });
    this.#certificates = certificates;
    this.#sessions = new ZoneSessions(
      {
        profile,
        crypto,
        clock,
        log: log.scoped('session'),
        zones,
        model,
        renewals: new Renewals({ crypto, zones, time, log: log.scoped('renewal'), board, onRenewed: (zone) => this.#life.renewed(zone) }),
        meters: profile['meter.read'] === 'on' ? steering.meters : undefined,
        certificateState: (zone) => certificates.state(zone),
        controllerTime: () => this.#testHost?.controllerTime() ?? time.read(),
      },
      { onConnected: (zone, remote) => this.#life.connected(zone, remote), onDisconnected: (zone) => this.#life.disconnected(zone) },
    );
    const admission = new Admission({
      capacity: profile['connections.preOperational'],
      overflow: profile['connections.overflow'],
      stale: profile['connections.stale'],
    });
    this.#commissioner = deviceCommissioner({
      options,
      journal,
      identity,
      time,
      zones,
      admission,
      storeFloor: (floor) => this.#floor.store(floor),
      isConnected: (zone) => this.#sessions.isConnected(zone),
      onRemoved: (zone) => this.#life.removed(zone),
      events: {
        onWindowOpened: (until) => this.#window.opened(until),
        onWindowMoved: (until) => this.#window.moved(until),
        onWindowClosed: () => this.#window.closed(),
        onCommissioned: (zone) => this.#life.commissioned(zone),
        onProved: () => {
          if (this.#testHost !== undefined) this.#testHost.clockOffset = 0;
        },
      },
    });
    if (testControl !== undefined) {
      this.#testHost = new DeviceTestHost({
        profile,
        clock,
        time,
        zones,
        sessions: this.#sessions,
        commissioner: this.#commissioner,
        energy: steering.energy,
        admission,
        pairing: () => this.#pairing,
        onRemoved: (zone) => this.#life.removed(zone),
      });
      testControl.bind(this.#testHost);
    }
    const shared = new SharedMulticast(multicast);
    const published = { profile, board, identity, firmware, model, multicast: shared.port() };
    this.#services = new DeviceServices({ ...published, clock, crypto, log, onConflict: () => changed() });
    const isBusy = (): boolean => this.#life.stopping || this.#commissioner.windowOpen || zones.full;
    this.#pairing = devicePairing(options, shared.port(), identity.discriminator, isBusy, () => this.#commissioner.openWindow());
    this.#remote = deviceRemote(options, shared, () => this.#ports.operational, changed);
    const routing = { zones, identities: this.#identities, commissioning: this.#commissioning, sessions: this.#sessions };
    this.#ports = new DevicePorts(
      options,
      admission,
      deviceRouting({ ...routing, commissioner: this.#commissioner, remote: this.#remote }),
    );
    const outlets = { options, commissioning: this.#commissioning, ports: this.#ports, services: this.#services, changed };
    this.#window = new DeviceWindow({ ...outlets, panel, identity, zones });
    this.#life = new DeviceZoneLife({
      ...outlets,
      zones,
      identities: this.#identities,
      certificates,
      steering,
      sessions: this.#sessions,
      commissioner: this.#commissioner,
      window: this.#window,
      remote: this.#remote,
    });
  }

  async start(): Promise<void> {
    const { profile, board, openWindow, platform } = this.#options;
    this.#floor.start(() => this.#time.observe());
    this.#steering.start();
    await this.#ports.start();
    await this.#services.start();
    await this.#remote?.start();
    for (const zone of this.#zones.all) {
      this.#life.announce(zone);
      platform.listener.prepare(this.#identities.of(zone));
    }
    this.#certificates.start();
    const noZone = this.#zones.count === 0;
    const atStart = noZone && (board.windowAtStart === 'open' || profile['commissioning.openAtStart'] === 'withoutZone');
    if (openWindow || atStart) this.#commissioner.openWindow();
    else this.#window.showIdle();
    await this.#window.published;
    await this.#pairing?.start();
    platform.log.info('started', { port: this.#ports.operational, zones: this.#zones.count, window: this.#commissioner.windowOpen });
  }

  get status(): DeviceStatus {
    const { serialNumber, discriminator } = this.#identity;
    return {
      serialNumber,
      discriminator,
      port: this.#ports.operational,
      qr: this.#window.until === undefined ? undefined : this.#window.qr,
      windowUntil: this.#window.until,
      zones: this.#life.status,
      nameConflicts: this.#services.conflicts,
      remote: this.#remote?.status,
      energy: this.#steering.energy.status,
      power: this.#steering.power.power,
      relayClosed: this.#panel.relayClosed,
      testMode: this.#options.testControl?.notice,
    };
  }

  get anatomy(): DeviceAnatomy {
    const parts = { model: this.#model, zones: this.#zones, services: this.#services, commissioning: this.#commissioning };
    return { ...parts, energy: this.#steering.energy.features, heedsPairingRequests: this.#pairing !== undefined };
  }

  /** A short press opens the window, a long one is the user's override, on or off again (features.md §1). */
  onPress(press: Press): void {
    const { log } = this.#options.platform;
    if (press === 'longPress') {
      const { energy } = this.#steering;
      energy.longPress();
      log.info('long press');
      this.#changed();
    } else if (!this.#commissioner.openWindow())
      log.warn('the window cannot be opened yet', { coolDownSeconds: Math.ceil(this.#commissioner.coolDown / 1000) });
  }

  async close(): Promise<void> {
    this.#life.stop();
    this.#floor.close();
    const counted = this.#steering.close();
    this.#certificates.close();
    this.#commissioner.close();
    this.#sessions.close('the device stops');
    // Goodbyes leave at once; the zones have a moment to acknowledge.
    const leaving = [this.#services.close(), this.#pairing?.close(), this.#remote?.close()];
    await Promise.all([...leaving, this.#ports.stopAccepting(), this.#life.allGone(), counted]);
    this.#sessions.destroy('the device stops');
    await this.#ports.close();
  }
}
