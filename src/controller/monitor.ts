import type { Browser } from '../discovery/browser.js';
import type { DiscoveredService } from '../discovery/discovered.js';
import { OPERATIONAL } from '../discovery/mash-services.js';
import { txtValue } from '../discovery/txt.js';
import { serviceAddresses } from './addresses.js';
import type { DeviceAddress } from './zone.js';

/** Told what the devices of a zone announce. */
export interface DeviceListener {
  /** It is there, or its addresses have changed. Best first. */
  available(deviceId: string, addresses: readonly DeviceAddress[]): void;
  /** It said goodbye, or its records ran out. */
  unavailable(deviceId: string): void;
}

/** connection-establishment §7.4, continuous browse mode: queries at growing intervals, 1 s to 1 h (RFC 6762 §5.2). */
export function monitorZone(browser: Browser, zoneId: string, listener: DeviceListener): { close(): void } {
  const deviceOf = (service: DiscoveredService): string | undefined => {
    const [zone, device] = service.instance.split('-');
    const named = txtValue(service.txt, 'ZI') ?? zone;
    return named?.toLowerCase() === zoneId.toLowerCase() ? (txtValue(service.txt, 'DI') ?? device) : undefined;
  };
  const onAvailable = (service: DiscoveredService): void => {
    const deviceId = deviceOf(service);
    if (deviceId !== undefined) listener.available(deviceId, serviceAddresses(service));
  };
  return browser.browse(OPERATIONAL, {
    added: onAvailable,
    updated: onAvailable,
    removed: (service) => {
      const deviceId = deviceOf(service);
      if (deviceId !== undefined) listener.unavailable(deviceId);
    },
  });
}
