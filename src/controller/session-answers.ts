import { type CborMap, type CborValue, isMap } from '../codec/cbor.js';
import { InteractionStatus, type Response } from '../session/wire.js';
import { ControllerError } from './errors.js';

/** What `accept` makes of a response that says yes. Throws REFUSED with the status' name, or what `accept` throws. */
export function accepted<T>(response: Response, accept: (payload: CborValue | undefined) => T): T {
  if (response.status !== InteractionStatus.SUCCESS) throw refusal(response);
  return accept(response.payload);
}

/** Throws PROTOCOL where the payload is no map of values. */
export function valuesOf(what: string, payload: CborValue | undefined): CborMap {
  if (!isMap(payload)) throw new ControllerError('PROTOCOL', `The device answered a ${what} without a map of values`);
  return payload;
}

function refusal(response: Response): ControllerError {
  const status = Object.entries(InteractionStatus).find(([, value]) => value === response.status)?.[0] ?? `status ${response.status}`;
  const text = isMap(response.payload) ? response.payload.get(1) : undefined;
  return new ControllerError('REFUSED', `The device refuses: ${status}${typeof text === 'string' ? ` (${text})` : ''}`, { status });
}
