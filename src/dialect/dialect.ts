import { type CborMap, type CborValue, isMap } from '../codec/cbor.js';
import { decodeDraftController, decodeDraftDevice, encodeDraft } from './draft.js';
import type { ControllerMessage, DeviceMessage, DialectName } from './messages.js';
import { decodeReferenceController, decodeReferenceDevice, encodeReference, Message } from './reference.js';

/** A wire form of the commissioning conversation. Decoders throw ShapeError. */
export interface Dialect {
  readonly name: DialectName;
  decodeController(value: CborValue): ControllerMessage;
  decodeDevice(value: CborValue): DeviceMessage;
  encode(message: ControllerMessage | DeviceMessage): CborMap;
}

export const draftDialect: Dialect = {
  name: 'draft',
  decodeController: decodeDraftController,
  decodeDevice: decodeDraftDevice,
  encode: encodeDraft,
};

export const referenceDialect: Dialect = {
  name: 'reference',
  decodeController: decodeReferenceController,
  decodeDevice: decodeReferenceDevice,
  encode: encodeReference,
};

/**
 * The dialect of a connection's first frame (protocol.md, first table): key 1 is a text → draft, the integer 1 → reference.
 * Undefined for a frame of neither, which closes the connection.
 */
export function dialectOfFirst(value: CborValue): Dialect | undefined {
  if (!isMap(value)) return undefined;
  const type = value.get(1);
  if (typeof type === 'string') return draftDialect;
  return type === Message.REQUEST ? referenceDialect : undefined;
}
