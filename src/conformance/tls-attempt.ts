import tls from 'node:tls';
import type { DeviceAddress } from '../controller/zone.js';

/** What became of a handshake that a controller would not make. */
export type TlsOutcome =
  /** `answered`: somebody is there, who says no or closes. */
  | { readonly kind: 'refused'; readonly answered: boolean; readonly alert: number | undefined; readonly text: string }
  | {
      readonly kind: 'connected';
      readonly alpn: string | undefined;
      readonly cipher: string;
      readonly certificate: Uint8Array;
      /** Signature schemes of a CertificateRequest. */
      readonly requested: number;
      readonly resumed: boolean;
      readonly session: Buffer | undefined;
      /** Milliseconds until the device closed; undefined where it did not within `watch`. */
      readonly closedAfter: number | undefined;
    };

export interface TlsAttempt {
  readonly alpn?: readonly string[];
  readonly tls?: tls.ConnectionOptions;
  /** How long an established connection is watched before we close it, ms. */
  readonly watch?: number;
}

const PATIENCE = 5000;

/** A handshake of TLS with these options, then the end of it. Never rejects. */
export function attemptTls({ host, port }: DeviceAddress, attempt: TlsAttempt): Promise<TlsOutcome> {
  return new Promise((resolve) => {
    const socket = tls.connect({
      host,
      port,
      ALPNProtocols: [...(attempt.alpn ?? ['mash-comm/1'])],
      ca: [],
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      servername: '',
      ...attempt.tls,
    });
    let reached = false;
    let outcome: TlsOutcome = { kind: 'refused', answered: true, alert: undefined, text: 'closed during the handshake' };
    let session: Buffer | undefined;
    let since = 0;
    let ours = false;
    const timer = setTimeout(() => {
      if (since === 0) outcome = { kind: 'refused', answered: false, alert: undefined, text: `no handshake within ${PATIENCE / 1000} s` };
      socket.destroy();
    }, PATIENCE);
    socket.once('connect', () => {
      reached = true;
    });
    socket.on('session', (ticket) => {
      session = ticket;
    });
    socket.on('secureConnect', () => {
      since = performance.now();
      outcome = {
        kind: 'connected',
        alpn: socket.alpnProtocol === false || socket.alpnProtocol === null ? undefined : socket.alpnProtocol,
        cipher: socket.getCipher().name,
        certificate: new Uint8Array(socket.getPeerX509Certificate()?.raw ?? []),
        requested: socket.getSharedSigalgs().length,
        resumed: socket.isSessionReused(),
        session: undefined,
        closedAfter: undefined,
      };
      setTimeout(() => {
        ours = true;
        session ??= socket.getSession();
        socket.destroy();
      }, attempt.watch ?? 0);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const alert = /SSL alert number (\d+)/.exec(error.message)?.[1];
      if (since === 0)
        outcome = {
          kind: 'refused',
          answered: reached,
          alert: alert === undefined ? undefined : Number(alert),
          text: error.code ?? error.message,
        };
    });
    // What is not read keeps 'close' from being told.
    socket.resume();
    socket.on('close', () => {
      clearTimeout(timer);
      if (outcome.kind === 'refused') resolve(outcome);
      else resolve({ ...outcome, session, closedAfter: ours ? undefined : performance.now() - since });
    });
  });
}

/** `alert 120`, `closed without an alert (ECONNRESET)`, `connected with ALPN mash/1`. */
export function tlsText(outcome: TlsOutcome): string {
  if (outcome.kind === 'connected') return `connected with ALPN ${outcome.alpn ?? 'none'}`;
  return outcome.alert === undefined ? `closed without an alert (${outcome.text})` : `alert ${outcome.alert}`;
}
