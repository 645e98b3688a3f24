import { sameBytes } from '../codec/bytes.js';
import type { CborMap } from '../codec/cbor.js';
import { ShapeError } from '../codec/shape.js';
import type { ControllerMessage, DeviceMessage } from '../dialect/messages.js';
import { decodeReferenceDevice, encodeReference, Message } from '../dialect/reference.js';
import { parseCertificate } from '../pki/certificate.js';
import { CertificateError } from '../pki/certificate-error.js';
import { refusalOf } from './device-status.js';
import { ControllerError } from './errors.js';
import type { ControllerParts } from './operational.js';
import type { ControllerSession } from './session.js';
import type { ControllerZone, DeviceRecord } from './zone.js';

const NONCE_LENGTH = 32;
/** The certificate after that of the commissioning; only echoed (protocol.md §3). */
const SEQUENCE = 2;

export interface Renewed {
  readonly device: DeviceRecord;
  /** Unix seconds: the end of the new certificate. */
  readonly notAfter: number;
}

/**
 * Renews the certificate of a device over its connection, which goes on (protocol.md §3, messages 30–33), and remembers it. `onStep` is told
 * what was done. Rejects with ControllerError; the device then has its former certificate or, where the acknowledgement was lost, maybe the
 * new one: both are valid, and it shows which at the next connection.
 */
export async function renewDevice(
  parts: ControllerParts,
  zone: ControllerZone,
  record: DeviceRecord,
  session: ControllerSession,
  onStep: (text: string) => void,
): Promise<Renewed> {
  const csr = await requestCsr(parts, zone, session);
  onStep('the device made a new key');
  const certificate = await issue(parts, zone, record, csr);
  const { notAfter } = parseCertificate(parts.crypto, certificate);
  onStep(`certificate issued for device ${record.id}`);
  await exchange(session, { type: 'certInstall', certificate, sequence: SEQUENCE }, 'certAck');
  onStep('acknowledged, stored');
  const device = { ...record, certificate };
  await parts.store.put(device);
  return { device, notAfter };
}

async function requestCsr({ crypto }: ControllerParts, zone: ControllerZone, session: ControllerSession): Promise<Uint8Array> {
  const nonce = crypto.bytes(NONCE_LENGTH);
  const { csr, nonceHash } = await exchange(session, { type: 'csrReq', nonce, zoneCa: zone.caCertificate }, 'csrRsp');
  if (nonceHash === undefined || !sameBytes(nonceHash, crypto.sha256(nonce).subarray(0, 16)))
    throw new ControllerError('NOT_TRUSTED', 'The CSR does not answer our nonce');
  return csr;
}

async function issue({ crypto, clock }: ControllerParts, zone: ControllerZone, record: DeviceRecord, csr: Uint8Array): Promise<Uint8Array> {
  // @peculiar/x509 is loaded here, and by nothing that does not issue.
  const { renewDeviceCertificate } = await import('./zone-authority.js');
  const { dialect, certificate: replaces } = record;
  try {
    return await renewDeviceCertificate(crypto, zone, csr, { dialect, now: Math.floor(clock.wall() / 1000), replaces });
  } catch (error) {
    if (error instanceof CertificateError) throw new ControllerError('PROTOCOL', `The CSR of the device is refused: ${error.message}`);
    throw error;
  }
}

async function exchange<T extends DeviceMessage['type']>(
  session: ControllerSession,
  message: ControllerMessage,
  type: T,
): Promise<Extract<DeviceMessage, { type: T }>> {
  const answer = decode(await session.exchange(encodeReference(message)));
  const refusal = refusalOf('reference', answer);
  if (refusal !== undefined) throw refusal;
  if (answer.type !== type) throw new ControllerError('PROTOCOL', `The device sent ${answer.type} where ${type} is due`);
  return answer as Extract<DeviceMessage, { type: T }>;
}

function decode(answer: CborMap): DeviceMessage {
  const number = answer.get(1);
  if (number === Message.RENEWAL || number === Message.INSTALL)
    throw new ControllerError('REFUSED', `The device does not take message ${number}`, { status: `status ${String(answer.get(2))}` });
  try {
    return decodeReferenceDevice(answer);
  } catch (error) {
    if (error instanceof ShapeError) throw new ControllerError('PROTOCOL', `The device sent no message of a renewal: ${error.message}`);
    throw error;
  }
}
