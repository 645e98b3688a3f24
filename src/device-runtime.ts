import { Commissioner } from './commissioning/commissioner.js';
import { Installer } from './commissioning/installer.js';
import { PreparedMaterial } from './commissioning/prepared-material.js';
import type { Press } from './commissioning/press.js';
import { formatQr } from './crypto/qr.js';
import { readAttestation } from './device-attestation.js';
import { CommissioningIdentity } from './device-certificate.js';
import { DeviceEnergy } from './device-energy.js';
import type { DeviceIdentity } from './device-identity.js';
import { deviceModel } from './device-model.js';
import type { DeviceOptions, DeviceStatus } from './device-options.js';
import { DevicePairing } from './device-pairing.js';
import type { DevicePanel } from './device-panel.js';
import { DevicePorts } from './device-ports.js';
import { DevicePower } from './device-power.js';
import { DeviceServices } from './device-services.js';
import { DeviceSignals } from './device-signals.js';
import { DeviceSurplus } from './device-surplus.js';
import { DeviceTestHost } from './device-test-host.js';
import { JournalledTexts } from './device-texts.js';
import { SharedMulticast } from './discovery/shared-multicast.js';
import { GridMeters } from './interaction/grid-meters.js';
import { ZoneCommands } from './interaction/zone-commands.js';
import { ZoneSessions } from './interaction/zone-sessions.js';
import { TrustedTime } from './pki/trusted-time.js';
import type { Log, PendingConnection, RouteDecision, SecureStream } from './platform.js';
import { Admission } from './session/admission.js';
import { deviceIdOfServerName, type Route } from './session/routing.js';
import { ClockFloor } from './store/clock-floor.js';
import type { Journal } from './store/journal.js';
import { CertificateWatch } from './zones/certificate-watch.js';
import { Renewals } from './zones/renewal.js';
import { TlsIdentities } from './zones/tls-identities.js';
import { type Zone, ZoneType } from './zones/zone.js';
import { ZoneTable } from './zones/zone-table.js';

/** How long a stop waits for the zones to acknowledge its close. */
const STOP_GRACE = 1000;

/** The device once its journal is read: wires the rooms together and holds no rule of its own. */
export class DeviceRuntime {
  readonly #options: DeviceOptions;
  readonly #panel: DevicePanel;
  readonly #identity: DeviceIdentity;
  readonly #log: Log;
  readonly #changed: () => void;
  readonly #floor: ClockFloor;
  readonly #time: TrustedTime;
  readonly #zones: ZoneTable;
  readonly #identities: TlsIdentities;
  readonly #commissioning: CommissioningIdentity;
  readonly #certificates: CertificateWatch;
  readonly #energy: DeviceEnergy;
  readonly #power: DevicePower;
  readonly #signals: DeviceSignals;
  readonly #meters: GridMeters;
  readonly #sessions: ZoneSessions;
  readonly #commissioner: Commissioner;
  readonly #services: DeviceServices;
  readonly #pairing: DevicePairing | undefined;
  readonly #ports: DevicePorts;
  /** Test builds with an enable key alone. */
  readonly #testHost: DeviceTestHost | undefined;
  #windowUntil: number | undefined;
  /** Openings of the window so far. */
  #openings = 0;
  /** The commissioning port of the last opening, until its services are published. */
  #opening: Promise<void> = Promise.resolve();
  #stopped: (() => void) | undefined;
  #stopping = false;

  constructor(options: DeviceOptions, panel: DevicePanel, journal: Journal, identity: DeviceIdentity, changed: () => void) {
    const { profile, board, firmware, platform, earliest } = options;
    const { clock, crypto, log, multicast } = platform;
    this.#options = options;
    this.#panel = panel;
    this.#identity = identity;
    this.#log = log;
    this.#changed = changed;
    this.#floor = new ClockFloor(journal, clock, log);
    this.#time = new TrustedTime({ clock, earliest, floor: this.#floor.read() });
    const time = this.#time;
    const zones = new ZoneTable(crypto, journal, { slots: profile['zones.slots'], policy: profile['zones.policy'] }, log);
    this.#zones = zones;
    this.#identities = new TlsIdentities(zones);
    this.#commissioning = new CommissioningIdentity(crypto, journal, time, profile, identity.discriminator, log);
    const power: DevicePower = new DevicePower({
      board,
      stages: options.parts.powerStages ?? new Map(),
      clock,
      journal,
      log: log.scoped('power'),
      steering: (endpoint) => ({
        surplus: () => surplus.value,
        worthwhile: () => this.#signals.worthwhile(endpoint),
        planned: () => this.#signals.planned(endpoint),
        overridden: () => this.#energy.isOverridden(endpoint),
      }),
      refuses: (endpoint, caller) => this.#signals.refuses(endpoint, caller),
      now: () => {
        const reading = time.read();
        return reading.quality === 'unset' ? undefined : reading.now;
      },
      setRelay: (closed) => panel.setRelay(closed),
      events: {
        onProcess: (endpoint, type) => this.#energy.process(endpoint, { type }),
        onOverride: (endpoint, cause) => this.#energy.deviceOverride(endpoint, cause),
        onRatings: (endpoint, ratings) => this.#energy.ratings(endpoint, ratings),
        onNeed: (endpoint) => {
          this.#meters.want(options.parts.surplus === undefined && power.followsSurplus);
          this.#signals.reconsider(endpoint);
        },
      },
      onChanged: () => changed(),
    });
    this.#power = power;
    const surplus: DeviceSurplus = new DeviceSurplus({
      own: options.parts.surplus,
      grid: () => this.#meters.power,
      drawn: () => power.power ?? 0,
    });
    this.#energy = new DeviceEnergy({
      profile,
      board,
      clock,
      journal,
      log,
      zones: zones.all,
      onTarget: (endpoint, target) => {
        this.#signals.reconsider(endpoint);
        power.obey(endpoint, target);
      },
      onSuspended: (endpoint, suspended) => this.#signals.suspend(endpoint, suspended),
      onChanged: () => changed(),
    });
    const signals = new DeviceSignals({
      board,
      clock,
      journal,
      energy: this.#energy.features,
      now: () => {
        const { quality, now } = time.read();
        return quality === 'unset' ? undefined : Math.max(now, quality === 'synchronised' ? clock.wall() / 1000 : 0);
      },
      need: (endpoint) => power.need(endpoint),
      onChanged: (endpoint) => power.steer(endpoint),
    });
    this.#signals = signals;
    const model = deviceModel({
      board,
      identity,
      firmware,
      zones: new ZoneCommands({
        zones,
        forced: profile['zones.forcedRemoval'] === 'on',
        isConnected: (zone) => this.#sessions.isConnected(zone),
        onRemoved: (zone) => this.#onRemoved(zone),
      }),
      texts: new JournalledTexts(journal),
      energy: this.#energy.features,
      power: (endpoint) => power.features(endpoint),
      incentives: (endpoint) => signals.features(endpoint),
      testControl: options.testControl,
      deviceInfoNotifies: profile['subscriptions.deviceInfo'] === 'notify',
    });
    const certificates = new CertificateWatch({ profile, crypto, clock, log: log.scoped('zones'), time, zones });
    this.#certificates = certificates;
    const renewals = new Renewals({ crypto, zones, time, log: log.scoped('renewal'), board, onRenewed: (zone) => this.#onRenewed(zone) });
    this.#meters = new GridMeters({
      clock,
      log: log.scoped('session'),
      onMeasured: () => {
        surplus.measured();
        power.steer();
        changed();
      },
    });
    const meters = profile['meter.read'] === 'on' ? this.#meters : undefined;
    const certificateState = (zone: Zone) => certificates.state(zone);
    this.#sessions = new ZoneSessions(
      {
        profile,
        crypto,
        clock,
        log: log.scoped('session'),
        zones,
        model,
        renewals,
        meters,
        certificateState,
        controllerTime: () => this.#testHost?.controllerTime() ?? time.read(),
      },
      { onConnected: (zone, remote) => this.#onConnected(zone, remote), onDisconnected: (zone) => this.#onDisconnected(zone) },
    );
    const installer = new Installer({
      crypto,
      zones,
      time,
      log: log.scoped('commissioning'),
      storeFloor: (floor) => this.#floor.store(floor),
      testZones: options.testControl !== undefined,
      isConnected: (zone) => this.#sessions.isConnected(zone),
      removeTestZone: async (zone) => {
        await zones.remove(zone);
        this.#onRemoved(zone);
      },
    });
    const material = new PreparedMaterial(crypto, clock, identity.verifiers, board);
    const admission = new Admission({
      capacity: profile['connections.preOperational'],
      overflow: profile['connections.overflow'],
      stale: profile['connections.stale'],
    });
    this.#commissioner = new Commissioner(
      {
        profile,
        crypto,
        clock,
        log: log.scoped('commissioning'),
        zones,
        installer,
        material,
        attestation: readAttestation(journal, log),
        // reference-behaviour §3.5: with an enable key a TEST zone may come beside two others.
        full: () => (options.testControl === undefined ? zones.full : zones.count > profile['zones.slots']),
      },
      {
        onWindowOpened: (until) => this.#onWindowOpened(until),
        onWindowMoved: (until) => {
          this.#windowUntil = until;
          changed();
        },
        onWindowClosed: () => this.#onWindowClosed(),
        onCommissioned: (zone) => this.#onCommissioned(zone),
        onLock: (connection) => {
          admission.lockHolder = connection;
        },
        onBegun: () => options.testControl?.commissioningBegins(),
        onProved: () => {
          if (this.#testHost !== undefined) this.#testHost.clockOffset = 0;
        },
      },
    );
    if (options.testControl !== undefined) {
      const { commissioner, sessions, energy } = { commissioner: this.#commissioner, sessions: this.#sessions, energy: this.#energy };
      const onRemoved = (zone: Zone): void => this.#onRemoved(zone);
      this.#testHost = new DeviceTestHost({
        profile,
        clock,
        time,
        zones,
        sessions,
        commissioner,
        energy,
        admission,
        pairing: () => this.#pairing,
        onRemoved,
      });
      options.testControl.bind(this.#testHost);
    }
    const shared = new SharedMulticast(multicast);
    const onConflict = (): void => this.#changed();
    const published = { profile, board, identity, firmware, model, multicast: shared.port() };
    this.#services = new DeviceServices({ ...published, clock, crypto, log, onConflict });
    if (profile['commissioning.pairingRequests'] === 'heed')
      this.#pairing = new DevicePairing({ multicast: shared.port(), clock, entropy: crypto, log }, identity.discriminator, {
        isBusy: () => this.#stopping || this.#commissioner.windowOpen || zones.full,
        onRequest: (zoneId) => {
          log.info('a pairing request opens the window', { zone: zoneId });
          this.#commissioner.openWindow();
        },
      });
    this.#ports = new DevicePorts(options, admission, {
      state: () => ({ windowOpen: this.#commissioner.windowOpen, hasZone: zones.count > 0 }),
      decide: (route, serverName, remote) => this.#decide(route, serverName, remote),
      onSecure: (stream, connection) => this.#onSecure(stream, connection),
    });
  }

  async start(): Promise<void> {
    const { profile, board, openWindow, platform } = this.#options;
    this.#floor.start(() => this.#time.observe());
    this.#power.start((endpoint) => this.#energy.target(endpoint));
    await this.#ports.start();
    await this.#services.start();
    for (const zone of this.#zones.all) {
      this.#services.addZone(zone, this.#ports.operational);
      platform.listener.prepare(this.#identities.of(zone));
    }
    this.#certificates.start();
    const noZone = this.#zones.count === 0;
    const atStart = noZone && (board.windowAtStart === 'open' || profile['commissioning.openAtStart'] === 'withoutZone');
    if (openWindow || atStart) this.#commissioner.openWindow();
    else this.#showIdle();
    await this.#opening;
    await this.#pairing?.start();
    this.#log.info('started', { port: this.#ports.operational, zones: this.#zones.count, window: this.#commissioner.windowOpen });
  }

  get status(): DeviceStatus {
    const { serialNumber, discriminator } = this.#identity;
    return {
      serialNumber,
      discriminator,
      port: this.#ports.operational,
      qr: this.#windowUntil === undefined ? undefined : this.#qr(),
      windowUntil: this.#windowUntil,
      zones: this.#zones.all.map((zone) => ({
        id: zone.id,
        name: zone.name,
        type: zone.type,
        connected: this.#sessions.isConnected(zone),
        certificate: this.#certificates.state(zone),
        expiresAt: this.#certificates.expiresAt(zone),
      })),
      nameConflicts: this.#services.conflicts,
      energy: this.#energy.status,
      power: this.#power.power,
      relayClosed: this.#panel.relayClosed,
    };
  }

  /** A short press opens the window, a long one is the user's override, on or off again (features.md §1). */
  onPress(press: Press): void {
    if (press === 'longPress') {
      this.#energy.longPress();
      this.#log.info('long press', { energy: this.#energy.status });
      this.#changed();
    } else if (!this.#commissioner.openWindow())
      this.#log.warn('the window cannot be opened yet', { coolDownSeconds: Math.ceil(this.#commissioner.coolDown / 1000) });
  }

  async close(): Promise<void> {
    this.#stopping = true;
    this.#floor.close();
    // What is in the journal is what a boot needs: the loss of the zones that follows is not a failsafe to be counted.
    this.#energy.close();
    this.#signals.close();
    const counted = this.#power.close();
    this.#certificates.close();
    this.#commissioner.close();
    this.#sessions.close('the device stops');
    // Goodbyes leave at once; the zones have a moment to acknowledge.
    await Promise.all([this.#services.close(), this.#pairing?.close(), this.#ports.stopAccepting(), this.#zonesGone(), counted]);
    this.#sessions.destroy('the device stops');
    await this.#ports.close();
  }

  #zonesGone(): Promise<void> {
    if (this.#sessions.count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#options.platform.clock.after('STOP_GRACE', STOP_GRACE, resolve);
      this.#stopped = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #decide(route: Exclude<Route, { kind: 'refuse' }>, serverName: string | undefined, remote: string): RouteDecision {
    if (route.kind === 'commissioning') {
      this.#commissioner.expect();
      return { ...route, kind: 'commissioning', identity: this.#commissioning.current() };
    }
    const deviceId = serverName === undefined ? undefined : deviceIdOfServerName(serverName);
    const identity = this.#identities.choose(deviceId, remote);
    return identity === undefined ? { kind: 'refuse', alert: 80, reason: 'no zone' } : { ...route, kind: 'operational', identity };
  }

  #onSecure(stream: SecureStream, connection: PendingConnection): 'operational' | 'commissioning' | 'refused' {
    if (stream.kind === 'commissioning') {
      this.#commissioner.accept(stream, connection);
      return 'commissioning';
    }
    return this.#sessions.accept(stream) ? 'operational' : 'refused';
  }

  #onWindowOpened(until: number): void {
    this.#windowUntil = until;
    this.#options.platform.listener.prepare(this.#commissioning.current());
    this.#panel.showQr(this.#qr(), [`Discriminator ${this.#identity.discriminator}`, `Code ${this.#identity.setupCode.digits()}`]);
    const opening = ++this.#openings;
    this.#opening = this.#ports.openCommissioning().then((port) => {
      if (this.#windowUntil !== undefined && this.#openings === opening) this.#services.openWindow(port);
    });
    this.#changed();
  }

  #onWindowClosed(): void {
    this.#windowUntil = undefined;
    this.#services.closeWindow();
    this.#ports.closeCommissioning();
    this.#showIdle();
    this.#changed();
  }

  #onCommissioned(zone: Zone): void {
    this.#log.info('zone added', { zone: zone.id, name: zone.name, type: zone.type, dialect: zone.dialect });
    this.#commissioning.drop();
    this.#energy.zoneAdded(zone);
    this.#services.addZone(zone, this.#ports.operational);
    const { clock, listener } = this.#options.platform;
    clock.after('prepare', 0, () => listener.prepare(this.#identities.of(zone)));
    this.#options.testControl?.zoneCommissioned(zone.id);
    this.#changed();
  }

  #onRemoved(zone: Zone): void {
    this.#log.info('zone removed', { zone: zone.id, name: zone.name, type: zone.type });
    this.#energy.zoneRemoved(zone);
    this.#signals.zoneRemoved(zone.id);
    this.#sessions.closeZone(zone);
    this.#services.removeZone(zone);
    this.#certificates.check();
    const again = this.#options.profile['commissioning.openAfterRemoval'] === 'always';
    if (again && !this.#stopping) this.#commissioner.openWindow();
    if (!this.#commissioner.windowOpen) this.#showIdle();
    this.#changed();
  }

  /** The records stay as they are: the device id does. */
  #onRenewed(zone: Zone): void {
    this.#options.platform.listener.prepare(this.#identities.of(zone));
    this.#certificates.check();
    this.#changed();
  }

  #onConnected(zone: Zone, remote: string): void {
    this.#identities.connected(zone, remote);
    this.#energy.zoneConnected(zone);
    // features.md §5: simulated physics rests from the first TEST connection to the restart.
    if (zone.type === ZoneType.TEST) this.#power.rest();
    this.#options.testControl?.zoneConnected(zone.id);
    this.#changed();
  }

  #onDisconnected(zone: Zone): void {
    this.#energy.zoneDisconnected(zone);
    if (!this.#stopping) this.#options.testControl?.zoneDisconnected();
    if (this.#sessions.count === 0) this.#stopped?.();
    this.#changed();
  }

  #qr(): string {
    const { discriminator, setupCode: code } = this.#identity;
    const { vendorId, productId } = this.#options.board;
    return formatQr({ discriminator, code, vendorId, productId });
  }

  // commissioning-pase §12.1: the code is on the display only while the window is open.
  #showIdle(): void {
    const count = this.#zones.count;
    this.#panel.showText([this.#options.board.model, count === 0 ? 'not commissioned' : count === 1 ? '1 zone' : `${count} zones`]);
  }
}
