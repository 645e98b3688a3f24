import { afterEach, expect, it } from 'vitest';
import { concat } from '../../src/codec/bytes.js';
import type { CborValue } from '../../src/codec/cbor.js';
import { encodeCbor } from '../../src/codec/cbor.js';
import { passwordScalars } from '../../src/crypto/kdf.js';
import { parseSetupCode } from '../../src/crypto/setup-code.js';
import { verifierFromSetupCode } from '../../src/crypto/spake2plus.js';
import type { ControllerMessage, DeviceMessage } from '../../src/dialect/messages.js';
import { exportKey } from '../../src/node/keys.js';
import { AdminPermission, signAdminToken } from '../../src/pki/admin-token.js';
import type { PrivateKey } from '../../src/platform.js';
import { DAY, WORLD_NOW } from '../world/certificates.js';
import { makeZone, StepController } from '../world/controller.js';
import { DeviceWorld, SETUP_CODE } from '../world/device-world.js';
import { decodeLog } from '../world/protocol-log.js';
import { ENABLE_KEY, Feature, INVOKE, map, opcode, zoneOf } from '../world/reference-world.js';
import { ZonePeer } from '../world/zone-peer.js';

let world: DeviceWorld;
afterEach(() => world.close());

/** A controller that remembers the proofs it has seen and sent. */
class Witness extends StepController {
  readonly proofs: Uint8Array[] = [];

  override send(message: ControllerMessage): void {
    if (message.type === 'paseVerify') this.proofs.push(message.verifier);
    super.send(message);
  }

  override take(message: DeviceMessage): void {
    if ('verifier' in message && message.verifier !== undefined) this.proofs.push(message.verifier);
    super.take(message);
  }
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

it('docs/protocol-log.md: none of the secrets of a device, of its zones and of its lab stands in what is recorded', async () => {
  const written: Uint8Array[] = [];
  const protocolLog = { append: (entry: Uint8Array): boolean => written.push(entry) > 0 };
  world = await DeviceWorld.start({ profile: 'reference', enableKey: ENABLE_KEY, powerStage: true, protocolLog });
  const { crypto } = world;
  const keys: PrivateKey[] = [];
  const generate = crypto.generateKey.bind(crypto);
  Object.assign(crypto, {
    generateKey: (): PrivateKey => {
      const key = generate();
      keys.push(key);
      return key;
    },
  });

  // Both dialects, a wrong code, an admin token, a renewal.
  const home = makeZone('Home', 3);
  const token = signAdminToken(crypto, home.ca.key, {
    id: new Uint8Array(32).fill(9),
    issuedAt: WORLD_NOW - 60,
    expiresAt: WORLD_NOW + DAY,
    caFingerprint: crypto.sha256(home.ca.der),
    permissions: AdminPermission.COMMISSION,
  });
  const draft = new Witness(await world.connect(), 'draft', home, { token });
  expect(await draft.run()).toMatchObject({ type: 'certAck', status: 0 });
  await draft.finish();
  await world.clock.advance(1000);
  await world.press();
  const wrong = new Witness(await world.connect(), 'reference', zoneOf('GRID'), { code: '31415926' });
  const refused = wrong.run();
  await world.untilPending('error answer');
  await world.clock.advance(300);
  wrong.take(await refused);
  await world.clock.advance(1000);
  const reference = new Witness(await world.connect(), 'reference', zoneOf('TEST'));
  expect(await reference.run()).toMatchObject({ type: 'certAck', status: 0 });
  await world.clock.advance(1000);
  await world.press();
  await world.clock.advance(1000);
  const test = await ZonePeer.commission(world, 'reference', zoneOf('TEST', 'Lab'));

  // The enable key by name, by position, as a wrong one, and in what does not decode.
  const command = (parameters: CborValue) => test.ask(INVOKE, map([1, 1], [2, parameters]), Feature.TEST_CONTROL);
  const named = new Map<string, CborValue>([
    ['enableKey', ENABLE_KEY],
    ['eventTrigger', opcode(2, 4)],
  ]);
  expect((await command(named)).status).toBe(0);
  expect((await command(map([1, ENABLE_KEY], [2, opcode(2, 4)]))).status).toBe(0);
  const bogus = 'fedcba9876543210fedcba9876543210';
  expect((await command(new Map(named).set('enableKey', bogus))).status).toBe(4);
  test.peer.sendPayload(concat(encodeCbor(map([1, 9], [2, 4], [3, 0], [4, 10], [5, map([1, 1], [2, named])])), Uint8Array.of(0)));
  await test.peer.receive();
  await test.ask(1, [1]);

  const code = parseSetupCode(SETUP_CODE);
  const values = (['draft', 'reference'] as const).flatMap((dialect) => {
    const { w0, w1 } = passwordScalars(crypto, dialect, code);
    return [w0.expose(), w1.expose(), verifierFromSetupCode(crypto, dialect, code).L.expose()];
  });
  const secrets = [
    ...[SETUP_CODE, '31415926', ENABLE_KEY, bogus].map(utf8),
    ...values,
    ...[draft, wrong, reference].flatMap(({ proofs }) => proofs),
    ...keys.map(exportKey),
    token,
  ];
  expect([draft.proofs.length, wrong.proofs.length, reference.proofs.length, keys.length >= 3]).toEqual([2, 2, 2, true]);
  const bytes = Buffer.from(concat(...written));
  const { entries, torn } = decodeLog(bytes);
  expect([entries.filter(({ event }) => event.kind === 'frame' && event.masked).length, torn]).toEqual([expect.any(Number), 0]);
  expect(entries.length).toBeGreaterThan(100);
  // A third of it would be too much already; in hexadecimal, too.
  for (const secret of secrets)
    for (const part of [secret, Buffer.from(Buffer.from(secret).toString('hex')), secret.subarray(0, Math.max(8, secret.length / 3))])
      expect(bytes.includes(Buffer.from(part)), Buffer.from(secret).toString('hex')).toBe(false);
});
