import { sameId } from '../pki/identities.js';
import type { TlsIdentity } from '../platform.js';
import type { Zone } from './zone.js';
import type { ZoneTable } from './zone-table.js';

const MAX_ADDRESSES = 32;

/** Which operational certificate the device presents (protocol.md §1): by SNI, else by the zone last connected from that address, else the newest. */
export class TlsIdentities {
  readonly #zones: ZoneTable;
  readonly #identities = new WeakMap<Zone, TlsIdentity>();
  readonly #lastFrom = new Map<string, string>();

  constructor(zones: ZoneTable) {
    this.#zones = zones;
  }

  /** `deviceId`: from the SNI, without regard to case. Undefined when there is no zone. */
  choose(deviceId: string | undefined, remoteAddress: string): TlsIdentity | undefined {
    const zones = this.#zones.all;
    const named = deviceId === undefined ? undefined : zones.find((zone) => sameId(zone.deviceId, deviceId));
    const last = this.#lastFrom.get(remoteAddress);
    const known = last === undefined ? undefined : this.#zones.byId(last);
    const zone = named ?? known ?? newest(zones);
    return zone === undefined ? undefined : this.of(zone);
  }

  /** One object per zone as long as the zone stays the same, so that the platform can cache its TLS context. */
  of(zone: Zone): TlsIdentity {
    let identity = this.#identities.get(zone);
    if (identity === undefined) {
      identity = { certificate: zone.certificate, key: zone.key };
      this.#identities.set(zone, identity);
    }
    return identity;
  }

  connected(zone: Zone, remoteAddress: string): void {
    this.#lastFrom.delete(remoteAddress);
    this.#lastFrom.set(remoteAddress, zone.id);
    if (this.#lastFrom.size <= MAX_ADDRESSES) return;
    for (const oldest of this.#lastFrom.keys()) {
      this.#lastFrom.delete(oldest);
      break;
    }
  }
}

function newest(zones: readonly Zone[]): Zone | undefined {
  return zones.reduce<Zone | undefined>((best, zone) => (best === undefined || zone.order > best.order ? zone : best), undefined);
}
