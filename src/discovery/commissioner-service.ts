import { utf8Length } from '../codec/utf8.js';
import { truncateText } from './name.js';
import type { ServiceDefinition } from './service.js';
import { txtText } from './txt.js';

/** A zone's controller (discovery §2.3): who commissions here, and where an admin asks its owner. */
export const COMMISSIONER = '_mashd._udp';

/** RFC 1035 §2.3.4: bytes of one label. */
const LABEL_MAXIMUM = 63;

export interface CommissionerData {
  readonly zoneName: string;
  /** 16 hexadecimal digits. */
  readonly zoneId: string;
  /** Name of the controller itself. */
  readonly controllerName?: string;
  /** Devices in the zone. */
  readonly devices?: number;
  /** 0…4095, of the QR code that is open for a new admin; absent while none is (docs/protocol.md, "Admin delegation"). */
  readonly discriminator?: number | undefined;
  /** Tells several announcements of one zone apart; up to 8 letters and digits. */
  readonly tag?: string;
  /** 0: it accepts no connections. */
  readonly port: number;
}

/** Instance `<zone name>`, with a tag `<zone name> (<controller name> <tag>)`; TXT `ZN ZI [DN] [DC] [D]` (discovery §3.4). */
export function commissionerService(data: CommissionerData): ServiceDefinition {
  const controllerName = data.controllerName === undefined ? undefined : txtText(data.controllerName.normalize('NFC'));
  // RFC 6762 §16: names are precomposed.
  const zoneName = data.zoneName.normalize('NFC');
  const suffix = data.tag === undefined ? '' : ` (${controllerName === undefined ? '' : `${controllerName} `}${data.tag})`;
  return {
    type: COMMISSIONER,
    instance: truncateText(zoneName, LABEL_MAXIMUM - utf8Length(suffix)) + suffix,
    port: data.port,
    txt: [
      ['ZN', txtText(data.zoneName)],
      ['ZI', data.zoneId],
      ...(controllerName === undefined ? [] : [['DN', controllerName] as const]),
      ...(data.devices === undefined ? [] : [['DC', String(data.devices)] as const]),
      ...(data.discriminator === undefined ? [] : [['D', String(data.discriminator)] as const]),
    ],
    // Two owners of one street may call their zones the same; ZI tells them apart, and ZN stays what it is.
    renames: true,
  };
}
