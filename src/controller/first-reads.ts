import { ControllerError } from './errors.js';
import { type InitialState, readInitially } from './initial-reads.js';
import { featureName } from './names.js';
import { type ControllerParts, findSession } from './operational.js';
import type { ControllerSession } from './session.js';
import type { ControllerZone, DeviceRecord } from './zone.js';

/**
 * The read sequence that ends a commissioning; the session is closed afterwards. A connection that ends in it is made once more (§7.3, "Re-enter
 * reconnection flow"): the device is commissioned, whatever becomes of the reads.
 */
export async function readFirst(
  parts: ControllerParts,
  zone: ControllerZone,
  record: DeviceRecord,
  first: ControllerSession,
): Promise<InitialState> {
  const { log } = parts;
  let session = first;
  try {
    return await readInitially(session, log);
  } catch (error) {
    if (!(error instanceof ControllerError) || error.code !== 'CONNECTION_LOST') throw error;
    log.info('connecting again for the first reads', { because: error.message });
    session = (await findSession(parts, zone, record)).session;
    return await readInitially(session, log);
  } finally {
    await session.close('commissioning_complete');
  }
}

/** `14 attributes; 1/Electrical, 1/EnergyControl, …`. */
export function describeReads({ deviceInfo, features, degraded }: InitialState): string {
  const others = features.map(({ endpoint, feature }) => `${endpoint}/${featureName(feature)}`);
  const parts = [`${deviceInfo.size} attributes`, ...(others.length === 0 ? [] : [others.join(', ')]), ...(degraded ? ['degraded'] : [])];
  return parts.join('; ');
}
