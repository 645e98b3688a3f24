import type { CborValue } from '../../src/codec/cbor.js';
import { signAdminToken } from '../../src/pki/admin-token.js';
import { parseCertificate } from '../../src/pki/certificate.js';
import { parseCsr } from '../../src/pki/csr.js';
import { KEY_USAGE } from '../../src/pki/oid.js';
import {
  type CertificateOptions,
  DAY,
  deviceSubject,
  issueController,
  issueDeviceCertificate,
  makeZoneCa,
  WORLD_NOW,
  YEAR,
} from '../world/certificates.js';
import { failed, makeZone, mapOf, readAll, StepController } from '../world/controller.js';
import { ZonePeer } from '../world/zone-peer.js';
import { flag, type Lab, largest, map, type Seen } from './lab.js';

/** Client certificates of every kind; the device's own from its issue to its end. */
export async function probeCertificates(lab: Lab): Promise<Seen> {
  const zone = await lab.zone();
  const { world } = zone;
  const { ca } = zone.zone;
  const own = parseCertificate(world.crypto, zone.peer.serverCertificate);
  const signed = world.crypto.verify(ca.certificate.publicKey, own.tbs, own.signature);
  const accepts = async (options: CertificateOptions, under = ca): Promise<boolean> => {
    const peer = await world.connect({ alpn: ['mash/1'], serverName: zone.deviceId, certificate: issueController(under, options) });
    peer.send(readAll(9));
    const answered = (await peer.next()) !== undefined;
    peer.destroy();
    return answered;
  };
  const now = Math.floor(world.clock.wall() / 1000);
  const skew = await largest(0, 1000, (seconds) => accepts({ notBefore: now - DAY, notAfter: now - seconds }));
  const stranger = await accepts({}, makeZoneCa({ zoneName: 'Other' }));
  const misused = await accepts({ keyUsage: KEY_USAGE.keyCertSign });
  await zone.connect();
  const begun = world.clock.now();
  const renewed = await renew(zone);
  await zone.connect();
  const fresh = await lab.device();
  const long = new StepController(await fresh.connect(), 'draft', makeZone('Long', 3), { certificate: { notAfter: WORLD_NOW + 9 * YEAR } });
  const bounded = failed(await long.run());
  return {
    'MASH.S.CERT': flag(signed),
    // parseCertificate takes version 3 alone, and no key but one of P-256.
    'MASH.S.CERT.X509V3': flag(own.extensions.basicConstraints !== undefined || own.extensions.keyUsage !== undefined),
    'MASH.S.CERT.ECDSA_P256': flag(signed && own.publicKey.length === 65),
    'MASH.S.CERT.CLOCK_SKEW_TOLERANCE': skew,
    'MASH.S.CERT.VALIDATES_CHAIN': flag(!stranger),
    'MASH.S.CERT.CHECKS_KEY_USAGE': flag(!misused),
    'MASH.S.CERT.IN_SESSION_RENEWAL': flag(renewed),
    'MASH.S.CERT.OP_VALIDITY': bounded ? 365 : 0,
    'MASH.S.TRANS.WAIT_TIME': (world.clock.now() - begun) / 1000,
    ...(await probeLife(lab)),
    ...(await probeTokens(lab)),
  };
}

/** Messages 30 to 33 within the connection; true when the new certificate is shown afterwards. */
async function renew(zone: ZonePeer): Promise<boolean> {
  const { world, peer } = zone;
  peer.send(map([1, 30], [2, world.crypto.bytes(32)]));
  const csr = mapOf(await peer.receive()).get(2) as Uint8Array;
  const { publicKey } = parseCsr(world.crypto, csr);
  const { der } = issueDeviceCertificate(zone.zone.ca, publicKey, { subject: deviceSubject(zone.deviceId) });
  peer.send(
    new Map<number, CborValue>([
      [1, 32],
      [2, der],
      [3, 5],
    ]),
  );
  await peer.receive();
  await zone.connect();
  return Buffer.from(zone.peer.serverCertificate).equals(Buffer.from(der));
}

/** Days before its end at which renewal is due, days after it until nothing is served. */
async function probeLife(lab: Lab): Promise<Seen> {
  const at = async (seconds: number): Promise<string | undefined> => {
    const world = await lab.device({ set: { 'session.liveness': 'tcp' } });
    await ZonePeer.commission(world, 'draft', makeZone('Home', 3));
    const end = world.device.status.zones[0]?.expiresAt ?? 0;
    world.clock.setWall((end + seconds) * 1000);
    const state = world.device.status.zones[0]?.certificate;
    await world.close();
    return state;
  };
  const due = await largest(0, 100, async (days) => (await at(-days * DAY)) !== 'valid');
  const served = await largest(0, 20, async (days) => (await at(days * DAY)) !== 'expired');
  return { 'MASH.S.CERT.RENEWAL_WINDOW': due, 'MASH.S.CERT.GRACE_PERIOD': served };
}

/** A token that lives for years, of the zone's own owner. */
async function probeTokens(lab: Lab): Promise<Seen> {
  const world = await lab.device();
  const zone = makeZone('Home', 3);
  const fields = { id: world.crypto.bytes(32), issuedAt: WORLD_NOW, expiresAt: WORLD_NOW + 5 * YEAR, permissions: 7 };
  const token = signAdminToken(world.crypto, zone.ca.key, { ...fields, caFingerprint: world.crypto.sha256(zone.ca.der) });
  const refused = failed(await new StepController(await world.connect(), 'draft', zone, { token }).run());
  return { 'MASH.S.ZONE.TEMP_TOKEN_DURATION': refused ? 300 : 0 };
}
