import { describe, expect, it } from 'vitest';
import { utf8Decode } from '../../src/codec/utf8.js';
import {
  commissionableService,
  commissionableUdpService,
  hostName,
  operationalInstance,
  operationalService,
} from '../../src/discovery/mash-services.js';
import { recordPolicy, type ServiceDefinition, serviceRecords } from '../../src/discovery/service.js';
import { txtEntries, txtString, txtValue } from '../../src/discovery/txt.js';

function txtOf(service: ServiceDefinition): (string | undefined)[] {
  return serviceRecords(service, ['h', 'local'], recordPolicy('draft', false)).txt.strings.map((bytes) => utf8Decode(bytes));
}

const WINDOW = { discriminator: 42, category: [3, 5], serial: 'evse-4981', brand: 'MASH Reference', model: '22kW', port: 8443 };
const ZONE = {
  zoneId: 'df4fe19cae08c183',
  deviceId: 'a66a8e4255cc3c8e',
  vendorId: 0x1234,
  productId: 1,
  firmware: '2.1.0',
  endpoints: 2,
  featureMap: 0x1b,
  port: 8443,
};

describe('the services of a device (protocol.md §2.16)', () => {
  it('texts of at most 32 bytes, whole letters (discovery §3.2)', () => {
    const long = { serial: 'S'.repeat(40), brand: 'ä'.repeat(20), model: 'M'.repeat(32), deviceName: `${'D'.repeat(31)}ö` };
    expect(txtOf(commissionableService({ ...WINDOW, ...long }, 'draft')).slice(2)).toEqual([
      `serial=${'S'.repeat(32)}`,
      `brand=${'ä'.repeat(16)}`,
      `model=${'M'.repeat(32)}`,
      `DN=${'D'.repeat(31)}`,
    ]);
  });

  it('_mash-comm._tcp: D cat serial brand model [DN]; the instance is padded in form reference alone', () => {
    const draft = commissionableService({ ...WINDOW, port: 8444 }, 'draft');
    expect([draft.type, draft.instance, draft.port]).toEqual(['_mash-comm._tcp', 'MASH-42', 8444]);
    expect(txtOf(draft)).toEqual(['D=42', 'cat=3,5', 'serial=evse-4981', 'brand=MASH Reference', 'model=22kW']);
    const reference = commissionableService({ ...WINDOW, deviceName: 'Carport' }, 'reference');
    expect(reference.instance).toBe('MASH-0042');
    expect(txtOf(reference).at(-1)).toBe('DN=Carport');
  });

  it('_mashc._udp: D VP DT CM', () => {
    const service = commissionableUdpService({ discriminator: 42, vendorId: 0xab, productId: 0xcdef, deviceType: 'EVSE', port: 8444 });
    expect([service.type, service.instance, service.port]).toEqual(['_mashc._udp', 'MASH-42', 8444]);
    expect(txtOf(service)).toEqual(['D=42', 'VP=00ab:cdef', 'DT=EVSE', 'CM=1']);
  });

  it('TC-TRANS-3: _mash._tcp is named <zone-id>-<device-id>; ZI DI VP FW EP FM, without FM in form reference', () => {
    const draft = operationalService(ZONE, 'draft');
    expect([draft.type, draft.instance, draft.port]).toEqual(['_mash._tcp', 'df4fe19cae08c183-a66a8e4255cc3c8e', 8443]);
    expect(draft.instance).toBe(operationalInstance(ZONE.zoneId, ZONE.deviceId));
    const common = ['ZI=df4fe19cae08c183', 'DI=a66a8e4255cc3c8e', 'VP=1234:0001', 'FW=2.1.0', 'EP=2'];
    expect(txtOf(draft)).toEqual([...common, 'FM=0x001B']);
    expect(txtOf(operationalService(ZONE, 'reference'))).toEqual(common);
  });

  it('the host has a name of its own', () => {
    expect(hostName(Uint8Array.of(0x1a, 0x2b, 0x3c, 0x4d, 0xff))).toBe('mash-1a2b3c4d.local');
  });
});

describe('TXT strings (RFC 6763 §6)', () => {
  it('are cut at 255 bytes, never inside a character', () => {
    const bytes = txtString('brand', 'ä'.repeat(200));
    expect(bytes.length).toBe(254);
    expect(utf8Decode(bytes)).toBe(`brand=${'ä'.repeat(124)}`);
  });

  it('are read with the first of two equal keys, without those that have no key or are not UTF-8', () => {
    const strings = ['D=7', 'd=8', '=x', '', 'flag', 'brand=a=b'].map((text) => new TextEncoder().encode(text));
    const entries = txtEntries([...strings, Uint8Array.of(0x58, 0x3d, 0xff)]);
    expect([...entries]).toEqual([
      ['D', '7'],
      ['flag', ''],
      ['brand', 'a=b'],
    ]);
    expect([txtValue(entries, 'BRAND'), txtValue(entries, 'model')]).toEqual(['a=b', undefined]);
  });
});
