import { ControllerError } from './errors.js';
import type { DeviceRecord } from './zone.js';

/** An id may be shortened to this many digits. */
const PREFIX_MINIMUM = 4;

/**
 * The device that is meant: by its id (any case, or its first digits), its serial number, its name or its deviceId; without a word the only
 * device of the zone, pending ones left out where there is a confirmed one. Throws UNKNOWN_DEVICE or AMBIGUOUS_DEVICE.
 */
export function selectDevice(devices: readonly DeviceRecord[], wanted: string | undefined): DeviceRecord {
  const found = wanted === undefined ? unnamed(devices) : named(devices, wanted.toLowerCase());
  const [first, ...others] = found;
  const all = devices.map(({ id, name }) => (name === undefined ? id : `${id} (${name})`));
  if (first === undefined) {
    const message = wanted === undefined ? 'The zone has no device yet' : `The zone has no device '${wanted}'`;
    throw new ControllerError('UNKNOWN_DEVICE', message, {
      suggestions: all.length === 0 ? ["'mash-controller commission' adds one"] : [`Its devices: ${all.join(', ')}`],
    });
  }
  if (others.length === 0) return first;
  const message = wanted === undefined ? 'The zone has several devices: name one' : `Several devices are '${wanted}': name one by its id`;
  throw new ControllerError('AMBIGUOUS_DEVICE', message, { suggestions: [`Its devices: ${all.join(', ')}`] });
}

function unnamed(devices: readonly DeviceRecord[]): readonly DeviceRecord[] {
  const confirmed = devices.filter(({ state }) => state === 'confirmed');
  return confirmed.length > 0 ? confirmed : devices;
}

function named(devices: readonly DeviceRecord[], wanted: string): readonly DeviceRecord[] {
  const exact = devices.filter((device) =>
    [device.id, device.serial, device.name, device.deviceId].some((candidate) => candidate?.toLowerCase() === wanted),
  );
  if (exact.length > 0 || wanted.length < PREFIX_MINIMUM) return exact;
  return devices.filter(({ id }) => id.toLowerCase().startsWith(wanted));
}
