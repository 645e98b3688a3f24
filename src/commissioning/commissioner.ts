import type { PreparedShare } from '../crypto/spake2plus.js';
import { type DialectName, Status } from '../dialect/messages.js';
import type { Attestation } from '../pki/attestation.js';
import type { Certificate } from '../pki/certificate.js';
import type { Clock, Crypto, Log, PendingConnection, SecureStream } from '../platform.js';
import type { Profile } from '../profile.js';
import { FramedConnection } from '../session/framed-connection.js';
import type { Zone } from '../zones/zone.js';
import type { ZoneTable } from '../zones/zone-table.js';
import { type Pace, paceOf, Tiers, TokenBucket } from './attempts.js';
import { goDuration } from './go-duration.js';
import type { InstallRequest, LockHolder, SessionHost } from './host.js';
import type { Installer } from './installer.js';
import type { OperationalRequest, PreparedMaterial } from './prepared-material.js';
import { CommissioningSession } from './session.js';
import type { Failure } from './session-states.js';
import { WindowDriver } from './window-driver.js';

export interface CommissionerParts {
  readonly profile: Profile;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: Log;
  readonly zones: ZoneTable;
  readonly installer: Installer;
  readonly material: PreparedMaterial;
  readonly attestation: Attestation;
  /** Profile `reference`: nobody can be commissioned, whatever the type of zone. */
  full(): boolean;
}

export interface CommissionerEvents {
  /** The window opened until that monotonic time. */
  onWindowOpened(until: number): void;
  /** It is open until another time. */
  onWindowMoved(until: number): void;
  onWindowClosed(): void;
  /** A zone was installed and CERT_ACK written, in the same turn. */
  onCommissioned(zone: Zone): void;
  /** Who holds the commissioning lock: never displaced, never stale. */
  onLock(connection: PendingConnection | undefined): void;
  /** A first message was accepted. */
  onBegun(): void;
  /** A correct verifier followed. */
  onProved(): void;
}

/** The device's side of commissioning: the window, the lock, the pace, and the sessions that go on in them. */
export class Commissioner implements SessionHost {
  readonly #parts: CommissionerParts;
  readonly #events: CommissionerEvents;
  readonly #pace: Pace;
  readonly #sessions = new Map<LockHolder, { readonly session: CommissioningSession; readonly connection: PendingConnection }>();
  readonly #window: WindowDriver;
  #holder: LockHolder | undefined;
  #releasedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: CommissionerParts, events: CommissionerEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#pace = paceOf(parts.profile);
    this.#window = new WindowDriver(parts.profile, parts.clock, parts.log, {
      opened: (until) => events.onWindowOpened(until),
      moved: (until) => events.onWindowMoved(until),
      closed: () => this.#onWindowClosed(),
    });
  }

  get windowOpen(): boolean {
    return this.#window.open;
  }

  /** Opens the window. False during the cool-down; true and without effect while it is open (commissioning-pase §5.1: never extended). */
  openWindow(): boolean {
    return !this.#window.feed('open').includes('refused');
  }

  /** Milliseconds until the window may be opened again. */
  get coolDown(): number {
    return this.#window.coolDown;
  }

  /** Opens the window whatever the cool-down; an open one begins anew (profile `reference`, after a removal; tests). */
  openAnew(): void {
    this.#pace.windowChanged();
    this.#window.feed('anew');
  }

  closeWindow(): void {
    this.#window.feed('shut');
  }

  /** ms, an open window included, which begins anew; undefined: that of the profile. For tests. */
  setWindowDuration(duration: number | undefined): void {
    this.#window.duration = duration;
    if (this.windowOpen && duration !== undefined) this.#window.feed('anew');
  }

  get failedAttempts(): number {
    return this.#pace.failed;
  }

  /** Forgets failed attempts. For tests. */
  resetPace(): void {
    this.#pace.reset();
  }

  /** Forgets failed attempts, the cool-down between connections, and who holds the lock: a release by that one has no effect. For tests. */
  reset(): void {
    this.#pace.reset();
    this.#releasedAt = Number.NEGATIVE_INFINITY;
    this.#holder = undefined;
    this.#events.onLock(undefined);
  }

  /** A ClientHello asks for commissioning: what it needs is made while its handshake goes on, and costs an idle window nothing. */
  expect(): void {
    this.#parts.material.expect();
  }

  /** Takes over a connection whose TLS handshake led to commissioning. */
  accept(stream: SecureStream, connection: PendingConnection): void {
    const { profile, crypto, clock, log } = this.#parts;
    const framed = new FramedConnection(stream, { clock, maximum: profile['message.maximum'], closeTimeout: profile['session.close'] });
    if (!this.windowOpen) {
      framed.destroy('the window closed during the handshake');
      return;
    }
    const session = new CommissioningSession({ connection: framed, host: this, profile, crypto, clock, log });
    this.#sessions.set(session, { session, connection });
    session.start();
  }

  close(): void {
    this.#window.feed('shut');
    for (const { connection } of [...this.#sessions.values()]) connection.destroy('the device stops');
    this.#parts.material.clear();
  }

  understands(dialect: DialectName): boolean {
    const allowed = this.#parts.profile['commissioning.dialects'];
    return allowed === 'both' || allowed === dialect;
  }

  delayBeforeLock(): number {
    return this.#pace instanceof Tiers ? this.#pace.delay() : 0;
  }

  takeLock(session: LockHolder, dialect: DialectName): Failure | undefined {
    const { clock, profile } = this.#parts;
    const now = clock.now();
    const cooling = this.#releasedAt + profile['commissioning.busyCoolDown'] - now;
    if (cooling > 0)
      return { status: Status.DEVICE_BUSY, text: `cooldown active (${goDuration(cooling)} remaining)`, retryAfter: Math.ceil(cooling) };
    const holder = this.#holder;
    if (holder !== undefined) {
      const guessing = holder.guessingSince;
      if (guessing === undefined || now - guessing < profile['commissioning.yieldAfter']) return this.#busy();
      holder.yieldLock();
    }
    // protocol.md §2.9: in the draft dialect only who proved the code learns that the device is full.
    if (profile.name === 'reference' && dialect === 'reference' && this.#parts.full())
      return { status: Status.ZONE_FULL, text: 'zone slots full' };
    this.#holder = session;
    this.#events.onLock(this.#sessions.get(session)?.connection);
    this.#events.onBegun();
    return undefined;
  }

  releaseLock(session: LockHolder): void {
    if (this.#holder !== session) return;
    this.#holder = undefined;
    this.#releasedAt = this.#parts.clock.now();
    this.#events.onLock(undefined);
  }

  delayBeforeAnswer(): number {
    return this.#pace instanceof TokenBucket ? this.#pace.delay(this.#parts.clock.now()) : 0;
  }

  attemptBegins(): void {
    this.#pace.begin(this.#parts.clock.now());
  }

  attemptSucceeded(): void {
    this.#pace.succeeded();
    this.#events.onProved();
  }

  share(dialect: DialectName): PreparedShare {
    return this.#parts.material.share(dialect);
  }

  zonesFull(): boolean {
    return this.#parts.zones.full;
  }

  attestation(): Attestation {
    return this.#parts.attestation;
  }

  operationalRequest(): OperationalRequest {
    return this.#parts.material.request();
  }

  checkReferenceCa(zoneCa: Uint8Array): Certificate {
    return this.#parts.installer.checkReferenceCa(zoneCa);
  }

  install(request: InstallRequest): Promise<Zone> {
    return this.#parts.installer.install(request);
  }

  rollBack(zone: Zone): void {
    const { zones, log } = this.#parts;
    log.warn('a zone that could not be acknowledged is taken back', { zone: zone.id });
    zones.remove(zone).catch((error: unknown) => log.error('the unacknowledged zone could not be removed', { zone: zone.id, error }));
  }

  completed(zone: Zone): void {
    this.#events.onCommissioned(zone);
    this.#window.feed('commissioned');
  }

  ended(session: LockHolder): void {
    this.releaseLock(session);
    this.#sessions.delete(session);
  }

  #busy(): Failure {
    const { profile } = this.#parts;
    const whole = profile['commissioning.whole'];
    return {
      status: Status.DEVICE_BUSY,
      text: whole > 0 ? 'commissioning already in progress' : 'Device busy commissioning',
      retryAfter: whole > 0 ? whole : profile['commissioning.yieldAfter'],
    };
  }

  #onWindowClosed(): void {
    this.#pace.windowChanged();
    this.#parts.material.clear();
    this.#events.onWindowClosed();
    for (const { session } of [...this.#sessions.values()]) session.windowEnded();
  }
}
