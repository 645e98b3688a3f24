import type { DialectName } from '../dialect/messages.js';
import { ConfigError } from '../errors.js';
import { parseCertificate } from '../pki/certificate.js';
import type { Clock, Crypto } from '../platform.js';
import { type ControllerZone, ZONE_KINDS, type ZoneKind } from './zone.js';
import type { ZoneStore } from './zone-store.js';

/** A controller certificate this near its end is replaced (protocol.md, row "renewal window"), seconds. */
const RENEWAL = 30 * 86_400;
const DEFAULT_KIND: ZoneKind = 'home';
/** Longer than `LOCAL` and so after it in the Zone CA's SET of OUs: some devices take the first one for the zone's type. */
const DEFAULT_NAME = 'Home Energy';

export interface ZoneParts {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly store: ZoneStore;
}

/** What a zone is to be; undefined where the caller does not mind. */
export interface ZoneWish {
  readonly kind: ZoneKind | undefined;
  readonly name: string | undefined;
  readonly priority: number | undefined;
  readonly dialect: DialectName;
}

/** The zone of the folder, its controller certificate renewed where due; undefined where there is none yet. Rejects with StoreError. */
export async function openZone({ crypto, clock, store }: ZoneParts): Promise<ControllerZone | undefined> {
  const zone = await store.load();
  if (zone === undefined) return undefined;
  const now = Math.floor(clock.wall() / 1000);
  if (parseCertificate(crypto, zone.controllerCertificate).notAfter - now > RENEWAL) return zone;
  const { renewController } = await import('./zone-authority.js');
  const renewed = await renewController(crypto, zone, now);
  await store.update(renewed);
  return renewed;
}

/** The zone of the folder, made where there is none. Rejects with ConfigError where an existing zone is not what is wished for. */
export async function openOrCreateZone(parts: ZoneParts, wish: ZoneWish): Promise<{ zone: ControllerZone; created: boolean }> {
  const existing = await openZone(parts);
  if (existing !== undefined) {
    checkWish(parts.store.folder, existing, wish);
    return { zone: existing, created: false };
  }
  const admin = await parts.store.loadAdmin();
  if (admin !== undefined)
    throw new ConfigError('--zone', `${parts.store.folder} is an admin's of zone '${admin.name}'; a zone of its own needs another folder`);
  const kind = wish.kind ?? DEFAULT_KIND;
  if (wish.dialect === 'draft' && ZONE_KINDS[kind].draft === undefined)
    throw new ConfigError('zone type', `'${kind}' exists in the reference dialect alone; add --dialect reference`);
  const { createZone } = await import('./zone-authority.js');
  const made = await createZone(parts.crypto, {
    kind,
    name: wish.name ?? DEFAULT_NAME,
    priority: wish.priority ?? ZONE_KINDS[kind].draft ?? 4,
    dialect: wish.dialect,
    now: Math.floor(parts.clock.wall() / 1000),
  });
  const zone = await parts.store.create(made);
  checkWish(parts.store.folder, zone, wish);
  return { zone, created: zone.id === made.id };
}

/** Type, name and priority of a zone are those it was made with. */
function checkWish(folder: string, zone: ControllerZone, wish: ZoneWish): void {
  const clash = (what: string, has: string | number): ConfigError =>
    new ConfigError(what, `the zone in ${folder} has '${has}', and keeps it; use another folder with --zone for another zone`);
  if (wish.kind !== undefined && wish.kind !== zone.kind) throw clash('zone type', zone.kind);
  if (wish.name !== undefined && wish.name !== zone.name) throw clash('zone name', zone.name);
  if (wish.priority !== undefined && wish.priority !== zone.priority) throw clash('priority', zone.priority);
  if (wish.dialect === 'draft' && ZONE_KINDS[zone.kind].draft === undefined)
    throw new ConfigError('dialect', `the zone in ${folder} is of type '${zone.kind}', which the draft dialect does not have`);
}
