import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attestationRecord } from '../../src/device/attestation.js';
import { IDENTITY_KEYS } from '../../src/device/identity.js';
import type { DeviceMessage } from '../../src/dialect/messages.js';
import { AdminPermission, type AdminTokenFields, signAdminToken } from '../../src/pki/admin-token.js';
import type { PrivateKey } from '../../src/platform.js';
import { decodeZone } from '../../src/zones/zone.js';
import { makeMaker, provision, reopen } from '../world/attestation.js';
import { DAY, makeZoneCa, WORLD_NOW } from '../world/certificates.js';
import { makeZone, StepController, type TestZone } from '../world/controller.js';
import { DeviceWorld, type WorldOptions } from '../world/device-world.js';

let world: DeviceWorld;
const start = async (options?: WorldOptions): Promise<void> => {
  world = await DeviceWorld.start(options);
};
afterEach(() => world.close());

function tokenOf({ ca }: TestZone, change: Partial<AdminTokenFields> = {}, key: PrivateKey = ca.key): Uint8Array {
  return signAdminToken(world.crypto, key, {
    id: new Uint8Array(32).fill(9),
    issuedAt: WORLD_NOW - 60,
    expiresAt: WORLD_NOW + DAY,
    caFingerprint: world.crypto.sha256(ca.der),
    permissions: AdminPermission.COMMISSION,
    ...change,
  });
}

async function commission(zone: TestZone, token: Uint8Array): Promise<DeviceMessage> {
  const answer = await new StepController(await world.connect(), 'draft', zone, { token }).run();
  await world.clock.advance(1000);
  return answer;
}

const refusals = () => world.log.lines.filter(({ message }) => message === 'admin token refused').map(({ fields }) => fields['failure']);

describe('TC-ADMIN: an admin commissions', () => {
  const INVALID = { type: 'certAck', status: 5, text: 'Invalid admin token' };
  let zone: TestZone;
  beforeEach(() => {
    zone = makeZone('Home');
  });

  it('TC-ADMIN-1: a valid token is accepted, and recorded for the owner', async () => {
    await start();
    const token = tokenOf(zone);
    expect(await commission(zone, token)).toEqual({ type: 'certAck', status: 0 });
    expect(world.device.status.zones).toMatchObject([{ id: zone.ca.zoneId }]);
    expect(refusals()).toEqual([]);
    await reopen(world, async (journal) => {
      expect(decodeZone(world.crypto, 0, journal.get('zone/0') ?? new Uint8Array(0)).adminToken).toEqual(token);
    });
    expect(world.device.status.zones).toMatchObject([{ id: zone.ca.zoneId }]);
  });

  it('TC-ADMIN-2: an expired token', async () => {
    await start();
    expect(await commission(zone, tokenOf(zone, { expiresAt: WORLD_NOW - 1 }))).toEqual(INVALID);
    expect(refusals()).toEqual(['expired']);
  });

  it('TC-ADMIN-3: a tampered token', async () => {
    await start();
    const token = tokenOf(zone);
    token[10] = (token[10] ?? 0) ^ 1;
    expect(await commission(zone, token)).toEqual(INVALID);
    expect(refusals()).toEqual(['signature']);
  });

  it('TC-ADMIN-4: a token without the commissioning permission', async () => {
    await start();
    expect(await commission(zone, tokenOf(zone, { permissions: AdminPermission.REMOVE | AdminPermission.VIEW }))).toEqual(INVALID);
    expect(refusals()).toEqual(['permissions']);
  });

  it('commissioning-pase §8.4: every failure is alike on the wire, its own in the log, and leaves nothing behind', async () => {
    await start();
    const twin = { ...zone, ca: { ...makeZoneCa({ key: zone.ca.key, zoneName: 'Home' }) } };
    const answers = [
      await commission(zone, tokenOf(zone, {}, world.crypto.generateKey())),
      await commission(zone, tokenOf(zone, { expiresAt: WORLD_NOW - DAY + 60, issuedAt: 0 })),
      await commission(zone, tokenOf(zone, { permissions: 0 })),
      await commission(zone, tokenOf(twin)),
      await commission(zone, new Uint8Array(0)),
    ];
    expect(answers).toEqual(answers.map(() => INVALID));
    expect(refusals()).toEqual(['signature', 'expired', 'permissions', 'fingerprint', 'malformed']);
    expect(world.device.status.zones).toEqual([]);
    expect(await commission(zone, tokenOf(zone))).toEqual({ type: 'certAck', status: 0 });
  });

  it('a device whose clock was never set takes an expired token: it cannot tell', async () => {
    await start({ wall: 0 });
    expect(await commission(zone, tokenOf(zone, { issuedAt: 0, expiresAt: 1 }))).toEqual({ type: 'certAck', status: 0 });
  });

  it('protocol.md §2.12: a token grants nothing: a certificate that does not hold stays refused', async () => {
    await start();
    const options = { token: tokenOf(zone), certificate: { corruptSignature: true } };
    const answer = await new StepController(await world.connect(), 'draft', zone, options).run();
    expect(answer).toMatchObject({ type: 'certAck', status: 5 });
    expect(answer).not.toEqual(INVALID);
    expect(world.device.status.zones).toEqual([]);
  });
});

describe('attestation (commissioning-pase §4.3)', () => {
  async function shown(): Promise<DeviceMessage | undefined> {
    const steps = new StepController(await world.connect(), 'draft', makeZone('Home'), { attestation: true });
    let attestation: DeviceMessage | undefined;
    for (const step of steps.steps) {
      step();
      const answer = await steps.receive();
      if (answer.type === 'attestationRsp') attestation = answer;
      steps.take(answer);
    }
    return attestation;
  }

  it('is empty without a record of the factory', async () => {
    await start();
    expect(await shown()).toEqual({ type: 'attestationRsp', certificate: new Uint8Array(0), chain: [] });
  });

  it('is answered from the record of the factory, which survives restart and factory reset', async () => {
    await start();
    const { attestation } = makeMaker();
    await provision(world, attestation);
    expect(await shown()).toEqual({ type: 'attestationRsp', ...attestation });
    expect(world.device.status.zones).toHaveLength(1);
    await reopen(world, (journal) => journal.factoryReset(IDENTITY_KEYS));
    expect(world.device.status.zones).toEqual([]);
    expect(await shown()).toEqual({ type: 'attestationRsp', ...attestation });
  });

  it('that does not fit into a message is empty, and logged; the commissioning goes on', async () => {
    await start({ set: { 'message.maximum': '8192' } });
    const dnsNames = Array.from({ length: 250 }, (_, i) => `site-${i}.example.org`);
    const { attestation } = makeMaker({ device: { dnsNames }, between: { dnsNames } });
    await provision(world, attestation);
    expect(await shown()).toEqual({ type: 'attestationRsp', certificate: new Uint8Array(0), chain: [] });
    expect(world.device.status.zones).toHaveLength(1);
    expect(world.log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'the attestation is longer than a message may be' }),
    );
  });

  it('of a record that is no attestation is empty, and reported', async () => {
    await start();
    await reopen(world, (journal) => journal.commit([{ key: attestationRecord.key, value: Uint8Array.of(1) }]));
    expect(await shown()).toMatchObject({ certificate: new Uint8Array(0) });
    expect(world.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringContaining('the attestation of the factory was damaged') }),
    );
  });
});
