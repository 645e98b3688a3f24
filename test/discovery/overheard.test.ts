import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/discovery/browser.js';
import { encodeMessage, queryMessage, responseMessage } from '../../src/discovery/message.js';
import { CLASS, type DnsRecord, TYPE } from '../../src/discovery/records.js';
import { recordPolicy, serviceRecords, typeName } from '../../src/discovery/service.js';
import { SeededEntropy } from '../world/entropy.js';
import { VirtualMulticast } from '../world/network.js';
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
const everything = encodeMessage(responseMessage({ answers: [RECORDS.ptr, RECORDS.srv, RECORDS.txt, AAAA] }));

async function start() {
  const world = new DiscoveryWorld();
  const { browser } = world.controller();
  await browser.start();
  const peer = await world.peer();
  return {
    world,
    browser,
    peer,
    asked: (since: number) => world.sent(since).filter(({ from, message }) => from === 'fe80::c' && !message.response),
  };
}

describe('duplicate question suppression (RFC 6762 §7.3)', () => {
  it('a question that another host has just asked is not asked again', async () => {
    const { world, browser, peer, asked } = await start();
    browser.browse(TYPE_TEXT, {});
    peer.send('p0', query(TYPE_NAME, TYPE.PTR));
    await world.clock.advance(900);
    expect(asked(0)).toEqual([]);
    await world.clock.advance(300);
    expect(asked(0)).toHaveLength(1);
  });

  it.each<[string, Parameters<typeof query>]>([
    ['whose querier knows more than we do', [TYPE_NAME, TYPE.PTR, { known: [RECORDS.ptr] }]],
    ['whose answer goes to the querier alone', [TYPE_NAME, TYPE.PTR, { unicast: true }]],
    ['of another type', [TYPE_NAME, TYPE.TXT]],
    ['of another name', [typeName('_http._tcp'), TYPE.PTR]],
  ])('a question %s spares none', async (_name, args) => {
    const { world, browser, peer, asked } = await start();
    browser.browse(TYPE_TEXT, {});
    peer.send('p0', query(...args));
    await world.clock.advance(200);
    expect(asked(0)).toHaveLength(1);
  });

  it('a question that was sent to us alone spares none', async () => {
    const { world, browser, peer, asked } = await start();
    browser.browse(TYPE_TEXT, {});
    peer.send('p0', query(TYPE_NAME, TYPE.PTR), { address: 'fe80::c', port: 5353 });
    await world.clock.advance(200);
    expect(asked(0)).toHaveLength(1);
  });

  it('a question of a legacy resolver spares none: its answer goes to it alone', async () => {
    const { world, browser, asked } = await start();
    browser.browse(TYPE_TEXT, {});
    (await world.peer(40_000)).send('p0', query(TYPE_NAME, TYPE.PTR));
    await world.clock.advance(200);
    expect(asked(0)).toHaveLength(1);
  });
});

describe('passive observation of failures (RFC 6762 §10.5)', () => {
  async function known() {
    const given = await start();
    const events: string[] = [];
    given.browser.browse(TYPE_TEXT, {
      added: () => events.push(`${given.world.clock.now()} added`),
      removed: () => events.push(`${given.world.clock.now()} removed`),
    });
    given.peer.send('p0', everything);
    await given.world.clock.advance(9999);
    const ask = (options: Parameters<typeof query>[2] = {}) => given.peer.send('p0', query(TYPE_NAME, TYPE.PTR, options));
    return { ...given, events, ask };
  }

  it('two queries of another host and no answer within ten seconds: the record goes', async () => {
    const { world, events, ask } = await known();
    ask();
    await world.clock.advance(2000);
    ask();
    await world.clock.advance(20_000);
    expect(events).toEqual(['1 added', '22000 removed']);
  });

  it('an answer saves it', async () => {
    const { world, events, ask, peer } = await known();
    ask();
    await world.clock.advance(2000);
    ask();
    await world.clock.advance(9000);
    peer.send('p0', everything);
    await world.clock.advance(60_000);
    expect(events).toEqual(['1 added']);
  });

  it.each<[string, Parameters<typeof query>[2]]>([
    ['that know the record already', { known: [RECORDS.ptr] }],
    ['answered by unicast', { unicast: true }],
  ])('queries %s tell nothing', async (_name, options) => {
    const { world, events, ask } = await known();
    for (let i = 0; i < 5; i++) {
      ask(options);
      await world.clock.advance(2000);
    }
    await world.clock.advance(30_000);
    expect(events).toEqual(['1 added']);
  });

  it('queries that were sent to us alone take nothing away', async () => {
    const { world, events, peer } = await known();
    for (let i = 0; i < 5; i++) {
      peer.send('p0', query(TYPE_NAME, TYPE.PTR), { address: 'fe80::c', port: 5353 });
      await world.clock.advance(2000);
    }
    await world.clock.advance(30_000);
    expect(events).toEqual(['1 added']);
  });

  it('neither does one query, our own, nor one whose known answers are still to come', async () => {
    const { world, events, ask, peer } = await known();
    ask();
    const questions = [{ name: TYPE_NAME, type: TYPE.PTR, class: CLASS.IN, unicast: false }];
    for (let i = 0; i < 3; i++) {
      await world.clock.advance(2000);
      peer.send('p0', encodeMessage({ ...queryMessage({ questions }), truncated: true }));
    }
    await world.clock.advance(60_000);
    expect(events).toEqual(['1 added']);
  });

  it('of a storm of queries the first hundred of a second are looked at, and time goes on', async () => {
    const { world, browser, events, ask } = await known();
    for (let i = 0; i < 1000; i++) ask({ known: [RECORDS.ptr] });
    ask();
    ask();
    await world.clock.advance(60_000);
    expect([events, browser.counters.malformed]).toEqual([['1 added'], 0]);
  });
});

describe('the first question (RFC 6762 §5.4)', () => {
  async function alone(isAlone: boolean) {
    const world = new DiscoveryWorld();
    const { browser, multicast } = world.controller();
    multicast.alone = isAlone;
    const peer = await world.peer();
    await browser.start();
    const browse = browser.browse(TYPE_TEXT, {});
    const asked = () => world.sent().filter(({ from, message }) => from === 'fe80::c' && !message.response);
    const bits = (type: number) =>
      asked().flatMap(({ message }) => message.questions.filter((one) => one.type === type).map((one) => one.unicast));
    return { world, peer, browse, bits };
  }

  it.each([true, false])('invites unicast answers for PTR, SRV, TXT and AAAA where this process alone has the port: %s', async (first) => {
    const { world, peer, bits } = await alone(first);
    await world.clock.advance(4000);
    expect(bits(TYPE.PTR)).toEqual([first, false, false]);
    peer.send('p0', encodeMessage(responseMessage({ answers: [RECORDS.ptr] })));
    await world.clock.advance(2000);
    expect([bits(TYPE.SRV), bits(TYPE.TXT)]).toEqual([
      [first, false],
      [first, false],
    ]);
    peer.send('p0', encodeMessage(responseMessage({ answers: [RECORDS.srv, RECORDS.txt] })));
    await world.clock.advance(2000);
    expect(bits(TYPE.AAAA)).toEqual([first, false]);
  });

  it('is answered to the querier alone, and the browser hears it', async () => {
    const { world, browse } = await alone(true);
    const { advertiser } = world.device();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    expect(browse.services()).toHaveLength(1);
    const since = world.clock.now();
    const controller = new VirtualMulticast([{ name: 'wlan0', link: world.link, addresses: ['fe80::d/64'] }]);
    controller.alone = true;
    const browser = new Browser({ multicast: controller, clock: world.clock, entropy: new SeededEntropy(13), log: world.log });
    await browser.start();
    const second = browser.browse(TYPE_TEXT, {});
    await world.clock.advance(200);
    expect(second.services()).toHaveLength(1);
    expect(world.responses(since).map(({ to }) => to?.address)).toEqual(['fe80::d']);
  });

  it.each([
    [true, 2000, 1],
    [true, 2300, 0],
    [false, 0, 0],
  ] as const)(
    'a unicast response counts for two seconds after a question that asked for one (§6; asked: %s, %i ms later: %i)',
    async (isAlone, after, found) => {
      const { world, peer, browse } = await alone(isAlone);
      const to = { address: 'fe80::c', port: 5353 };
      // Asked 20…120 ms after the start, heard 1 ms after it was sent.
      await world.clock.advance(after === 0 ? 200 : after);
      peer.send('p0', everything, to);
      await world.clock.advance(10);
      expect(browse.services()).toHaveLength(found);
      // Nothing of it is kept from a response that was not welcome.
      peer.send('p0', encodeMessage(responseMessage({ answers: [{ ...RECORDS.ptr, name: typeName('_http._tcp') }] })), to);
      peer.send('p0', everything);
      await world.clock.advance(10);
      expect(browse.services()).toHaveLength(1);
    },
  );

  it('an unasked unicast goodbye takes nothing away', async () => {
    const { world, peer, browse } = await alone(true);
    peer.send('p0', everything);
    await world.clock.advance(10_000);
    const goodbye = encodeMessage(responseMessage({ answers: [{ ...RECORDS.ptr, ttl: 0 }] }));
    peer.send('p0', goodbye, { address: 'fe80::c', port: 5353 });
    await world.clock.advance(5000);
    expect(browse.services()).toHaveLength(1);
    peer.send('p0', goodbye);
    await world.clock.advance(5000);
    expect(browse.services()).toHaveLength(0);
  });
});
