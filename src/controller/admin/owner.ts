import { TokenBucket } from '../../commissioning/attempts.js';
import { formatQr } from '../../crypto/qr.js';
import { generateDiscriminator, generateSetupCode, type SetupCode } from '../../crypto/setup-code.js';
import { type PaseRegistration, prepareRegistration, prepareShare, verifierFromSetupCode } from '../../crypto/spake2plus.js';
import { createCommissioningCertificate } from '../../pki/self-signed.js';
import type {
  BoundPort,
  ClientHello,
  PendingConnection,
  RouteDecision,
  SecureStream,
  StreamListener,
  TlsIdentity,
} from '../../platform.js';
import { Admission } from '../../session/admission.js';
import { ALERT_NO_APPLICATION_PROTOCOL, ALPN_COMMISSIONING, ALPN_OPERATIONAL } from '../../session/routing.js';
import { AdminAuthority, type AdminAuthorityParts } from './authority.js';
import type { AdminAnswer } from './messages.js';
import { type AdminHost, AdminSession } from './session.js';

/** commissioning-pase §8.1: the QR code holds for five minutes, and for one admin. */
export const CODE_LIFE = 300_000;
/** Connections that have proved nothing yet; a newcomer displaces the longest idle one. */
const ADMISSION = { capacity: 6, overflow: 'displace', stale: 90_000 } as const;
/** Admins at work at the same time. */
const ADMITTED_MAXIMUM = 16;

export interface AdminOwnerParts extends AdminAuthorityParts {
  readonly listener: StreamListener;
  /** A token was issued, and the code with it used up; or its time is over. */
  onCodeClosed(why: 'used' | 'expired'): void;
}

/** The code of the moment, as the owner shows it. */
export interface AdminCode {
  /** `MASH:1:<D>:<8 digits>`, in clear. */
  readonly qr: string;
  readonly code: SetupCode;
  /** 0…4095. */
  readonly discriminator: number;
}

/**
 * The owner of a zone on its `_mashd._udp` port (protocol.md §2.12): while the code is open, draft PASE on `mash-comm/1`, behind a self-signed
 * certificate; at any time `mash/1` behind the controller's own certificate, where a token is all that is needed to have a CSR signed.
 */
export class AdminOwner implements AdminHost {
  readonly #parts: AdminOwnerParts;
  readonly #authority: AdminAuthority;
  readonly #pace = new TokenBucket();
  readonly #admission = new Admission(ADMISSION);
  readonly #sessions = new Map<AdminSession, PendingConnection>();
  readonly #identity: TlsIdentity;
  readonly #commissioning: TlsIdentity;
  readonly #registration: PaseRegistration;
  readonly code: AdminCode;
  #codeState: 'open' | 'issuing' | 'closed' = 'open';
  readonly #expiry;
  #bound: BoundPort | undefined;

  /** Makes the code, which is open from now on. */
  constructor(parts: AdminOwnerParts) {
    const { crypto, clock, zone } = parts;
    this.#parts = parts;
    this.#authority = new AdminAuthority(parts);
    const code = generateSetupCode(crypto);
    const discriminator = generateDiscriminator(crypto);
    this.code = { qr: formatQr({ discriminator, code }), code, discriminator };
    this.#registration = prepareRegistration(crypto, verifierFromSetupCode(crypto, 'draft', code));
    this.#identity = { certificate: zone.controllerCertificate, key: zone.controllerKey };
    const key = crypto.generateKey();
    const now = Math.floor(clock.wall() / 1000);
    this.#commissioning = { certificate: createCommissioningCertificate(crypto, { key, discriminator, now, validity: 86_400 }), key };
    this.#expiry = clock.after('ADMIN_CODE', CODE_LIFE, () => this.#closeCode('expired'));
  }

  /** Listens; resolves with the port (0 asks for any). Rejects with NetworkError. */
  async start(port: number): Promise<number> {
    const { listener, clock } = this.#parts;
    this.#bound = await listener.listen('operational', port, {
      onAccept: (connection) => {
        this.#admission.sweep(clock.now());
        return this.#sessions.size < ADMITTED_MAXIMUM + ADMISSION.capacity && this.#admission.admit(connection, clock.now());
      },
      onActivity: (connection) => this.#admission.active(connection, clock.now()),
      route: (_role, hello) => this.#route(hello),
      onSecure: (stream, connection) => this.#onSecure(stream, connection),
      onGone: (connection) => this.#admission.release(connection),
    });
    return this.#bound.port;
  }

  /** Stops accepting, and ends what is under way. */
  async close(): Promise<void> {
    this.#expiry.cancel();
    this.#codeState = 'closed';
    for (const session of [...this.#sessions.keys()]) session.destroy('the owner stops');
    await this.#bound?.close();
  }

  get codeOpen(): boolean {
    return this.#codeState !== 'closed';
  }

  share() {
    return prepareShare(this.#parts.crypto, this.#registration);
  }

  delay(): number {
    return this.#pace.delay(this.#parts.clock.now());
  }

  attemptBegins(): void {
    this.#pace.begin(this.#parts.clock.now());
  }

  attemptSucceeded(session: AdminSession): void {
    this.#pace.succeeded();
    const connection = this.#sessions.get(session);
    if (connection !== undefined) this.#admission.release(connection);
  }

  async issue(name: string | undefined): Promise<AdminAnswer> {
    // One code, one admin: from here on nobody else is answered.
    if (this.#codeState !== 'open') return { type: 'adminError', status: 2, text: 'the code has expired' };
    this.#codeState = 'issuing';
    const answer = await this.#authority.issue(name);
    if (answer.type === 'adminRsp') this.#closeCode('used');
    else if (this.#codeState === 'issuing') this.#codeState = 'open';
    return answer;
  }

  sign(csr: Uint8Array, token: Uint8Array): Promise<AdminAnswer> {
    return this.#authority.sign(csr, token);
  }

  ended(session: AdminSession): void {
    this.#sessions.delete(session);
  }

  #route(hello: ClientHello): RouteDecision {
    if (hello.alpn.includes(ALPN_COMMISSIONING) && this.#codeState === 'open')
      return { kind: 'commissioning', identity: this.#commissioning, alpn: ALPN_COMMISSIONING };
    if (hello.alpn.includes(ALPN_OPERATIONAL)) return { kind: 'operational', identity: this.#identity, alpn: ALPN_OPERATIONAL };
    return { kind: 'refuse', alert: ALERT_NO_APPLICATION_PROTOCOL, reason: 'no code is open for a new admin' };
  }

  #onSecure(stream: SecureStream, connection: PendingConnection): void {
    const { crypto, clock, log } = this.#parts;
    const session = new AdminSession(stream, this, crypto, clock, log);
    this.#sessions.set(session, connection);
    session.start();
  }

  #closeCode(why: 'used' | 'expired'): void {
    if (this.#codeState === 'closed') return;
    this.#codeState = 'closed';
    this.#expiry.cancel();
    this.#parts.onCodeClosed(why);
  }
}
