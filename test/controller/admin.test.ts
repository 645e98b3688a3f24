import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { afterEach, describe, expect, it } from 'vitest';
import { type CborKey, type CborMap, type CborValue, encodeCbor } from '../../src/codec/cbor.js';
import { toHex } from '../../src/codec/hex.js';
import { joinZone, signThroughOwner } from '../../src/controller/admin/client.js';
import { CODE_LIFE } from '../../src/controller/admin/owner.js';
import { connectDevice } from '../../src/controller/operational.js';
import { issueToken } from '../../src/controller/token.js';
import type { AdminZone } from '../../src/controller/zone.js';
import { parseSetupCode } from '../../src/crypto/setup-code.js';
import { startProver } from '../../src/crypto/spake2plus-prover.js';
import { commissionerService } from '../../src/discovery/commissioner-service.js';
import { nodeListener } from '../../src/node/listener.js';
import { AdminPermission, decodeAdminToken, signAdminToken } from '../../src/pki/admin-token.js';
import { parseCertificate } from '../../src/pki/certificate.js';
import { createCsr } from '../../src/pki/csr.js';
import { deviceIdOfKey } from '../../src/pki/identities.js';
import { issueController, issueDeviceCertificate, makeZoneCa, WORLD_NOW } from '../world/certificates.js';
import { mapOf } from '../world/controller.js';
import { SETUP_CODE } from '../world/device-world.js';
import type { Peer } from '../world/peer.js';
import { AdminWorld, type OwnerOptions } from './admin-world.js';

let world: AdminWorld;
const start = async (options?: OwnerOptions): Promise<void> => {
  world = await AdminWorld.start(options);
};
afterEach(() => world.close());

const map = (...entries: [CborKey, CborValue][]): CborMap => new Map(entries);
const WRONG = '20220212';

function csr(): { der: Uint8Array; deviceId: string } {
  const { crypto } = world.app.device;
  const key = crypto.generateKey();
  return { der: createCsr(crypto, { key, vendorId: 1, productId: 2 }), deviceId: deviceIdOfKey(crypto, key.publicKey) };
}

const sign = (zone: AdminZone, der: Uint8Array): Promise<unknown> => world.app.drive(signThroughOwner(world.app.parts, zone, der));
const commission = (zone: AdminZone) => world.app.commission({ zone, operationalPort: world.app.device.port });

/** PASE_X of the open code on this connection. */
function paseX(peer: Peer, digits = world.owner.code.code.digits()) {
  const prover = startProver(world.app.device.crypto, 'draft', parseSetupCode(digits));
  return { prover, message: map([1, 'pase_x'], [2, prover.X], [3, peer.exporter()]) };
}

/** PASE up to the confirmation, as an app does it. */
async function authenticate(peer: Peer): Promise<void> {
  const { prover, message } = paseX(peer);
  peer.send(message);
  const answer = mapOf(await peer.receive());
  const keys = prover.finish(answer.get(2) as Uint8Array, peer.exporter());
  peer.send(map([1, 'pase_verify'], [2, keys.confirmController]));
  expect(await peer.receive()).toEqual(map([1, 'pase_confirm'], [2, 0]));
}

describe('admin delegation (protocol.md §2.12): an app joins', () => {
  it('with the code that the owner shows: a token of the owner, its Zone CA, type and priority; the owner remembers whom', async () => {
    await start({ days: 7, permissions: ['commission', 'view'] });
    const zone = await world.join();
    expect(zone).toMatchObject({ kind: 'building', name: 'Block A', priority: 2, id: world.zone.id, joinedAt: WORLD_NOW });
    expect(zone.owner).toEqual([{ host: '::1', port: world.port }]);
    const token = decodeAdminToken(zone.token);
    expect(token).toMatchObject({ expiresAt: WORLD_NOW + 7 * 86_400, permissions: AdminPermission.COMMISSION | AdminPermission.VIEW });
    expect(await world.register.list()).toEqual([
      { id: toHex(token.id), name: 'Phone', issuedAt: WORLD_NOW, expiresAt: token.expiresAt, permissions: 5 },
    ]);
  });

  it('and with no other code: a wrong one is paced, and issues nothing', async () => {
    await start();
    await expect(world.join(WRONG)).rejects.toMatchObject({ code: 'WRONG_CODE' });
    expect(await world.register.list()).toEqual([]);
    // protocol.md §2.8: ten at once, then one a second, whatever the connection.
    const peers = await Promise.all(Array.from({ length: 4 }, () => world.connect()));
    for (let spent = 1; spent < 10; spent++) {
      const peer = spent < 4 ? (peers[spent] as Peer) : await world.connect();
      peer.send(paseX(peer, WRONG).message);
      expect(mapOf(await peer.receive()).get(1)).toBe('pase_y');
      peer.destroy();
    }
    const late = await world.connect();
    late.send(paseX(late, WRONG).message);
    await world.app.device.untilPending('PASE_PACE');
    expect(late.pendingFrames).toBe(0);
    await world.app.device.clock.advance(1000);
    expect(mapOf(await late.receive()).get(1)).toBe('pase_y');
  });

  it('commissioning-pase §8.1: five minutes after it was shown, the code is none', async () => {
    await start();
    const peer = await world.connect();
    await world.app.device.clock.advance(CODE_LIFE - 1);
    expect(world.closed).toEqual([]);
    await world.app.device.clock.advance(1);
    expect(world.closed).toEqual(['expired']);
    await expect(world.join()).rejects.toMatchObject({ code: 'WINDOW_CLOSED' });
    // A connection from before, idle for too long, is gone as well.
    await peer.end();
    expect(await world.register.list()).toEqual([]);
  });

  it('a code whose time ends between PASE_Y and the verifier is none either', async () => {
    await start();
    await world.app.device.clock.advance(CODE_LIFE - 1000);
    const peer = await world.connect();
    const { prover, message } = paseX(peer);
    peer.send(message);
    const keys = prover.finish(mapOf(await peer.receive()).get(2) as Uint8Array, peer.exporter());
    await world.app.device.clock.advance(1000);
    peer.send(map([1, 'pase_verify'], [2, keys.confirmController]));
    expect(await peer.receive()).toEqual(map([1, 'pase_confirm'], [2, 2], [3, 'the code has expired']));
    await peer.end();
  });

  it('one code, one admin: the second is refused, also on a connection that was authenticated before', async () => {
    await start();
    const second = await world.connect();
    await authenticate(second);
    await world.join();
    expect(world.closed).toEqual(['used']);
    await expect(world.join()).rejects.toMatchObject({ code: 'WINDOW_CLOSED' });
    second.send(map([1, 'admin_req']));
    expect(await second.receive()).toEqual(map([1, 'admin_error'], [2, 2], [3, 'the code has expired']));
    expect(await world.register.list()).toHaveLength(1);
  });

  it('replay: what was said on another connection proves nothing here', async () => {
    await start();
    const first = await world.connect();
    const { prover, message } = paseX(first);
    first.send(message);
    const keys = prover.finish(mapOf(await first.receive()).get(2) as Uint8Array, first.exporter());
    const verify = map([1, 'pase_verify'], [2, keys.confirmController]);
    const second = await world.connect();
    second.send(message);
    second.send(verify);
    expect(mapOf(await second.receive()).get(2)).toBe(1);
    await second.end();
    const third = await world.connect();
    third.send(paseX(third).message);
    await third.receive();
    third.send(verify);
    expect(await third.receive()).toEqual(map([1, 'pase_confirm'], [2, 1], [3, 'wrong code']));
    expect(await world.register.list()).toEqual([]);
  });

  it.each<[string, CborValue, string, number]>([
    ['admin_req before PASE', map([1, 'admin_req']), 'pase_confirm', 8],
    ['PASE_VERIFY before PASE_X', map([1, 'pase_verify'], [2, new Uint8Array(32)]), 'pase_confirm', 8],
    ['the reference dialect', map([1, 1], [2, new Uint8Array(65)], [3, 'mash-controller']), 'pase_confirm', 8],
    ['another exporter value', map([1, 'pase_x'], [2, new Uint8Array(33)], [3, new Uint8Array(32)]), 'pase_confirm', 1],
    ['no map', 5, 'pase_confirm', 8],
  ])('refuses %s and ends the connection, nobody else\u2019s', async (_name, message, carrier, status) => {
    await start();
    const peer = await world.connect();
    peer.send(message);
    const answer = mapOf(await peer.receive());
    expect([answer.get(1), answer.get(2)]).toEqual([carrier, status]);
    await peer.end();
    expect(await world.join()).toMatchObject({ id: world.zone.id });
  });

  it('a point that is none closes the connection (TC-PASE-4)', async () => {
    await start();
    const peer = await world.connect();
    peer.send(map([1, 'pase_x'], [2, new Uint8Array(33)], [3, peer.exporter()]));
    expect(await peer.next()).toBeUndefined();
  });

  it.each<[string, CborValue]>([
    ['a message that is none', map([1, 'admin_grant'])],
    ['admin_sign without a CSR', map([1, 'admin_sign'], [3, new Uint8Array(8)])],
    ['PASE again', map([1, 'pase_x'], [2, new Uint8Array(33)])],
  ])('after PASE %s is of the wrong shape: 8', async (_name, message) => {
    await start();
    const peer = await world.connect();
    await authenticate(peer);
    peer.send(message);
    expect(mapOf(await peer.receive()).get(2)).toBe(8);
    await peer.end();
  });

  it.each([
    ['mash-comm/1', 0],
    ['mash/1', 0],
  ])('an idle connection on %s ends by itself, and idle ones keep nobody out', async (alpn) => {
    await start();
    const idle = await Promise.all(Array.from({ length: 8 }, () => world.connect(alpn)));
    expect(await world.join()).toMatchObject({ id: world.zone.id });
    await world.app.device.clock.advance(30_000);
    await world.app.device.clock.advance(5000);
    for (const peer of idle) await peer.end();
  });
});

describe('an admin commissions through the owner (commissioning-pase §8.3)', () => {
  it('TC-ADMIN-1, end to end: the owner signs, the device verifies the token, the owner operates the device', async () => {
    await start();
    const zone = await world.join();
    const { device, steps } = await commission(zone);
    expect(steps.map(({ number, outcome }) => `${number} ${outcome}`).slice(-5)).toEqual([
      '9 done',
      '10 done',
      '11 skipped',
      '12 skipped',
      '13 skipped',
    ]);
    expect(world.app.device.device.status.zones).toMatchObject([{ id: world.zone.id, type: 2, name: 'Block A' }]);
    expect([world.signed, world.refusals]).toEqual([[device.id], []]);
    // The owner knows the device and can speak to it; the app cannot.
    const [record] = await world.store.devices();
    expect(record).toMatchObject({ id: device.id, state: 'pending', zoneId: world.zone.id });
    const parts = { ...world.app.parts, store: world.store };
    const session = await world.app.drive(connectDevice(parts, world.zone, record ?? device));
    expect((await session.read(0, 1)).get(32)).toBe(1);
    await world.app.drive(session.close());
    expect(await world.store.devices()).toMatchObject([{ id: device.id, state: 'confirmed' }]);
  });

  it('long after the code has expired: the token is what counts', async () => {
    await start();
    const zone = await world.join();
    await world.app.device.clock.advance(CODE_LIFE * 2);
    await world.app.device.press();
    await commission(zone);
    expect(world.app.device.device.status.zones).toMatchObject([{ id: world.zone.id }]);
  });

  it('on the connection of its PASE a CSR is signed as well', async () => {
    await start();
    const { der, deviceId } = csr();
    const peer = await world.connect();
    await authenticate(peer);
    peer.send(map([1, 'admin_req']));
    const token = mapOf(await peer.receive()).get(2) as Uint8Array;
    peer.send(map([1, 'admin_sign'], [2, der], [3, token]));
    const answer = mapOf(await peer.receive());
    expect(answer.get(1)).toBe('admin_signed');
    expect(parseCertificate(world.app.device.crypto, answer.get(2) as Uint8Array).publicKey).toHaveLength(65);
    expect(world.signed).toEqual([deviceId]);
  });

  it('no token is issued where the token alone is the proof', async () => {
    await start();
    const peer = await world.connect('mash/1');
    peer.send(map([1, 'admin_req']));
    expect(mapOf(await peer.receive()).get(2)).toBe(1);
    await peer.end();
  });

  it('revoked: the owner refuses from then on, also after a restart, and nothing reaches the device', async () => {
    await start();
    const zone = await world.join();
    await sign(zone, csr().der);
    const [record] = await world.register.list();
    await world.register.revoke(record?.id.slice(0, 6) ?? '', WORLD_NOW);
    await expect(commission(zone)).rejects.toMatchObject({ code: 'REFUSED', details: { status: 'INVALID_CERT' } });
    await world.owner.close();
    await world.open();
    const moved = { ...zone, owner: [{ host: '::1', port: world.port }] };
    await expect(sign(moved, csr().der)).rejects.toMatchObject({ code: 'REFUSED' });
    expect(world.refusals).toEqual(['revoked', 'revoked']);
    expect(world.app.device.device.status.zones).toEqual([]);
    expect(world.signed).toHaveLength(1);
    // A second revocation changes nothing; an unknown token is none.
    expect(await world.register.revoke(record?.id ?? '', WORLD_NOW + 5)).toMatchObject({ revokedAt: WORLD_NOW });
    await expect(world.register.revoke('ffff', WORLD_NOW)).rejects.toMatchObject({ code: 'UNKNOWN_DEVICE' });
  });

  it('commissioning-pase §8.4: every token that does not hold is alike on the wire, its own failure in the log', async () => {
    await start();
    const { crypto } = world.app.device;
    const zone = await world.join();
    const fields = decodeAdminToken(zone.token);
    const forged = (change: Partial<typeof fields>, key = world.zone.caKey): Uint8Array =>
      signAdminToken(crypto, key, { ...fields, ...change });
    const cases: [string, Uint8Array][] = [
      ['signature', forged({}, makeZoneCa().key)],
      ['expired', forged({ issuedAt: WORLD_NOW - 9, expiresAt: WORLD_NOW - 1 })],
      ['permissions', forged({ permissions: AdminPermission.VIEW })],
      ['fingerprint', forged({ caFingerprint: new Uint8Array(32) })],
      ['malformed', encodeCbor(map([1, 2]))],
    ];
    for (const [, token] of cases) {
      const peer = await world.connect('mash/1');
      peer.send(map([1, 'admin_sign'], [2, csr().der], [3, token]));
      expect(await peer.receive()).toEqual(map([1, 'admin_error'], [2, 5], [3, 'Invalid admin token']));
      await peer.end();
    }
    expect(world.refusals).toEqual(cases.map(([failure]) => failure));
    expect(await world.store.devices()).toEqual([]);
  });

  it('a token that was issued elsewhere under the same Zone CA holds: what is refused is what was revoked', async () => {
    await start();
    const { bytes, id } = issueToken(world.app.device.crypto, world.zone, { now: WORLD_NOW, days: 1, permissions: ['commission'] });
    const zone = { ...(await world.join()), token: bytes };
    await sign(zone, csr().der);
    await world.register.revoke(id, WORLD_NOW);
    await expect(sign(zone, csr().der)).rejects.toMatchObject({ code: 'REFUSED' });
  });

  it('a CSR whose key is not of P-256, or whose signature does not hold, is refused: 8', async () => {
    await start();
    const zone = await world.join();
    const good = csr().der;
    const broken = good.slice();
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    const generated = await globalThis.crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign', 'verify']);
    const p384 = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'O=MASH Device',
      keys: generated,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-384' },
    });
    for (const der of [broken, new Uint8Array(p384.rawData), new Uint8Array(9000), new Uint8Array(0)])
      await expect(sign(zone, der)).rejects.toMatchObject({ code: 'REFUSED', details: { status: 'INVALID_FORMAT' } });
    expect(await world.store.devices()).toEqual([]);
  });

  it('replay of a CSR: the same certificate, never a second one; not for a key that a renewal replaced', async () => {
    await start();
    const zone = await world.join();
    const { der } = csr();
    const first = await sign(zone, der);
    expect(await sign(zone, der)).toEqual(first);
    expect(world.signed).toHaveLength(1);
    const [record] = await world.store.devices();
    if (record === undefined) throw new Error('no record');
    const renewed = issueController(makeZoneCa()).der;
    await world.store.put({ ...record, certificate: renewed });
    await expect(sign(zone, der)).rejects.toMatchObject({ details: { status: 'ALREADY_COMMISSIONED' } });
  });

  it('the token goes to nobody but the owner: neither a device of the zone nor another zone is taken for it', async () => {
    await start();
    const zone = await world.join();
    const { crypto, clock, log } = world.app.device;
    const key = crypto.generateKey();
    const ca = { ...makeZoneCa(), der: world.zone.caCertificate, key: world.zone.caKey };
    const stranger = issueController(makeZoneCa());
    let frames = 0;
    for (const identity of [
      { certificate: issueDeviceCertificate(ca, key.publicKey).der, key },
      { certificate: stranger.der, key: stranger.key },
    ]) {
      const bound = await nodeListener({ clock, log, ipv4: false }).listen('operational', 0, {
        onAccept: () => true,
        onActivity: () => {},
        onGone: () => {},
        route: () => ({ kind: 'operational', identity, alpn: 'mash/1' }),
        onSecure: (stream) => stream.start({ onData: () => frames++, onClose: () => {} }),
      });
      await expect(sign({ ...zone, owner: [{ host: '::1', port: bound.port }] }, csr().der)).rejects.toMatchObject({ code: 'NOT_TRUSTED' });
      await bound.close();
    }
    expect(frames).toBe(0);
  });

  it('an owner that moved is found where it announces its zone, and remembered there', async () => {
    await start();
    const zone = await world.join();
    await world.owner.close();
    await world.open();
    const resolver = await world.app.resolver();
    await resolver.announce(commissionerService({ zoneName: 'Block A', zoneId: world.zone.id, port: world.port }));
    await sign(zone, csr().der);
    expect((await world.app.parts.store.loadAdmin())?.owner).toMatchObject([{ port: world.port }]);
  });
});

describe('what an app believes of an owner', () => {
  it('a code of eight digits alone needs to be told where the owner is', async () => {
    await start();
    const options = { code: parseSetupCode(SETUP_CODE), discriminator: undefined, address: undefined, name: undefined };
    await expect(joinZone(world.app.parts, options)).rejects.toMatchObject({ code: 'UNKNOWN_DEVICE' });
  });
});
