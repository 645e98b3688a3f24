import { describe, expect, it } from 'vitest';
import { MockFlash } from '../../hal/mock/index.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { type TimeQuality, TrustedTime } from '../../src/pki/trusted-time.js';
import { makeProfile } from '../../src/profile.js';
import { Journal } from '../../src/store/journal.js';
import { type CertificatePolicy, type CertificateState, certificateState } from '../../src/zones/certificate-state.js';
import { CertificateWatch } from '../../src/zones/certificate-watch.js';
import { ZoneTable } from '../../src/zones/zone-table.js';
import { DAY, issueDeviceCertificate, makeZoneCa, WORLD_NOW } from '../world/certificates.js';
import { VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';

const END = 2_000_000_000;
const WEEK = 7 * DAY;
const DRAFT = { renewalWindow: 30 * DAY, grace: WEEK };

describe('the state of a certificate', () => {
  it.each<readonly [after: number, state: CertificateState, policy: CertificatePolicy]>([
    [-30 * DAY - 1, 'valid', DRAFT],
    [-30 * DAY, 'renewalDue', DRAFT],
    [-WEEK - 1, 'renewalDue', DRAFT],
    [-WEEK, 'expiring', DRAFT],
    [0, 'expiring', DRAFT],
    [300, 'expiring', DRAFT],
    [301, 'expiredInGrace', DRAFT],
    [300 + WEEK, 'expiredInGrace', DRAFT],
    [301 + WEEK, 'expired', DRAFT],
    [300, 'expiring', { ...DRAFT, grace: 0 }],
    [301, 'expired', { ...DRAFT, grace: 0 }],
    [-WEEK - 1, 'valid', { ...DRAFT, renewalWindow: WEEK }],
    [-WEEK, 'expiring', { ...DRAFT, renewalWindow: WEEK }],
  ])('%i s after its end: %s', (after, state, policy) => {
    expect(certificateState({ quality: 'synchronised', now: END + after }, END, policy)).toBe(state);
  });

  it.each<readonly [TimeQuality, CertificateState]>([
    ['unset', 'valid'],
    ['floor', 'expired'],
  ])('with a clock that is %s: %s', (quality, state) => {
    expect(certificateState({ quality, now: END + 365 * DAY }, END, DRAFT)).toBe(state);
  });
});

describe('the watch', () => {
  it('tells each change once, and forgets a removed zone', async () => {
    const crypto = nodeCrypto();
    const clock = new VirtualClock(WORLD_NOW * 1000);
    const log = new MemoryLog();
    const journal = await Journal.open(new MockFlash({ sectorSize: 16_384 }), log);
    const zones = new ZoneTable(crypto, journal, { slots: 5, policy: 'any' }, log);
    const ca = makeZoneCa();
    const key = crypto.generateKey();
    const { der } = issueDeviceCertificate(ca, key.publicKey, { notAfter: WORLD_NOW + 31 * DAY });
    const place = { id: ca.zoneId, type: 3, priority: 3, dialect: 'draft', deviceId: 'ABCD', name: 'Home', addedAt: 0 } as const;
    const zone = await zones.add({ ...place, authority: ca.certificate, certificate: der, key });
    const time = new TrustedTime({ clock, earliest: WORLD_NOW - 1, floor: undefined });
    const watch = new CertificateWatch({ profile: makeProfile('draft'), crypto, clock, log, time, zones });
    const told = () => log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['state']);

    watch.start();
    expect([watch.state(zone), told()]).toEqual(['valid', []]);
    const days = async (count: number) => {
      for (let hour = 0; hour < 24 * count; hour++) await clock.advance(3_600_000);
    };
    await days(2);
    expect(told()).toEqual(['renewalDue']);
    await days(30);
    expect(told()).toEqual(['renewalDue', 'expiring', 'expiredInGrace']);
    await days(8);
    expect(told()).toEqual(['renewalDue', 'expiring', 'expiredInGrace', 'expired']);
    const fresh = issueDeviceCertificate(ca, key.publicKey, { notAfter: WORLD_NOW + 400 * DAY });
    const renewed = await zones.replace(zone, { certificate: fresh.der, key, sequence: 1 });
    watch.check();
    expect([watch.state(renewed), watch.expiresAt(renewed)]).toEqual(['valid', WORLD_NOW + 400 * DAY]);
    await zones.remove(renewed);
    watch.check();
    expect(told()).toHaveLength(4);
    watch.close();
    expect(clock.pending()).toEqual([]);
  });
});
