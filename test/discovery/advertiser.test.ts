import { describe, expect, it } from 'vitest';
import { commissionableUdpService } from '../../src/discovery/mash-services.js';
import { encodeMessage, queryMessage } from '../../src/discovery/message.js';
import { CLASS, type DnsRecord, TYPE } from '../../src/discovery/records.js';
import { ENUMERATION, instanceName, recordPolicy, type ServiceDefinition, typeName } from '../../src/discovery/service.js';
import { VirtualLink } from '../world/network.js';
import { brief, COMMISSIONABLE, DiscoveryWorld, HOST, LINK_LOCAL, OPERATIONAL, query } from './world.js';

const TYPE_NAME = typeName('_mash-comm._tcp');
const INSTANCE = instanceName(COMMISSIONABLE);
const ANNOUNCEMENT = [
  'SRV MASH-7._mash-comm._tcp.local 4500!',
  'TXT MASH-7._mash-comm._tcp.local 4500!',
  'PTR _mash-comm._tcp.local 4500',
  'PTR _services._dns-sd._udp.local 4500',
  `AAAA ${HOST} 120!`,
  `AAAA ${HOST} 120!`,
];

async function announced(world: DiscoveryWorld, service: ServiceDefinition = COMMISSIONABLE) {
  const device = world.device();
  await device.advertiser.start();
  const published = device.advertiser.publish(service);
  await world.clock.advance(10_000);
  return { ...device, published, since: world.clock.now() };
}

describe('announcing', () => {
  it('sends everything about a service in one packet, three times, the pauses doubling (RFC 6762 §8.3)', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(60_000);
    const sent = world.responses();
    expect(sent.map(({ at }) => Math.round(at - (sent[0]?.at ?? 0)))).toEqual([0, 1000, 3000]);
    for (const { message, to } of sent) {
      expect(to).toBeUndefined();
      expect([message.id, message.response, message.authoritative, message.questions.length]).toEqual([0, true, true, 0]);
      expect(brief(message.answers)).toEqual(ANNOUNCEMENT);
    }
    expect(sent[0]?.packet).toEqual(sent[2]?.packet);
    expect(world.clock.pending()).toEqual([]);
  });

  it('has TTL 120 throughout in form reference, and A records with IPv4', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device({ policy: recordPolicy('reference', true) });
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(1000);
    const answers = world.responses()[0]?.message.answers ?? [];
    expect(answers.map((record) => record.ttl)).toEqual(new Array(7).fill(120));
    expect(answers.map((record) => record.type)).toEqual(['SRV', 'TXT', 'PTR', 'PTR', 'AAAA', 'AAAA', 'A']);
  });

  it('gives each interface its own addresses, ULA first, and leaves out an interface without any', async () => {
    const world = new DiscoveryWorld();
    const [wlan, ppp] = [new VirtualLink(world.clock), new VirtualLink(world.clock)];
    const { advertiser } = world.device({
      interfaces: [
        { name: 'eth0', link: world.link, addresses: ['fe80::1/64', 'fd00::1/64'] },
        { name: 'wlan0', link: wlan, addresses: ['fe80::2/64', 'fd00::2/64'] },
        { name: 'ppp0', link: ppp, addresses: ['10.0.0.1/32'] },
      ],
    });
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(1000);
    const addresses = (link: VirtualLink) =>
      world
        .responses(0, link)[0]
        ?.message.answers.flatMap((record) => (record.type === 'AAAA' ? [record.address[15], record.address[0]] : []));
    expect(addresses(world.link)).toEqual([1, 0xfd, 1, 0xfe]);
    expect(addresses(wlan)).toEqual([2, 0xfd, 2, 0xfe]);
    expect(ppp.packets).toEqual([]);
  });

  it('announces what was published before the start, and nothing that was withdrawn before it', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    advertiser.publish(COMMISSIONABLE);
    advertiser.publish(OPERATIONAL).withdraw();
    await advertiser.start();
    await world.clock.advance(5000);
    expect(world.responses().map(({ message }) => brief(message.answers))).toEqual([ANNOUNCEMENT, ANNOUNCEMENT, ANNOUNCEMENT]);
  });

  it('announces a change of TXT, and everything when an interface comes', async () => {
    const world = new DiscoveryWorld();
    const { multicast, published, since } = await announced(world);
    published.update({ port: 8444, txt: [['D', '7']] });
    await world.clock.advance(10_000);
    const updates = world.sent(since);
    expect(updates.map(({ at }) => at - since)).toEqual([0, 1000, 3000]);
    expect(updates[0]?.message.answers[1]).toMatchObject({ type: 'TXT', flush: true, strings: [new TextEncoder().encode('D=7')] });
    const other = new VirtualLink(world.clock);
    multicast.setInterfaces([{ name: 'wlan0', link: other, addresses: ['fe80::2/64'] }]);
    await world.clock.advance(10_000);
    const there = world.responses(0, other).map(({ at }) => at);
    expect(there.map((at) => Math.round(at - (there[0] ?? 0)))).toEqual([0, 1000, 3000]);
  });

  it('changes that follow each other are told a second apart, the latest always (RFC 6762 §6, discovery §3.5)', async () => {
    const world = new DiscoveryWorld();
    const { published, since } = await announced(world);
    for (let i = 0; i < 25; i++) {
      published.update({ port: 8444, txt: [['D', String(i)]] });
      await world.clock.advance(100);
    }
    await world.clock.advance(10_000);
    const told = world.sent(since).map(({ at, message }) => [at - since, txtOf(message.answers[1])]);
    expect(told).toEqual([
      [0, 'D=0'],
      [1000, 'D=9'],
      [2000, 'D=19'],
      [3000, 'D=24'],
      [4000, 'D=24'],
      [6000, 'D=24'],
    ]);
  });

  it('logs what cannot be sent, and goes on', async () => {
    const world = new DiscoveryWorld();
    const { advertiser, multicast } = world.device();
    multicast.broken.add('eth0');
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(250);
    expect(world.log.lines.slice(0, 1).map(({ level, scope, fields }) => [level, scope, fields])).toEqual([
      ['warn', 'discovery', { interface: 'eth0', reason: 'ENETUNREACH' }],
    ]);
    multicast.broken.clear();
    await world.clock.advance(1000);
    expect(world.responses()).toHaveLength(1);
  });

  it('refuses what DNS cannot carry, and too many services', async () => {
    const { advertiser } = new DiscoveryWorld().device();
    expect(() => advertiser.publish({ ...COMMISSIONABLE, instance: 'x'.repeat(64) })).toThrow(RangeError);
    expect(() => advertiser.publish({ ...COMMISSIONABLE, port: 70_000 })).toThrow(RangeError);
    const txt = new Array(20).fill(['key', 'x'.repeat(250)]) as [string, string][];
    expect(() => advertiser.publish({ ...COMMISSIONABLE, txt })).toThrow(RangeError);
    for (let i = 0; i < 64; i++) advertiser.publish({ ...COMMISSIONABLE, instance: `MASH-${i}` });
    expect(() => advertiser.publish({ ...COMMISSIONABLE, instance: 'one more' })).toThrow(RangeError);
    advertiser.publish({ ...COMMISSIONABLE, instance: 'mash-7' });
  });
});

describe('leaving', () => {
  it('TC-TRANS-2: the window closes and the zone appears in the same millisecond', async () => {
    const world = new DiscoveryWorld();
    const { advertiser, published, since } = await announced(world);
    const udp = commissionableUdpService({ discriminator: 7, vendorId: 1, productId: 2, deviceType: 'EVSE', port: 8444 });
    const second = advertiser.publish(udp);
    await world.clock.advance(10_000);
    published.withdraw();
    second.withdraw();
    advertiser.publish(OPERATIONAL);
    await world.clock.advance(0);
    const [packet, ...more] = world.sent(since + 10_000);
    expect(more).toEqual([]);
    const told = brief(packet?.message.answers ?? []);
    expect(told.slice(0, 3)).toEqual([
      'SRV MASH-7._mash-comm._tcp.local 0!',
      'TXT MASH-7._mash-comm._tcp.local 0!',
      'PTR _mash-comm._tcp.local 0',
    ]);
    expect(told).toContain('PTR _mashc._udp.local 0');
    expect(told).toContain('SRV A1B2C3D4E5F6A7B8-F9E8D7C6B5A49382._mash._tcp.local 4500!');
    // The host stays: its addresses keep their life.
    expect(told.filter((record) => record.startsWith('AAAA'))).toEqual([`AAAA ${HOST} 120!`, `AAAA ${HOST} 120!`]);
  });

  it('repeats a goodbye once, and never answers for what has left', async () => {
    const world = new DiscoveryWorld();
    const { published, since } = await announced(world);
    const peer = await world.peer();
    peer.send('p0', query(TYPE_NAME, TYPE.PTR));
    await world.clock.advance(1);
    published.withdraw();
    published.withdraw();
    published.update({ port: 1, txt: [] });
    await world.clock.advance(500);
    peer.send('p0', query(INSTANCE, TYPE.ANY));
    await world.clock.advance(10_000);
    expect(world.responses(since).map(({ at, message }) => [at - since, message.answers[0]?.ttl])).toEqual([
      [1, 0],
      [1001, 0],
    ]);
    expect(world.clock.pending()).toEqual([]);
  });

  it('profile reference: what was answered while it is probed for is taken back, too (RFC 6762 §10.1)', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device({ policy: recordPolicy('reference', false) });
    await advertiser.start();
    const published = advertiser.publish(COMMISSIONABLE);
    const peer = await world.peer();
    await world.clock.advance(100);
    peer.send('p0', query(TYPE_NAME, TYPE.PTR));
    await world.clock.advance(200);
    const answered = world.responses().length;
    published.withdraw();
    await world.clock.advance(10_000);
    const ttls = world.responses().map(({ message }) => message.answers[0]?.ttl);
    expect([answered, ttls]).toEqual([1, [120, 0, 0]]);
    expect(world.clock.pending()).toEqual([]);
  });

  it('a withdrawn service that is published again stays', async () => {
    const world = new DiscoveryWorld();
    const { advertiser, published, since } = await announced(world);
    published.withdraw();
    await world.clock.advance(300);
    advertiser.publish(COMMISSIONABLE);
    published.withdraw();
    await world.clock.advance(10_000);
    // Probed for anew: the name could have been taken, and browsers see it gone for a moment.
    const seen = world.responses(since).map(({ at, message }) => [at - since, message.answers[0]?.ttl]);
    expect(seen.map(([, ttl]) => ttl)).toEqual([0, 4500, 4500, 4500]);
    expect(seen[1]?.[0]).toBeGreaterThanOrEqual(300 + 750);
    expect(seen[1]?.[0]).toBeLessThanOrEqual(300 + 1000);
  });

  it('close says goodbye for the services and the addresses, and sends nothing afterwards', async () => {
    const world = new DiscoveryWorld();
    const { advertiser, multicast, published, since } = await announced(world);
    const closing = advertiser.close();
    expect(advertiser.close()).toBe(closing);
    await closing;
    expect(multicast.closed).toBe(true);
    expect(world.sent(since).map(({ message }) => brief(message.answers))).toEqual([
      [...ANNOUNCEMENT.filter((text) => !text.includes('_services')).map((text) => text.replace(/ \d+(!?)$/, ' 0$1'))],
    ]);
    published.withdraw();
    advertiser.publish(OPERATIONAL).withdraw();
    await world.clock.advance(10_000);
    expect(world.sent(since)).toHaveLength(1);
    expect(world.clock.pending()).toEqual([]);
  });

  it('close takes back the addresses even when no service is left, and says nothing when none was ever announced', async () => {
    const world = new DiscoveryWorld();
    const { advertiser, published } = await announced(world);
    published.withdraw();
    await world.clock.advance(10_000);
    const since = world.clock.now();
    await advertiser.close();
    expect(world.sent(since).map(({ message }) => brief(message.answers))).toEqual([[`AAAA ${HOST} 0!`, `AAAA ${HOST} 0!`]]);
    const silent = new DiscoveryWorld();
    const { advertiser: idle } = silent.device();
    await idle.start();
    await idle.close();
    expect(silent.sent()).toEqual([]);
  });

  it('close does not wait longer than a second for the sockets', async () => {
    const world = new DiscoveryWorld();
    const { advertiser, multicast } = world.device();
    await advertiser.start();
    multicast.close = () => new Promise(() => undefined);
    let closed = false;
    const closing = advertiser.close().then(() => {
      closed = true;
    });
    await world.clock.advance(999);
    expect(closed).toBe(false);
    await world.clock.advance(1);
    await closing;
    expect(closed).toBe(true);
  });
});

describe('answering', () => {
  it('TC-MDNS-REC-1…3: PTR after 20…120 ms, with SRV, TXT, ULA and link-local in the same packet', async () => {
    const world = new DiscoveryWorld();
    const { since } = await announced(world);
    const peer = await world.peer();
    peer.send('p0', query(TYPE_NAME, TYPE.PTR));
    peer.send('p0', query(['_MASH-comm', '_TCP', 'local'], TYPE.PTR));
    await world.clock.advance(5000);
    const responses = world.responses(since);
    expect(responses).toHaveLength(1);
    const [response] = responses;
    expect((response?.at ?? 0) - since - 1).toBeGreaterThanOrEqual(20);
    expect((response?.at ?? 0) - since - 1).toBeLessThanOrEqual(120);
    expect([response?.to, response?.message.id, response?.message.authoritative]).toEqual([undefined, 0, true]);
    expect(brief(response?.message.answers ?? [])).toEqual(['PTR _mash-comm._tcp.local 4500']);
    const [srv, txt, ...addresses] = response?.message.additionals ?? [];
    expect(srv).toMatchObject({ type: 'SRV', flush: true, priority: 0, weight: 0, port: 8444, target: [HOST.split('.')[0], 'local'] });
    expect(txt).toMatchObject({ type: 'TXT', flush: true });
    expect(addresses.map((record) => (record.type === 'AAAA' ? record.address.length : record.type))).toEqual([16, 16, 'NSEC']);
    expect(addresses.map((record) => record.type === 'AAAA' && record.address[0])).toEqual([0xfd, 0xfe, false]);
  });

  it.each([
    ['SRV', TYPE.SRV, ['SRV'], ['TXT', 'AAAA', 'AAAA', 'NSEC']],
    ['TXT', TYPE.TXT, ['TXT'], ['SRV', 'AAAA', 'AAAA', 'NSEC']],
    ['ANY', TYPE.ANY, ['SRV', 'TXT'], ['AAAA', 'AAAA', 'NSEC']],
  ])('%s of an instance at once', async (_, type, answers, additionals) => {
    const world = new DiscoveryWorld();
    const { since } = await announced(world);
    const peer = await world.peer();
    peer.send('p0', query(INSTANCE, type));
    await world.clock.advance(5000);
    const responses = world.responses(since);
    expect(responses.map(({ at, message }) => [at - since, message.answers.map(typeOf), message.additionals.map(typeOf)])).toEqual([
      [1, answers, additionals],
    ]);
  });

  it('AAAA of the host, the types in the enumeration, and nothing for other names, types or classes', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = await announced(world);
    advertiser.publish(OPERATIONAL);
    await world.clock.advance(10_000);
    const peer = await world.peer();
    const ask = async (packet: Uint8Array): Promise<string[]> => {
      const at = world.clock.now();
      peer.send('p0', packet);
      await world.clock.advance(1000);
      return world.responses(at).flatMap(({ message }) => message.answers.map((record) => `${record.type} ${targetOf(record)}`));
    };
    const host = HOST.split('.');
    expect(await ask(query(host, TYPE.AAAA))).toEqual(['AAAA ', 'AAAA ']);
    expect((await ask(query(ENUMERATION, TYPE.PTR))).sort()).toEqual(['PTR _mash-comm._tcp.local', 'PTR _mash._tcp.local']);
    expect(await ask(query(host, TYPE.A))).toEqual(['NSEC ']);
    expect(await ask(query(['vm', 'local'], TYPE.AAAA))).toEqual([]);
    expect(await ask(query(typeName('_http._tcp'), TYPE.PTR))).toEqual([]);
    expect(await ask(query(TYPE_NAME, TYPE.SRV))).toEqual([]);
    const chaos = queryMessage({ questions: [{ name: host, type: TYPE.AAAA, class: 3, unicast: false }] });
    expect(await ask(encodeMessage(chaos))).toEqual([]);
    const update = { ...queryMessage({ questions: [{ name: host, type: TYPE.AAAA, class: CLASS.IN, unicast: false }] }), opcode: 5 };
    expect(await ask(encodeMessage(update))).toEqual([]);
  });

  it.each([
    ['draft', [2]],
    ['reference', [1, 1]],
  ] as const)('two zones answer in one packet; in form reference each in its own (%s)', async (form, expected) => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device({ policy: recordPolicy(form, false) });
    await advertiser.start();
    advertiser.publish(OPERATIONAL);
    advertiser.publish({ ...OPERATIONAL, instance: 'B1B2C3D4E5F6A7B8-09E8D7C6B5A49382' });
    await world.clock.advance(10_000);
    const since = world.clock.now();
    (await world.peer()).send('p0', query(typeName('_mash._tcp'), TYPE.PTR));
    await world.clock.advance(1000);
    const responses = world.responses(since);
    expect(responses.map(({ message }) => message.answers.length)).toEqual(expected);
    expect(new Set(responses.map(({ at }) => at)).size).toBe(expected.length);
  });

  it('leaves out what the querier knows, unless it knows it for less than half its life (RFC 6762 §7.1)', async () => {
    const world = new DiscoveryWorld();
    const { since } = await announced(world);
    const known = (ttl: number): DnsRecord => ({ name: TYPE_NAME, type: 'PTR', class: CLASS.IN, flush: false, ttl, target: INSTANCE });
    const peer = await world.peer();
    peer.send('p0', query(TYPE_NAME, TYPE.PTR, { known: [known(2250)] }));
    await world.clock.advance(1000);
    expect(world.responses(since)).toEqual([]);
    peer.send('p0', query(TYPE_NAME, TYPE.PTR, { known: [known(2249)] }));
    await world.clock.advance(1000);
    expect(world.responses(since)).toHaveLength(1);
  });

  it('answers a QU question by unicast, with the id of the query', async () => {
    const world = new DiscoveryWorld();
    const { since } = await announced(world);
    (await world.peer()).send('p0', query(TYPE_NAME, TYPE.PTR, { unicast: true, id: 99 }));
    await world.clock.advance(1000);
    const responses = world.responses(since);
    expect(responses.map(({ to, message }) => [to?.address, to?.port, message.id, message.questions.length])).toEqual([
      ['fe80::99', 5353, 99, 0],
    ]);
    // §5.4: "randomized delays to reduce network collisions": every device of the type answers.
    const waited = (responses[0]?.at ?? 0) - since - 1;
    expect([waited >= 20, waited <= 120]).toEqual([true, true]);
  });

  it('answers a legacy resolver by unicast: id and question repeated, TTL at most 10, no cache-flush bit (RFC 6762 §6.7)', async () => {
    const world = new DiscoveryWorld();
    const { since } = await announced(world);
    const resolver = await world.peer(40_000);
    resolver.send('p0', query(HOST.split('.'), TYPE.AAAA, { id: 4711 }));
    await world.clock.advance(1000);
    const [response, ...more] = world.responses(since);
    expect(more).toEqual([]);
    expect(response?.to).toMatchObject({ address: 'fe80::99', port: 40_000 });
    expect([response?.message.id, response?.message.questions[0]?.name]).toEqual([4711, HOST.split('.')]);
    expect(brief(response?.message.answers ?? [])).toEqual([`AAAA ${HOST} 10`, `AAAA ${HOST} 10`]);
  });

  it('sends no unicast answer off the link (RFC 6762 §11)', async () => {
    const world = new DiscoveryWorld();
    const { multicast, since } = await announced(world);
    for (const address of ['2001:db8::5', '10.99.0.1', 'nonsense'])
      multicast.deliver(query(TYPE_NAME, TYPE.PTR), { interfaceName: 'eth0', address, port: 40_000 });
    await world.clock.advance(1000);
    expect(world.responses(since)).toEqual([]);
    multicast.deliver(query(TYPE_NAME, TYPE.PTR), { interfaceName: 'eth0', address: 'fd77:1::55', port: 40_000 });
    await world.clock.advance(1000);
    expect(world.responses(since)).toHaveLength(1);
  });

  it('drops packets that do not decode, and counts them; a storm leaves nothing behind', async () => {
    const world = new DiscoveryWorld();
    const { advertiser, multicast, since } = await announced(world);
    const source = { interfaceName: 'eth0', address: LINK_LOCAL, port: 5353 };
    multicast.deliver(Uint8Array.of(1, 2, 3), source);
    expect(advertiser.counters.malformed).toBe(1);
    for (let i = 0; i < 1000; i++) multicast.deliver(query(TYPE_NAME, TYPE.PTR), source);
    expect(world.clock.pending()).toHaveLength(1);
    await world.clock.advance(1000);
    expect(world.responses(since)).toHaveLength(1);
  });
});

function typeOf(record: DnsRecord): string {
  return record.type;
}

function txtOf(record: DnsRecord | undefined): string {
  return record?.type === 'TXT' ? record.strings.map((bytes) => new TextDecoder().decode(bytes)).join(' ') : '';
}

function targetOf(record: DnsRecord): string {
  return record.type === 'PTR' ? record.target.join('.') : '';
}
