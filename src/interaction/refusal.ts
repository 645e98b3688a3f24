import { ShapeError } from '../codec/shape.js';
import { PeerError } from '../errors.js';
import { InteractionStatus } from '../model/status.js';
import { ValueError } from '../model/validate.js';
import type { Log } from '../platform.js';
import { errorResponse, type Response } from '../session/wire.js';

/** The answer to a request that failed. What is nobody's fault but ours is logged, and told by status 13 alone. */
export function refusal(id: number, error: unknown, log: Log): Response {
  if (error instanceof PeerError) return errorResponse(id, error.status, error.message);
  if (error instanceof ShapeError) return errorResponse(id, InteractionStatus.INVALID_PARAMETER, error.message);
  if (error instanceof ValueError) {
    const status = error.kind === 'shape' ? InteractionStatus.INVALID_PARAMETER : InteractionStatus.CONSTRAINT;
    return errorResponse(id, status, error.message);
  }
  log.error('a request failed', { error });
  return errorResponse(id, InteractionStatus.RESOURCE_EXHAUSTED, 'the device cannot do this now');
}
