import { PeerError } from '../errors.js';
import type { Caller } from '../model/feature.js';
import { InteractionStatus } from '../model/status.js';
import { type Zone, ZoneType } from '../zones/zone.js';
import type { ZoneTable } from '../zones/zone-table.js';

export interface ZoneCommandsParts {
  readonly zones: ZoneTable;
  /** Whether a zone may remove one that ranks below it. */
  readonly forced: boolean;
  isConnected(zone: Zone): boolean;
  /** Slot, certificate and key are gone; the response is written. */
  onRemoved(zone: Zone): void;
}

/** ListZones and RemoveZone (protocol.md §3). */
export class ZoneCommands {
  readonly #parts: ZoneCommandsParts;

  constructor(parts: ZoneCommandsParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#parts.zones.count;
  }

  list(): readonly { id: string; type: number; priority: number; connected: boolean }[] {
    const { zones } = this.#parts;
    return zones.all.map((zone) => ({ id: zone.id, type: zone.type, priority: zone.priority, connected: this.#parts.isConnected(zone) }));
  }

  /** One commit takes slot, certificate and key. Rejects with PeerError: 4 unknown zone, 11 not allowed; with StoreError, and nothing has changed. */
  async remove(zoneId: string, caller: Caller): Promise<() => void> {
    const { zones, forced } = this.#parts;
    const zone = zones.byId(zoneId);
    if (zone === undefined) throw new PeerError(InteractionStatus.UNKNOWN_COMMAND, 'device not found: no such zone');
    if (!mayRemove(caller, zone, forced)) throw new PeerError(InteractionStatus.CONSTRAINT, 'this zone may not remove that one');
    await zones.remove(zone);
    return () => this.#parts.onRemoved(zone);
  }
}

/** Its own; a TEST zone any (reference-behaviour §4.6); forced: by type, then by priority (protocol.md §2.14). */
export function mayRemove(caller: Caller, zone: Caller, forced: boolean): boolean {
  if (caller.id === zone.id || caller.type === ZoneType.TEST) return true;
  if (!forced) return false;
  // A TEST zone is an observer: it ranks below all.
  const rank = zone.type === ZoneType.TEST ? Number.POSITIVE_INFINITY : zone.type;
  return caller.type < rank || (caller.type === rank && caller.priority < zone.priority);
}
