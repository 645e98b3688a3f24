import { Advertiser } from '../../src/discovery/advertiser.js';
import { Browser } from '../../src/discovery/browser.js';
import { commissionableService, operationalService } from '../../src/discovery/mash-services.js';
import { type DnsMessage, decodeMessage, encodeMessage, queryMessage } from '../../src/discovery/message.js';
import { type Name, nameText } from '../../src/discovery/name.js';
import { CLASS, type DnsRecord } from '../../src/discovery/records.js';
import { type RecordPolicy, recordPolicy } from '../../src/discovery/service.js';
import { VirtualClock } from '../world/clock.js';
import { SeededEntropy } from '../world/entropy.js';
import { MemoryLog } from '../world/log.js';
import { type LinkOptions, type LinkPacket, type VirtualInterface, VirtualLink, VirtualMulticast } from '../world/network.js';

export const ULA = 'fd77:1::1';
export const LINK_LOCAL = 'fe80::1';
export const HOST = 'mash-1a2b3c4d.local';

/** One link, a device on it and a controller on it. */
export class DiscoveryWorld {
  readonly clock = new VirtualClock();
  readonly log = new MemoryLog();
  readonly link: VirtualLink;

  constructor(options: LinkOptions = {}) {
    this.link = new VirtualLink(this.clock, options);
  }

  device(options: { interfaces?: readonly VirtualInterface[]; policy?: RecordPolicy } = {}): {
    advertiser: Advertiser;
    multicast: VirtualMulticast;
  } {
    const multicast = new VirtualMulticast(
      options.interfaces ?? [{ name: 'eth0', link: this.link, addresses: [`${LINK_LOCAL}/64`, `${ULA}/64`, '10.77.0.1/24'] }],
    );
    const advertiser = new Advertiser({
      multicast,
      clock: this.clock,
      entropy: new SeededEntropy(11),
      log: this.log,
      hostName: HOST,
      policy: options.policy ?? recordPolicy('draft', false),
    });
    return { advertiser, multicast };
  }

  controller(interfaces?: readonly VirtualInterface[]): { browser: Browser; multicast: VirtualMulticast } {
    const multicast = new VirtualMulticast(
      interfaces ?? [{ name: 'wlan0', link: this.link, addresses: ['fe80::c/64', 'fd77:1::c/64', '10.77.0.2/24'] }],
    );
    return { browser: new Browser({ multicast, clock: this.clock, entropy: new SeededEntropy(12), log: this.log }), multicast };
  }

  /** Another participant, whose packets the test writes itself. */
  async peer(port = 5353): Promise<VirtualMulticast> {
    const multicast = new VirtualMulticast([{ name: 'p0', link: this.link, addresses: ['fe80::99/64'] }], port);
    await multicast.start({ onPacket: () => undefined, onInterfaces: () => undefined, onError: () => undefined });
    return multicast;
  }

  /** What was sent on the link since `since` ms, decoded. */
  sent(since = 0, link = this.link): readonly (LinkPacket & { readonly message: DnsMessage })[] {
    return link.packets.filter(({ at }) => at >= since).map((entry) => ({ ...entry, message: decodeMessage(entry.packet) }));
  }

  /** The responses among them. */
  responses(since = 0, link = this.link): readonly (LinkPacket & { readonly message: DnsMessage })[] {
    return this.sent(since, link).filter(({ message }) => message.response);
  }
}

export const COMMISSIONABLE = commissionableService(
  { discriminator: 7, category: [3], serial: 'WB-001234', brand: 'ChargePoint', model: 'Home Flex', port: 8444 },
  'draft',
);

export const OPERATIONAL = operationalService(
  {
    zoneId: 'A1B2C3D4E5F6A7B8',
    deviceId: 'F9E8D7C6B5A49382',
    vendorId: 0x1234,
    productId: 1,
    firmware: '1.0.0',
    endpoints: 2,
    featureMap: 0x1b,
    port: 8443,
  },
  'draft',
);

export function query(
  name: Name,
  type: number,
  options: { unicast?: boolean; known?: readonly DnsRecord[]; id?: number } = {},
): Uint8Array {
  const questions = [{ name, type, class: CLASS.IN, unicast: options.unicast ?? false }];
  return encodeMessage({ ...queryMessage({ questions, answers: options.known ?? [] }), id: options.id ?? 0 });
}

/** `SRV MASH-7._mash-comm._tcp.local 4500!`: type, owner, TTL, `!` for the cache-flush bit. */
export function brief(records: readonly DnsRecord[]): readonly string[] {
  return records.map((record) => `${record.type} ${nameText(record.name)} ${record.ttl}${record.flush ? '!' : ''}`);
}
