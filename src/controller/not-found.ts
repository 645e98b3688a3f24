import type { DiscoveredService, IncompleteService } from '../discovery/discovered.js';
import { txtValue } from '../discovery/txt.js';
import { ControllerError } from './errors.js';

/** What was seen while looking for a device. */
export interface Sighting {
  readonly complete: readonly DiscoveredService[];
  readonly incomplete: readonly IncompleteService[];
}

/** TXT key D, else the number in the instance's name `MASH-<D>`; undefined where both are none. */
export function discriminatorOf({ txt, instance }: { txt: ReadonlyMap<string, string>; instance: string }): number | undefined {
  const text = txtValue(txt, 'D') ?? /^MASH-(\d{1,4})\b/i.exec(instance)?.[1] ?? '';
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return value <= 4095 ? value : undefined;
}

/** The first three classes of connection-establishment §7.5, from what was seen: nothing, others alone, or the device without an address. */
export function notFound(discriminator: number | undefined, { complete, incomplete }: Sighting): ControllerError {
  const isWanted = (service: DiscoveredService | IncompleteService): boolean =>
    discriminator === undefined || discriminatorOf(service) === discriminator;
  if (incomplete.some(isWanted)) return withoutAddress();
  const others = [...new Set([...complete, ...incomplete].map(discriminatorOf))].filter((other) => other !== undefined);
  if (discriminator !== undefined && others.length > 0) return mismatch(discriminator, others);
  return new ControllerError('NO_DEVICES_FOUND', 'No devices found in pairing mode', {
    suggestions: [
      'Press the pairing button on your device',
      'Ensure device is powered on',
      'Check device is on same network',
      'Wait for device to finish booting',
    ],
    retryAction: 'browse',
  });
}

function mismatch(discriminator: number, others: readonly number[]): ControllerError {
  return new ControllerError('DISCRIMINATOR_MISMATCH', `Device with discriminator ${discriminator} not found`, {
    suggestions: [
      'Verify QR code is for the device you want to pair',
      `Found devices with discriminators: ${others.join(', ')}`,
      'Device may have been reset (new QR code)',
    ],
    retryAction: 'scan_qr',
  });
}

/** SRV, and no AAAA. */
export function withoutAddress(): ControllerError {
  return new ControllerError('ADDRESS_RESOLUTION_FAILED', 'Device found but network address unavailable', {
    suggestions: ['Device may have network issues', 'Check router/DHCP configuration', 'Try restarting device'],
    retryAction: 'browse',
  });
}

/** The fourth class: an address, and nobody answers there. `reasons`: one for each address. */
export function connectionFailed(reasons: readonly string[]): ControllerError {
  // protocol.md: 8444 is open while the window is, so that a closed port is a closed window first of all.
  const refused = reasons.some((reason) => reason.endsWith('ECONNREFUSED'));
  return new ControllerError('CONNECTION_FAILED', `Cannot connect to device (${listed(reasons)})`, {
    suggestions: [
      ...(refused ? ['Its commissioning window may be closed: press the pairing button of the device'] : []),
      'Device may be busy or unresponsive',
      'Firewall may be blocking connection',
      'Try power-cycling the device',
    ],
    retryAction: 'connect',
  });
}

/** A device of a zone that is nowhere (connection-establishment §6.5.5): switched off, cut off, or crashed. */
export function unreachable(reasons: readonly string[]): ControllerError {
  return new ControllerError('CONNECTION_FAILED', `Device unreachable (${listed(reasons)})`, {
    suggestions: ['Ensure device is powered on', 'Check device is on same network', 'Try power-cycling the device'],
    retryAction: 'connect',
  });
}

/** Something answers at every address, and nowhere is it the device (§6.5.5). */
export function authenticationFailed(reasons: readonly string[]): ControllerError {
  return new ControllerError('NOT_TRUSTED', `Device authentication failed (${listed(reasons)})`, {
    suggestions: [
      'Another device may have its address now: try again in two minutes',
      'A device that was reset has to be commissioned again',
    ],
    retryAction: 'connect',
  });
}

/** It is the device, and its certificate has expired (TC-CERT-VAL-2). */
export function expired(deviceId: string): ControllerError {
  return new ControllerError('NOT_TRUSTED', `The certificate of device ${deviceId} has expired`, {
    suggestions: [
      "'mash-controller renew' gives it a new one within seven days of its end",
      'After them the device has to leave the zone and be commissioned again',
    ],
  });
}

/** Nobody announces the device of a zone. */
export function notAnnounced(deviceId: string): ControllerError {
  return new ControllerError('NO_DEVICES_FOUND', `Device ${deviceId} is not on the network`, {
    suggestions: ['Ensure device is powered on', 'Check device is on same network'],
    retryAction: 'browse',
  });
}

function listed(reasons: readonly string[]): string {
  return reasons.length === 0 ? 'no address is known' : [...new Set(reasons)].join('; ');
}
