import { CLOCK_SKEW_TOLERANCE, type TimeReading } from '../pki/trusted-time.js';

/**
 * How the device's own operational certificate stands. `renewalDue`: inside the renewal window; `expiring`: its last seven days;
 * `expiredInGrace`: expired, new connections are still served; `expired`: they are not. Connections that exist are never cut (protocol.md §1).
 */
export type CertificateState = 'valid' | 'renewalDue' | 'expiring' | 'expiredInGrace' | 'expired';

/** Seconds before the end during which the zone's owner is warned (zone-lifecycle §4.1). */
export const EXPIRY_WARNING = 7 * 86_400;

export interface CertificatePolicy {
  /** Seconds before the end from which on a renewal is due. */
  readonly renewalWindow: number;
  /** Seconds after the end during which the device still serves new connections. */
  readonly grace: number;
}

/** `notAfter`: Unix seconds. A clock that was never set tells nothing, and nothing is refused for it; a floor is a lower bound, so what it says is certain. */
export function certificateState(time: TimeReading, notAfter: number, policy: CertificatePolicy): CertificateState {
  if (time.quality === 'unset') return 'valid';
  const left = notAfter - time.now;
  const overdue = -left - CLOCK_SKEW_TOLERANCE;
  if (overdue > 0) return overdue > policy.grace ? 'expired' : 'expiredInGrace';
  if (left <= EXPIRY_WARNING) return 'expiring';
  return left <= policy.renewalWindow ? 'renewalDue' : 'valid';
}
