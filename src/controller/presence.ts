import { toHex } from '../codec/hex.js';
import type { Published } from '../discovery/advertiser.js';
import { commissionerService } from '../discovery/commissioner-service.js';
import { ControllerError } from './errors.js';
import type { ControllerParts } from './operational.js';
import type { ControllerZone } from './zone.js';

/**
 * Announces the zone as `_mashd._udp` while its controller runs continuously (connection-establishment §2). Port 0: it takes no connections. The
 * instance's name is its own, so that the owner (`<zone name>`) and other followers find theirs free. Undefined where there is no network.
 */
export async function announcePresence(
  parts: ControllerParts,
  zone: ControllerZone,
  controllerName: string,
): Promise<Published | undefined> {
  try {
    const [resolver, devices] = await Promise.all([parts.resolver(), parts.store.devices()]);
    const data = {
      zoneName: zone.name,
      zoneId: zone.id,
      controllerName,
      tag: toHex(parts.crypto.bytes(2)),
      devices: devices.length,
      port: 0,
    };
    return await resolver.announce(commissionerService(data));
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    parts.log.info('the zone is not announced', { reason: error.message });
    return undefined;
  }
}
