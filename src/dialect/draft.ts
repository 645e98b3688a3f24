import type { CborMap, CborValue } from '../codec/cbor.js';
import { bytesAt, integerAt, mapOf, optionalAt, ShapeError, textAt } from '../codec/shape.js';
import type { ControllerMessage, DeviceMessage } from './messages.js';

/** Draft dialect: maps with a type text under key 1 (commissioning-pase §4.2, §4.3; protocol.md §2); close under the text key "type" (§2.13). */

export function decodeDraftController(value: CborValue): ControllerMessage {
  const map = mapOf(value, 'message');
  if (map.has('type')) return control(map);
  const type = textAt(map, 1, 'key 1, type');
  switch (type) {
    case 'pase_x': {
      const context = map.get(3);
      // protocol.md §2.4: an absent context is a failed binding, not a malformed message.
      return { type: 'paseX', point: bytesAt(map, 2, 'pase_x key 2, X'), ...(context instanceof Uint8Array ? { context } : {}) };
    }
    case 'pase_verify':
      return { type: 'paseVerify', verifier: bytesAt(map, 2, 'pase_verify key 2, verifier', 32) };
    case 'attestation_req':
      return { type: 'attestationReq' };
    case 'csr_req':
      return { type: 'csrReq', nonce: bytesAt(map, 2, 'csr_req key 2, nonce', 32) };
    case 'cert_install': {
      const adminToken = optionalAt(map, 6, () => bytesAt(map, 6, 'cert_install key 6, admin token'));
      return {
        type: 'certInstall',
        certificate: bytesAt(map, 2, 'cert_install key 2, certificate'),
        zoneCa: bytesAt(map, 3, 'cert_install key 3, Zone CA'),
        zoneType: integerAt(map, 4, 'cert_install key 4, zone type', 1, 4),
        priority: integerAt(map, 5, 'cert_install key 5, priority', 1, 4),
        ...(adminToken === undefined ? {} : { adminToken }),
      };
    }
    default:
      throw new ShapeError(`'${type.slice(0, 40)}' is not a message of a controller`);
  }
}

export function decodeDraftDevice(value: CborValue): DeviceMessage {
  const map = mapOf(value, 'message');
  if (map.has('type')) return control(map);
  const type = textAt(map, 1, 'key 1, type');
  switch (type) {
    case 'pase_y':
      return { type: 'paseY', point: bytesAt(map, 2, 'pase_y key 2, Y'), verifier: bytesAt(map, 3, 'pase_y key 3, verifier', 32) };
    case 'pase_confirm': {
      const retryAfter = optionalAt(map, 4, () => integerAt(map, 4, 'pase_confirm key 4, retry after'));
      return { type: 'paseConfirm', ...statusOf(map, 'pase_confirm'), ...(retryAfter === undefined ? {} : { retryAfter }) };
    }
    case 'attestation_rsp': {
      // commissioning-pase §4.3: cert_chain is optional.
      const chain = map.get(3) ?? [];
      if (!Array.isArray(chain) || !chain.every((item) => item instanceof Uint8Array)) {
        throw new ShapeError('attestation_rsp key 3, chain: an array of byte strings is due');
      }
      return { type: 'attestationRsp', certificate: bytesAt(map, 2, 'attestation_rsp key 2, certificate'), chain };
    }
    case 'csr_rsp': {
      const nonceHash = optionalAt(map, 3, () => bytesAt(map, 3, 'csr_rsp key 3, nonce hash', 16));
      return { type: 'csrRsp', csr: bytesAt(map, 2, 'csr_rsp key 2, CSR'), ...(nonceHash === undefined ? {} : { nonceHash }) };
    }
    case 'cert_ack':
      return { type: 'certAck', ...statusOf(map, 'cert_ack') };
    default:
      throw new ShapeError(`'${type.slice(0, 40)}' is not a message of a device`);
  }
}

export function encodeDraft(message: ControllerMessage | DeviceMessage): CborMap {
  switch (message.type) {
    case 'paseX':
      return tagged('pase_x', message.point, message.context);
    case 'paseY':
      return tagged('pase_y', message.point, message.verifier);
    case 'paseVerify':
      return tagged('pase_verify', message.verifier);
    case 'paseConfirm':
      return tagged('pase_confirm', message.status, message.text, message.retryAfter);
    case 'attestationReq':
      return tagged('attestation_req');
    case 'attestationRsp':
      return tagged('attestation_rsp', message.certificate, message.chain);
    case 'csrReq':
      return tagged('csr_req', message.nonce);
    case 'csrRsp':
      return tagged('csr_rsp', message.csr, message.nonceHash);
    case 'certInstall':
      return tagged('cert_install', message.certificate, message.zoneCa, message.zoneType, message.priority, message.adminToken);
    case 'certAck':
      return tagged('cert_ack', message.status, message.text);
    case 'close':
      return new Map<string, CborValue>([
        ['type', 'close'],
        ['reason', message.reason ?? ''],
      ]);
    case 'closeAck':
      return new Map([['type', 'close_ack']]);
    case 'error':
      throw new TypeError('the draft dialect has no message 255');
  }
}

/** Keys 1, 2, 3, … ; an undefined field leaves its key out. */
function tagged(type: string, ...fields: readonly (CborValue | undefined)[]): CborMap {
  const map = new Map<number, CborValue>([[1, type]]);
  fields.forEach((field, index) => {
    if (field !== undefined) map.set(index + 2, field);
  });
  return map;
}

function statusOf(map: CborMap, where: string): { status: number; text?: string } {
  const text = optionalAt(map, 3, () => textAt(map, 3, `${where} key 3, text`));
  return { status: integerAt(map, 2, `${where} key 2, status`, 0, 255), ...(text === undefined ? {} : { text }) };
}

function control(map: CborMap): { type: 'close'; reason?: string } | { type: 'closeAck' } {
  const type = textAt(map, 'type', 'type');
  if (type === 'close_ack') return { type: 'closeAck' };
  if (type !== 'close') throw new ShapeError(`'${type.slice(0, 40)}' is not a control message here`);
  const reason = optionalAt(map, 'reason', () => textAt(map, 'reason', 'close reason'));
  return { type: 'close', ...(reason === undefined ? {} : { reason }) };
}
