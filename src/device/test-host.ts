import type { Commissioner } from '../commissioning/commissioner.js';
import type { ZoneSessions } from '../interaction/zone-sessions.js';
import type { TimeReading, TrustedTime } from '../pki/trusted-time.js';
import type { Clock } from '../platform.js';
import type { Profile } from '../profile.js';
import type { Admission } from '../session/admission.js';
import type { TestHost, TestZone } from '../test-control/host.js';
import type { Zone } from '../zones/zone.js';
import type { ZoneTable } from '../zones/zone-table.js';
import type { DeviceEnergy } from './energy.js';
import type { DevicePairing } from './pairing.js';

export interface DeviceTestHostParts {
  readonly profile: Profile;
  readonly clock: Clock;
  readonly time: TrustedTime;
  readonly zones: ZoneTable;
  readonly sessions: ZoneSessions;
  readonly commissioner: Commissioner;
  readonly energy: DeviceEnergy;
  readonly admission: Admission;
  /** Undefined where the profile heeds no pairing requests. */
  pairing(): DevicePairing | undefined;
  /** The zone is out of its slot: everything of it ends. */
  onRemoved(zone: Zone): void;
}

/** The runtime as TestControl sees it. */
export class DeviceTestHost implements TestHost {
  readonly #parts: DeviceTestHostParts;
  readonly clock: Clock;
  /** Seconds. */
  clockOffset = 0;

  constructor(parts: DeviceTestHostParts) {
    this.#parts = parts;
    this.clock = parts.clock;
  }

  get zones(): readonly TestZone[] {
    const { zones, sessions, energy } = this.#parts;
    return zones.all.map((zone) => ({
      id: zone.id,
      type: zone.type,
      connected: sessions.isConnected(zone),
      subscriptions: sessions.subscriptionsOf(zone),
      failsafe: energy.failsafe ?? 'off',
    }));
  }

  get windowOpen(): boolean {
    return this.#parts.commissioner.windowOpen;
  }

  get failedAttempts(): number {
    return this.#parts.commissioner.failedAttempts;
  }

  get preOperational(): number {
    return this.#parts.admission.size;
  }

  get slotFree(): boolean {
    return !this.#parts.zones.full;
  }

  get reference(): boolean {
    return this.#parts.profile.name === 'reference';
  }

  get pairing(): boolean {
    return this.#parts.pairing() !== undefined;
  }

  /** The time at which client certificates are judged. */
  controllerTime(): TimeReading {
    const reading = this.#parts.time.read();
    return this.clockOffset === 0 ? reading : { ...reading, now: reading.now + this.clockOffset };
  }

  openWindow(): void {
    this.#parts.commissioner.openAnew();
  }

  closeWindow(): void {
    this.#parts.commissioner.closeWindow();
  }

  setWindowDuration(duration: number | undefined): void {
    this.#parts.commissioner.setWindowDuration(duration);
  }

  resetPace(): void {
    this.#parts.commissioner.resetPace();
  }

  resetCommissioning(): void {
    this.#parts.commissioner.reset();
  }

  resetEnergy(): void {
    this.#parts.energy.reset();
  }

  async removeZone(zoneId: string): Promise<void> {
    const { zones } = this.#parts;
    const zone = zones.byId(zoneId);
    if (zone === undefined) return;
    await zones.remove(zone);
    this.#parts.onRemoved(zone);
  }

  closePreOperational(): number {
    return this.#parts.admission.closeAll();
  }

  dropSubscriptions(): void {
    this.#parts.sessions.dropSubscriptions();
  }

  restartPairing(): void {
    this.#parts.pairing()?.restart();
  }

  now(): number | null {
    const { unix } = this.#parts.time;
    return unix === undefined ? null : Math.floor(unix);
  }
}
