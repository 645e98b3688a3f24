import type { Clock } from '../platform.js';
import { meansKnownZone } from './device-status.js';
import { ControllerError } from './errors.js';
import { type ControllerParts, findSession, type OpenedSession, openSession } from './operational.js';
import { type AdminZone, type ControllerZone, type DeviceAddress, type DeviceRecord, isOwn } from './zone.js';

/** connection-establishment §4.5: the device needs a second to change its state. */
const TRANSITION = 1000;

/** A device that holds the zone. */
export interface Installed {
  readonly record: DeviceRecord;
  /** An operational connection that showed that it does. */
  readonly settled?: OpenedSession;
}

/** How far a commissioning came that failed. */
export interface Failed {
  /** Where its operational connections are to be tried. */
  readonly address: DeviceAddress;
  readonly discriminator: number | undefined;
  /** Stored when CERT_INSTALL was about to be sent. */
  readonly pending: DeviceRecord | undefined;
  readonly error: unknown;
}

/**
 * After a failure: what an operational connection shows, or undefined where nothing is to be settled. A refusal takes the pending record
 * back; anything else that ends the connection after CERT_INSTALL leaves it until the device has been asked.
 */
export async function settle(parts: ControllerParts, zone: ControllerZone | AdminZone, failed: Failed): Promise<Installed | undefined> {
  const { pending, error } = failed;
  const { store, log } = parts;
  if (!(error instanceof ControllerError)) return undefined;
  if (pending !== undefined && error.code !== 'REFUSED') {
    if (!isOwn(zone)) throw unsettled(error, pending);
    log.info('asking over an operational connection whether the certificate was installed', { because: error.message });
    await transition(parts.clock);
    const settled = await unlessUnreachable(() => findSession(parts, zone, pending, pending.addresses));
    if (settled === undefined) throw unsettled(error, pending);
    return { record: pending, settled };
  }
  if (pending !== undefined) await store.remove(pending.id);
  if (!meansKnownZone(error) || !isOwn(zone)) return undefined;
  log.info('looking for the record of a device that holds this zone already', { because: error.message });
  return findHolder(parts, zone, failed);
}

/** Waits until the device has changed over to operational connections. */
export function transition(clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.after('TRANSITION', TRANSITION, resolve));
}

/** A device of the zone that answers where the one that was to be commissioned is. */
async function findHolder(
  parts: ControllerParts,
  zone: ControllerZone,
  { address, discriminator }: Failed,
): Promise<Installed | undefined> {
  for (const record of await parts.store.devices()) {
    const ports = new Set([address, ...record.addresses].map(({ port }) => port));
    const addresses = [...ports].map((port) => ({ host: address.host, port }));
    const settled = await unlessUnreachable(() => openSession(parts, zone, record, addresses));
    if (settled !== undefined) return { record: { ...record, discriminator }, settled };
  }
  return undefined;
}

async function unlessUnreachable(open: () => Promise<OpenedSession>): Promise<OpenedSession | undefined> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof ControllerError) return undefined;
    throw error;
  }
}

/** What happened to the certificate is not known yet: a later connection tells. */
function unsettled(error: ControllerError, pending: DeviceRecord): ControllerError {
  return new ControllerError(error.code, `${error.message}; whether the device installed its certificate is not known yet`, {
    ...error.details,
    suggestions: [`'mash-controller read ${pending.id}' settles it when the device can be reached`, 'Commission the device again'],
  });
}
