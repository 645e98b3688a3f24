import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { type CborMap, type CborValue, decodeCbor, isMap } from '../../src/codec/cbor.js';
import { fromHex } from '../../src/codec/hex.js';
import { type DnsMessage, decodeMessage } from '../../src/discovery/message.js';
import { nameText } from '../../src/discovery/name.js';
import type { DnsRecord } from '../../src/discovery/records.js';
import { Global } from '../../src/model/model.js';
import { parseCsr } from '../../src/pki/csr.js';
import { deviceSubject, issueDeviceCertificate } from '../world/certificates.js';
import { mapOf, StepController } from '../world/controller.js';
import { VirtualMulticast } from '../world/network.js';
import type { Peer } from '../world/peer.js';
import { map, opcode, ReferenceWorld, zoneOf } from '../world/reference-world.js';
import { ZonePeer } from '../world/zone-peer.js';

function recording<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as T;
}
interface Frame {
  readonly ms: number;
  readonly connection: 'commissioning' | 'operational';
  readonly direction: 'to device' | 'from device';
  readonly hex: string;
}
interface Packet {
  readonly ms: number;
  readonly from: 'device' | 'controller';
  readonly hex: string;
}
const packets = recording<{ packets: readonly Packet[] }>('reference-mdns').packets.map(({ hex, ...packet }) => ({
  ...packet,
  bytes: fromHex(hex),
  message: decodeMessage(fromHex(hex)),
}));
const session = recording<{ frames: readonly Frame[] }>('reference-trace').frames.map(({ hex, ...frame }) => ({
  ...frame,
  value: mapOf(decodeCbor(fromHex(hex))),
}));
const operational = session.filter(({ connection }) => connection === 'operational');
const sent = operational.filter(({ direction }) => direction === 'to device');
const received = operational.filter(({ direction }) => direction === 'from device').map(({ value }) => value);

const [READ, SUBSCRIBE] = [1, 3];
const [DEVICE_INFO, MEASUREMENT, ENERGY_CONTROL] = [1, 4, 5];
const STRAY_READ = 8;

/**
 * What is each device's own, by feature: identity and what a device has (DeviceInfo), the state of its hardware (Status), the abilities of its
 * board (Electrical), what it measures, its car. Their presence is compared, their values are not.
 */
const OWN: ReadonlyMap<number, readonly number[] | 'all'> = new Map<number, readonly number[] | 'all'>([
  [DEVICE_INFO, [1, 2, 3, 4, 5, 6, 10, 11, 12, 20, 21, 32]],
  [2, 'all'],
  [3, 'all'],
  [MEASUREMENT, 'all'],
  // Failsafe limits (features.md §3: the board has a default), what is pausable, the globals' lists.
  [ENERGY_CONTROL, [1, 3, 10, 12, 14, 15, 16, 70, 71, 73, 74, 75, 76, 80]],
  [6, 'all'],
]);

let world: ReferenceWorld;
afterEach(() => world.close());

const isGlobal = (id: unknown): boolean => typeof id === 'number' && id >= Global.COMMANDS;

/** The recorded attributes of which ours are to be equal; `asked`: protocol.md §3 answers `[ids]` with those, mash-go with all. */
function comparable(recorded: CborMap, feature: number, asked: readonly CborValue[] | undefined): CborMap {
  const own = OWN.get(feature) ?? [];
  return new Map(
    [...recorded].filter(
      ([id]) => (asked === undefined || asked.includes(id as number)) && own !== 'all' && !own.includes(id as number) && !isGlobal(id),
    ),
  );
}

/** Their ids: the reference lists them in any order, and scenarios follow from what a board can do. */
function useCases(values: CborMap): readonly unknown[] {
  return (values.get(21) as readonly CborMap[]).map((useCase) => useCase.get(2)).sort();
}

/** Attributes that our charger does not have; mash-go answers with all when they are asked for by `[ids]`, and never sees that one is missing. */
const ABSENT: ReadonlyMap<number, readonly CborValue[]> = new Map([[ENERGY_CONTROL, [74]]]);

function expectLike(ours: CborMap, recorded: CborMap, request: CborMap): void {
  const ids = request.get(5);
  if (Array.isArray(ids) && ids.some((id) => ABSENT.get(request.get(4) as number)?.includes(id))) {
    expect(ours.get(2)).toBe(3);
    return;
  }
  expect([ours.get(1), ours.get(2)], `request ${String(request.get(1))}`).toEqual([recorded.get(1), recorded.get(2)]);
  const [operation, feature, payload] = [request.get(2), request.get(4) as number, request.get(5)];
  const [given, due] = [ours.get(3), recorded.get(3)];
  if (ours.get(2) !== 0) {
    expect(mapOf(given).get(1)).toEqual(expect.any(String));
    return;
  }
  if (operation !== READ && operation !== SUBSCRIBE) {
    expect(given).toEqual(due);
    return;
  }
  const values = operation === SUBSCRIBE ? mapOf(mapOf(given).get(2)) : mapOf(given);
  const recordedValues = operation === SUBSCRIBE ? mapOf(mapOf(due).get(2)) : mapOf(due);
  if (operation === SUBSCRIBE) expect(mapOf(given).get(1)).toBe(mapOf(due).get(1));
  const asked = operation === READ && Array.isArray(payload) ? (payload as readonly CborValue[]) : undefined;
  if (asked !== undefined) expect([...values.keys()]).toEqual([...asked].sort((a, b) => Number(a) - Number(b)));
  if (feature === DEVICE_INFO && asked === undefined) expect(useCases(values)).toEqual(useCases(recordedValues));
  // What this board cannot do it does not list; the reference lists it with null.
  for (const [id, value] of comparable(recordedValues, feature, asked))
    expect(values.get(id) ?? null, `${feature}/${String(id)}`).toEqual(value);
}

describe('the recorded session of the Go reference, frame by frame (test/vectors/reference-trace.json)', () => {
  it('the same requests in the same order and at the same times: the same answers, but for what OWN lists', async () => {
    world = await ReferenceWorld.start({ powerStage: true });
    const { clock, crypto } = world.device;
    const test = await world.join('TEST');
    const power = (milliwatts: number) => world.trigger(test, opcode(4, milliwatts, 1));
    await power(4_000_000);
    await world.cool();

    const zone = zoneOf('GRID');
    const steps = new StepController(await world.device.connect(), 'reference', zone);
    const answers = [];
    for (const step of steps.steps) {
      step();
      const answer = await world.pumped(steps.receive());
      steps.take(answer);
      answers.push(answer.type);
    }
    expect(answers).toEqual(['paseY', 'paseConfirm', 'csrRsp', 'certAck']);
    steps.peer.send(session[STRAY_READ]?.value as CborMap);
    await world.pumped(steps.peer.end());
    expect(steps.peer.pendingFrames).toBe(0);

    const peer: Peer = await world.device.connect({ alpn: ['mash/1'], serverName: steps.deviceId, certificate: zone.controller });
    const receive = async (): Promise<CborMap> => mapOf(await world.pumped(peer.receive()));
    // Messages 31 and 33 look like answers to the requests of these numbers; the payload of an answer is a map.
    const responses = new Map(received.filter((value) => isMap(value.get(3))).map((value) => [value.get(1), value]));
    let now = 0;
    for (const { ms, value } of sent) {
      // The recorded limit of 60 s and the two intervals of subscriptions make the time between two requests matter.
      if (ms - now > 1000) await clock.advance(ms - now);
      now = ms;
      if (value.get(4) !== undefined) {
        peer.send(value);
        expectLike(await receive(), responses.get(value.get(1) as number) as CborMap, value);
      } else if (value.get(1) === 30) {
        const nonce = crypto.bytes(32);
        peer.send(map([1, 30], [2, nonce]));
        const asked = await receive();
        expect([...asked.keys()]).toEqual([1, 2, 3]);
        expect([asked.get(1), asked.get(3)]).toEqual([31, crypto.sha256(nonce).slice(0, 16)]);
        const { publicKey } = parseCsr(crypto, asked.get(2) as Uint8Array);
        const { der } = issueDeviceCertificate(zone.ca, publicKey, { subject: deviceSubject(steps.deviceId) });
        peer.send(map([1, 32], [2, der], [3, 2]));
        expect(await receive()).toEqual(received.find((answer) => answer.get(1) === 33 && !isMap(answer.get(3))));
      }
    }
    // What the recorded charger drew changed by itself; ours rests while a TEST zone is there, and is told.
    await told(
      peer,
      test,
      received.filter((value) => value.get(1) === 0),
      power,
    );
  });

  async function told(peer: Peer, test: ZonePeer, due: readonly CborMap[], power: (milliwatts: number) => Promise<unknown>): Promise<void> {
    expect(test.peer.closed).toBe(false);
    for (const notification of due) {
      await power(mapOf(notification.get(5)).get(1) as number);
      await world.device.clock.advance(1100);
      expect(await peer.receive()).toEqual(notification);
    }
  }
});

/** Type, TTL and cache-flush bit of the records, without how many addresses a host has. */
function shape(records: readonly DnsRecord[]): readonly string[] {
  return [...new Set(records.map(({ type, ttl, flush }) => `${type} ${ttl}${flush ? ' flush' : ''}`))].sort();
}

describe('the recorded packets of the Go reference (test/vectors/reference-mdns.json)', () => {
  /** When the recorded device began to probe, less its random delay. */
  const BEGIN = 840;
  const [COMMISSIONED, STOPPED] = [7856, 45_880];

  it('each query of the controller is answered with records of the same shape; announcements as far apart from goodbyes', async () => {
    world = await ReferenceWorld.start();
    const { clock, link } = world.device;
    const asking = new VirtualMulticast([{ name: 'c0', link, addresses: ['fe80::c/64'] }]);
    await asking.start({ onPacket: () => undefined, onInterfaces: () => undefined, onError: () => undefined });
    const responses = (since: number): readonly (DnsMessage & { readonly at: number })[] =>
      link.packets
        .filter(({ at, from }) => at >= since && from === 'fe80::1')
        .map(({ at, packet }) => ({ at, ...decodeMessage(packet) }))
        .filter(({ response }) => response);
    const about = (type: string, since: number) =>
      responses(since).filter(({ answers }) =>
        answers.some((record) => record.type === 'PTR' && nameText(record.name) === `${type}.local`),
      );
    const reach = (ms: number): Promise<void> => clock.advance(Math.max(0, ms - BEGIN - clock.now()));
    let commissioned = false;
    let compared = 0;
    for (const { ms, message, bytes } of packets.filter(({ from }) => from === 'controller')) {
      if (ms > COMMISSIONED && !commissioned) {
        await reach(COMMISSIONED);
        await ZonePeer.commission(world.device, 'reference', zoneOf('GRID'));
        commissioned = true;
      }
      await reach(ms);
      const [question] = message.questions;
      const type = nameText(question?.name ?? []).replace('.local', '');
      const since = clock.now();
      asking.send('c0', bytes);
      // RFC 6762 §6: a record is not multicast again within a second; mash-go answers each query at once.
      await clock.advance(
        Math.min(1130, Math.max(130, (packets.find((next) => next.ms > ms && next.from === 'controller')?.ms ?? STOPPED) - ms)),
      );
      const recent = about(type, since - 1000).filter(({ answers }) => answers.every(({ ttl }) => ttl > 0));
      expect(recent.length, `query at ${ms} ms for ${type}`).toBeGreaterThan(0);
      const due = packets.find(({ message: { response, answers } }) => response && answers.length === 1 && answers[0]?.type === 'PTR');
      const [answer] = recent.filter(({ answers }) => answers.length === 1);
      if (answer !== undefined) {
        compared += 1;
        expect(shape(answer.answers)).toEqual(shape(due?.message.answers ?? []));
        expect(shape(answer.additionals.map((record) => ({ ...record, flush: false })))).toEqual(
          shape((due?.message.additionals ?? []).map((record) => ({ ...record, flush: false }))),
        );
      }
    }
    expect(compared).toBeGreaterThan(5);
    const announced = packets.find(({ message: { answers } }) => answers.length > 1 && answers.every(({ ttl }) => ttl > 0));
    const ours = about('_mash-comm._tcp', 0).find(({ answers }) => answers.length > 1 && answers.every(({ ttl }) => ttl > 0));
    expect(shape(ours?.answers ?? [])).toEqual(shape(announced?.message.answers ?? []));
    // The host stays, and other devices may have the type: neither its addresses nor the enumeration leave with the window.
    const goodbye = about('_mash-comm._tcp', 0).find(({ answers }) => answers.some(({ ttl }) => ttl === 0));
    expect(shape(goodbye?.answers ?? [])).toEqual(['PTR 0', 'SRV 0 flush', 'TXT 0 flush']);
    await reach(STOPPED);
    const since = clock.now();
    await world.pumped(world.device.device.close());
    const last = responses(since);
    for (const type of ['_mash-comm._tcp', '_mash._tcp'])
      expect(
        last.some(({ answers }) => answers.some((record) => record.ttl === 0 && nameText(record.name).endsWith(`${type}.local`))),
      ).toBe(true);
  });
});
