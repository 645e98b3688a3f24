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
export const ADDRESS_TIMEOUT = 5000;
/** `error.code` of alert 120 as Node tells it. */
const NO_APPLICATION_PROTOCOL = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

/** TCP and TLS 1.3 of this machine. */
export function nodeTransport(clock: Clock): Transport {
  return { connect: (address, purpose, signal) => connect(clock, address, purpose, signal) };
}

async function connect(clock: Clock, address: DeviceAddress, purpose: ConnectPurpose, signal: AbortSignal): Promise<ClientConnection> {
  const where = formatTarget(address);
  const started = clock.now();
  const socket = net.connect({ host: address.host, port: address.port, noDelay: true }).on('error', ignored);
  let reason: Error | undefined;
  const end = (text: string): void => {
    reason ??= new NetworkError(`${where}: ${text}`);
    socket.destroy();
  };
  const onAbort = (): void => end('given up');
  const deadline = clock.after('TIMEOUT_PER_ADDR', ADDRESS_TIMEOUT, () => end(`no answer within ${ADDRESS_TIMEOUT / 1000} s`));
  signal.addEventListener('abort', onAbort);
  try {
    if (signal.aborted) onAbort();
    await happens(socket, 'connect');
    const connected = clock.now();
    const secure = tls.connect({ socket, ...tlsOptions(purpose) }).on('error', ignored);
    await happens(secure, 'secureConnect');
    const certificate = secure.getPeerX509Certificate();
    if (certificate === undefined || secure.alpnProtocol === false)
      throw new ControllerError('PROTOCOL', `${where}: the peer does not speak MASH (no ALPN protocol)`);
    const times = { tcpTime: connected - started, tlsTime: clock.now() - connected };
    const kind = purpose.kind === 'commissioning' ? 'commissioning' : 'operational';
    return { stream: new TlsStream(secure, kind, address.host, rethrow), certificate: Uint8Array.from(certificate.raw), ...times };
  } catch (error) {
    socket.destroy();
    throw reason ?? translate(error as NodeJS.ErrnoException, where, purpose);
  } finally {
    deadline.cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Whoever waits for the event is told of the error; an error that nobody waits for any more must not end the process. */
function ignored(): void {}

/** Resolves with the event, rejects with an error or a close before it. */
function happens(socket: net.Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      socket.off(event, onEvent).off('error', onError).off('close', onClose);
      act();
    };
    const onEvent = (): void => settle(resolve);
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void => settle(() => reject(new Error('closed by the peer')));
    socket.on(event, onEvent).on('error', onError).on('close', onClose);
  });
}

function translate(error: NodeJS.ErrnoException, where: string, purpose: ConnectPurpose): Error {
  if (error instanceof ControllerError) return error;
  // connection-establishment §6.5.5: something answers there, and it is not the device.
  if (error.code !== NO_APPLICATION_PROTOCOL && error.code?.startsWith('ERR_SSL_') === true)
    return new ControllerError('NOT_TRUSTED', `${where}: TLS failed: ${error.code}`);
  if (error.code !== NO_APPLICATION_PROTOCOL) return new NetworkError(`${where}: ${error.code ?? error.message}`);
  if (purpose.kind !== 'commissioning')
    return new ControllerError('REFUSED', `${where}: the device takes no operational connections: it holds no zone`);
  return new ControllerError('WINDOW_CLOSED', `${where}: the commissioning window of the device is closed`, {
    suggestions: ['Press the pairing button on your device'],
  });
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
  if (purpose.kind === 'owner') return { ...common, ALPNProtocols: [ALPN_OPERATIONAL], servername: '' };
  return {
    ...common,
    ALPNProtocols: [ALPN_OPERATIONAL],
    servername: purpose.serverName,
    cert: `-----BEGIN CERTIFICATE-----\n${Buffer.from(purpose.identity.certificate).toString('base64')}\n-----END CERTIFICATE-----\n`,
    key: nodeKeyPem(purpose.identity.key),
  };
}

/** A program that asks one thing may end of its own bug. */
function rethrow(error: unknown): never {
  throw error;
}
