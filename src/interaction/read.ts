import { type CborKey, type CborValue, isMap } from '../codec/cbor.js';
import { ShapeError, smallIntegers } from '../codec/shape.js';
import { attributeIds, type DeviceModel, findFeature, readAttribute } from '../model/model.js';
import { errorResponse, InteractionStatus, Operation, type Request, type Response } from '../session/wire.js';

/** Answers one request of a controller against the model. `oddReadPayload`: what a payload of another shape means (protocol.md §3). */
export function answerRequest(model: DeviceModel, request: Request, oddReadPayload: 'refuse' | 'all'): Response {
  const endpoint = model.endpoint(request.endpoint);
  if (endpoint === undefined) return errorResponse(request.id, InteractionStatus.UNKNOWN_ENDPOINT, 'endpoint not found');
  const feature = findFeature(endpoint, request.feature);
  if (feature === undefined) return errorResponse(request.id, InteractionStatus.UNKNOWN_FEATURE, 'feature not found');
  if (request.operation !== Operation.READ) {
    return errorResponse(request.id, InteractionStatus.UNSUPPORTED, 'this device only answers Read so far');
  }
  let ids: readonly number[];
  try {
    ids = requestedAttributes(request.payload) ?? attributeIds(feature);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    if (oddReadPayload === 'refuse') return errorResponse(request.id, InteractionStatus.INVALID_PARAMETER, error.message);
    ids = attributeIds(feature);
  }
  const values = new Map<CborKey, CborValue>();
  for (const id of ids) {
    const value = readAttribute(endpoint, feature, id);
    if (value === undefined) return errorResponse(request.id, InteractionStatus.UNKNOWN_ATTRIBUTE, `attribute ${id} not found`);
    values.set(id, value);
  }
  return { id: request.id, status: InteractionStatus.SUCCESS, payload: values };
}

/** Read payload (protocol.md §3): `[ids]` or `{1:[ids]}`: those; null, absent, `[]`, `{}`, `{1:[]}`: all (undefined); another shape throws ShapeError. */
function requestedAttributes(payload: CborValue | undefined): readonly number[] | undefined {
  if (payload === undefined || payload === null) return undefined;
  let list: CborValue | undefined = payload;
  if (isMap(payload)) {
    if (payload.size === 0) return undefined;
    list = payload.get(1);
  }
  const ids = smallIntegers(list, 'read payload', 0xffff);
  return ids.length === 0 ? undefined : ids;
}
