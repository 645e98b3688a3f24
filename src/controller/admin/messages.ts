import type { CborMap, CborValue } from '../../codec/cbor.js';
import { bytesAt, integerAt, mapOf, optionalAt, ShapeError, textAt } from '../../codec/shape.js';

/** What an app and the owner of a zone say to each other after PASE (protocol.md §2.12). */
export type AdminRequest =
  /** `name`: of the app, for the owner's list. */
  | { readonly type: 'adminReq'; readonly name?: string }
  | { readonly type: 'adminSign'; readonly csr: Uint8Array; readonly token: Uint8Array };

export type AdminAnswer =
  /** Zone type and priority are those of CERT_INSTALL; absent from an owner that leaves them to the Zone CA. */
  | {
      readonly type: 'adminRsp';
      readonly token: Uint8Array;
      readonly ca: Uint8Array;
      readonly zoneType?: number;
      readonly priority?: number;
    }
  | { readonly type: 'adminSigned'; readonly certificate: Uint8Array }
  /** `status`: of commissioning-pase §6.2. */
  | { readonly type: 'adminError'; readonly status: number; readonly text?: string };

const NAME_MAXIMUM = 64;

/** Throws ShapeError. */
export function decodeAdminRequest(value: CborValue): AdminRequest {
  const map = mapOf(value, 'message');
  const type = textAt(map, 1, 'key 1, type');
  switch (type) {
    case 'admin_req': {
      const name = optionalAt(map, 2, () => textAt(map, 2, 'admin_req key 2, name'));
      return { type: 'adminReq', ...(name === undefined ? {} : { name: name.slice(0, NAME_MAXIMUM) }) };
    }
    case 'admin_sign':
      return { type: 'adminSign', csr: bytesAt(map, 2, 'admin_sign key 2, CSR'), token: bytesAt(map, 3, 'admin_sign key 3, token') };
    default:
      throw new ShapeError(`'${type.slice(0, 40)}' is not a request of an admin`);
  }
}

/** Throws ShapeError. */
export function decodeAdminAnswer(value: CborValue): AdminAnswer {
  const map = mapOf(value, 'message');
  const type = textAt(map, 1, 'key 1, type');
  switch (type) {
    case 'admin_rsp': {
      const zoneType = optionalAt(map, 4, () => integerAt(map, 4, 'admin_rsp key 4, zone type', 1, 4));
      const priority = optionalAt(map, 5, () => integerAt(map, 5, 'admin_rsp key 5, priority', 1, 4));
      return {
        type: 'adminRsp',
        token: bytesAt(map, 2, 'admin_rsp key 2, token'),
        ca: bytesAt(map, 3, 'admin_rsp key 3, Zone CA'),
        ...(zoneType === undefined ? {} : { zoneType }),
        ...(priority === undefined ? {} : { priority }),
      };
    }
    case 'admin_signed':
      return { type: 'adminSigned', certificate: bytesAt(map, 2, 'admin_signed key 2, certificate') };
    case 'admin_error': {
      const text = optionalAt(map, 3, () => textAt(map, 3, 'admin_error key 3, text'));
      return {
        type: 'adminError',
        status: integerAt(map, 2, 'admin_error key 2, status', 1, 255),
        ...(text === undefined ? {} : { text }),
      };
    }
    default:
      throw new ShapeError(`'${type.slice(0, 40)}' is not an answer of an owner`);
  }
}

export function encodeAdmin(message: AdminRequest | AdminAnswer): CborMap {
  switch (message.type) {
    case 'adminReq':
      return tagged('admin_req', message.name);
    case 'adminSign':
      return tagged('admin_sign', message.csr, message.token);
    case 'adminRsp':
      return tagged('admin_rsp', message.token, message.ca, message.zoneType, message.priority);
    case 'adminSigned':
      return tagged('admin_signed', message.certificate);
    case 'adminError':
      return tagged('admin_error', message.status, message.text);
  }
}

function tagged(type: string, ...fields: readonly (CborValue | undefined)[]): CborMap {
  const map = new Map<number, CborValue>([[1, type]]);
  fields.forEach((field, index) => {
    if (field !== undefined) map.set(index + 2, field);
  });
  return map;
}
