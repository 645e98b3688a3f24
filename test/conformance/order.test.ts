import { afterEach, describe, expect, it } from 'vitest';
import { type CborValue, encodeCbor } from '../../src/codec/cbor.js';
import type { DialectName } from '../../src/dialect/messages.js';
import type { ProfileName } from '../../src/profile.js';
import { makeZone, mapOf, StepController } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';

let world: DeviceWorld;
afterEach(() => world.close());

/** The messages of a controller in their order, attestation left out, and the answer that each makes due. */
const DRAFT = ['PASE_X', 'PASE_VERIFY', 'CSR_REQ', 'CERT_INSTALL'];
const REFERENCE = ['message 1', 'message 3', 'message 30', 'message 32'];
const namesOf = (dialect: DialectName): readonly string[] => (dialect === 'draft' ? DRAFT : REFERENCE);

const zone = () => makeZone('Home', 3, 3, 'LOCAL');

function framed(value: CborValue): Buffer {
  const payload = encodeCbor(value);
  return Buffer.concat([Buffer.from([0, 0, payload.length >> 8, payload.length & 0xff]), payload]);
}

/** A controller that has had the answers to its first `done` messages. */
async function upTo(dialect: DialectName, done: number): Promise<StepController> {
  const steps = new StepController(await world.connect(), dialect, zone());
  for (const step of steps.steps.slice(0, done)) {
    step();
    steps.take(await steps.receive());
  }
  return steps;
}

/** Message `step` as a frame, not sent. */
function frameOf(steps: StepController, step: number): Buffer {
  const { peer } = steps;
  const send = peer.send.bind(peer);
  let frame: CborValue = null;
  peer.send = (value) => {
    frame = value;
  };
  steps.steps[step]?.();
  peer.send = send;
  return framed(frame);
}

/** What is said until the connection ends, as `[type, status]`; virtual time goes on meanwhile. */
async function saidUntilTheEnd({ peer }: StepController): Promise<readonly (readonly [CborValue | undefined, CborValue | undefined])[]> {
  for (let i = 0; !peer.closed && i < 2000; i++) {
    await world.clock.advance(20);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const said: (readonly [CborValue | undefined, CborValue | undefined])[] = [];
  for (let frame = await peer.next(); frame !== undefined; frame = await peer.next()) {
    const map = mapOf(frame);
    const status = map.get(2);
    said.push([map.get(1), typeof status === 'number' ? status : undefined]);
  }
  return said;
}

/** Nothing is left of it, and the next commissioning is served at once. */
async function goesOn(dialect: DialectName): Promise<void> {
  expect(world.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  await world.until(() => world.device.status.zones.length === 0, 'no zone');
  await world.clock.advance(1000);
  expect(await new StepController(await world.connect(), dialect, zone()).run()).toMatchObject({ type: 'certAck', status: 0 });
}

/** protocol.md §2.7, §3: what is said where a message is of the wrong order, or late. */
function refusal(dialect: DialectName, due: number, status: number): readonly (readonly [CborValue, CborValue])[] {
  if (dialect === 'reference') return [];
  return [[due < 2 ? 'pase_confirm' : 'cert_ack', status]];
}

describe.each<DialectName>(['draft', 'reference'])('protocol.md §2.7: each message once and in its order, %s dialect', (dialect) => {
  const names = namesOf(dialect);

  it.each(names.map((name, step) => [name, step] as const))('%s twice in one write', async (_name, step) => {
    world = await DeviceWorld.start();
    const steps = await upTo(dialect, step);
    const frame = frameOf(steps, step);
    steps.peer.sendRaw(Buffer.concat([frame, frame]));
    const said = await saidUntilTheEnd(steps);
    // The first of CERT_INSTALL is being stored when the second arrives, and is taken back.
    const progress = step === 3 ? 0 : 1;
    expect(said.slice(progress)).toEqual(refusal(dialect, step + 1, 8));
    await goesOn(dialect);
  });

  it.each(names.flatMap((sent, s) => names.flatMap((due, d) => (s === d || s === 3 ? [] : [[sent, due, s, d] as const]))))(
    '%s where %s is due',
    async (_sent, _due, sent, due) => {
      world = await DeviceWorld.start();
      const steps = await upTo(dialect, due);
      steps.peer.sendRaw(frameOf(steps, sent));
      expect(await saidUntilTheEnd(steps)).toEqual(refusal(dialect, due, 8));
      await goesOn(dialect);
    },
  );
});

const CASES = (['draft', 'reference'] as const).flatMap((profile) =>
  (['draft', 'reference'] as const).map((dialect): [ProfileName, DialectName] => [profile, dialect]),
);

describe.each(CASES)('half a frame, then silence: profile %s, %s dialect', (profile, dialect) => {
  // protocol.md, table of profiles: first message, CSR_REQ; the others as in commissioning-pase §3.2.
  const [first, csr] = profile === 'draft' ? [30_000, 10_000] : [5000, 5000];
  const LIMITS = [first, 30_000, csr, 30_000];

  it.each(namesOf(dialect).map((name, step) => [name, step] as const))('of %s: ended at its deadline', async (_name, step) => {
    world = await DeviceWorld.start({ profile });
    const steps = await upTo(dialect, step);
    const frame = frameOf(steps, step);
    steps.peer.sendRaw(frame.subarray(0, frame.length - 5));
    const limit = LIMITS[step] as number;
    await world.clock.advance(limit - 1);
    expect(steps.peer.closed).toBe(false);
    const said = await saidUntilTheEnd(steps);
    expect(said).toEqual(step === 0 ? [] : refusal(dialect, step, 2));
    await goesOn(dialect);
  });
});
