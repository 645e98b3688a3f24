import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDeviceArguments } from '../../src/cli/device-arguments.js';
import { type CborKey, type CborValue, encodeCbor } from '../../src/codec/cbor.js';
import { encodeFrame } from '../../src/codec/frame.js';
import { CODE_LIFE } from '../../src/controller/admin/owner.js';
import { backOff } from '../../src/controller/follow.js';
import { generateDiscriminator, generateSetupCode } from '../../src/crypto/setup-code.js';
import type { ProfileKey } from '../../src/profile.js';
import { makeProfile } from '../../src/profile.js';
import { makeZone, mapOf } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { SeededEntropy } from '../world/entropy.js';
import { ZonePeer } from '../world/zone-peer.js';

const READ = 1;
const WRITE = 2;
const SUBSCRIBE = 3;
const INVOKE = 4;
const ENERGY = 5;
const SECOND = 1000;
const DAY = 86_400 * SECOND;

function map(...entries: readonly (readonly [CborKey, CborValue])[]): ReadonlyMap<CborKey, CborValue> {
  return new Map(entries);
}

describe('pics-registry §2–§10: numbers of the profile draft', () => {
  test.each<readonly [string, ProfileKey, number]>([
    ['MASH.S.TRANS.MAX_MSG_SIZE=65536', 'message.maximum', 65_536],
    ['MASH.S.TRANS.PING_INTERVAL=30', 'session.ping', 30 * SECOND],
    ['MASH.S.TRANS.PONG_TIMEOUT=5', 'session.pong', 5 * SECOND],
    ['MASH.S.TRANS.MAX_MISSED_PONGS=3', 'session.missed', 3],
    ['MASH.S.COMM.WINDOW_DURATION=120', 'commissioning.window', 120 * SECOND],
    ['MASH.S.COMM.PASE_TIMEOUT=30, PASE_X', 'commissioning.firstMessage', 30 * SECOND],
    ['MASH.S.COMM.PASE_TIMEOUT=30, PASE_VERIFY', 'commissioning.verifier', 30 * SECOND],
    ['MASH.S.COMM.CSR_TIMEOUT=10', 'commissioning.csrGenerate', 10 * SECOND],
    ['MASH.S.COMM.CERT_TIMEOUT=30', 'commissioning.certificate', 30 * SECOND],
    ['MASH.S.CERT.MAX_ZONES=5', 'zones.slots', 5],
    ['MASH.S.CERT.RENEWAL_WINDOW=30', 'certificates.renewalWindow', 30 * DAY],
    ['MASH.S.CERT.GRACE_PERIOD=7', 'certificates.grace', 7 * DAY],
    ['MASH.S.CONN.CLOSE_TIMEOUT=5', 'session.close', 5 * SECOND],
    ['MASH.S.FAILSAFE.DURATION_DEFAULT=14400', 'failsafe.duration', 14_400 * SECOND],
  ])('%s', (_code, key, value) => expect(makeProfile('draft')[key]).toBe(value));

  test.each<readonly [string, ProfileKey, number, number]>([
    ['MASH.S.CERT.GRACE_PERIOD 0, 7 days', 'certificates.grace', 0, 7 * DAY],
    ['MASH.S.FAILSAFE.GRACE_DURATION 0–3600', 'failsafe.grace', 0, 3600 * SECOND],
    ['MASH.S.FAILSAFE.DURATION_MIN, _MAX', 'failsafe.duration', 7200 * SECOND, DAY],
  ])('%s: nothing else is configured', (_code, key, least, most) => {
    for (const value of [least, most]) expect(makeProfile('draft', { [key]: `${value}` })[key]).toBe(value);
    for (const value of [least - 1, most + 1]) expect(() => makeProfile('draft', { [key]: `${value}` })).toThrow(key);
  });

  test('MASH.S.TRANS.DETECTION_DELAY_MAX=95: the three of §2.5 together', () => {
    const profile = makeProfile('draft');
    expect(profile['session.missed'] * profile['session.ping'] + profile['session.pong']).toBe(95 * SECOND);
  });

  test('MASH.S.TRANS.PORT=8443', () => {
    const { kind, ...rest } = parseDeviceArguments(
      [],
      false,
      () => undefined,
      () => undefined,
    );
    expect([kind, rest]).toMatchObject(['run', { options: { port: 8443 } }]);
  });

  test('MASH.S.TRANS.LENGTH_PREFIX: 4 bytes, big-endian', () => {
    expect([...(encodeFrame(new Uint8Array(300), 65_536) as Uint8Array).subarray(0, 4)]).toEqual([0, 0, 1, 47]);
  });

  test('MASH.S.COMM.SETUP_CODE_BITS=27, DISCRIMINATOR_BITS=12', () => {
    expect(Math.ceil(Math.log2(10 ** generateSetupCode(new SeededEntropy(1)).digits().length))).toBe(27);
    expect(generateDiscriminator({ bytes: (length) => new Uint8Array(length).fill(255) })).toBe(2 ** 12 - 1);
  });

  test('MASH.S.ZONE.TEMP_TOKEN_DURATION=300', () => expect(CODE_LIFE).toBe(300 * SECOND));

  test('MASH.C.CONN.BACKOFF_INITIAL=1, MULTIPLIER=2, MAX=60, JITTER_FACTOR=0.25', () => {
    const at = (byte: number) => [0, 1, 2, 5, 6, 20].map((attempt) => backOff({ bytes: () => Uint8Array.of(byte) }, attempt) / SECOND);
    expect(at(0)).toEqual([0.75, 1.5, 3, 24, 45, 45]);
    expect(at(255)).toEqual([1.25, 2.5, 5, 40, 75, 75]);
  });
});

describe('pics-registry §2–§9: numbers over TLS', () => {
  let world: DeviceWorld;
  let zone: ZonePeer;
  beforeAll(async () => {
    world = await DeviceWorld.start({ set: { 'session.liveness': 'tcp' } });
    zone = await ZonePeer.commission(world, 'draft', makeZone('Grid', 1));
  });
  afterAll(() => world.close());
  const statusOf = async (operation: number, payload: CborValue) => (await zone.ask(operation, payload, ENERGY, 1)).status;
  const unsubscribe = (id: CborValue) => zone.ask(SUBSCRIBE, map([1, id]), 0, 0);

  test('MASH.S.TRANS.MAX_MSG_SIZE: 65,536 bytes are read, one more closes the connection', async () => {
    // Two texts, for a text has its bound too; an array is no message: status 5.
    const filled = (last: number) => encodeCbor(['x'.repeat(40_000), 'x'.repeat(last)]);
    const message = filled(65_536 - 40_000 - 7);
    expect([message.length, filled(65_536 - 40_000 - 6).length]).toEqual([65_536, 65_537]);
    zone.peer.sendPayload(message);
    expect(mapOf(await zone.peer.receive()).get(2)).toBe(5);
    zone.peer.sendPayload(filled(65_536 - 40_000 - 6));
    await zone.peer.end();
    await zone.connect();
  });

  test('MASH.S.FAILSAFE.DURATION_MIN=7200, DURATION_MAX=86400, DURATION_DEFAULT=14400', async () => {
    expect((await zone.ask(READ, [72], ENERGY, 1)).payload.get(72)).toBe(14_400);
    for (const [value, status] of [
      [7199, 11],
      [86_401, 11],
      [7200, 0],
      [86_400, 0],
    ] as const)
      expect([value, await statusOf(WRITE, map([72, value]))]).toEqual([value, status]);
  });

  test('MASH.S.DURATION.MAX=86400', async () => {
    const limit = (duration: number) =>
      statusOf(INVOKE, map([1, 1], [2, map(['consumptionLimit', 5_000_000], ['cause', 1], ['duration', duration])]));
    expect([await limit(86_400), await limit(86_401)]).toEqual([0, 11]);
  });

  test.each([
    ['MASH.S.SUB.MIN_INTERVAL_MIN=0', 0, 60_000, 0],
    ['MASH.S.SUB.MIN_INTERVAL_MAX=3600', 3_600_000, 3_600_000, 0],
    ['MASH.S.SUB.MIN_INTERVAL_MAX=3600, a millisecond more', 3_600_001, 86_400_000, 11],
    ['MASH.S.SUB.MAX_INTERVAL_MIN=1', 1, 1000, 0],
    ['MASH.S.SUB.MAX_INTERVAL_MIN=1, a millisecond less', 1, 999, 11],
    ['MASH.S.SUB.MAX_INTERVAL_MAX=86400', 1, 86_400_000, 0],
    ['MASH.S.SUB.MAX_INTERVAL_MAX=86400, a millisecond more', 1, 86_400_001, 11],
  ])('%s', async (_code, minimum, maximum, status) => {
    const answer = await zone.ask(SUBSCRIBE, map([1, [20]], [2, minimum], [3, maximum]), ENERGY, 1);
    expect(answer.status).toBe(status);
    if (status === 0) expect((await unsubscribe(answer.payload.get(1) as number)).status).toBe(0);
  });

  test('MASH.S.SUB.MAX_SUBSCRIPTIONS=50, MAX_ATTRS_PER_SUB=100', async () => {
    expect(await statusOf(SUBSCRIBE, map([1, Array.from({ length: 101 }, () => 20)]))).toBe(13);
    const ids: CborValue[] = [];
    for (let i = 0; i < 50; i++) {
      const { status, payload } = await zone.ask(SUBSCRIBE, map([1, Array.from({ length: 100 }, () => 20)]), ENERGY, 1);
      expect(status).toBe(0);
      ids.push(payload.get(1) ?? null);
    }
    expect(await statusOf(SUBSCRIBE, map([1, [20]]))).toBe(13);
    for (const id of ids) await unsubscribe(id);
  });

  // The sixth is refused: TC-ZONE-3.
  test('MASH.S.ZONE.MAX_ZONES=5, CURRENT_COUNT 0–5', async () => {
    const count = async () => (await zone.ask(READ, [32])).payload.get(32);
    for (const [index, type] of [2, 3, 4, 4].entries()) {
      expect(await count()).toBe(index + 1);
      await world.clock.advance(20_000);
      await world.press();
      await ZonePeer.commission(world, 'draft', makeZone(`Zone ${index}`, type));
    }
    expect(await count()).toBe(5);
  });
});
