import { afterEach, describe, expect, it } from 'vitest';
import { Advertiser } from '../../src/discovery/advertiser.js';
import { type DnsMessage, decodeMessage, encodeMessage, queryMessage } from '../../src/discovery/message.js';
import { nameText } from '../../src/discovery/name.js';
import { pairingRequestService } from '../../src/discovery/pairing-request.js';
import { CLASS, type DnsRecord, TYPE } from '../../src/discovery/records.js';
import { recordPolicy, typeName } from '../../src/discovery/service.js';
import { DISCRIMINATOR } from '../world/device-world.js';
import { VirtualMulticast } from '../world/network.js';
import { Feature, ReferenceWorld, Trigger } from '../world/reference-world.js';

let world: ReferenceWorld;
afterEach(() => world.close());

const COMM = '_mash-comm._tcp';
const MASH = '_mash._tcp';
const INSTANCE = `MASH-${DISCRIMINATOR}.${COMM}.local`;

interface Heard {
  readonly at: number;
  readonly message: DnsMessage;
  readonly records: readonly DnsRecord[];
}

/** Responses of the device since that time. */
function heard(since = 0): readonly Heard[] {
  return world.device.link.packets
    .filter(({ at, from }) => at >= since && from === 'fe80::1')
    .map(({ at, packet }) => ({ at, message: decodeMessage(packet) }))
    .filter(({ message }) => message.response)
    .map(({ at, message }) => ({ at, message, records: [...message.answers, ...message.additionals] }));
}

const isOf = (type: string, kind: DnsRecord['type'], record: DnsRecord): boolean =>
  record.type === kind && nameText(record.name).endsWith(`${type}.local`);
/** Packets that announce an instance of this type. */
const announcing = (type: string, since = 0): readonly Heard[] =>
  heard(since).filter(({ records }) => records.some((record) => isOf(type, 'SRV', record) && record.ttl > 0));
const leaving = (type: string, since = 0): readonly Heard[] =>
  heard(since).filter(({ records }) => records.some((record) => isOf(type, 'PTR', record) && record.ttl === 0));
const addressesOf = ({ records }: Heard): readonly string[] =>
  records.flatMap((record) => (record.type === 'A' || record.type === 'AAAA' ? [`${record.type} ${record.address.join('.')}`] : []));

/** A browser of its own, which asks once. */
async function ask(type: string): Promise<void> {
  const asking = new VirtualMulticast([{ name: 'p0', link: world.device.link, addresses: ['fe80::99/64'] }]);
  await asking.start({ onPacket: () => undefined, onInterfaces: () => undefined, onError: () => undefined });
  asking.send(
    'p0',
    encodeMessage(queryMessage({ questions: [{ name: typeName(type), type: TYPE.PTR, class: CLASS.IN, unicast: false }] })),
  );
}

const advance = (milliseconds: number): Promise<void> => world.device.clock.advance(milliseconds);
const now = (): number => world.device.clock.now();

describe('§4.10 records', () => {
  it('_mash-comm._tcp alone, MASH-<D> with four digits, D cat serial brand model, TTL 120 throughout, A beside AAAA, the operational port', async () => {
    world = await ReferenceWorld.plain();
    await advance(2000);
    const [first] = announcing(COMM);
    expect(heard().some(({ records }) => records.some((record) => nameText(record.name).includes('_mashc')))).toBe(false);
    const records = first?.records ?? [];
    expect(records.map(({ ttl }) => ttl).every((ttl) => ttl === 120)).toBe(true);
    expect(new Set(records.map(({ type }) => type))).toEqual(new Set(['PTR', 'SRV', 'TXT', 'A', 'AAAA']));
    for (const record of records) {
      if (record.type === 'SRV') expect([nameText(record.name), record.port]).toEqual([INSTANCE, world.device.port]);
      if (record.type === 'TXT')
        expect(record.strings.map((text) => new TextDecoder().decode(text).split('=')[0])).toEqual([
          'D',
          'cat',
          'serial',
          'brand',
          'model',
        ]);
    }
  });

  it('COMM-003: _mash._tcp, one a zone, <ZI>-<DI>, DI the issued common name, within 5 s; VP, FW and EP, no FM', async () => {
    world = await ReferenceWorld.start();
    const since = now();
    const zones = [await world.join('TEST'), await world.join('GRID')];
    await advance(1000);
    for (const { zoneId, deviceId } of zones) {
      const found = announcing(MASH, since).filter(({ records }) =>
        records.some((record) => record.type === 'SRV' && nameText(record.name) === `${zoneId}-${deviceId}.${MASH}.local`),
      );
      expect(found.length).toBeGreaterThan(0);
      const text = found[0]?.records.find((record) => record.type === 'TXT');
      const strings = text?.type === 'TXT' ? text.strings.map((string) => new TextDecoder().decode(string)) : [];
      expect(strings).toEqual([`ZI=${zoneId}`, `DI=${deviceId}`, 'VP=1234:0001', 'FW=0.1.0', expect.stringMatching(/^EP=\d+$/)]);
      expect((found[0]?.at ?? 0) - since).toBeLessThanOrEqual(5000);
    }
  });

  it('each packet is complete by itself, and has the same addresses in the same order, goodbyes too', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    await world.trigger(test, Trigger.RESET);
    await ask(COMM);
    await ask(MASH);
    await advance(5000);
    const told = heard().filter(({ records }) => records.some((record) => record.type === 'SRV'));
    expect(told.length).toBeGreaterThan(6);
    for (const packet of told) {
      const types = new Set(packet.records.map(({ type }) => type));
      expect(types).toEqual(new Set(['PTR', 'SRV', 'TXT', 'A', 'AAAA']));
      expect(addressesOf(packet)).toEqual(addressesOf(told[0] as Heard));
    }
  });
});

describe('§4.10 timing', () => {
  it('is answered from the moment of its registration, before its announcement', async () => {
    world = await ReferenceWorld.plain();
    expect(announcing(COMM)).toEqual([]);
    await ask(COMM);
    await advance(130);
    const [answer] = announcing(COMM);
    expect(answer?.message.answers.map((record) => record.type)).toEqual(['PTR']);
    await advance(1000);
    expect(announcing(COMM).length).toBeGreaterThan(1);
  });

  it('TC-COMM-WINDOW-005: goodbye in the turn of message 33, announced again 0.75…1.0 s after it, though the window opens at once', async () => {
    world = await ReferenceWorld.start();
    await advance(5000);
    const since = now();
    await world.join('TEST');
    expect(world.windowOpen).toBe(true);
    await advance(3000);
    const [goodbye] = leaving(COMM, since);
    const again = announcing(COMM, since).find(({ at }) => at > (goodbye?.at ?? 0));
    expect(goodbye?.at).toBeGreaterThanOrEqual(since);
    expect((again?.at ?? 0) - (goodbye?.at ?? 0)).toBeGreaterThanOrEqual(750);
    expect((again?.at ?? 0) - (goodbye?.at ?? 0)).toBeLessThanOrEqual(1000);
  });

  it('ResetTestState: a goodbye, then an announcement, each time', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    for (let i = 0; i < 3; i++) {
      await advance(5000);
      const since = now();
      await world.trigger(test, Trigger.RESET);
      await advance(1100);
      const [goodbye] = leaving(COMM, since);
      const [again] = announcing(COMM, since);
      expect((again?.at ?? 0) - (goodbye?.at ?? Number.POSITIVE_INFINITY)).toBeGreaterThanOrEqual(750);
    }
  });

  it('TC-MASHC-002, TC-DSTATE-002: ExitCommissioningMode: goodbye in the same turn, no answer afterwards', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    await advance(5000);
    const since = now();
    await world.trigger(test, Trigger.EXIT);
    await advance(20);
    expect(leaving(COMM, since).length).toBe(1);
    await advance(2000);
    const later = now();
    await ask(COMM);
    await advance(2000);
    expect(announcing(COMM, later)).toEqual([]);
  });

  it('TC-MASHO-004: three zones are three packets, 20…120 ms after the query, apart from each other', async () => {
    world = await ReferenceWorld.start();
    for (const type of ['TEST', 'GRID', 'LOCAL'] as const) await world.join(type);
    await advance(10_000);
    const since = now();
    await ask(MASH);
    await advance(1000);
    const answers = announcing(MASH, since);
    expect(answers.map(({ message }) => message.answers.length)).toEqual([1, 1, 1]);
    expect(new Set(answers.map(({ at }) => at)).size).toBe(3);
    for (const { at } of answers) {
      expect(at - since).toBeGreaterThanOrEqual(20);
      expect(at - since).toBeLessThanOrEqual(125);
    }
  });

  it('a removed zone: goodbye at once, and no answer for it', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    const grid = await world.join('GRID');
    await advance(5000);
    const since = now();
    await world.invoke(test, 16, { zoneId: grid.zoneId }, Feature.DEVICE_INFO, 0);
    await advance(20);
    expect(leaving(MASH, since).length).toBe(1);
    await advance(2000);
    const later = now();
    await ask(MASH);
    await advance(1000);
    const names = announcing(MASH, later).flatMap(({ records }) => records.map((record) => nameText(record.name)));
    expect(names.some((name) => name.startsWith(test.zoneId))).toBe(true);
    expect(names.some((name) => name.startsWith(grid.zoneId))).toBe(false);
  });
});

describe('§4.11 the window, and requests for it', () => {
  it('TC-COMM-WINDOW-001: 20 s by command 2: there at 15 s, goodbye at its end', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    await world.trigger(test, Trigger.EXIT);
    // The goodbyes of this exit are over.
    await advance(1500);
    await world.command(test, 2, { durationSeconds: 20 });
    await world.trigger(test, Trigger.ENTER);
    const since = now();
    await advance(15_000);
    await ask(COMM);
    await advance(200);
    expect(announcing(COMM, now() - 200).length).toBe(1);
    expect(leaving(COMM, since)).toEqual([]);
    await advance(5000);
    expect(leaving(COMM, since).map(({ at }) => Math.round((at - since) / 1000))[0]).toBe(20);
    const later = now();
    await ask(COMM);
    await advance(1000);
    expect(announcing(COMM, later)).toEqual([]);
  });

  it('TC-COMM-WINDOW-002: closed after 15 s; a pairing request has it advertised again within 5 s', async () => {
    world = await ReferenceWorld.start();
    const test = await world.join('TEST');
    await world.command(test, 2, { durationSeconds: 15 });
    await advance(20_000);
    expect(world.windowOpen).toBe(false);
    const since = now();
    const multicast = new VirtualMulticast([{ name: 'p1', link: world.device.link, addresses: ['fe80::98/64', '192.0.2.9/24'] }]);
    const asking = new Advertiser({
      multicast,
      clock: world.device.clock,
      entropy: world.device.crypto,
      log: world.device.log,
      hostName: 'asking.local',
      policy: recordPolicy('reference', true),
    });
    await asking.start();
    asking.publish(pairingRequestService({ zoneId: 'a1b2c3d4e5f6a7b8', discriminator: DISCRIMINATOR, zoneName: 'Home' }));
    await advance(5000);
    expect(world.windowOpen).toBe(true);
    expect(announcing(COMM, since).length).toBeGreaterThan(0);
    const closing = asking.close();
    await advance(1100);
    await closing;
  });
});
