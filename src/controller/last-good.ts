import type { DeviceAddress } from './zone.js';

/** Where a device was last, and whether that still counts, as a table (connection-establishment §6.5.6, §7.4). */
export type LastGood =
  | { readonly name: 'none' }
  /** In use. */
  | { readonly name: 'connected'; readonly address: DeviceAddress }
  | { readonly name: 'lost'; readonly address: DeviceAddress; readonly at: number };

/** The five triggers that invalidate it are `refused` (or silent), `mismatch`, `goodbye`, the age of two minutes (`time`), and `removed`. */
export type LastGoodEvent =
  | { readonly type: 'connected'; readonly address: DeviceAddress }
  | { readonly type: 'lost' | 'refused' | 'mismatch' | 'goodbye' | 'removed' | 'time' };

/** §7.4: tried first for this long after the loss, ms. */
const RECENT = 30_000;
/** §7.4: the TTL of an address record, ms. */
const AGE_MAXIMUM = 120_000;

export const NOWHERE: LastGood = { name: 'none' };

export function nextLastGood(state: LastGood, event: LastGoodEvent, now: number): LastGood {
  switch (event.type) {
    case 'connected':
      return { name: 'connected', address: event.address };
    case 'lost':
      return state.name === 'connected' ? { name: 'lost', address: state.address, at: now } : state;
    case 'time':
      return state.name === 'lost' && now - state.at > AGE_MAXIMUM ? NOWHERE : state;
    default:
      return NOWHERE;
  }
}

/** What to try before anything is asked; nothing where a fresh resolution is due. */
export function recentAddresses(state: LastGood, now: number): readonly DeviceAddress[] {
  return state.name === 'lost' && now - state.at < RECENT ? [state.address] : [];
}
