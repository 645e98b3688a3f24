import { QR_VERSION } from '../crypto/qr.js';
import { pairingRequestService } from '../discovery/pairing-request.js';
import { addressRecords, recordPolicy, type ServiceDefinition, serviceRecords } from '../discovery/service.js';
import type { InterfaceAddress } from '../platform.js';
import type { PicsSection } from './format.js';
import { always, type PicsSource, type Row, section } from './source.js';

/** Stands for a zone, whose ids are hashes. */
const ANY_ZONE = { id: '0000000000000000', deviceId: '0000000000000000' };
const ANY_HOST = ['mash-00000000', 'local'];

const beforehand = ({ device, transport }: PicsSource): readonly ServiceDefinition[] => device.services.commissionable(transport.port);
const operational = ({ device, transport }: PicsSource): ServiceDefinition => device.services.operational(ANY_ZONE, transport.port);
const requested = ({ device }: PicsSource): readonly ServiceDefinition[] =>
  device.heedsPairingRequests ? [pairingRequestService({ zoneId: ANY_ZONE.id, zoneName: 'zone', discriminator: 0 })] : [];

function key(name: string, services: (source: PicsSource) => readonly ServiceDefinition[]): (source: PicsSource) => boolean {
  return (source) => services(source).some(({ txt }) => txt.some(([candidate]) => candidate === name));
}

const afterwards = (source: PicsSource): readonly ServiceDefinition[] => [operational(source)];

function address(first: number, last: number): InterfaceAddress {
  const bytes = new Uint8Array(16);
  bytes[0] = first;
  bytes[1] = 0x80;
  bytes[15] = last;
  return { family: 6, bytes, text: '', prefixLength: 64 };
}

const LINK_LOCAL = address(0xfe, 1);
const GLOBAL = address(0x20, 2);
const ELSEWHERE = address(0xfd, 3);

/** Whether an address is told on an interface that has two, of a host that has a third one elsewhere. */
function told({ bytes }: InterfaceAddress): (source: PicsSource) => boolean {
  return ({ profile }) => {
    const policy = recordPolicy(profile['discovery.records'], profile['discovery.ipv4'] === 'on');
    const on = { name: 'any', addresses: [LINK_LOCAL, GLOBAL], elsewhere: [ELSEWHERE] };
    return addressRecords(ANY_HOST, on, policy).some((record) => record.type === 'AAAA' && record.address === bytes);
  };
}

const DISC: readonly Row<PicsSource>[] = [
  ['', 'discovery', always],
  ['MDNS', 'mDNS and DNS-SD', always],
  ['SERVICE_TYPE', 'operational service', (source) => operational(source).type],
  ['PRE_COMM', 'announced while the window is open', (source) => beforehand(source).length > 0],
  ['TXT_D', 'discriminator', key('D', beforehand)],
  ['TXT_VP', 'vendor and product', key('VP', beforehand)],
  ['TXT_CM', 'commissioning mode', key('CM', beforehand)],
  ['TXT_DT', 'device type', key('DT', beforehand)],
  ['POST_COMM', 'announced for each zone', (source) => operational(source).txt.length > 0],
  ['TXT_DI', 'device id', key('DI', afterwards)],
  ['TXT_FW', 'firmware version', key('FW', afterwards)],
  ['TXT_EP', 'number of endpoints', key('EP', afterwards)],
  ['TXT_FM', 'feature map', key('FM', afterwards)],
  ['QR', 'a QR code is shown while the window is open', ({ board }) => board.parts.display === true],
  ['QR_FORMAT', 'its version', ({ board }) => (board.parts.display === true ? QR_VERSION : 0)],
  ['MANUAL_ENTRY', 'the code may be typed', always],
  ['PAIRING_REQUEST', 'pairing requests open the window', ({ device }) => device.heedsPairingRequests],
  ['TXT_D_PAIRING', 'their discriminator', key('D', requested)],
  ['TXT_ZI', 'their zone id', key('ZI', requested)],
  ['TXT_ZN', 'their zone name', key('ZN', requested)],
];

const MDNS: readonly Row<PicsSource>[] = [
  [
    'SRV_RECORD',
    'SRV records',
    (source) => {
      const { profile } = source;
      const policy = recordPolicy(profile['discovery.records'], profile['discovery.ipv4'] === 'on');
      return serviceRecords(operational(source), ANY_HOST, policy).srv.type === 'SRV';
    },
  ],
  ['AAAA_RECORD', 'AAAA records', told(GLOBAL)],
  ['LINK_LOCAL', 'with link-local addresses', told(LINK_LOCAL)],
  ['GLOBAL_ADDR', 'with global addresses', told(GLOBAL)],
];

const IPV6: readonly Row<PicsSource>[] = [
  ['LINK_LOCAL_INTERFACE', 'link-local addresses are bound to their interface', always],
  ['ADDRESS_CHANGE', 'changes of the addresses are announced', always],
];

const MULTIIF: readonly Row<PicsSource>[] = [
  ['SUPPORTED', 'several interfaces', always],
  ['PUBLISH_ALL', 'the addresses of all of them are told', told(ELSEWHERE)],
  ['DEBOUNCE_MS', 'rest before a change counts, ms', ({ transport }) => transport.debounce],
];

export function discoverySections(source: PicsSource): readonly PicsSection[] {
  return [
    section('Discovery (pics-registry §10)', 'MASH.S.DISC', DISC, source),
    section('Records (connection-establishment §8)', 'MASH.S.MDNS', MDNS, source),
    section('IPv6 (connection-establishment §8)', 'MASH.S.IPV6', IPV6, source),
    section('Several interfaces (connection-establishment §8)', 'MASH.S.MULTIIF', MULTIIF, source),
  ];
}
