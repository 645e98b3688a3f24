import type { ServiceDefinition } from './service.js';
import { txtText } from './txt.js';

/** Asks one device to open its commissioning window (profile `reference`). */
export const PAIRING_REQUEST = '_mashp._udp';

export interface PairingRequestData {
  /** 16 hexadecimal digits. */
  readonly zoneId: string;
  readonly zoneName: string;
  /** Of the device that is meant, 0…4095. */
  readonly discriminator: number;
}

/** Nobody connects to it: its port is 0. */
export function pairingRequestService({ zoneId, zoneName, discriminator }: PairingRequestData): ServiceDefinition {
  return {
    type: PAIRING_REQUEST,
    instance: `${zoneId}-${discriminator}`,
    port: 0,
    txt: [
      ['D', String(discriminator)],
      ['ZI', zoneId],
      ['ZN', txtText(zoneName)],
    ],
  };
}
