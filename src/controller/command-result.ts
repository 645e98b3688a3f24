import type { CborMap } from '../codec/cbor.js';
import { LimitRejectReason } from '../features/energy-control-table.js';
import { ControllerError } from './errors.js';

/**
 * Throws REFUSED for a result that says no though its status is 0: `applied: false` with a reject reason by name, `success: false` with the seconds
 * to wait or with a reason (features.md §2, §3, §5).
 */
export function checkResult(command: string, result: CborMap): void {
  if (result.get('applied') !== false && result.get('success') !== false) return;
  const [retryAfter, rejectReason, reason] = [result.get('retryAfter'), result.get('rejectReason'), result.get('reason')];
  if (typeof retryAfter === 'number')
    throw new ControllerError('REFUSED', `The device does not carry out ${command} yet`, {
      status: 'NOT_YET',
      retryAfter: retryAfter * 1000,
    });
  const name = Object.entries(LimitRejectReason).find(([, value]) => value === rejectReason)?.[0];
  const status = name ?? (typeof rejectReason === 'number' ? `reason ${rejectReason}` : 'NOT_APPLIED');
  const said = typeof reason === 'string' ? `${status} (${reason})` : status;
  throw new ControllerError('REFUSED', `The device does not carry out ${command}: ${said}`, { status });
}
