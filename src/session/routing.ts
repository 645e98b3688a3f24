import type { ClientHello, ListenerRole } from '../platform.js';

/** ALPN protocols (protocol.md §1). */
export const ALPN_COMMISSIONING = 'mash-comm/1';
export const ALPN_OPERATIONAL = 'mash/1';
/** RFC 7301 §3.2. */
export const ALERT_NO_APPLICATION_PROTOCOL = 120;

export interface RoutingState {
  readonly windowOpen: boolean;
  readonly hasZone: boolean;
}

export type Route =
  | { readonly kind: 'commissioning' | 'operational'; readonly alpn: string }
  | { readonly kind: 'refuse'; readonly alert: number; readonly reason: string };

/** The table of protocol.md §1: the first row that matches decides; where both protocols are offered, `mash-comm/1` does. */
export function routeHello(role: ListenerRole, hello: ClientHello, state: RoutingState): Route {
  if (hello.alpn.includes(ALPN_COMMISSIONING)) {
    if (state.windowOpen) return { kind: 'commissioning', alpn: ALPN_COMMISSIONING };
    return { kind: 'refuse', alert: ALERT_NO_APPLICATION_PROTOCOL, reason: 'the commissioning window is closed' };
  }
  if (hello.alpn.includes(ALPN_OPERATIONAL)) {
    const commissions = state.windowOpen && (role === 'commissioning' || !state.hasZone);
    if (commissions) return { kind: 'commissioning', alpn: ALPN_OPERATIONAL };
    if (role === 'operational' && state.hasZone) return { kind: 'operational', alpn: ALPN_OPERATIONAL };
  }
  const offered = hello.alpn.length === 0 ? 'none' : hello.alpn.slice(0, 4).join(', ').slice(0, 80);
  return { kind: 'refuse', alert: ALERT_NO_APPLICATION_PROTOCOL, reason: `no protocol for this state; offered: ${offered}` };
}

/** SNI names a device id: any case, an optional `.local` (and a trailing dot) ignored. */
export function deviceIdOfServerName(serverName: string): string {
  const name = serverName.toLowerCase();
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  return bare.endsWith('.local') ? bare.slice(0, -'.local'.length) : bare;
}
