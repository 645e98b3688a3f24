import { type Certificate, parseCertificate } from '../pki/certificate.js';
import type { TrustedTime } from '../pki/trusted-time.js';
import type { Clock, Crypto, Log, Timer } from '../platform.js';
import type { Profile } from '../profile.js';
import { type CertificateState, certificateState } from './certificate-state.js';
import type { Zone } from './zone.js';
import type { ZoneTable } from './zone-table.js';

/** How often the certificates are looked at, milliseconds. */
const INTERVAL = 3_600_000;

const WARNINGS: Readonly<Record<Exclude<CertificateState, 'valid'>, string>> = {
  renewalDue: 'the certificate of this device in a zone is due for renewal',
  expiring: 'the certificate of this device in a zone expires soon',
  expiredInGrace: 'the certificate of this device in a zone has expired; it is served during the grace period',
  expired: 'the certificate of this device in a zone has expired; new connections of the zone are refused',
};

export interface CertificateWatchParts {
  readonly profile: Profile;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: Log;
  readonly time: TrustedTime;
  readonly zones: ZoneTable;
}

/** Watches the device's own operational certificates: one warning for each change of a zone's state. */
export class CertificateWatch {
  readonly #parts: CertificateWatchParts;
  readonly #parsed = new WeakMap<Zone, Certificate>();
  /** The state last told, by zone id. */
  readonly #told = new Map<string, CertificateState>();
  #timer: Timer | undefined;

  constructor(parts: CertificateWatchParts) {
    this.#parts = parts;
  }

  /** Looks at once, and then every hour. */
  start(): void {
    this.check();
    this.#timer = this.#parts.clock.after('certificates', INTERVAL, () => this.start());
  }

  close(): void {
    this.#timer?.cancel();
  }

  state(zone: Zone): CertificateState {
    const { profile, time } = this.#parts;
    const policy = { renewalWindow: profile['certificates.renewalWindow'] / 1000, grace: profile['certificates.grace'] / 1000 };
    return certificateState(time.read(), this.expiresAt(zone), policy);
  }

  /** Unix seconds. */
  expiresAt(zone: Zone): number {
    let certificate = this.#parsed.get(zone);
    if (certificate === undefined) {
      certificate = parseCertificate(this.#parts.crypto, zone.certificate);
      this.#parsed.set(zone, certificate);
    }
    return certificate.notAfter;
  }

  /** Tells what has changed since the last look. */
  check(): void {
    const { zones, log } = this.#parts;
    const present = zones.all;
    for (const id of this.#told.keys()) if (!present.some((zone) => zone.id === id)) this.#told.delete(id);
    for (const zone of present) {
      const state = this.state(zone);
      if (state === (this.#told.get(zone.id) ?? 'valid')) continue;
      this.#told.set(zone.id, state);
      if (state !== 'valid') log.warn(WARNINGS[state], { zone: zone.id, name: zone.name, state, notAfter: this.expiresAt(zone) });
    }
  }
}
