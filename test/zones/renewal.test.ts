import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { MockFlash } from '../../hal/mock/index.js';
import { type CborKey, type CborMap, type CborValue, decodeCbor, isMap } from '../../src/codec/cbor.js';
import { fromHex, toHex } from '../../src/codec/hex.js';
import { ShapeError } from '../../src/codec/shape.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { parseCertificate } from '../../src/pki/certificate.js';
import { parseCsr } from '../../src/pki/csr.js';
import { deviceIdOfKey } from '../../src/pki/identities.js';
import { commonName } from '../../src/pki/name.js';
import { OID } from '../../src/pki/oid.js';
import { TrustedTime } from '../../src/pki/trusted-time.js';
import type { Crypto } from '../../src/platform.js';
import { Journal } from '../../src/store/journal.js';
import { type Renewal, Renewals } from '../../src/zones/renewal.js';
import type { Zone } from '../../src/zones/zone.js';
import { ZoneTable } from '../../src/zones/zone-table.js';
import { type CertificateOptions, DAY, deviceSubject, issueDeviceCertificate, makeZoneCa, WORLD_NOW } from '../world/certificates.js';
import { VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';

const node = nodeCrypto();
const NONCE = new Uint8Array(32).fill(9);
const ca = makeZoneCa();
const firstKey = node.generateKey();
const ID = deviceIdOfKey(node, firstKey.publicKey);
const first = issueDeviceCertificate(ca, firstKey.publicKey).der;

const map = (...entries: readonly (readonly [CborKey, CborValue])[]): CborMap => new Map(entries);
const ack = (status: number, sequence = 0): CborMap => map([1, 33], [2, status], [3, sequence]);
const request = (nonce: Uint8Array = NONCE, authority?: Uint8Array): CborMap =>
  map([1, 30], [2, nonce], ...(authority === undefined ? [] : [[3, authority] as const]));
const install = (certificate: Uint8Array, sequence = 2): CborMap => map([1, 32], [2, certificate], [3, sequence]);

let flash: MockFlash;
let zones: ZoneTable;
let zone: Zone;
let clock: VirtualClock;
let renewals: Renewals;
let renewal: Renewal;
let renewed: Zone[];

async function boot(crypto: Crypto = node): Promise<void> {
  const log = new MemoryLog();
  zones = new ZoneTable(crypto, await Journal.open(flash, log), { slots: 5, policy: 'any' }, log);
  const time = new TrustedTime({ clock, earliest: WORLD_NOW - 1, floor: undefined });
  renewed = [];
  const board = { vendorId: 0x1234, productId: 1 };
  renewals = new Renewals({ crypto, zones, time, log, board, onRenewed: (changed) => renewed.push(changed) });
  renewal = renewals.open(ca.zoneId);
}

beforeEach(async () => {
  clock = new VirtualClock(WORLD_NOW * 1000);
  flash = new MockFlash({ sectorSize: 16_384 });
  await boot();
  zone = await zones.add({
    id: ca.zoneId,
    type: 3,
    priority: 2,
    dialect: 'reference',
    deviceId: ID.toLowerCase(),
    name: 'Home',
    addedAt: 5,
    authority: ca.certificate,
    certificate: first,
    key: firstKey,
  });
});

/** Message 30, and the key that its answer asks to certify. */
function publicKey(of: Renewal = renewal): Uint8Array {
  const answer = of.receive(request());
  if (!isMap(answer as CborValue)) throw new Error('no CSR');
  return parseCsr(node, (answer as CborMap).get(2) as Uint8Array).publicKey;
}
const certify = (key: Uint8Array, options: CertificateOptions = {}): Uint8Array =>
  issueDeviceCertificate(ca, key, { subject: deviceSubject(ID), notAfter: WORLD_NOW + 300 * DAY, ...options }).der;
/** The device still is what it was. */
function unchanged(): void {
  expect(zones.all).toEqual([zone]);
  expect(renewed).toEqual([]);
}

describe('message 30', () => {
  it('is answered by a CSR for a new key, with the device id as CN and half the hash of the nonce', () => {
    const answer = renewal.receive(request(NONCE, ca.der)) as CborMap;
    expect([...answer.keys()]).toEqual([1, 2, 3]);
    expect([answer.get(1), answer.get(3)]).toEqual([31, node.sha256(NONCE).slice(0, 16)]);
    const csr = parseCsr(node, answer.get(2) as Uint8Array);
    expect(commonName(csr.subject)).toBe(ID.toLowerCase());
    expect(csr.publicKey).not.toEqual(firstKey.publicKey);
    unchanged();
  });

  it.each<readonly [string, CborMap, CborMap]>([
    ['a nonce of 31 bytes', request(new Uint8Array(31)), ack(4)],
    ['a nonce of 33 bytes', request(new Uint8Array(33)), ack(4)],
    ['an empty nonce', request(new Uint8Array(0)), ack(4)],
    ['another Zone CA', request(NONCE, makeZoneCa().der), ack(3)],
    ['no Zone CA at all', request(NONCE, new Uint8Array(3)), ack(3)],
  ])('with %s is refused, and the pending key stays', async (_what, message, answer) => {
    const key = publicKey();
    expect(renewal.receive(message)).toEqual(answer);
    unchanged();
    expect(await renewal.receive(install(certify(key)))).toEqual(ack(0, 2));
  });

  it.each<readonly [string, CborMap]>([
    ['without a nonce', map([1, 30])],
    ['with a nonce that is no bytes', map([1, 30], [2, 1], [3, 0])],
    ['with a Zone CA that is no bytes', map([1, 30], [2, NONCE], [3, 'ca'])],
    ['32 without a certificate', map([1, 32])],
    ['32 with a sequence that is none', map([1, 32], [2, first], [3, -1])],
  ])('%s has the wrong shape, and the pending key stays', async (_what, message) => {
    const key = publicKey();
    expect(() => renewal.receive(message)).toThrow(ShapeError);
    expect(await renewal.receive(install(certify(key)))).toEqual(ack(0, 2));
  });

  it('where no key can be made is refused with 1', async () => {
    const broken: Crypto = { ...node, importKey: (scalar) => node.importKey(scalar), generateKey: () => expect.fail('no entropy') };
    await boot(broken);
    expect(renewal.receive(request())).toEqual(ack(1));
  });
});

describe('message 32', () => {
  it('replaces certificate and key and nothing else; the sequence is stored and echoed', async () => {
    const certificate = certify(publicKey());
    expect(await renewal.receive(install(certificate, 7))).toEqual(ack(0, 7));
    const [now] = zones.all;
    expect(now).toEqual({ ...zone, certificate, key: expect.anything(), sequence: 7 });
    expect(now?.key.publicKey).toEqual(parseCertificate(node, certificate).publicKey);
    expect(renewed).toEqual([now]);
    await boot();
    expect(zones.all).toMatchObject([{ id: zone.id, deviceId: zone.deviceId, certificate, sequence: 7, order: zone.order }]);
    // A refusal carries the sequence in force.
    expect(await renewal.receive(install(certificate))).toEqual(ack(2, 7));
  });

  it.each<readonly [string, number, (key: Uint8Array) => Uint8Array]>([
    ['that is no certificate', 3, () => new Uint8Array(40)],
    ['that is empty', 3, () => new Uint8Array(0)],
    ['of another Zone CA', 3, (key) => issueDeviceCertificate(makeZoneCa(), key, { subject: deviceSubject(ID) }).der],
    ['with a spoilt signature', 3, (key) => certify(key, { corruptSignature: true })],
    ['with the id of the new key as CN', 3, (key) => certify(key, { subject: deviceSubject(deviceIdOfKey(node, key)) })],
    ['without a CN', 3, (key) => certify(key, { subject: [] })],
    ['that is a CA', 3, (key) => certify(key, { ca: true })],
    ['for clients alone', 3, (key) => certify(key, { extKeyUsage: [OID.clientAuth] })],
    ['that has expired', 3, (key) => certify(key, { notAfter: WORLD_NOW - DAY })],
    ['that is not valid yet', 3, (key) => certify(key, { notBefore: WORLD_NOW + DAY })],
    ['for the key in force', 4, () => certify(firstKey.publicKey)],
    ['for a key of nobody', 4, () => certify(node.generateKey().publicKey)],
    ['of another Zone CA for a key of nobody', 4, () => issueDeviceCertificate(makeZoneCa(), node.generateKey().publicKey).der],
  ])('with a certificate %s: status %i, the old one stays in force, and the right one is still taken', async (_what, status, make) => {
    const key = publicKey();
    expect(await renewal.receive(install(make(key)))).toEqual(ack(status));
    unchanged();
    expect(await renewal.receive(install(certify(key), 1))).toEqual(ack(0, 1));
  });

  it('needs something pending: of this connection, not used yet, not replaced', async () => {
    expect(await renewal.receive(install(certify(firstKey.publicKey)))).toEqual(ack(2));
    const key = publicKey();
    expect(await renewals.open(zone.id).receive(install(certify(key)))).toEqual(ack(2));
    const later = publicKey();
    expect(await renewal.receive(install(certify(key)))).toEqual(ack(4));
    expect(await renewal.receive(install(certify(later)))).toEqual(ack(0, 2));
    expect(await renewal.receive(install(certify(later)))).toEqual(ack(2, 2));
  });

  it('twice at once installs once', async () => {
    const certificate = certify(publicKey());
    const answers = await Promise.all([renewal.receive(install(certificate, 3)), renewal.receive(install(certificate, 4))]);
    expect(answers).toEqual([ack(0, 3), ack(2)]);
    expect(renewed).toHaveLength(1);
  });

  it('under a Zone CA that has expired is refused', async () => {
    clock.setWall((ca.certificate.notAfter + 400) * 1000);
    const key = publicKey();
    expect(await renewal.receive(install(certify(key, { notAfter: ca.certificate.notAfter + 10 * DAY })))).toEqual(ack(3));
    unchanged();
  });

  it('that cannot be stored is refused with 2, and may be tried again', async () => {
    const certificate = certify(publicKey());
    flash.failAt(flash.operations, new Error('worn out'));
    expect(await renewal.receive(install(certificate))).toEqual(ack(2));
    unchanged();
    expect(await renewal.receive(install(certificate))).toEqual(ack(0, 2));
  });

  it('in which our own code fails is refused with 2, and nothing else ends', async () => {
    await boot({
      ...node,
      verify: () => {
        throw new TypeError('planted');
      },
    });
    const before = zones.all;
    expect(await renewal.receive(install(certify(publicKey())))).toEqual(ack(2));
    expect(zones.all).toEqual(before);
  });

  it('of a zone that is being removed does not bring it back', async () => {
    const key = publicKey();
    const removing = zones.remove(zone);
    expect(await renewal.receive(install(certify(key)))).toEqual(ack(2));
    await removing;
    expect(renewal.receive(request())).toEqual(ack(1));
    await boot();
    expect(zones.all).toEqual([]);
  });

  it('of a zone that is removed during the commit does not bring it back', async () => {
    const installing = renewal.receive(install(certify(publicKey())));
    await zones.remove(zone);
    await installing;
    expect(zones.all).toEqual([]);
    await boot();
    expect(zones.all).toEqual([]);
  });

  it('at a power cut during any operation leaves the old identity or the new one, whole', async () => {
    const seen = new Set<string>();
    const factory = flash;
    for (let after = 0, acknowledged = false; !acknowledged; after++) {
      flash = factory.fork();
      await boot();
      const certificate = certify(publicKey());
      flash.cutAt(flash.operations + after);
      acknowledged = ((await renewal.receive(install(certificate))) as CborMap).get(2) === 0;
      flash.powerOff();
      flash.powerUp();
      await boot();
      const [found] = zones.all;
      if (found === undefined) throw new Error('the zone is gone');
      const which = toHex(found.certificate) === toHex(certificate) ? 'new' : 'old';
      seen.add(which);
      expect(toHex(found.certificate)).toBe(toHex(which === 'new' ? certificate : first));
      if (acknowledged) expect(which).toBe('new');
      expect(found.key.publicKey).toEqual(parseCertificate(node, found.certificate).publicKey);
      expect(found).toMatchObject({ deviceId: zone.deviceId, order: zone.order, priority: 2 });
    }
    expect([...seen].sort()).toEqual(['new', 'old']);
  });
});

describe('what answers nothing of a device', () => {
  it.each([
    ['an acknowledgement', ack(0)],
    ['{1:33, 2:0}', map([1, 33], [2, 0])],
    ['a CSR', map([1, 31], [2, first])],
  ])('%s is ignored, also while a key is pending', async (_what, message) => {
    expect(renewal.receive(message)).toBeUndefined();
    const key = publicKey();
    expect(renewal.receive(message)).toBeUndefined();
    expect(await renewal.receive(install(certify(key)))).toEqual(ack(0, 2));
  });
});

it('has the shapes of the recorded renewal, and takes its messages', async () => {
  const { frames } = JSON.parse(readFileSync(new URL('../vectors/reference-trace.json', import.meta.url), 'utf8')) as {
    readonly frames: readonly { readonly hex: string }[];
  };
  const [asked, csr, installed, acknowledged] = frames.slice(77, 81).map(({ hex }) => decodeCbor(fromHex(hex)) as CborMap);
  const answer = renewal.receive(asked as CborMap) as CborMap;
  expect([...answer.keys()]).toEqual([...(csr as CborMap).keys()]);
  expect([answer.get(1), answer.get(3)]).toEqual([31, csr?.get(3)]);
  // Its certificate is for the recording's key.
  expect(await renewal.receive(installed as CborMap)).toEqual(ack(4));
  const own = certify(parseCsr(node, answer.get(2) as Uint8Array).publicKey);
  expect(await renewal.receive(new Map(installed).set(2, own))).toEqual(acknowledged);
});
