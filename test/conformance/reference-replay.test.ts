import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { type CborKey, type CborMap, type CborValue, decodeCbor, isMap } from '../../src/codec/cbor.js';
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

const [READ, SUBSCRIBE, INVOKE] = [1, 3, 4];
const [DEVICE_INFO, STATUS, ELECTRICAL, MEASUREMENT, ENERGY_CONTROL, CHARGING_SESSION] = [1, 2, 3, 4, 5, 6] as const;
const { COMMANDS, ATTRIBUTES, FEATURE_MAP } = Global;
const STRAY_READ = 8;
const PAUSE = 9;

/** `own`: identity, time or noise, of which only the presence is compared; another value: what ours is, and why. */
type Difference = 'own' | { readonly ours: CborValue; readonly why: string };
const instead = (ours: CborValue, why: string): Difference => ({ ours, why });
const FORECASTS = instead(0x15b, 'sim-evse takes forecasts: FORECAST is bit 8 (docs/protocol.md, "forecasts")');

/** By feature and attribute: every value of the recording that is not ours too. */
const DIFFERENT: Readonly<Record<number, ReadonlyMap<CborKey, Difference>>> = {
  [DEVICE_INFO]: new Map<CborKey, Difference>([
    ...[1, 2, 3, 4, 10, 11].map((id) => [id, 'own'] as const),
    [32, instead(2, 'the TEST zone that forces the power is counted (features.md §5)')],
    [COMMANDS, instead([16, 17], 'ListZones is command 17 (protocol.md §3)')],
  ]),
  [STATUS]: new Map([[FEATURE_MAP, FORECASTS]]),
  [ELECTRICAL]: new Map([
    [10, instead(11_040_000, 'the board: 3 × 16 A × 230 V')],
    [13, instead(16_000, 'the board')],
    [FEATURE_MAP, FORECASTS],
  ]),
  [MEASUREMENT]: new Map<CborKey, Difference>([
    ...[2, 3, 10, 20, 21, 23, 24, 30].map((id) => [id, 'own'] as const),
    [FEATURE_MAP, FORECASTS],
  ]),
  [ENERGY_CONTROL]: new Map([
    [12, instead(true, 'sim-evse has acceptsSetpoints (features.md §5, useCases)')],
    [70, instead(4_200_000, 'the board has a default (features.md §3)')],
    [71, instead(0, 'the board has a default (features.md §3)')],
    [COMMANDS, instead([1, 2, 3, 4, 5, 6, 9, 10, 11], 'a command whose flag is false is not listed (features.md, "Forms")')],
    [FEATURE_MAP, FORECASTS],
  ]),
  [CHARGING_SESSION]: new Map<CborKey, Difference>([
    // sim-evse starts with a car (features.md §5); it has left before the recording begins.
    [3, 'own'],
    [4, 'own'],
    [71, instead([0, 1, 2, 3, 4], 'sim-evse follows plans: SCHEDULED')],
    [FEATURE_MAP, FORECASTS],
  ]),
};
/** features.md §5: "what a board cannot measure is not listed", nor what it cannot do; the reference lists it with null. */
const UNLISTED: Readonly<Record<number, readonly CborValue[]>> = {
  [MEASUREMENT]: [11, 12, 22, 31, 40, 41, 42, 43, 44, 50, 51, 52, 53, 54, 60],
  [ENERGY_CONTROL]: [50, 51, 52, 53, 74, 87],
  [CHARGING_SESSION]: [50, 51, 52],
};

let world: ReferenceWorld;
afterEach(() => world.close());

/** Arrays of small integers, which mash-go sends as byte strings too; lists whose order means nothing in theirs. */
function plain(value: CborValue | undefined, id: CborKey): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (id === 20 && Array.isArray(value))
    return (value as readonly CborMap[]).map((endpoint) => new Map([...endpoint, [4, [...(endpoint.get(4) as readonly number[])].sort()]]));
  if (id === 21 && Array.isArray(value)) return (value as readonly CborMap[]).map((useCase) => [...useCase.values()]).sort();
  return value;
}

/** `asked`: protocol.md §3 answers `[ids]` with those, mash-go with all. */
function expectValues(ours: CborMap, recorded: CborMap, feature: number, asked: readonly CborValue[] | undefined): void {
  const unlisted = UNLISTED[feature] ?? [];
  const due = [...recorded].filter(([id]) => (asked === undefined || asked.includes(id)) && !unlisted.includes(id));
  expect(new Set(ours.keys())).toEqual(new Set(due.map(([id]) => id)));
  for (const [id, value] of due) {
    const where = `attribute ${String(id)} of feature ${feature}`;
    const difference = DIFFERENT[feature]?.get(id);
    if (difference === 'own') continue;
    const left = id === ATTRIBUTES ? (value as readonly CborValue[]).filter((one) => !unlisted.includes(one)) : value;
    const expected = difference === undefined ? left : difference.ours;
    expect(plain(ours.get(id), id), difference === undefined ? where : `${where}: ${difference.why}`).toEqual(plain(expected, id));
    // What is explained must differ.
    if (difference !== undefined) expect(plain(value, id), where).not.toEqual(plain(expected, id));
  }
}

function expectLike(ours: CborMap, recorded: CborMap, request: CborMap): void {
  const [operation, feature, payload] = [request.get(2), request.get(4) as number, request.get(5)];
  const asked = operation === READ && Array.isArray(payload) ? (payload as readonly CborValue[]) : undefined;
  if (asked?.some((id) => UNLISTED[feature]?.includes(id)) === true) {
    // mash-go answers with all, and never sees that one is missing.
    expect(ours.get(2)).toBe(3);
    return;
  }
  expect([ours.get(1), ours.get(2)], `request ${String(request.get(1))}`).toEqual([recorded.get(1), recorded.get(2)]);
  const [given, due] = [mapOf(ours.get(3)), mapOf(recorded.get(3))];
  if (ours.get(2) !== 0) expect(given.get(1)).toEqual(expect.stringContaining(due.get(1) as string));
  else if (operation === READ) expectValues(given, due, feature, asked);
  else if (operation === SUBSCRIBE) {
    expect(given.get(1)).toBe(due.get(1));
    expectValues(mapOf(given.get(2)), mapOf(due.get(2)), feature, undefined);
  } else expect(given).toEqual(due);
}

describe('the recorded session of the Go reference, frame by frame (test/vectors/reference-trace.json)', () => {
  it('the same requests in the same order and at the same times: the same answers, value by value, but for what DIFFERENT explains', async () => {
    world = await ReferenceWorld.start({ powerStage: true });
    const { clock, crypto, stage } = world.device;
    // The recorded charger has no car.
    stage?.simulate((charger) => charger.unplug());
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
        const recorded = responses.get(value.get(1) as number) as CborMap;
        expectLike(await receive(), recorded, value);
        if (value.get(2) === READ && Array.isArray(value.get(5))) {
          // mash-go has answered with all: so do we where all are asked for.
          peer.send(map([1, 0x1_0000], [2, READ], [3, value.get(3) as number], [4, value.get(4) as number]));
          expectValues(mapOf((await receive()).get(3)), mapOf(recorded.get(3)), value.get(4) as number, undefined);
        }
        // What the recorded charger draws, without a car, ends with its Pause.
        if (value.get(2) === INVOKE && mapOf(value.get(5)).get(1) === PAUSE) await power(0);
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
