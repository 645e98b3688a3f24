import { sameBytes } from '../codec/bytes.js';
import type { DialectName } from '../dialect/messages.js';
import type { DeviceModel } from '../model/model.js';
import type { Certificate } from '../pki/certificate.js';
import { parseCertificate } from '../pki/certificate.js';
import { CertificateError } from '../pki/certificate-error.js';
import type { TimeReading } from '../pki/trusted-time.js';
import { checkControllerCertificate, checkControllerTime } from '../pki/verify.js';
import type { Clock, Crypto, Log, SecureStream } from '../platform.js';
import type { Profile } from '../profile.js';
import { FramedConnection } from '../session/framed-connection.js';
import { OperationalSession, type OperationalSettings } from '../session/operational-session.js';
import type { CertificateState } from '../zones/certificate-state.js';
import type { Renewals } from '../zones/renewal.js';
import type { Zone } from '../zones/zone.js';
import type { ZoneTable } from '../zones/zone-table.js';
import { Exchange } from './exchange.js';
import type { GridMeters } from './grid-meters.js';
import { Notifier } from './notifier.js';
import { Subscriptions } from './subscriptions.js';

/** The most that a reference-dialect peer takes (protocol.md, row "maximum message"). */
const REFERENCE_MAXIMUM = 8192;

export interface ZoneSessionsParts {
  readonly profile: Profile;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: Log;
  readonly zones: ZoneTable;
  readonly model: DeviceModel;
  readonly renewals: Renewals;
  /** What is read from controllers; undefined: the device asks nobody. */
  readonly meters: GridMeters | undefined;
  /** Of the device's own certificate. */
  certificateState(zone: Zone): CertificateState;
  /** The time at which client certificates are judged. */
  controllerTime(): TimeReading;
}

export interface ZoneSessionsEvents {
  onConnected(zone: Zone, remoteAddress: string): void;
  onDisconnected(zone: Zone, reason: string): void;
}

interface Live {
  /** Its zone was removed: what is left is the close. */
  leaving: boolean;
  readonly session: OperationalSession;
  readonly subscriptions: Subscriptions;
  readonly exchange: Exchange;
}

/** The live operational connections: at most one a zone; a second one replaces the first, other zones never notice (protocol.md §1). */
export class ZoneSessions {
  readonly #parts: ZoneSessionsParts;
  readonly #events: ZoneSessionsEvents;
  readonly #live = new Map<string, Live>();
  readonly #notifier: Notifier;
  /** The last certificate accepted of each zone; gone with the zone. */
  readonly #accepted = new WeakMap<Zone, Certificate>();

  constructor(parts: ZoneSessionsParts, events: ZoneSessionsEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#notifier = new Notifier(parts.model);
  }

  isConnected(zone: Zone): boolean {
    return this.#live.get(zone.id)?.leaving === false;
  }

  get count(): number {
    return this.#live.size;
  }

  /** Subscriptions of a zone's live session. */
  subscriptionsOf(zone: Zone): number {
    return this.#live.get(zone.id)?.subscriptions.count ?? 0;
  }

  /** Ends every subscription of every session; the sessions stay. */
  dropSubscriptions(): void {
    for (const { subscriptions } of this.#live.values()) subscriptions.removeAll();
  }

  /** Judges the client certificate; an unacceptable one ends the connection before any MASH message. True when it was accepted. */
  accept(stream: SecureStream): boolean {
    const zone = this.#authenticate(stream);
    if (zone === undefined || this.#isExpired(zone, stream)) {
      stream.destroy();
      return false;
    }
    const reference = zone.dialect === 'reference';
    const { clock, profile, model } = this.#parts;
    const maximum = profile['message.maximum'];
    const sendMaximum = reference ? Math.min(maximum, REFERENCE_MAXIMUM) : maximum;
    const limits = { maximum, sendMaximum, sendDeadline: profile['session.sendDeadline'], closeTimeout: profile['session.close'] };
    const connection = new FramedConnection(stream, { clock, ...limits });
    const log = this.#parts.log.scoped(`zone ${zone.id}`);
    const renewal = this.#parts.renewals.open(zone.id);
    const subscriptions = new Subscriptions(clock, profile['subscriptions.coalescing'], (notification) => session.notify(notification));
    const exchange = new Exchange({ model, profile, clock, log, notifier: this.#notifier }, zone, subscriptions);
    const session: OperationalSession = new OperationalSession(
      connection,
      operationalSettings(profile, zone.dialect),
      this.#parts.clock,
      log,
      {
        onRequest: (request, answer) => exchange.onRequest(request, answer),
        onRenewal: (message) => renewal.receive(message),
        onNotification: (notification) => meter?.receive(notification),
        onDrain: () => subscriptions.drained(),
        onClose: (reason) => {
          meter?.close();
          exchange.close();
          this.#onClose(zone, session, reason);
        },
      },
    );
    const meter = this.#parts.meters?.open(zone, session);
    const former = this.#live.get(zone.id);
    this.#live.set(zone.id, { leaving: false, session, exchange, subscriptions });
    former?.session.destroy('replaced by a newer connection of its zone');
    this.#parts.log.info('zone connected', { zone: zone.id, name: zone.name, remote: stream.remoteAddress });
    session.start();
    this.#events.onConnected(zone, stream.remoteAddress);
    return true;
  }

  /** Graceful close of every session (protocol.md §2.13). */
  close(reason: string): void {
    for (const { session } of [...this.#live.values()]) session.close(reason);
  }

  /** The zone was removed: its connection is closed gracefully, nothing of it is answered or notified any more. */
  closeZone(zone: Zone): void {
    const live = this.#live.get(zone.id);
    if (live === undefined) return;
    live.leaving = true;
    live.exchange.close();
    live.session.close('the zone was removed');
  }

  destroy(reason: string): void {
    for (const { session } of [...this.#live.values()]) session.destroy(reason);
  }

  /** zone-lifecycle §4.4: once its own certificate has expired and the grace is over, the device waits to be commissioned again. */
  #isExpired(zone: Zone, stream: SecureStream): boolean {
    if (this.#parts.certificateState(zone) !== 'expired') return false;
    this.#parts.log.warn('connection refused: our own certificate in the zone has expired', {
      zone: zone.id,
      remote: stream.remoteAddress,
    });
    return true;
  }

  #authenticate(stream: SecureStream): Zone | undefined {
    const { log } = this.#parts;
    try {
      if (stream.peerCertificate === undefined) throw new CertificateError('malformed', 'none was sent');
      return this.#known(stream.peerCertificate) ?? this.#judge(stream.peerCertificate);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      log.warn('client certificate refused', { remote: stream.remoteAddress, reason: error.message });
      return undefined;
    }
  }

  /** A controller that comes back shows the certificate of last time: only the time is judged again. */
  #known(der: Uint8Array): Zone | undefined {
    const { zones, controllerTime } = this.#parts;
    for (const zone of zones.staying) {
      const last = this.#accepted.get(zone);
      if (last === undefined || !sameBytes(last.raw, der)) continue;
      checkControllerTime(last, zones.authority(zone), controllerTime());
      return zone;
    }
    return undefined;
  }

  #judge(der: Uint8Array): Zone {
    const { crypto, zones, controllerTime } = this.#parts;
    const certificate = parseCertificate(crypto, der);
    const trusted = zones.staying.map((zone) => ({ zoneId: zone.id, ca: zones.authority(zone), zone }));
    const { zone } = checkControllerCertificate(crypto, { certificate, zones: trusted, time: controllerTime() });
    this.#accepted.set(zone, certificate);
    return zone;
  }

  #onClose(zone: Zone, session: OperationalSession, reason: string): void {
    // The end of a replaced session does not mark its zone as disconnected.
    if (this.#live.get(zone.id)?.session !== session) return;
    this.#live.delete(zone.id);
    this.#parts.log.info('zone disconnected', { zone: zone.id, reason });
    this.#events.onDisconnected(zone, reason);
  }
}

/** How the device holds a connection of a zone that was commissioned in this dialect. */
export function operationalSettings(profile: Profile, dialect: DialectName): OperationalSettings {
  const form = dialect === 'draft' ? 'text' : 'number';
  const keepAlive =
    profile['session.liveness'] === 'tcp'
      ? undefined
      : {
          interval: profile['session.ping'],
          timeout: profile['session.pong'],
          missed: profile['session.missed'],
          mode: dialect === 'draft' ? ('always' as const) : ('silence' as const),
        };
  return { form, keepAlive, closeTimeout: profile['session.close'] };
}
