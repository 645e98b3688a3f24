import { describe, expect, it } from 'vitest';
import { sameId } from '../../src/pki/identities.js';
import type { PrivateKey } from '../../src/platform.js';
import { TlsIdentities } from '../../src/zones/tls-identities.js';
import type { Zone } from '../../src/zones/zone.js';
import type { ZoneTable } from '../../src/zones/zone-table.js';

const key: PrivateKey = { publicKey: new Uint8Array(65) };

function zone(slot: number, order: number): Zone {
  const id = `zone${slot}`;
  return {
    slot,
    id,
    deviceId: `DEVICE${slot}`,
    type: 3,
    priority: 3,
    dialect: 'draft',
    name: id,
    addedAt: 0,
    order,
    caCertificate: new Uint8Array(1),
    certificate: Uint8Array.of(slot),
    key,
  };
}

/** Only what the choice reads of the table. */
function identities(...zones: Zone[]) {
  const table = { all: zones, byId: (id: string) => zones.find((each) => sameId(each.id, id)) };
  const subject = new TlsIdentities(table as unknown as ZoneTable);
  const chosen = (deviceId: string | undefined, address = 'a') => subject.choose(deviceId, address)?.certificate[0];
  return { subject, zones, chosen };
}

describe('the certificate for a connection', () => {
  it('is that of the device id in the SNI, in any case', () => {
    const { chosen } = identities(zone(0, 10), zone(1, 30), zone(2, 20));
    expect(chosen('device0')).toBe(0);
    expect(chosen('DeViCe2')).toBe(2);
  });

  it('without SNI is that of the zone last connected from this address', () => {
    const { subject, zones, chosen } = identities(zone(0, 10), zone(1, 30), zone(2, 20));
    subject.connected(zones[0] as Zone, 'a');
    subject.connected(zones[2] as Zone, 'b');
    expect([chosen(undefined, 'a'), chosen(undefined, 'b'), chosen(undefined, 'c')]).toEqual([0, 2, 1]);
    subject.connected(zones[1] as Zone, 'a');
    expect(chosen(undefined, 'a')).toBe(1);
    // The SNI comes first.
    expect(chosen('device2', 'a')).toBe(2);
  });

  it('else is the one added last, whatever its slot', () => {
    expect(identities(zone(0, 10), zone(1, 30), zone(2, 20)).chosen(undefined)).toBe(1);
    // A device id of no zone is as good as none.
    expect(identities(zone(0, 10), zone(1, 5)).chosen('feedc0dedeadbeef')).toBe(0);
  });

  it('is none without a zone', () => {
    expect(identities().subject.choose(undefined, 'a')).toBeUndefined();
  });

  it('is not that of a zone that was removed meanwhile', () => {
    const { subject, zones, chosen } = identities(zone(0, 10), zone(1, 5));
    subject.connected(zones[1] as Zone, 'a');
    zones.pop();
    expect(chosen(undefined, 'a')).toBe(0);
    expect(chosen('device1', 'a')).toBe(0);
  });

  it('remembers 32 addresses, the latest ones', () => {
    const { subject, zones, chosen } = identities(zone(0, 10), zone(1, 5));
    for (let i = 0; i < 33; i++) subject.connected(zones[1] as Zone, `a${i}`);
    expect([chosen(undefined, 'a0'), chosen(undefined, 'a1'), chosen(undefined, 'a32')]).toEqual([0, 1, 1]);
    // What connects again is late.
    subject.connected(zones[1] as Zone, 'a1');
    subject.connected(zones[1] as Zone, 'a33');
    expect([chosen(undefined, 'a1'), chosen(undefined, 'a2')]).toEqual([1, 0]);
  });

  it('is one object as long as the zone is the same', () => {
    const { subject, zones } = identities(zone(0, 10));
    const first = subject.choose(undefined, 'a');
    expect(subject.choose('device0', 'b')).toBe(first);
    zones[0] = { ...(zones[0] as Zone), certificate: Uint8Array.of(9) };
    expect(subject.choose(undefined, 'a')?.certificate[0]).toBe(9);
  });
});
