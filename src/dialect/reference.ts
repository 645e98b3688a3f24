import type { CborMap, CborValue } from '../codec/cbor.js';
import { bytesAt, integerAt, mapOf, optionalAt, ShapeError, textAt } from '../codec/shape.js';
import type { ControllerMessage, DeviceMessage } from './messages.js';

/** Reference dialect: maps with integer keys, the message number under key 1 (protocol.md §3). Messages 30–33 also renew inside a session. */
export const Message = {
  REQUEST: 1,
  RESPONSE: 2,
  CONFIRM: 3,
  COMPLETE: 4,
  RENEWAL: 30,
  CSR: 31,
  INSTALL: 32,
  ACK: 33,
  ERROR: 255,
} as const;

/** Codes of messages 4 and 255. */
export const ReferenceCode = {
  SUCCESS: 0,
  AUTHENTICATION_FAILED: 1,
  CONFIRMATION_FAILED: 2,
  CSR_FAILED: 3,
  INSTALLATION_FAILED: 4,
  BUSY: 5,
  ZONE_EXISTS: 10,
  INTERNAL: 255,
} as const;

/** Status of message 33. */
export const RenewalStatus = { SUCCESS: 0, CSR_FAILED: 1, INSTALL_FAILED: 2, INVALID_CERT: 3, INVALID_NONCE: 4 } as const;

export function decodeReferenceController(value: CborValue): ControllerMessage {
  const map = mapOf(value, 'message');
  const type = integerAt(map, 1, 'key 1, message number');
  switch (type) {
    case Message.REQUEST: {
      const identity = optionalAt(map, 3, () => identityAt(map));
      return { type: 'paseX', point: bytesAt(map, 2, 'message 1 key 2, pA'), ...(identity === undefined ? {} : { identity }) };
    }
    case Message.CONFIRM:
      return { type: 'paseVerify', verifier: bytesAt(map, 2, 'message 3 key 2, MACc', 32) };
    case Message.RENEWAL: {
      const zoneCa = optionalAt(map, 3, () => bytesAt(map, 3, 'message 30 key 3, Zone CA'));
      return { type: 'csrReq', nonce: bytesAt(map, 2, 'message 30 key 2, nonce'), ...(zoneCa === undefined ? {} : { zoneCa }) };
    }
    case Message.INSTALL: {
      const sequence = optionalAt(map, 3, () => integerAt(map, 3, 'message 32 key 3, sequence', 0, 0xffff_ffff));
      return {
        type: 'certInstall',
        certificate: bytesAt(map, 2, 'message 32 key 2, certificate'),
        ...(sequence === undefined ? {} : { sequence }),
      };
    }
    default:
      throw new ShapeError(`message ${type} is not one of a controller`);
  }
}

export function decodeReferenceDevice(value: CborValue): DeviceMessage {
  const map = mapOf(value, 'message');
  const type = integerAt(map, 1, 'key 1, message number');
  switch (type) {
    case Message.RESPONSE:
      return { type: 'paseY', point: bytesAt(map, 2, 'message 2 key 2, pB', 65) };
    case Message.COMPLETE:
      return {
        type: 'paseConfirm',
        verifier: bytesAt(map, 2, 'message 4 key 2, MACs'),
        status: integerAt(map, 3, 'message 4 key 3, error', 0, 255),
      };
    case Message.CSR: {
      const nonceHash = optionalAt(map, 3, () => bytesAt(map, 3, 'message 31 key 3, nonce hash', 16));
      return { type: 'csrRsp', csr: bytesAt(map, 2, 'message 31 key 2, CSR'), ...(nonceHash === undefined ? {} : { nonceHash }) };
    }
    case Message.ACK:
      return {
        type: 'certAck',
        status: integerAt(map, 2, 'message 33 key 2, status', 0, 255),
        sequence: integerAt(map, 3, 'message 33 key 3, sequence', 0, 0xffff_ffff),
      };
    case Message.ERROR: {
      const text = optionalAt(map, 3, () => textAt(map, 3, 'message 255 key 3, text'));
      return {
        type: 'error',
        code: integerAt(map, 2, 'message 255 key 2, code', 0, 255),
        ...(text === undefined ? {} : { text }),
        retryAfter: optionalAt(map, 4, () => integerAt(map, 4, 'message 255 key 4, retry after')) ?? 0,
      };
    }
    default:
      throw new ShapeError(`message ${type} is not one of a device`);
  }
}

export function encodeReference(message: ControllerMessage | DeviceMessage): CborMap {
  switch (message.type) {
    case 'paseX':
      return numbered(Message.REQUEST, message.point, message.identity);
    case 'paseY':
      return numbered(Message.RESPONSE, message.point);
    case 'paseVerify':
      return numbered(Message.CONFIRM, message.verifier);
    case 'paseConfirm':
      return numbered(Message.COMPLETE, message.verifier ?? new Uint8Array(32), message.status);
    case 'csrReq':
      return numbered(Message.RENEWAL, message.nonce, message.zoneCa);
    case 'csrRsp':
      return numbered(Message.CSR, message.csr, message.nonceHash);
    case 'certInstall':
      return numbered(Message.INSTALL, message.certificate, message.sequence);
    case 'certAck':
      return numbered(Message.ACK, message.status, message.sequence ?? 0);
    case 'error':
      return numbered(Message.ERROR, message.code, message.text, message.retryAfter);
    case 'close':
    case 'closeAck':
      return new Map([[1, 3]]);
    case 'attestationReq':
    case 'attestationRsp':
      throw new TypeError('the reference dialect has no attestation');
  }
}

function numbered(type: number, ...fields: readonly (CborValue | undefined)[]): CborMap {
  const map = new Map<number, CborValue>([[1, type]]);
  fields.forEach((field, index) => {
    if (field !== undefined) map.set(index + 2, field);
  });
  return map;
}

/** The identity is informational: PASE always uses `mash-controller` (protocol.md §3). Bytes in the recording; a text is tolerated. */
function identityAt(map: CborMap): Uint8Array {
  const value = map.get(3);
  return typeof value === 'string' ? new Uint8Array(0) : bytesAt(map, 3, 'message 1 key 3, identity');
}
