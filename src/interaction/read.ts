import { type CborKey, type CborValue, isMap } from '../codec/cbor.js';
import { ShapeError, smallIntegers } from '../codec/shape.js';
import type { Caller } from '../model/feature.js';
import type { Feature } from '../model/model.js';
import { InteractionStatus } from '../model/status.js';
import { errorResponse, type Request, type Response } from '../session/wire.js';

/** `oddPayload`: what a payload of another shape means (protocol.md §3). */
export function answerRead(feature: Feature, request: Request, caller: Caller, oddPayload: 'refuse' | 'all'): Response {
  let ids: readonly number[];
  try {
    ids = requestedAttributes(request.payload) ?? feature.attributeIds;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    if (oddPayload === 'refuse') return errorResponse(request.id, InteractionStatus.INVALID_PARAMETER, error.message);
    ids = feature.attributeIds;
  }
  const values = new Map<CborKey, CborValue>();
  // More than there are: a list of one attribute sixty thousand times is one reading.
  for (const id of ids.length > feature.attributeIds.length ? new Set(ids) : ids) {
    const value = feature.read(id, caller);
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
