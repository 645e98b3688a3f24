import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CborMap } from '../../src/codec/cbor.js';
import { openOrCreateZone } from '../../src/controller/open-zone.js';
import { connectDevice } from '../../src/controller/operational.js';
import { renewDevice } from '../../src/controller/renewal.js';
import type { ControllerSession } from '../../src/controller/session.js';
import type { DialectName } from '../../src/dialect/messages.js';
import { parseCertificate } from '../../src/pki/certificate.js';
import { ControllerWorld } from './world.js';

let world: ControllerWorld;
beforeEach(async () => {
  world = await ControllerWorld.start();
});
afterEach(() => world.close());

async function joined(dialect: DialectName = 'draft') {
  const { device } = await world.commission({ dialect });
  const { zone } = await openOrCreateZone(world.parts, { kind: undefined, name: undefined, priority: undefined, dialect });
  return { device, zone };
}

const DAY = 86_400_000;
const WEEK = 7 * 86_400;

it.each<readonly [string, number, number, boolean]>([
  ['TC-CERT-VAL-2: a certificate that expired a day ago is refused', 1, 0, false],
  ['six days ago, for its renewal: taken', 6, WEEK, true],
  ['eight days ago: refused for a renewal too', 8, WEEK, false],
])('%s', async (_title, days, grace, taken) => {
  const { device } = await joined();
  const { notAfter } = parseCertificate(world.device.crypto, device.certificate);
  world.device.clock.setWall(notAfter * 1000 + days * DAY);
  // Its own certificate is renewed as it is opened.
  const { zone } = await openOrCreateZone(world.parts, { kind: undefined, name: undefined, priority: undefined, dialect: 'draft' });
  const connecting = connectDevice({ ...world.parts, grace }, zone, device);
  if (!taken) {
    const refusal = { code: 'NOT_TRUSTED', message: `The certificate of device ${device.id} has expired` };
    await expect(world.drive(connecting)).rejects.toMatchObject(refusal);
    return;
  }
  const session = await world.drive(connecting);
  const renewed = await world.drive(renewDevice(world.parts, zone, device, session, () => {}));
  await world.drive(session.close());
  expect(renewed.notAfter).toBeGreaterThan(notAfter + 300 * 86_400);
  const again = await world.drive(connectDevice(world.parts, zone, renewed.device));
  await world.drive(again.close());
});

describe.each<DialectName>(['draft', 'reference'])('in the %s dialect', (dialect) => {
  it('a device gets a new certificate for the same id over its connection, which goes on', async () => {
    const { device, zone } = await joined(dialect);
    const session = await world.drive(connectDevice(world.parts, zone, device));
    const told: string[] = [];
    const renewed = await world.drive(renewDevice(world.parts, zone, device, session, (text) => told.push(text)));
    expect(told).toHaveLength(3);
    const [before, after] = [device, renewed.device].map(({ certificate }) => parseCertificate(world.device.crypto, certificate));
    expect(after?.subject.raw).toEqual(before?.subject.raw);
    expect(after?.publicKey).not.toEqual(before?.publicKey);
    expect(await world.parts.store.devices()).toEqual([renewed.device]);
    expect((await world.drive(session.read(0, 1))).size).toBeGreaterThan(3);
    await world.drive(session.close());
    const again = await world.drive(connectDevice(world.parts, zone, renewed.device));
    await world.drive(again.close());
  });
});

it.each<readonly [string, CborMap, object]>([
  [
    'status 1',
    new Map([
      [1, 33],
      [2, 1],
      [3, 0],
    ]),
    { code: 'REFUSED', details: { status: 'CSR_FAILED' } },
  ],
  [
    'status 5',
    new Map([
      [1, 30],
      [2, 5],
    ]),
    { code: 'REFUSED' },
  ],
  [
    'no nonce hash',
    new Map<number, number | Uint8Array>([
      [1, 31],
      [2, new Uint8Array(9)],
    ]),
    { code: 'NOT_TRUSTED' },
  ],
  ['nonsense', new Map([[1, 31]]), { code: 'PROTOCOL' }],
])('a device that answers with %s is told', async (_what, answer, expected) => {
  const { device, zone } = await joined();
  const session = { exchange: () => Promise.resolve(answer) } as unknown as ControllerSession;
  await expect(renewDevice(world.parts, zone, device, session, () => {})).rejects.toMatchObject(expected);
  expect(await world.parts.store.devices()).toHaveLength(1);
});
