import { describe, expect, it } from 'vitest';
import { Advertiser } from '../../src/discovery/advertiser.js';
import { ConflictLimit, losesTo } from '../../src/discovery/conflicts.js';
import { decodeMessage, encodeMessage, queryMessage, responseMessage } from '../../src/discovery/message.js';
import { CLASS, type DnsRecord, TYPE } from '../../src/discovery/records.js';
import { instanceName, recordPolicy, serviceRecords, typeName } from '../../src/discovery/service.js';
import { VirtualClock } from '../world/clock.js';
import { SeededEntropy } from '../world/entropy.js';
import { VirtualLink, VirtualMulticast } from '../world/network.js';
import { COMMISSIONABLE, DiscoveryWorld, HOST, OPERATIONAL, query } from './world.js';

const NAME = HOST.split('.');
const FOREIGN: DnsRecord = {
  name: NAME,
  type: 'AAAA',
  class: CLASS.IN,
  flush: true,
  ttl: 120,
  address: Uint8Array.from([0xfd, ...new Array<number>(14).fill(9), 1]),
};

describe('probing (RFC 6762 §8.1)', () => {
  it('three probes 250 ms apart: ANY, the first QU, what is proposed as authority', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    const probes = world.sent().filter(({ message }) => !message.response);
    const first = probes[0]?.at ?? 0;
    expect(first).toBeLessThanOrEqual(250);
    expect(probes.map(({ at }) => Math.round(at - first))).toEqual([0, 250, 500]);
    for (const [run, { message }] of probes.entries()) {
      expect(message.questions.map(({ name, type, unicast }) => [name[0], type, unicast])).toEqual([
        [NAME[0], TYPE.ANY, run === 0],
        ['MASH-7', TYPE.ANY, run === 0],
      ]);
      expect(message.authorities.map(({ type }) => type)).toEqual(['AAAA', 'AAAA', 'SRV', 'TXT']);
    }
    expect(Math.round((world.responses()[0]?.at ?? 0) - first)).toBe(750);
  });

  it('an instance of hashes is not probed for: with the host known it is announced at once', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    advertiser.publish(OPERATIONAL);
    await world.clock.advance(0);
    expect(world.responses(10_000)).toHaveLength(1);
  });

  it('two devices with one host name: one gets -2, both are reachable', async () => {
    const world = new DiscoveryWorld();
    const make = (seed: number, address: string, instance: string): Advertiser => {
      const advertiser = new Advertiser({
        multicast: new VirtualMulticast([{ name: 'eth0', link: world.link, addresses: [address] }]),
        clock: world.clock,
        entropy: new SeededEntropy(seed),
        log: world.log,
        hostName: HOST,
        policy: recordPolicy('draft', false),
      });
      advertiser.publish({ ...COMMISSIONABLE, instance });
      return advertiser;
    };
    const devices = [make(1, 'fe80::a/64', 'MASH-1'), make(2, 'fe80::b/64', 'MASH-2')];
    for (const device of devices) await device.start();
    await world.clock.advance(20_000);
    expect(devices.map(({ hostName }) => hostName).sort()).toEqual(['mash-1a2b3c4d-2.local', HOST]);
    const { browser } = world.controller();
    await browser.start();
    const found = browser.browse('_mash-comm._tcp', { added: () => undefined });
    await world.clock.advance(3000);
    expect(new Set(found.services().map(({ host }) => host)).size).toBe(2);
  });

  it('a host name in use is left to its owner', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    const peer = await world.peer();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(300);
    peer.send('p0', encodeMessage(responseMessage({ answers: [FOREIGN] })));
    await world.clock.advance(5000);
    expect(advertiser.hostName).toBe('mash-1a2b3c4d-2.local');
    expect(world.responses(400)[0]?.message.answers[0]).toMatchObject({ type: 'SRV', target: ['mash-1a2b3c4d-2', 'local'] });
  });

  it('an instance keeps its name, is reported, and is published when the other has left', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    const peer = await world.peer();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(300);
    const { srv } = serviceRecords({ ...COMMISSIONABLE, port: 1 }, ['other', 'local'], recordPolicy('draft', false));
    peer.send('p0', encodeMessage(responseMessage({ answers: [srv] })));
    await world.clock.advance(1000);
    expect(advertiser.conflicts).toEqual(['MASH-7._mash-comm._tcp.local']);
    expect(world.responses(302)).toEqual([]);
    await world.clock.advance(8000);
    expect(advertiser.conflicts).toEqual([]);
    expect(world.responses(302).length).toBeGreaterThan(0);
  });
});

describe('reference-behaviour §4.10: form reference answers while it probes', () => {
  it.each([
    ['draft', 0],
    ['reference', 1],
  ] as const)('a query before the announcement (%s)', async (form, answers) => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device({ policy: recordPolicy(form, false) });
    const peer = await world.peer();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    peer.send('p0', query(typeName(COMMISSIONABLE.type), TYPE.PTR));
    await world.clock.advance(200);
    expect(world.responses()).toHaveLength(answers);
  });

  it("another host's probe for a name that is not ours yet is not objected to", async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device({ policy: recordPolicy('reference', false) });
    const peer = await world.peer();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(300);
    const questions = [{ name: NAME, type: TYPE.ANY, class: CLASS.IN, unicast: true }];
    peer.send('p0', encodeMessage(queryMessage({ questions, authorities: [{ ...FOREIGN, address: new Uint8Array(16) }] })));
    await world.clock.advance(200);
    expect(world.responses()).toEqual([]);
  });
});

describe('conflicts (RFC 6762 §8.2, §9)', () => {
  it('the later set wins, the longer one where one ends, equal ones do not conflict', () => {
    const low = { ...FOREIGN, address: new Uint8Array(16) };
    expect([losesTo([FOREIGN], [low]), losesTo([low], [FOREIGN]), losesTo([FOREIGN], [FOREIGN])]).toEqual([true, false, false]);
    expect(losesTo([low, FOREIGN], [low])).toBe(true);
  });

  it('a lost tie-break waits a second and probes again', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    const peer = await world.peer();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(300);
    const late = { ...FOREIGN, address: new Uint8Array(16).fill(0xff) };
    const questions = [{ name: NAME, type: TYPE.ANY, class: CLASS.IN, unicast: true }];
    peer.send('p0', encodeMessage(queryMessage({ questions, authorities: [late] })));
    await world.clock.advance(10_000);
    expect(advertiser.hostName).toBe(HOST);
    expect(world.responses()[0]?.at).toBeGreaterThanOrEqual(300 + 1750);
  });

  it('after announcing: probed for again, kept when nobody defends it; identical data is no conflict', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    const peer = await world.peer();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    const own = world.responses()[0]?.message;
    peer.send('p0', encodeMessage(responseMessage({ answers: own?.answers ?? [] })));
    await world.clock.advance(5000);
    expect(world.sent(10_001).filter(({ message }) => !message.response)).toEqual([]);
    peer.send('p0', encodeMessage(responseMessage({ answers: [FOREIGN] })));
    await world.clock.advance(5000);
    expect(world.sent(15_001).filter(({ message }) => !message.response)).toHaveLength(3);
    expect(advertiser.hostName).toBe(HOST);
  });

  it('a response sent to us alone contradicts us only where a probe has asked for it (RFC 6762 §6, §8.1)', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    const peer = await world.peer();
    const foreign = encodeMessage(responseMessage({ answers: [FOREIGN] }));
    peer.send('p0', foreign, { address: 'fe80::1', port: 5353 });
    await world.clock.advance(5000);
    expect(world.sent(10_000).filter(({ from }) => from === 'fe80::1')).toEqual([]);
    peer.send('p0', foreign);
    await world.clock.advance(400);
    peer.send('p0', foreign, { address: 'fe80::1', port: 5353 });
    await world.clock.advance(2000);
    expect(advertiser.hostName).toBe('mash-1a2b3c4d-2.local');
  });

  it('records of another class contradict nothing, nor does a flush bit on what we share or another TTL on what is ours', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    const peer = await world.peer();
    const { ptr, srv, txt } = serviceRecords(COMMISSIONABLE, NAME, recordPolicy('draft', false));
    const answers: readonly DnsRecord[] = [
      { ...FOREIGN, class: 3 },
      { ...srv, class: 254, port: 1 },
      { ...ptr, flush: true },
      { ...ptr, flush: true, target: ['MASH-66', ...ptr.name] },
      { ...srv, ttl: 0xffff_ffff },
      { ...txt, flush: false },
    ];
    peer.send('p0', encodeMessage(responseMessage({ answers })));
    await world.clock.advance(10_000);
    expect(world.sent(10_000).filter(({ from }) => from === 'fe80::1')).toEqual([]);
    expect([advertiser.hostName, advertiser.conflicts]).toEqual([HOST, []]);
  });

  it('defends its records against a probe at once', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    const peer = await world.peer();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    const questions = [{ name: NAME, type: TYPE.ANY, class: CLASS.IN, unicast: true }];
    peer.send('p0', encodeMessage(queryMessage({ questions, authorities: [FOREIGN] })));
    await world.clock.advance(1000);
    expect(world.responses(10_001).map(({ at, message, to }) => [at, message.answers.length, to])).toEqual([[10_001, 2, undefined]]);
  });
});

describe('who is heeded', () => {
  it.each([
    ['another port than 5353 (RFC 6762 §6)', 40_000, true],
    ['port 5353', 5353, false],
  ])('a conflicting response from %s', async (_, port, ignored) => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    const peer = await world.peer(port);
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(300);
    peer.send('p0', encodeMessage(responseMessage({ answers: [FOREIGN] })));
    await world.clock.advance(10_000);
    expect(advertiser.hostName === HOST).toBe(ignored);
    const since = world.clock.now();
    peer.send('p0', encodeMessage(responseMessage({ answers: [{ ...FOREIGN, name: advertiser.hostName.split('.') }] })));
    await world.clock.advance(5000);
    expect(world.sent(since + 1).some(({ message }) => !message.response)).toBe(!ignored);
  });

  it('what conflicts before the first probe has left is ignored (RFC 6762 §8.1)', async () => {
    const world = new DiscoveryWorld();
    const { advertiser, multicast } = world.device();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    const source = { interfaceName: 'eth0', address: 'fe80::9', port: 5353 };
    multicast.deliver(encodeMessage(responseMessage({ answers: [FOREIGN] })), source);
    const questions = [{ name: NAME, type: TYPE.ANY, class: CLASS.IN, unicast: true }];
    const late = { ...FOREIGN, address: new Uint8Array(16).fill(0xff) };
    multicast.deliver(encodeMessage(queryMessage({ questions, authorities: [late] })), source);
    await world.clock.advance(1000);
    expect(advertiser.hostName).toBe(HOST);
    expect(world.responses().length).toBeGreaterThan(0);
  });

  it('while probing a record of any type is a conflict; the types we do not hold are none afterwards (RFC 6762 §8.1, §9)', async () => {
    const hinfo: DnsRecord = { type: 'raw', code: 13, name: NAME, class: CLASS.IN, flush: true, ttl: 120, data: Uint8Array.of(0, 0) };
    for (const [wait, kept] of [
      [300, false],
      [10_000, true],
    ] as const) {
      const world = new DiscoveryWorld();
      const { advertiser } = world.device();
      const peer = await world.peer();
      await advertiser.start();
      advertiser.publish(COMMISSIONABLE);
      await world.clock.advance(wait);
      peer.send('p0', encodeMessage(responseMessage({ additionals: [hinfo] })));
      await world.clock.advance(10_000);
      expect(advertiser.hostName === HOST).toBe(kept);
      if (kept) expect(world.sent(wait + 2).filter(({ message }) => !message.response)).toEqual([]);
    }
  });
});

it.each(['answers', 'authorities', 'additionals'] as const)(
  'a conflict counts in any section of a response: %s (RFC 6762 §9)',
  async (section) => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    const peer = await world.peer();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    peer.send('p0', encodeMessage(responseMessage({ [section]: [FOREIGN] })));
    await world.clock.advance(5000);
    expect(world.sent(10_001).filter(({ message }) => !message.response)).toHaveLength(3);
  },
);

describe('a name that is never free (RFC 6762 §8.1)', () => {
  it('ConflictLimit: nothing for fourteen conflicts, 5 s from the fifteenth in ten seconds on', async () => {
    const clock = new VirtualClock();
    const limit = new ConflictLimit(clock);
    const counted: number[] = [];
    for (let i = 0; i < 16; i++) {
      counted.push(limit.count());
      await clock.advance(500);
    }
    expect(counted).toEqual([...new Array(14).fill(0), 5000, 5000]);
    await clock.advance(10_000);
    expect(limit.count()).toBe(0);
  });

  it('after fifteen conflicts every further probe waits for 5 s, and the first free name is taken', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    let stubborn = true;
    const rival = new VirtualMulticast([{ name: 'p0', link: world.link, addresses: ['fe80::99/64'] }]);
    const tried: number[] = [];
    await rival.start({
      onPacket: (packet, { address }) => {
        const { questions, response } = decodeMessage(packet);
        const name = questions[0]?.name;
        if (!stubborn || response || address === 'fe80::99' || name?.[0]?.startsWith('mash-') !== true) return;
        tried.push(world.clock.now());
        rival.send('p0', encodeMessage(responseMessage({ answers: [{ ...FOREIGN, name }] })));
      },
      onInterfaces: () => undefined,
      onError: () => undefined,
    });
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(40_000);
    const pauses = tried.slice(1).map((at, i) => at - (tried[i] as number));
    expect(Math.max(...pauses.slice(0, 14))).toBeLessThan(300);
    expect(Math.min(...pauses.slice(14))).toBeGreaterThanOrEqual(5000);
    expect(pauses.length).toBeGreaterThan(16);
    stubborn = false;
    await world.clock.advance(10_000);
    expect(advertiser.hostName).toBe(`mash-1a2b3c4d-${tried.length + 1}.local`);
    expect(world.responses(40_000).some(({ from }) => from === 'fe80::1')).toBe(true);
    await advertiser.close();
    await world.clock.advance(10);
    expect(world.clock.pending()).toEqual([]);
  });

  it('a new link is probed on; a conflict there renames the host on all links', async () => {
    const world = new DiscoveryWorld();
    const { advertiser, multicast } = world.device();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    const wlan = new VirtualLink(world.clock);
    const rival = new VirtualMulticast([{ name: 'w0', link: wlan, addresses: ['fe80::99/64'] }]);
    await rival.start({ onPacket: () => undefined, onInterfaces: () => undefined, onError: () => undefined });
    multicast.setInterfaces([
      { name: 'eth0', link: world.link, addresses: ['fe80::1/64'] },
      { name: 'wlan0', link: wlan, addresses: ['fe80::2/64'] },
    ]);
    await world.clock.advance(300);
    expect(
      world
        .sent(0, wlan)
        .filter(({ from }) => from === 'fe80::2')
        .every(({ message }) => !message.response),
    ).toBe(true);
    const conflict = world.clock.now();
    rival.send('w0', encodeMessage(responseMessage({ answers: [FOREIGN] })));
    await world.clock.advance(10_000);
    expect(advertiser.hostName).toBe('mash-1a2b3c4d-2.local');
    const [goodbye] = world.responses(conflict);
    expect(goodbye?.message.answers.map(({ name, ttl }) => [name[0], ttl])).toEqual([['mash-1a2b3c4d', 0]]);
    for (const link of [world.link, wlan]) {
      const sent = world.sent(conflict + 1, link).filter(({ from }) => from !== 'fe80::99');
      expect(
        sent.filter(({ message }) => !message.response && message.questions[0]?.name[0] === 'mash-1a2b3c4d-2').length,
      ).toBeGreaterThanOrEqual(3);
      expect(
        sent.some(({ message }) => message.answers.some((record) => record.type === 'SRV' && record.target[0] === 'mash-1a2b3c4d-2')),
      ).toBe(true);
    }
  });
});

describe('what else arrives', () => {
  it('TC query: the known answers of the next packet count (RFC 6762 §7.2)', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    const peer = await world.peer();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    const { ptr } = serviceRecords(COMMISSIONABLE, NAME, recordPolicy('draft', false));
    const questions = [{ name: ptr.name, type: TYPE.PTR, class: CLASS.IN, unicast: false }];
    const open = encodeMessage({ ...queryMessage({ questions }), truncated: true });
    peer.send('p0', open);
    await world.clock.advance(200);
    peer.send('p0', encodeMessage(queryMessage({ answers: [ptr] })));
    await world.clock.advance(2000);
    expect(world.responses(10_001)).toEqual([]);
    const again = world.clock.now();
    peer.send('p0', open);
    await world.clock.advance(2000);
    expect((world.responses(again)[0]?.at ?? 0) - again).toBeGreaterThanOrEqual(400);
  });

  it('a lost address gets its goodbye beside those that stay; a storm about one name is limited; off-link senders are not heard', async () => {
    const world = new DiscoveryWorld();
    const { advertiser, multicast } = world.device();
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(10_000);
    multicast.setInterfaces([{ name: 'eth0', link: world.link, addresses: ['fe80::1/64', 'fd77:2::1/64'] }]);
    expect(world.responses(10_000)[0]?.message.answers.map(({ ttl }) => ttl)).toEqual([0, 120, 120]);
    const packet = query(instanceName(COMMISSIONABLE), TYPE.SRV);
    multicast.deliver(packet, { interfaceName: 'eth0', address: '2001:db8::1', port: 5353 });
    for (let i = 0; i < 1000; i++) multicast.deliver(packet, { interfaceName: 'eth0', address: 'fe80::5', port: 5353 });
    expect(advertiser.counters).toMatchObject({ offLink: 1, limited: 940 });
  });

  it.each([
    ['30 % loss', { loss: 0.3 }],
    ['200 ms jitter', { jitter: 200 }],
    ['2 s delay', { delay: 2000 }],
  ])('%s: discovery completes', async (_, options) => {
    const world = new DiscoveryWorld({ ...options, entropy: new SeededEntropy(77) });
    const { advertiser } = world.device();
    const { browser } = world.controller();
    await Promise.all([advertiser.start(), browser.start()]);
    const found = browser.browse('_mash-comm._tcp', { added: () => undefined });
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(8000);
    expect(found.services()).toHaveLength(1);
  });
});
