import type { Published } from '../discovery/advertiser.js';
import { commissionerService } from '../discovery/commissioner-service.js';
import { ControllerError } from './errors.js';
import type { ControllerParts } from './operational.js';
import type { ControllerZone } from './zone.js';

/**
 * Announces the zone as `_mashd._udp` while its controller runs continuously (connection-establishment §2, "Controller has zone(s)"). Port 0: nobody is answered here.
 * `controllerName` is part of the instance's name, so that the owner's own announcement (`<zone name>`) finds its name free. Undefined where there is no network.
 */
export async function announcePresence(
  parts: ControllerParts,
  zone: ControllerZone,
  controllerName: string,
): Promise<Published | undefined> {
  try {
    const [resolver, devices] = await Promise.all([parts.resolver(), parts.store.devices()]);
    const data = { zoneName: zone.name, zoneId: zone.id, controllerName, devices: devices.length, port: 0 };
    return await resolver.announce(commissionerService(data));
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    parts.log.info('the zone is not announced', { reason: error.message });
    return undefined;
  }
}
