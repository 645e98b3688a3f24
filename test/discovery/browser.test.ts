import { describe, expect, it } from 'vitest';
import type { Browser } from '../../src/discovery/browser.js';
import type { DiscoveredService, IncompleteService } from '../../src/discovery/discovered.js';
import { encodeMessage, responseMessage } from '../../src/discovery/message.js';
import { CLASS, type DnsRecord, TYPE } from '../../src/discovery/records.js';
import type { FindResult } from '../../src/discovery/searches.js';
import { instanceName, recordPolicy, serviceRecords, typeName } from '../../src/discovery/service.js';
import { SeededEntropy } from '../world/entropy.js';
import { VirtualLink } from '../world/network.js';
import { COMMISSIONABLE, DiscoveryWorld, HOST, OPERATIONAL } from './world.js';

const TYPE_TEXT = '_mash-comm._tcp';
const TYPE_NAME = typeName(TYPE_TEXT);

/** A listener that writes down what it is told. */
function watch(browser: Browser, world: DiscoveryWorld, type = TYPE_TEXT) {
  const events: string[] = [];
  const note = (what: string, service: DiscoveredService | IncompleteService): void => {
    const detail = service.kind === 'complete' ? `${service.port} ${service.addresses.map(({ text }) => text).join(' ')}` : service.missing;
    events.push(`${world.clock.now()} ${what} ${service.instance} ${detail}`);
  };
  const browse = browser.browse(type, {
    added: (service) => note('added', service),
    updated: (service) => note('updated', service),
    removed: (service) => note('removed', service),
    incomplete: (service) => note('incomplete', service),
  });
  return { events, browse };
}

/** Records of the commissionable service as a stranger would send them. */
const RECORDS = serviceRecords(COMMISSIONABLE, HOST.split('.'), recordPolicy('draft', false));
function aaaa(last: number, ttl = 120): DnsRecord {
  const address = Uint8Array.from([0xfd, 0x77, ...new Array<number>(13).fill(0), last]);
  return { name: HOST.split('.'), type: 'AAAA', class: CLASS.IN, flush: true, ttl, address };
}
function packet(...answers: DnsRecord[]): Uint8Array {
  return encodeMessage(responseMessage({ answers }));
}
function serviceOf(result: FindResult): DiscoveredService {
  if (result.kind !== 'found') throw new Error('not found');
  return result.service;
}

describe('browsing', () => {
  it('asks within 120 ms, then after 1, 2, 4 … s, with what it knows (RFC 6762 §5.2, §7.1)', async () => {
    const world = new DiscoveryWorld();
    const { browser } = world.controller();
    await browser.start();
    watch(browser, world);
    await world.clock.advance(200_000);
    const queries = world.sent();
    const first = queries[0]?.at ?? 0;
    expect(first).toBeGreaterThanOrEqual(20);
    expect(first).toBeLessThanOrEqual(120);
    expect(queries.map(({ at }) => Math.round((at - first) / 1000))).toEqual([0, 1, 3, 7, 15, 31, 63, 127]);
    for (const { message, to } of queries) {
      expect([message.id, message.response, to]).toEqual([0, false, undefined]);
      expect(message.questions).toEqual([{ name: TYPE_NAME, type: TYPE.PTR, class: CLASS.IN, unicast: false }]);
    }
    (await world.peer()).send('p0', packet(RECORDS.ptr, RECORDS.srv, RECORDS.txt, aaaa(1)));
    await world.clock.advance(60_000);
    const next = world.sent(200_001).find(({ message }) => message.questions[0]?.type === TYPE.PTR);
    const age = ((next?.at ?? 0) - 200_001) / 1000;
    expect(next?.message.answers).toEqual([{ ...RECORDS.ptr, ttl: Math.floor(4500 - age) }]);
  });

  it('finds a device, sees it change and leave, each within a second', async () => {
    const world = new DiscoveryWorld();
    const { browser } = world.controller();
    const { advertiser } = world.device();
    await browser.start();
    await advertiser.start();
    const { events, browse } = watch(browser, world);
    await world.clock.advance(5000);
    expect(events).toEqual([]);
    const published = advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(5000);
    expect(browse.services()).toHaveLength(1);
    const [service] = browse.services();
    expect(service).toMatchObject({ instance: 'MASH-7', type: TYPE_TEXT, host: HOST, port: 8444, interfaceName: 'wlan0' });
    expect([...(service?.txt ?? [])].slice(0, 2)).toEqual([
      ['D', '7'],
      ['cat', '3'],
    ]);
    expect(service?.addresses.map(({ text, scope, interfaceName }) => [text, scope, interfaceName])).toEqual([
      ['fd77:1::1', 'ula', 'wlan0'],
      ['fe80::1', 'link-local', 'wlan0'],
    ]);
    published.update({ port: 8443, txt: COMMISSIONABLE.txt });
    await world.clock.advance(5000);
    published.withdraw();
    await world.clock.advance(5000);
    // RFC 6762 §8.1: the name is probed for first, for 750…1000 ms.
    expect(Number(events[0]?.split(' ')[0])).toBeLessThanOrEqual(6001);
    expect(events.map((event, i) => (i === 0 ? event.slice(event.indexOf(' ') + 1) : event))).toEqual([
      'added MASH-7 8444 fd77:1::1 fe80::1',
      '10001 updated MASH-7 8443 fd77:1::1 fe80::1',
      '16001 removed MASH-7 8443 fd77:1::1 fe80::1',
    ]);
  });

  it('TC-TRANS-2: sees the change from _mash-comm to _mash', async () => {
    const world = new DiscoveryWorld();
    const { browser } = world.controller();
    const { advertiser } = world.device();
    await Promise.all([browser.start(), advertiser.start()]);
    const window = watch(browser, world);
    const zone = watch(browser, world, '_mash._tcp');
    const published = advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    published.withdraw();
    advertiser.publish(OPERATIONAL);
    await world.clock.advance(1001);
    expect(window.events.at(-1)).toBe('11001 removed MASH-7 8444 fd77:1::1 fe80::1');
    expect(zone.events).toEqual([`10001 added ${OPERATIONAL.instance} 8443 fd77:1::1 fe80::1`]);
  });

  it('keeps a quiet service alive by asking from 80 % of its life on, and loses one that is gone without a word', async () => {
    const world = new DiscoveryWorld();
    const { browser } = world.controller();
    const { advertiser, multicast } = world.device({ policy: recordPolicy('reference', false) });
    await Promise.all([browser.start(), advertiser.start()]);
    const { events } = watch(browser, world);
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(600_000);
    expect(events).toHaveLength(1);
    const heard =
      world
        .responses()
        .filter(({ at }) => at < 200_000)
        .at(-1)?.at ?? 0;
    const asked = world.sent(heard).find(({ message }) => !message.response)?.at ?? 0;
    expect(asked - heard).toBeGreaterThanOrEqual(96_000);
    expect(asked - heard).toBeLessThanOrEqual(120_000 * 0.82 + 1);
    await multicast.close();
    await world.clock.advance(121_000);
    expect(events.map((event) => event.split(' ')[1])).toEqual(['added', 'removed']);
  });

  it('tells what is missing, and asks for it', async () => {
    const world = new DiscoveryWorld();
    const { browser } = world.controller();
    await browser.start();
    const { events, browse } = watch(browser, world);
    await world.clock.advance(1000);
    const peer = await world.peer();
    const asked = (since: number): number[] => world.sent(since).flatMap(({ message }) => message.questions.map(({ type }) => type));
    peer.send('p0', packet(RECORDS.ptr));
    await world.clock.advance(200);
    expect(asked(1000).filter((type) => type !== TYPE.PTR)).toEqual([TYPE.SRV, TYPE.TXT]);
    peer.send('p0', packet(RECORDS.srv));
    await world.clock.advance(200);
    expect(asked(1200).filter((type) => type !== TYPE.PTR)).toEqual([TYPE.TXT]);
    peer.send('p0', packet(RECORDS.txt));
    await world.clock.advance(200);
    expect(asked(1400).filter((type) => type !== TYPE.PTR)).toEqual([TYPE.AAAA, TYPE.A]);
    expect(browse.incomplete()).toMatchObject([{ instance: 'MASH-7', missing: 'address', host: HOST }]);
    peer.send('p0', packet(aaaa(9)));
    await world.clock.advance(200);
    expect(events).toEqual([
      '1001 incomplete MASH-7 srv',
      '1201 incomplete MASH-7 txt',
      '1401 incomplete MASH-7 address',
      '1601 added MASH-7 8444 fd77::9',
    ]);
    expect([browse.incomplete(), browse.services().length]).toEqual([[], 1]);
    const since = world.clock.now();
    await world.clock.advance(60_000);
    expect(asked(since).filter((type) => type !== TYPE.PTR)).toEqual([]);
  });

  it('the cache-flush bit replaces an old address after a second; two packets of one second add up (RFC 6762 §10.2)', async () => {
    const world = new DiscoveryWorld();
    const { browser } = world.controller();
    await browser.start();
    const { events } = watch(browser, world);
    const peer = await world.peer();
    peer.send('p0', packet(RECORDS.ptr, RECORDS.srv, RECORDS.txt, aaaa(1)));
    await world.clock.advance(500);
    peer.send('p0', packet(aaaa(2)));
    await world.clock.advance(4500);
    peer.send('p0', packet(aaaa(3)));
    await world.clock.advance(5000);
    expect(events).toEqual([
      '1 added MASH-7 8444 fd77::1',
      '501 updated MASH-7 8444 fd77::1 fd77::2',
      '5001 updated MASH-7 8444 fd77::1 fd77::2 fd77::3',
      '6001 updated MASH-7 8444 fd77::3',
    ]);
  });

  it('a goodbye that is followed by an announcement within a second removes nothing', async () => {
    const world = new DiscoveryWorld({ delay: 5 });
    const { browser } = world.controller();
    const { advertiser } = world.device();
    await Promise.all([browser.start(), advertiser.start()]);
    const { events } = watch(browser, world, '_mash._tcp');
    const published = advertiser.publish(OPERATIONAL);
    await world.clock.advance(10_000);
    published.withdraw();
    await world.clock.advance(900);
    advertiser.publish(OPERATIONAL);
    await world.clock.advance(60_000);
    expect(events.map((event) => event.split(' ')[1])).toEqual(['added']);
  });

  it('TC-MDNS-REC-3: two interfaces: a link-local address belongs to the one it was heard on', async () => {
    const world = new DiscoveryWorld();
    const other = new VirtualLink(world.clock);
    const { browser } = world.controller([
      { name: 'eth0', link: world.link, addresses: ['fe80::c/64'] },
      { name: 'wlan0', link: other, addresses: ['fe80::d/64'] },
    ]);
    const { advertiser } = world.device({
      interfaces: [
        { name: 'end0', link: world.link, addresses: ['fe80::1/64', 'fd77:1::1/64'] },
        { name: 'end1', link: other, addresses: ['fe80::1/64', 'fd77:2::1/64'] },
      ],
    });
    await Promise.all([browser.start(), advertiser.start()]);
    advertiser.publish(COMMISSIONABLE);
    const result = await finish(
      world,
      browser.find(TYPE_TEXT, (service) => service.addresses.length === 4, 10_000),
      10_000,
    );
    expect(serviceOf(result).addresses.map(({ text, interfaceName }) => `${text}%${interfaceName}`)).toEqual([
      'fd77:1::1%eth0',
      'fd77:2::1%wlan0',
      'fe80::1%eth0',
      'fe80::1%wlan0',
    ]);
  });

  it('an interface that goes takes its addresses along, and one that comes is asked', async () => {
    const world = new DiscoveryWorld();
    const { browser, multicast } = world.controller();
    const { advertiser } = world.device();
    await Promise.all([browser.start(), advertiser.start()]);
    const { events } = watch(browser, world);
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    multicast.setInterfaces([]);
    await world.clock.advance(10_000);
    multicast.setInterfaces([{ name: 'eth7', link: world.link, addresses: ['fe80::c/64'] }]);
    await world.clock.advance(1000);
    expect(events.map((event) => event.split(' ')[1])).toEqual(['added', 'removed', 'added']);
  });

  it('with a third of the packets lost a device is still found, and its goodbye heard', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = new DiscoveryWorld({ loss: 0.33, entropy: new SeededEntropy(seed) });
      const { browser } = world.controller();
      const { advertiser } = world.device();
      await Promise.all([browser.start(), advertiser.start()]);
      const published = advertiser.publish(COMMISSIONABLE);
      const { browse } = watch(browser, world);
      await world.clock.advance(16_000);
      expect([seed, browse.services().length]).toEqual([seed, 1]);
      published.withdraw();
      await browser.close();
    }
  });
});

describe('finding and resolving', () => {
  it('find answers with the first match as soon as it is complete', async () => {
    const world = new DiscoveryWorld();
    const { browser } = world.controller();
    const { advertiser } = world.device();
    await Promise.all([browser.start(), advertiser.start()]);
    advertiser.publish({ ...COMMISSIONABLE, instance: 'MASH-1', txt: [['D', '1']] });
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    const result = await finish(
      world,
      browser.find(TYPE_TEXT, (service) => service.txt.get('D') === '7', 10_000),
      300,
    );
    expect(serviceOf(result).instance).toBe('MASH-7');
  });

  it('find tells nothing, the wrong one, and the unreachable one apart', async () => {
    const world = new DiscoveryWorld();
    const { browser } = world.controller();
    await browser.start();
    const find = (): Promise<FindResult> =>
      finish(
        world,
        browser.find(TYPE_TEXT, (service) => service.txt.get('D') === '8', 5000),
        5000,
      );
    expect(await find()).toEqual({ kind: 'none', services: [], incomplete: [] });
    const peer = await world.peer();
    const unreachable = instanceName({ type: TYPE_TEXT, instance: 'MASH-8' });
    const target = ['lost', 'local'];
    peer.send('p0', packet({ ...RECORDS.ptr, target: unreachable }));
    peer.send('p0', packet({ ...RECORDS.srv, name: unreachable, target }, { ...RECORDS.txt, name: unreachable }));
    peer.send('p0', packet(RECORDS.ptr, RECORDS.srv, RECORDS.txt, aaaa(1)));
    const asked = find();
    for (const records of [[RECORDS.ptr, RECORDS.srv, RECORDS.txt, aaaa(1)], [{ ...RECORDS.ptr, target: unreachable }]])
      peer.send('p0', packet(...records));
    peer.send('p0', packet({ ...RECORDS.srv, name: unreachable, target }, { ...RECORDS.txt, name: unreachable }));
    expect(await asked).toMatchObject({
      kind: 'none',
      services: [{ instance: 'MASH-7' }],
      incomplete: [{ instance: 'MASH-8', missing: 'address', host: 'lost.local' }],
    });
  });

  it('resolve asks for one instance by name; forget makes it ask anew', async () => {
    const world = new DiscoveryWorld();
    const { browser } = world.controller();
    const { advertiser } = world.device();
    await Promise.all([browser.start(), advertiser.start()]);
    advertiser.publish(OPERATIONAL);
    await world.clock.advance(10_000);
    const resolve = (ms: number): Promise<FindResult> =>
      finish(world, browser.resolve(OPERATIONAL.instance.toLowerCase(), '_mash._tcp', 5000), ms);
    const since = world.clock.now();
    expect(serviceOf(await resolve(200))).toMatchObject({ port: 8443, host: HOST });
    const questions = (at: number) => world.sent(at).flatMap(({ message }) => message.questions.map(({ type }) => type));
    expect(questions(since)).toEqual([TYPE.SRV, TYPE.TXT]);
    const cached = world.clock.now();
    expect(serviceOf(await resolve(0))).toMatchObject({ port: 8443 });
    expect(questions(cached)).toEqual([]);
    browser.forget(OPERATIONAL.instance, '_mash._tcp');
    // RFC 6762 §6: what was multicast a moment ago is multicast again when a second is over.
    expect(serviceOf(await resolve(1100)).addresses).toHaveLength(2);
    expect(questions(cached)).toEqual([TYPE.SRV, TYPE.TXT]);
    expect(await finish(world, browser.resolve('NOBODY', '_mash._tcp', 5000), 5000)).toEqual({
      kind: 'none',
      services: [],
      incomplete: [],
    });
    await expect(browser.resolve('x'.repeat(64), '_mash._tcp', 5000)).rejects.toThrow(RangeError);
  });

  it('close ends what is under way; nothing is called or sent afterwards', async () => {
    const world = new DiscoveryWorld();
    const { browser, multicast } = world.controller();
    await browser.start();
    const { events } = watch(browser, world);
    const search = browser.find(TYPE_TEXT, () => true, 60_000);
    await world.clock.advance(2000);
    const since = world.clock.now();
    await browser.close();
    await browser.close();
    expect(await search).toEqual({ kind: 'none', services: [], incomplete: [] });
    expect(await browser.find(TYPE_TEXT, () => true, 60_000)).toEqual({ kind: 'none', services: [], incomplete: [] });
    (await world.peer()).send('p0', packet(RECORDS.ptr, RECORDS.srv, RECORDS.txt, aaaa(1)));
    await world.clock.advance(60_000);
    expect([events, world.sent(since).length, multicast.closed, world.clock.pending()]).toEqual([[], 1, true, []]);
  });

  it('a listener may end other look-outs while it is called', async () => {
    const world = new DiscoveryWorld();
    const { browser } = world.controller();
    await browser.start();
    const calls: string[] = [];
    const first = browser.browse(TYPE_TEXT, {
      added: ({ instance }) => {
        calls.push(`first ${instance}`);
        second.close();
      },
    });
    const second = browser.browse(TYPE_TEXT, { added: ({ instance }) => calls.push(`second ${instance}`) });
    const other = instanceName({ type: TYPE_TEXT, instance: 'MASH-8' });
    const more = [
      { ...RECORDS.ptr, target: other },
      { ...RECORDS.srv, name: other },
      { ...RECORDS.txt, name: other },
    ];
    (await world.peer()).send('p0', packet(RECORDS.ptr, RECORDS.srv, RECORDS.txt, aaaa(1), ...more));
    await world.clock.advance(1000);
    first.close();
    expect(calls.sort()).toEqual(['first MASH-7', 'first MASH-8']);
  });
});

describe('hostile responses', () => {
  it('are ignored from another port, with another code, when malformed, and for what nobody asked', async () => {
    const world = new DiscoveryWorld();
    const { browser, multicast } = world.controller();
    await browser.start();
    const { events } = watch(browser, world);
    const good = { answers: [RECORDS.ptr, RECORDS.srv, RECORDS.txt, aaaa(1)] };
    const source = { interfaceName: 'wlan0', address: 'fe80::66', port: 5353 };
    multicast.deliver(encodeMessage(responseMessage(good)), { ...source, port: 5354 });
    multicast.deliver(encodeMessage({ ...responseMessage(good), rcode: 3 }), source);
    multicast.deliver(encodeMessage({ ...responseMessage(good), opcode: 5 }), source);
    multicast.deliver(encodeMessage(responseMessage({ answers: good.answers.map((record) => ({ ...record, class: 3 })) })), source);
    multicast.deliver(encodeMessage(responseMessage(good)).slice(0, -1), source);
    const http = serviceRecords({ ...COMMISSIONABLE, type: '_http._tcp' }, HOST.split('.'), recordPolicy('draft', false));
    multicast.deliver(packet(http.ptr, http.srv, http.txt, aaaa(1)), source);
    multicast.deliver(packet({ ...RECORDS.ptr, target: ['not', 'ours', 'local'] }), source);
    await world.clock.advance(1000);
    expect([events, browser.counters.malformed]).toEqual([[], 1]);
    multicast.deliver(encodeMessage(responseMessage(good)), source);
    expect(events).toHaveLength(1);
  });

  it('ten thousand invented services stay within the bounds', async () => {
    const world = new DiscoveryWorld();
    const { browser, multicast } = world.controller();
    await browser.start();
    const { browse } = watch(browser, world);
    const source = { interfaceName: 'wlan0', address: 'fe80::66', port: 5353 };
    for (let i = 0; i < 200; i++) {
      const targets = Array.from({ length: 50 }, (_, n) => instanceName({ type: TYPE_TEXT, instance: `MASH-${i}-${n}` }));
      multicast.deliver(packet(...targets.map((target) => ({ ...RECORDS.ptr, target }))), source);
    }
    const since = world.clock.now();
    await world.clock.advance(100);
    expect([browse.incomplete().length, browser.counters.displaced]).toEqual([512, 10_000 - 512]);
    await world.clock.advance(800);
    const questions = world.sent(since).filter(({ message }) => message.questions.some(({ type }) => type === TYPE.SRV));
    expect(questions.length).toBeLessThanOrEqual(32);
    multicast.deliver(packet(RECORDS.ptr, RECORDS.srv, RECORDS.txt, aaaa(1)), source);
    await world.clock.advance(0);
    expect(browse.services().map(({ instance }) => instance)).toEqual(['MASH-7']);
  });
});

/** Lets `ms` pass, within which the promise must have settled. */
async function finish<T>(world: DiscoveryWorld, promise: Promise<T>, ms: number): Promise<T> {
  let settled = false;
  const noted = promise.then((value) => {
    settled = true;
    return value;
  });
  await world.clock.advance(ms);
  if (!settled) throw new Error(`not settled after ${ms} ms`);
  return noted;
}
