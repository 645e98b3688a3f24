import net from 'node:net';
import tls from 'node:tls';
import { NetworkError } from '../errors.js';
import { nodeKeyPem } from '../node/keys.js';
import { CIPHERS, GROUPS } from '../node/listener.js';
import { TlsStream } from '../node/tls-stream.js';
import type { Clock } from '../platform.js';
import { ALPN_COMMISSIONING, ALPN_OPERATIONAL } from '../session/routing.js';
import { formatTarget } from './addresses.js';
import { ControllerError } from './errors.js';
import type { ClientConnection, ConnectPurpose, Transport } from './transport.js';
import type { DeviceAddress } from './zone.js';

/** pics-registry, MASH.C.MULTIIF.TIMEOUT_PER_ADDR: TCP and TLS together. */
const ADDRESS_TIMEOUT = 5000;
/** `error.code` of alert 120 as Node tells it. */
const NO_APPLICATION_PROTOCOL = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

/** TCP and TLS 1.3 of this machine. */
export function nodeTransport(clock: Clock): Transport {
  return { connect: (address, purpose, signal) => new Attempt(clock, address, purpose).run(signal) };
}

/** One connection attempt; whatever ends it early closes the socket. */
class Attempt {
  readonly #clock: Clock;
  readonly #address: DeviceAddress;
  readonly #purpose: ConnectPurpose;

  constructor(clock: Clock, address: DeviceAddress, purpose: ConnectPurpose) {
    this.#clock = clock;
    this.#address = address;
    this.#purpose = purpose;
  }

  run(signal: AbortSignal): Promise<ClientConnection> {
    return new Promise((resolve, reject) => {
      const { host, port } = this.#address;
      const started = this.#clock.now();
      const socket = net.connect({ host, port, noDelay: true });
      let secure: tls.TLSSocket | undefined;
      const finish = (): void => {
        deadline.cancel();
        signal.removeEventListener('abort', onAbort);
      };
      const fail = (error: Error): void => {
        finish();
        secure?.destroy();
        socket.destroy();
        reject(error);
      };
      const onAbort = (): void => fail(new NetworkError(`${formatTarget(this.#address)}: given up`));
      const deadline = this.#clock.after('TIMEOUT_PER_ADDR', ADDRESS_TIMEOUT, () => {
        fail(new NetworkError(`${formatTarget(this.#address)}: no answer within ${ADDRESS_TIMEOUT / 1000} s`));
      });
      signal.addEventListener('abort', onAbort);
      if (signal.aborted) onAbort();
      socket.on('error', (error: NodeJS.ErrnoException) => fail(this.#networkError(error)));
      socket.once('connect', () => {
        const connected = this.#clock.now();
        secure = tls.connect({ socket, ...tlsOptions(this.#purpose) });
        secure.on('error', (error: NodeJS.ErrnoException) => fail(this.#networkError(error)));
        secure.once('close', () => fail(new NetworkError(`${formatTarget(this.#address)}: closed during the TLS handshake`)));
        secure.once('secureConnect', () => {
          if (secure === undefined) return;
          const certificate = secure.getPeerX509Certificate();
          if (certificate === undefined || secure.alpnProtocol === false) {
            fail(new ControllerError('PROTOCOL', `${formatTarget(this.#address)}: the peer does not speak MASH (no ALPN protocol)`));
            return;
          }
          finish();
          secure.removeAllListeners('close');
          secure.removeAllListeners('error');
          resolve({
            stream: new TlsStream(secure, this.#purpose.kind, host),
            certificate: Uint8Array.from(certificate.raw),
            tcpTime: connected - started,
            tlsTime: this.#clock.now() - connected,
          });
        });
      });
    });
  }

  #networkError(error: NodeJS.ErrnoException): Error {
    const where = formatTarget(this.#address);
    if (error.code !== NO_APPLICATION_PROTOCOL) return new NetworkError(`${where}: ${error.code ?? error.message}`);
    if (this.#purpose.kind === 'commissioning')
      return new ControllerError('WINDOW_CLOSED', `${where}: the device's commissioning window is closed`, {
        suggestions: ['Press the pairing button on your device'],
      });
    return new ControllerError('REFUSED', `${where}: the device takes no operational connections: it holds no zone`);
  }
}

/** No certificate is judged here: that of a commissioning is self-signed, an operational one is for `pki/verify` alone. */
function tlsOptions(purpose: ConnectPurpose): tls.ConnectionOptions {
  const common: tls.ConnectionOptions = {
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: CIPHERS,
    ecdhCurve: GROUPS,
    // Without authorities the system's roots stay out of memory.
    ca: [],
    rejectUnauthorized: false,
  };
  if (purpose.kind === 'commissioning') return { ...common, ALPNProtocols: [ALPN_COMMISSIONING], servername: '' };
  return {
    ...common,
    ALPNProtocols: [ALPN_OPERATIONAL],
    servername: purpose.serverName,
    cert: `-----BEGIN CERTIFICATE-----\n${Buffer.from(purpose.identity.certificate).toString('base64')}\n-----END CERTIFICATE-----\n`,
    key: nodeKeyPem(purpose.identity.key),
  };
}
