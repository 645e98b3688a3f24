import { parseCertificate } from '../pki/certificate.js';
import { CertificateError } from '../pki/certificate-error.js';
import { checkDevicePeer } from '../pki/verify.js';
import type { Clock, Crypto, Log, TlsIdentity } from '../platform.js';
import { connectFirst, formatTarget } from './addresses.js';
import { ControllerError, messageOf } from './errors.js';
import type { ExposedModel } from './exposed-model.js';
import { expired } from './not-found.js';
import { raceInTurn } from './race.js';
import type { Resolver } from './resolver.js';
import { ControllerSession } from './session.js';
import type { ClientConnection, Transport } from './transport.js';
import type { ControllerZone, DeviceAddress, DeviceRecord } from './zone.js';
import type { ZoneStore } from './zone-store.js';

/** What a controller works with. */
export interface ControllerParts {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: Log;
  readonly transport: Transport;
  readonly store: ZoneStore;
  /** The multicast side, opened at its first use; rejects with NO_INTERFACE. */
  readonly resolver: () => Promise<Resolver>;
  /** What devices may read of us over every operational connection; absent: nothing. */
  readonly exposed?: ExposedModel | undefined;
  /** Seconds after its end in which a device's certificate is taken all the same: for its renewal, and for nothing else. Default 0. */
  readonly grace?: number;
}

/** Addresses remembered of a device. */
const ADDRESS_MAXIMUM = 4;

/** An operational connection before its first message. */
export interface OpenedSession {
  readonly session: ControllerSession;
  readonly address: DeviceAddress;
  readonly tcpTime: number;
  readonly tlsTime: number;
}

/**
 * Connects to a device at the first of `addresses` that is really it: its certificate, signed by our Zone CA and carrying its id, is judged
 * before any message (connection-establishment §5.2). Rejects with NOT_TRUSTED where only others answer, with CONNECTION_FAILED where nobody does.
 */
export async function openSession(
  parts: ControllerParts,
  zone: ControllerZone,
  record: Pick<DeviceRecord, 'id' | 'dialect'>,
  addresses: readonly DeviceAddress[],
  signal?: AbortSignal,
): Promise<OpenedSession> {
  const identity: TlsIdentity = { certificate: zone.controllerCertificate, key: zone.controllerKey };
  const reached = await connectFirst(
    parts.clock,
    addresses,
    async (address, lost) => {
      const purpose = { kind: 'operational', serverName: record.id, identity } as const;
      const shown = formatTarget(address);
      parts.log.debug('trying', { address: shown });
      let connection: ClientConnection | undefined;
      try {
        connection = await parts.transport.connect(address, purpose, signal === undefined ? lost : AbortSignal.any([signal, lost]));
        judge(parts, zone, record.id, connection);
        return connection;
      } catch (error) {
        connection?.stream.destroy();
        parts.log.debug('not there', { address: shown, reason: messageOf(error) });
        throw error;
      }
    },
    (late) => late.stream.destroy(),
  );
  const { stream, tcpTime, tlsTime } = reached.value;
  const session = new ControllerSession(stream, record.dialect, parts.clock);
  parts.exposed?.attach(session, record.id);
  return { session, address: reached.address, tcpTime, tlsTime };
}

/**
 * Connects where the device is: first at `recent`, where it was within the last 30 s (connection-establishment §7.4), then where it is announced
 * now. A device beyond a router is not announced here: a second later, or at once where nothing announces it, what its record remembers is
 * tried, too (§6.5.6). Rejects like `openSession`, and with the codes of `Resolver.findOperational`.
 */
export async function findSession(
  parts: ControllerParts,
  zone: ControllerZone,
  record: DeviceRecord,
  recent: readonly DeviceAddress[] = [],
): Promise<OpenedSession> {
  if (recent.length > 0) {
    try {
      return await openSession(parts, zone, record, recent);
    } catch (error) {
      if (!(error instanceof ControllerError)) throw error;
      parts.log.info('not at its last address', { device: record.id, reason: error.message });
    }
  }
  const announced = async (): Promise<readonly DeviceAddress[]> => {
    const resolver = await parts.resolver();
    resolver.forget(record.zoneId, record.id);
    return resolver.findOperational(record.zoneId, record.id);
  };
  const failures = new Map<unknown, unknown>();
  const { value } = await raceInTurn(
    parts.clock,
    record.addresses.length === 0 ? [announced] : [announced, async () => record.addresses],
    async (way, signal) => {
      try {
        return await openSession(parts, zone, record, await way(), signal);
      } catch (error) {
        failures.set(way, error);
        throw error;
      }
    },
    (late) => void late.session.close(),
    (errors) => mostTelling(failures.get(announced), errors),
  );
  return value;
}

/** What answered, or failed to answer, at a known address says more than that nothing can be heard. */
function mostTelling(announced: unknown, errors: readonly unknown[]): unknown {
  const bug = errors.find((error) => !(error instanceof ControllerError));
  if (bug !== undefined) return bug;
  const [remembered] = errors.filter((error) => error !== announced);
  const tells =
    (remembered as ControllerError | undefined)?.code === 'NOT_TRUSTED' || (announced as ControllerError).code === 'NO_INTERFACE';
  return remembered !== undefined && tells ? remembered : announced;
}

/** Connects to a device of the zone, and remembers where it was found. */
export async function connectDevice(parts: ControllerParts, zone: ControllerZone, record: DeviceRecord): Promise<ControllerSession> {
  const { session, address } = await findSession(parts, zone, record);
  const [last] = record.addresses;
  const known = record.state === 'confirmed' && last?.host === address.host && last.port === address.port;
  try {
    if (!known) await parts.store.put(foundAt(record, address));
  } catch (error) {
    await session.close();
    throw error;
  }
  return session;
}

/**
 * The record of a device that completed a handshake at `address`. Whoever can do that with the certificate that we issued has installed it,
 * whether or not its acknowledgement reached us.
 */
export function foundAt(record: DeviceRecord, address: DeviceAddress): DeviceRecord {
  const others = record.addresses.filter(({ host, port }) => host !== address.host || port !== address.port);
  return { ...record, state: 'confirmed', addresses: [address, ...others].slice(0, ADDRESS_MAXIMUM) };
}

function judge(parts: ControllerParts, zone: ControllerZone, expectedDeviceId: string, connection: ClientConnection): void {
  const time = { quality: 'synchronised', now: Math.floor(parts.clock.wall() / 1000) } as const;
  try {
    const certificate = parseCertificate(parts.crypto, connection.certificate);
    const ca = parseCertificate(parts.crypto, zone.caCertificate);
    const { grace = 0 } = parts;
    const atLatest = time.now <= certificate.notAfter + grace ? Math.min(time.now, certificate.notAfter) : time.now;
    const check = { certificate, ca, expectedDeviceId, time: { ...time, now: grace === 0 ? time.now : atLatest } };
    checkDevicePeer(parts.crypto, check);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    if (error.reason === 'expired') throw expired(expectedDeviceId);
    const reason = `What answers at ${connection.stream.remoteAddress} is not device ${expectedDeviceId}: ${error.message}`;
    throw new ControllerError('NOT_TRUSTED', reason);
  }
}
