import { describe, expect, it } from 'vitest';
import { encodeMessage, responseMessage } from '../../src/discovery/message.js';
import { CLASS, type DnsRecord, TYPE } from '../../src/discovery/records.js';
import { instanceName, recordPolicy, serviceRecords, typeName } from '../../src/discovery/service.js';
import { SeededEntropy } from '../world/entropy.js';
import { COMMISSIONABLE, DiscoveryWorld, HOST, query } from './world.js';

const TYPE_TEXT = '_mash-comm._tcp';
const TYPE_NAME = typeName(TYPE_TEXT);
const RECORDS = serviceRecords(COMMISSIONABLE, HOST.split('.'), recordPolicy('draft', false));
const AAAA: DnsRecord = {
  name: HOST.split('.'),
  type: 'AAAA',
  class: CLASS.IN,
  flush: true,
  ttl: 120,
  address: Uint8Array.from([0xfd, ...new Array<number>(14).fill(0), 1]),
};
const everything = packet(RECORDS.ptr, RECORDS.srv, RECORDS.txt, AAAA);

function packet(...answers: DnsRecord[]): Uint8Array {
  return encodeMessage(responseMessage({ answers }));
}

function invented(count: number, prefix = 'MASH-X'): readonly DnsRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    ...RECORDS.ptr,
    target: instanceName({ type: TYPE_TEXT, instance: `${prefix}${i}` }),
  }));
}

async function start(type = TYPE_TEXT) {
  const world = new DiscoveryWorld();
  const { browser, multicast } = world.controller();
  await browser.start();
  const names: string[] = [];
  const browse = browser.browse(type, {
    added: ({ instance }) => names.push(instance),
    removed: ({ instance }) => names.push(`-${instance}`),
  });
  await world.clock.advance(0);
  const deliver = (bytes: Uint8Array, address = 'fe80::66', port = 5353): void =>
    multicast.deliver(bytes, { interfaceName: 'wlan0', address, port });
  const failures = () => world.log.lines.filter(({ level }) => level === 'error');
  return { world, browser, multicast, browse, names, deliver, failures };
}

describe('a browser on a hostile link', () => {
  it.each([
    ['2001:db8::66', 1],
    ['fd77:2::66', 1],
    ['192.0.2.66', 1],
    ['nonsense', 1],
    ['fe80::66%wlan0', 0],
    ['fd77:1::66', 0],
    ['10.77.0.66', 0],
  ])('RFC 6762 §11: a response from %s is off the link %i times', async (address, offLink) => {
    const { browser, deliver, names } = await start();
    deliver(everything, address);
    expect([browser.counters.offLink, names]).toEqual([offLink, offLink === 0 ? ['MASH-7'] : []]);
  });

  it('a goodbye from off the link takes nothing away', async () => {
    const { world, browser, deliver, names } = await start();
    deliver(everything);
    deliver(packet({ ...RECORDS.ptr, ttl: 0 }, { ...RECORDS.srv, ttl: 0 }), '2001:db8::66');
    await world.clock.advance(5000);
    expect([names, browser.counters.offLink]).toEqual([['MASH-7'], 1]);
  });

  it('what speaks of others is not decoded, what is malformed on the way to a name is counted', async () => {
    const { browser, deliver } = await start();
    const http = serviceRecords({ ...COMMISSIONABLE, type: '_http._tcp' }, HOST.split('.'), recordPolicy('draft', false));
    const others = packet(http.ptr, http.srv, http.txt, { ...AAAA, name: ['printer', 'local'] });
    for (const bytes of [others, Uint8Array.from([...others, 1, 2, 3])]) deliver(bytes);
    expect(browser.counters).toEqual({ malformed: 0, offLink: 0, limited: 0, displaced: 0 });
    deliver(Uint8Array.from([...everything, 1, 2, 3]));
    deliver(others.slice(0, 30));
    expect(browser.counters.malformed).toBe(2);
  });

  it('an instance, a host and a goodbye are let in by their names, in any case', async () => {
    const { world, deliver, names } = await start();
    const upper = (record: DnsRecord): DnsRecord => ({ ...record, name: record.name.map((label) => label.toUpperCase()) });
    deliver(packet(upper(RECORDS.ptr)));
    deliver(packet(upper(RECORDS.txt)));
    deliver(packet(upper(RECORDS.srv)));
    deliver(packet(upper(AAAA)));
    expect(names).toEqual(['MASH-7']);
    deliver(packet({ ...AAAA, ttl: 0 }));
    await world.clock.advance(1001);
    expect(names).toEqual(['MASH-7', '-MASH-7']);
  });

  it('compression loops, 9000 bytes and more, headers alone: counted, nothing else', async () => {
    const { browser, deliver, names, failures } = await start();
    const header = [0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    const loop = Uint8Array.from([...header, 0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 1, 0, 0]);
    const pair = Uint8Array.from([...header, 1, 0x61, 0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 1, 0, 0]);
    const large = new Uint8Array(9001);
    large.set(everything);
    for (const bytes of [loop, pair, large, Uint8Array.from(header), new Uint8Array(0), new Uint8Array(9000).fill(0xff)]) deliver(bytes);
    expect([browser.counters.malformed, names, failures()]).toEqual([6, [], []]);
    deliver(everything);
    expect(names).toEqual(['MASH-7']);
  });

  it('records of every type and class under our names change nothing', async () => {
    const { world, deliver, names, failures } = await start();
    deliver(everything);
    for (let type = 0; type < 300; type++) {
      const raw: DnsRecord = {
        name: RECORDS.srv.name,
        type: 'raw',
        code: type,
        class: type,
        flush: true,
        ttl: 120,
        data: Uint8Array.of(1, 2, 3),
      };
      if (!Object.values<number>(TYPE).includes(type)) deliver(packet(raw));
      await world.clock.advance(20);
    }
    expect([names, failures()]).toEqual([['MASH-7'], []]);
  });

  it('3,000 mutations of an announcement end in nothing worse than records', async () => {
    const { world, browser, deliver, failures } = await start();
    const entropy = new SeededEntropy(77);
    for (let i = 0; i < 3000; i++) {
      const mutated = everything.slice(0, entropy.below(4) === 0 ? entropy.below(everything.length) : everything.length);
      for (let n = entropy.below(4); n >= 0; n--) mutated[entropy.below(mutated.length + 1)] = entropy.below(256);
      deliver(mutated, `fe80::${(i % 200).toString(16)}`);
      await world.clock.advance(20);
    }
    expect(failures()).toEqual([]);
    expect(browser.counters.malformed).toBeGreaterThan(0);
    await browser.close();
    expect(world.clock.pending()).toEqual([]);
  });

  it('a storm of one host leaves room for the others, one of queries leaves room for answers', async () => {
    const { world, browser, deliver, names } = await start();
    for (let i = 0; i < 10_000; i++) deliver(packet(RECORDS.ptr));
    expect(browser.counters.limited).toBe(9800);
    for (let i = 0; i < 10_000; i++) deliver(query(TYPE_NAME, TYPE.PTR), `fe80::${(1000 + i).toString(16)}`);
    expect(browser.counters.limited).toBe(9800 + 9900);
    deliver(everything, 'fe80::1');
    await world.clock.advance(100);
    expect(names).toEqual(['MASH-7']);
    await world.clock.advance(1000);
    deliver(packet(RECORDS.ptr));
    expect(browser.counters.limited).toBe(9800 + 9900);
  });

  it('a host that floods the cache displaces its own records alone', async () => {
    const { world, browser, browse, deliver, names } = await start();
    deliver(everything, 'fe80::1');
    for (let i = 0; i < 40; i++) deliver(packet(...invented(50, `MASH-X${i}-`)));
    await world.clock.advance(1000);
    expect([browser.counters.displaced, names, browse.services().length]).toEqual([4 + 2000 - 512, ['MASH-7'], 1]);
  });

  it('nor does it make the records of others its own by repeating them', async () => {
    const { world, browser, browse, deliver, names } = await start();
    deliver(everything, 'fe80::1');
    deliver(everything);
    for (let i = 0; i < 40; i++) deliver(packet(...invented(50, `MASH-X${i}-`)));
    await world.clock.advance(1000);
    expect([browser.counters.displaced, names, browse.services().length]).toEqual([4 + 2000 - 512, ['MASH-7'], 1]);
  });

  it('a cache-flush bit on the PTR of a type takes no other device away (RFC 6762 §10.2)', async () => {
    const { world, deliver, browse } = await start();
    deliver(everything, 'fe80::1');
    await world.clock.advance(5000);
    deliver(packet({ ...RECORDS.ptr, flush: true, target: instanceName({ type: TYPE_TEXT, instance: 'MASH-66' }) }));
    await world.clock.advance(5000);
    expect(browse.services().map(({ instance }) => instance)).toEqual(['MASH-7']);
  });

  it('of a thousand addresses that others invent for a host its own are among those that are tried', async () => {
    const { world, deliver, browse } = await start();
    deliver(everything, 'fe80::1');
    const address = (i: number) => Uint8Array.from([0xfc, ...new Array<number>(13).fill(0), i >> 8, i & 0xff]);
    for (let i = 0; i < 1000; i += 40)
      deliver(
        packet(...Array.from({ length: 40 }, (_, n): DnsRecord => ({ ...AAAA, flush: false, address: address(i + n) }) as DnsRecord)),
      );
    await world.clock.advance(1000);
    const texts = browse.services()[0]?.addresses.map(({ text }) => text) ?? [];
    expect([texts.length, texts.includes('fd00::1')]).toEqual([32, true]);
  });

  it('records that live for a second do not make it ask all the time', async () => {
    const { world, deliver } = await start();
    const since = world.sent().length;
    for (let i = 0; i < 20; i++) {
      for (let n = 0; n < 400; n += 50) deliver(packet(...invented(50, `MASH-X${n}-`).map((record) => ({ ...record, ttl: 1 }))));
      await world.clock.advance(900);
    }
    const questions = world
      .sent()
      .slice(since)
      .flatMap(({ message }) => message.questions.filter(({ type }) => type === TYPE.PTR));
    // The series of the look-out alone: after 1, 2, 4 and 8 s.
    expect(questions.length).toBeLessThanOrEqual(5);
  });

  it('hundreds of records of one name are kept alive by one question a second', async () => {
    const { world, deliver } = await start();
    for (let n = 0; n < 400; n += 50) deliver(packet(...invented(50, `MASH-X${n}-`).map((record) => ({ ...record, ttl: 20 }))));
    const asked = (from: number, to: number) =>
      world
        .sent()
        .filter(({ at }) => at >= from && at < to)
        .flatMap(({ message }) => message.questions.filter(({ type }) => type === TYPE.PTR));
    await world.clock.advance(25_000);
    // Between 80 and 97 % of their life, besides the series of the look-out, which asks at 15 s and 31 s.
    expect(asked(15_500, 25_000).length).toBeGreaterThanOrEqual(3);
    expect(asked(15_500, 25_000).length).toBeLessThanOrEqual(5);
  });

  it('an SRV of others that points elsewhere is corrected by the next word of the device', async () => {
    const { world, deliver, browse } = await start();
    deliver(everything, 'fe80::1');
    await world.clock.advance(5000);
    deliver(packet({ ...RECORDS.srv, target: ['printer', 'local'] }, { ...AAAA, name: ['printer', 'local'] }));
    await world.clock.advance(2000);
    expect(browse.services().map(({ host }) => host)).toEqual(['printer.local']);
    deliver(everything, 'fe80::1');
    await world.clock.advance(2000);
    expect(browse.services().map(({ host }) => host)).toEqual([HOST]);
  });

  it('names of 255 bytes are asked for in packets of a frame', async () => {
    const long = ['x'.repeat(63), ...new Array<string>(2).fill('y'.repeat(63)), 'z'.repeat(53), 'local'];
    const { world, deliver, failures } = await start();
    const hosts = Array.from({ length: 60 }, (_, i) => [`${i}`.padEnd(63, 'x'), ...long.slice(1)]);
    const services = hosts.map((_, i) => instanceName({ type: TYPE_TEXT, instance: `MASH-${i}`.padEnd(63, '.') }));
    for (const [i, name] of services.entries()) {
      deliver(packet({ ...RECORDS.ptr, target: name }, { ...RECORDS.srv, name, target: hosts[i] as string[] }, { ...RECORDS.txt, name }));
      deliver(packet({ ...AAAA, name: hosts[i] as string[] }));
    }
    // Their addresses live for two minutes: they are asked for again.
    await world.clock.advance(119_000);
    const sizes = world.sent().map(({ packet: { length } }) => length);
    const again = world.sent().flatMap(({ message }) => message.questions.filter(({ type }) => type === TYPE.AAAA));
    expect([again.length >= 60, Math.max(...sizes) <= 1452, failures()]).toEqual([true, true, []]);
  });

  it('invented instances do not keep a real one from being asked for', async () => {
    const { world, deliver } = await start();
    deliver(packet(...invented(60)));
    await world.clock.advance(10);
    deliver(packet(RECORDS.ptr), 'fe80::1');
    await world.clock.advance(9000);
    const asked = world.sent().flatMap(({ message }) => message.questions.map(({ name, type }) => `${type} ${name[0]}`));
    expect(asked).toContain(`${TYPE.SRV} MASH-7`);
  });

  it('a listener that fails is reported; the others are told', async () => {
    const { world, browser, deliver, names, failures } = await start();
    browser.browse(TYPE_TEXT, {
      added: () => {
        throw new Error('listener');
      },
    });
    const more: string[] = [];
    browser.browse(TYPE_TEXT, { added: ({ instance }) => more.push(instance) });
    await world.clock.advance(0);
    deliver(everything);
    await world.clock.advance(1000);
    expect([names, more]).toEqual([['MASH-7'], ['MASH-7']]);
    expect(failures().map(({ fields }) => fields.reason)).toEqual(['listener']);
  });
});

describe('known answers (RFC 6762 §7.2)', () => {
  it('that do not fit one packet follow in others without a question; the responder takes them together', async () => {
    const world = new DiscoveryWorld();
    const { browser } = world.controller();
    const { advertiser } = world.device();
    await Promise.all([browser.start(), advertiser.start()]);
    const known = invented(200);
    const peer = await world.peer();
    const browse = browser.browse(TYPE_TEXT, {});
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    for (let i = 0; i < known.length; i += 50) peer.send('p0', packet(...known.slice(i, i + 50)));
    await world.clock.advance(5000);
    expect(browse.services()).toHaveLength(1);
    const since = world.clock.now();
    await world.clock.advance(30_000);
    const queries = world.sent(since).filter(({ message }) => !message.response && message.questions[0]?.type !== TYPE.SRV);
    const sent = queries.filter(({ at }) => at === queries[0]?.at);
    const [first, ...more] = sent;
    expect([first?.message.truncated, first?.message.questions.length]).toEqual([true, 1]);
    expect(more.length).toBeGreaterThan(1);
    expect(more.map(({ message }) => [message.questions.length, message.truncated])).toEqual(more.map((_, i) => [0, i < more.length - 1]));
    expect(sent.flatMap(({ message }) => message.answers)).toHaveLength(201);
    for (const { packet: bytes } of sent) expect(bytes.length).toBeLessThanOrEqual(1452);
    expect(world.responses(since)).toEqual([]);
  });
});
