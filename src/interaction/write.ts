import type { CborKey, CborValue } from '../codec/cbor.js';
import { mapOf, ShapeError } from '../codec/shape.js';
import { PeerError } from '../errors.js';
import type { Caller } from '../model/feature.js';
import { type Feature, isGlobal } from '../model/model.js';
import type { AttributeSchema } from '../model/schema.js';
import { InteractionStatus } from '../model/status.js';
import { type Examined, examine, ValueError } from '../model/validate.js';
import type { Request, Response } from '../session/wire.js';

/**
 * `{attribute: value}`: all of it or nothing; the lowest id that fails decides (features.md, "Forms"). Answered with the values read back.
 * Throws, or rejects, with the reason.
 */
export function answerWrite(feature: Feature, request: Request, caller: Caller): Response | Promise<Response> {
  const given = mapOf(request.payload, 'write payload');
  const ids: number[] = [];
  for (const id of given.keys()) {
    if (typeof id !== 'number' || id < 0 || id > 0xffff) throw new ShapeError(`write payload: ${id} is no attribute id`);
    ids.push(id);
  }
  ids.sort((a, b) => a - b);
  const values = new Map<number, CborValue>();
  for (const id of ids) values.set(id, check(feature, id, given.get(id) as CborValue, caller, values));
  const written = values.size === 0 ? undefined : feature.instance.write?.(values, caller);
  return written instanceof Promise
    ? written.then(() => readBack(feature, request.id, ids, caller))
    : readBack(feature, request.id, ids, caller);
}

function check(feature: Feature, id: number, value: CborValue, caller: Caller, before: ReadonlyMap<number, CborValue>): CborValue {
  const attribute = feature.attribute(id);
  if (attribute?.access === 'readOnly' || isGlobal(id))
    throw new PeerError(InteractionStatus.READ_ONLY, `attribute ${id}: attribute is not writable`);
  if (attribute === undefined) throw new PeerError(InteractionStatus.UNKNOWN_ATTRIBUTE, `attribute ${id} not found`);
  const { value: checked, violation } = value === null ? nothing(attribute) : examine(attribute.type, value, attribute.name);
  feature.instance.authorizeWrite?.(id, caller);
  if (violation !== undefined) throw violation;
  feature.instance.checkWrite?.(id, checked, caller, before);
  return checked;
}

function nothing({ name, nullable }: AttributeSchema): Examined<null> {
  return { value: null, violation: nullable ? undefined : new ValueError('range', `${name} cannot be null`) };
}

function readBack(feature: Feature, request: number, ids: readonly number[], caller: Caller): Response {
  const values = new Map<CborKey, CborValue>();
  for (const id of ids) values.set(id, feature.read(id, caller) ?? null);
  return { id: request, status: InteractionStatus.SUCCESS, payload: values };
}
