import { describe, expect, it } from 'vitest';
import { commissionerService } from '../../src/discovery/commissioner-service.js';
import { instanceName } from '../../src/discovery/service.js';

describe('_mashd._udp (discovery §2.3, §3.4)', () => {
  it('has the zone for a name, ZN and ZI always, the rest where it is known', () => {
    expect(commissionerService({ zoneName: 'Home Energy', zoneId: 'A1B2C3D4E5F6A7B8', port: 8443 })).toEqual({
      type: '_mashd._udp',
      instance: 'Home Energy',
      port: 8443,
      txt: [
        ['ZN', 'Home Energy'],
        ['ZI', 'A1B2C3D4E5F6A7B8'],
      ],
    });
    const all = { zoneName: 'Home', zoneId: 'A1', controllerName: 'EMS', devices: 5, discriminator: 0, port: 1 };
    expect(commissionerService(all).txt.slice(2)).toEqual([
      ['DN', 'EMS'],
      ['DC', '5'],
      ['D', '0'],
    ]);
  });

  it('fits into a label whatever the zone is called', () => {
    const service = commissionerService({ zoneName: 'Ä'.repeat(60), zoneId: 'A1', port: 1 });
    expect(() => instanceName(service)).not.toThrow();
    expect(service.instance).toBe('Ä'.repeat(31));
  });

  it('is named in precomposed letters (RFC 6762 §16)', () => {
    const service = commissionerService({ zoneName: 'Ku\u0308che', zoneId: 'A1', port: 1 });
    expect(service.instance).toBe('K\u00fcche');
  });

  it('with a tag leaves the plain name to the owner', () => {
    const data = { zoneName: 'Home', zoneId: 'A1', controllerName: 'cellar', tag: '3f2a', port: 0 };
    expect(commissionerService(data).instance).toBe('Home (cellar 3f2a)');
    const long = commissionerService({ ...data, zoneName: 'Z'.repeat(63), controllerName: 'Ä'.repeat(40) });
    expect(long.instance).toBe(`${'Z'.repeat(23)} (${'Ä'.repeat(16)} 3f2a)`);
    expect(long.txt[2]).toEqual(['DN', 'Ä'.repeat(16)]);
  });
});
