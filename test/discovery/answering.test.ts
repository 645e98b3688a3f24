import { describe, expect, it } from 'vitest';
import { type DnsMessage, encodeMessage, queryMessage, responseMessage } from '../../src/discovery/message.js';
import type { Name } from '../../src/discovery/name.js';
import { CLASS, type DnsRecord, TYPE } from '../../src/discovery/records.js';
import { ENUMERATION, instanceName, recordPolicy, serviceRecords, typeName } from '../../src/discovery/service.js';
import { brief, COMMISSIONABLE, DiscoveryWorld, HOST, OPERATIONAL, query } from './world.js';

const NAME = HOST.split('.');
const TYPE_NAME = typeName('_mash-comm._tcp');
const INSTANCE = instanceName(COMMISSIONABLE);
const RECORDS = serviceRecords(COMMISSIONABLE, NAME, recordPolicy('draft', false));

async function announced() {
  const world = new DiscoveryWorld();
  const device = world.device();
  await device.advertiser.start();
  device.advertiser.publish(COMMISSIONABLE);
  await world.clock.advance(10_000);
  return { world, ...device, peer: await world.peer() };
}

function ask(questions: readonly (readonly [Name, number, boolean?])[], sections: Partial<DnsMessage> = {}): Uint8Array {
  const all = questions.map(([name, type, unicast = false]) => ({ name, type, class: CLASS.IN, unicast }));
  return encodeMessage({ ...queryMessage({ questions: all }), ...sections });
}

function say(...answers: readonly DnsRecord[]): Uint8Array {
  return encodeMessage(responseMessage({ answers }));
}

/** What our device said since `since`: ms after it, to whom, the types of its answers. */
function said(world: DiscoveryWorld, since: number): readonly (readonly [number, string, string])[] {
  return world
    .responses(since)
    .filter(({ from }) => from === 'fe80::1')
    .map(({ at, to, message }) => [at - since, to?.address ?? 'group', message.answers.map(({ type }) => type).join(' ')]);
}

describe('to whom (RFC 6762 §5.4)', () => {
  it('a QU question is answered by multicast once a quarter of the TTL has passed since the last time', async () => {
    const { world, peer } = await announced();
    // Last multicast with the third announcement, less than 5 s after the start.
    await world.clock.advance(25_000);
    const first = world.clock.now();
    peer.send('p0', query(NAME, TYPE.AAAA, { unicast: true }));
    await world.clock.advance(10);
    expect(said(world, first)).toEqual([[1, 'group', 'AAAA AAAA']]);
    const second = world.clock.now();
    peer.send('p0', query(NAME, TYPE.AAAA, { unicast: true }));
    peer.send('p0', query(INSTANCE, TYPE.SRV, { unicast: true }));
    await world.clock.advance(10);
    expect(said(world, second)).toEqual([
      [1, 'fe80::99', 'AAAA AAAA'],
      [1, 'fe80::99', 'SRV'],
    ]);
  });

  it('QU and QM questions of one query are answered each in its way', async () => {
    const { world, peer } = await announced();
    const since = world.clock.now();
    peer.send(
      'p0',
      ask([
        [INSTANCE, TYPE.SRV, true],
        [INSTANCE, TYPE.TXT],
      ]),
    );
    await world.clock.advance(1000);
    const answers = said(world, since);
    expect(answers.map(([, to, types]) => `${to} ${types}`).sort()).toEqual(['fe80::99 SRV', 'group TXT']);
  });

  it('a query that came by unicast is answered as if it had the QU bit (§5.5)', async () => {
    const { world, peer } = await announced();
    const since = world.clock.now();
    peer.send('p0', query(INSTANCE, TYPE.SRV), { address: 'fe80::1', port: 5353 });
    await world.clock.advance(10);
    expect(said(world, since)).toEqual([[1, 'fe80::99', 'SRV']]);
    // A quarter of the TTL of the addresses: by multicast again.
    await world.clock.advance(30_000);
    const later = world.clock.now();
    peer.send('p0', query(NAME, TYPE.AAAA), { address: 'fe80::1', port: 5353 });
    await world.clock.advance(10);
    expect(said(world, later)).toEqual([[1, 'group', 'AAAA AAAA']]);
  });
});

describe('when (RFC 6762 §6)', () => {
  it('of a query with several questions every answer waits for 20…120 ms (§6.3)', async () => {
    const { world, peer } = await announced();
    const since = world.clock.now();
    peer.send(
      'p0',
      ask([
        [INSTANCE, TYPE.SRV],
        [INSTANCE, TYPE.TXT],
        [['other', 'local'], TYPE.A],
      ]),
    );
    await world.clock.advance(1000);
    const [answer, ...more] = said(world, since);
    expect([answer?.[2], more]).toEqual(['SRV TXT', []]);
    expect(answer?.[0]).toBeGreaterThanOrEqual(21);
    expect(answer?.[0]).toBeLessThanOrEqual(121);
  });

  it('no record is multicast twice within a second', async () => {
    const { world, peer } = await announced();
    const since = world.clock.now();
    for (let i = 0; i < 5; i++) {
      peer.send('p0', query(INSTANCE, TYPE.SRV));
      await world.clock.advance(100);
    }
    await world.clock.advance(5000);
    expect(said(world, since)).toEqual([
      [1, 'group', 'SRV'],
      [1001, 'group', 'SRV'],
    ]);
  });

  it('answers to different queries leave together where their delays allow it (§6.4)', async () => {
    const { world, peer } = await announced();
    const since = world.clock.now();
    for (let i = 0; i < 20; i++) {
      peer.send('p0', ask([[TYPE_NAME, TYPE.PTR]]));
      peer.send('p0', ask([[ENUMERATION, TYPE.PTR]]));
      await world.clock.advance(3000);
    }
    const answers = said(world, since);
    expect(answers.map(([, , types]) => types)).toEqual(new Array(20).fill('PTR PTR'));
    for (const [i, [at]] of answers.entries()) {
      expect(at - 3000 * i).toBeGreaterThanOrEqual(21);
      expect(at - 3000 * i).toBeLessThanOrEqual(121);
    }
  });

  it('a TC query alone: 400…500 ms, again from each further packet with TC (§7.2)', async () => {
    const { world, peer } = await announced();
    const open = ask([[TYPE_NAME, TYPE.PTR]], { truncated: true });
    const since = world.clock.now();
    peer.send('p0', open);
    await world.clock.advance(2000);
    expect(said(world, since)).toHaveLength(1);
    expect(said(world, since)[0]?.[0]).toBeGreaterThanOrEqual(401);
    expect(said(world, since)[0]?.[0]).toBeLessThanOrEqual(501);
    const again = world.clock.now();
    peer.send('p0', open);
    await world.clock.advance(300);
    peer.send('p0', ask([], { truncated: true }));
    await world.clock.advance(2000);
    expect(said(world, again)[0]?.[0]).toBeGreaterThanOrEqual(701);
  });

  it.each([
    ['that asks for it, by unicast in between', true, [101, 201, 301]],
    ['else as soon as it may be said again', false, [251]],
  ] as const)('a probe is answered by multicast at most every 250 ms, %s', async (_, unicast, more) => {
    const { world, peer } = await announced();
    const since = world.clock.now();
    const probe = ask([[INSTANCE, TYPE.ANY, unicast]], { authorities: [{ ...RECORDS.srv, port: 1 }] });
    for (let i = 0; i < 4; i++) {
      peer.send('p0', probe);
      await world.clock.advance(100);
    }
    const group = [1, 251, 301];
    expect(said(world, since)).toEqual([1, ...more].map((at) => [at, group.includes(at) ? 'group' : 'fe80::99', 'SRV TXT']));
  });
});

it('an answer that has to wait for its second does not hold up the defence of its name (RFC 6762 §6, §8.1)', async () => {
  const { world, peer } = await announced();
  const since = world.clock.now();
  peer.send('p0', query(INSTANCE, TYPE.SRV));
  await world.clock.advance(100);
  peer.send('p0', query(INSTANCE, TYPE.SRV));
  await world.clock.advance(50);
  peer.send('p0', ask([[INSTANCE, TYPE.ANY]], { authorities: [{ ...RECORDS.srv, port: 1 }] }));
  await world.clock.advance(5000);
  expect(said(world, since)).toEqual([
    [1, 'group', 'SRV'],
    [251, 'group', 'SRV TXT'],
    [1251, 'group', 'SRV'],
  ]);
});

it.each([
  ['draft', 0],
  ['reference', 1],
] as const)(
  'while it probes the responder is silent, in form reference it answers, but for probes (RFC 6762 §8.1; %s)',
  async (form, answers) => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device({ policy: recordPolicy(form, false) });
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await world.clock.advance(300);
    const peer = await world.peer();
    const { srv } = serviceRecords(COMMISSIONABLE, NAME, recordPolicy(form, false));
    peer.send('p0', ask([[INSTANCE, TYPE.SRV]]));
    peer.send('p0', ask([[INSTANCE, TYPE.ANY, true]], { authorities: [{ ...srv, port: 1 }] }));
    await world.clock.advance(100);
    peer.send('p0', say({ ...srv, ttl: 0 }));
    await world.clock.advance(100);
    expect(said(world, 0)).toHaveLength(answers);
  },
);

describe('what others say of ours', () => {
  it('an answer that another has just given, with a TTL no lower, is not repeated (RFC 6762 §7.4)', async () => {
    const { world, peer } = await announced();
    const ptr = RECORDS.ptr;
    for (const [ttl, answers] of [
      [4500, 0],
      [4499, 1],
    ] as const) {
      const since = world.clock.now();
      peer.send('p0', query(TYPE_NAME, TYPE.PTR));
      await world.clock.advance(10);
      peer.send('p0', say({ ...ptr, ttl }));
      await world.clock.advance(2000);
      expect(said(world, since)).toHaveLength(answers);
    }
  });

  it('a record of ours with less than half its life is said again, a goodbye too; half its life is enough (RFC 6762 §6.6)', async () => {
    const { world, peer } = await announced();
    const heard = async (record: DnsRecord) => {
      const since = world.clock.now();
      peer.send('p0', say(record));
      await world.clock.advance(2000);
      return said(world, since).map(([, to, types]) => [to, types]);
    };
    expect(await heard({ ...RECORDS.srv, ttl: 2250 })).toEqual([]);
    expect(await heard({ ...RECORDS.srv, ttl: 2249 })).toEqual([['group', 'SRV']]);
    expect(await heard({ ...RECORDS.enumeration, ttl: 0 })).toEqual([['group', 'PTR']]);
    expect(await heard({ ...RECORDS.srv, ttl: 0, name: ['other', ...TYPE_NAME] })).toEqual([]);
  });

  it('questions in a response are ignored (RFC 6762 §6)', async () => {
    const { world, peer } = await announced();
    const since = world.clock.now();
    const questions = [{ name: INSTANCE, type: TYPE.SRV, class: CLASS.IN, unicast: false }];
    peer.send('p0', encodeMessage({ ...responseMessage({ answers: [RECORDS.ptr] }), questions }));
    await world.clock.advance(1000);
    expect(said(world, since)).toEqual([]);
  });

  it('an NSEC record that cannot be parsed spoils nothing else (RFC 6762 §6.1)', async () => {
    const { world, peer } = await announced();
    const since = world.clock.now();
    const nsec: DnsRecord = {
      type: 'raw',
      code: TYPE.NSEC,
      name: INSTANCE,
      class: CLASS.IN,
      flush: true,
      ttl: 120,
      data: Uint8Array.of(0x3f),
    };
    peer.send('p0', say(nsec, { ...RECORDS.srv, ttl: 0 }));
    await world.clock.advance(1000);
    expect(said(world, since)).toEqual([[1, 'group', 'SRV']]);
  });
});

describe('the header (RFC 6762 §18)', () => {
  /** Sets bits of the two bytes of flags, and an id. */
  function marked(packet: Uint8Array, flags: number): Uint8Array {
    const bytes = packet.slice();
    bytes.set([0x12, 0x34, (packet[2] as number) | (flags >> 8), (packet[3] as number) | (flags & 0xff)]);
    return bytes;
  }
  const AA = 0x0400;
  const TC = 0x0200;
  const RD_RA_Z_AD_CD = 0x01f0;

  it('of a query the id, AA, RD, RA, Z, AD and CD are ignored; of the answer they are zero but for AA (§18.1–§18.10)', async () => {
    const { world, peer } = await announced();
    const since = world.clock.now();
    peer.send('p0', marked(query(INSTANCE, TYPE.SRV), AA | RD_RA_Z_AD_CD));
    await world.clock.advance(1000);
    const packets = world.responses(since).map(({ packet }) => [...packet.subarray(0, 4)]);
    expect(packets).toEqual([[0, 0, 0x84, 0]]);
  });

  it('of a response the id, AA, TC and those bits are ignored', async () => {
    for (const flags of [0, AA | TC | RD_RA_Z_AD_CD]) {
      const { world, peer } = await announced();
      const since = world.clock.now();
      const packet = marked(say({ ...RECORDS.srv, ttl: 0 }), flags);
      if (flags === 0) packet[2] = 0x80;
      peer.send('p0', packet);
      await world.clock.advance(1000);
      expect(said(world, since)).toEqual([[1, 'group', 'SRV']]);
    }
  });

  it.each([
    ['opcode', 0x2800],
    ['response code', 0x0003],
  ])('messages with an %s other than zero are ignored (§18.3, §18.11)', async (_, flags) => {
    const { world, peer } = await announced();
    const since = world.clock.now();
    peer.send('p0', marked(query(INSTANCE, TYPE.SRV), flags));
    peer.send('p0', marked(say({ ...RECORDS.srv, port: 1 }), flags));
    peer.send('p0', marked(say({ ...RECORDS.srv, ttl: 0 }), flags));
    await world.clock.advance(5000);
    expect(world.sent(since).filter(({ from }) => from === 'fe80::1')).toEqual([]);
  });

  it('queries of ours: id 0, no bits (§18.1, §18.4)', async () => {
    const { world } = await announced();
    const [probe] = world.sent().filter(({ message }) => !message.response);
    expect([...(probe?.packet.subarray(0, 4) ?? [])]).toEqual([0, 0, 0, 0]);
  });
});

describe('whole sets and what does not exist', () => {
  it('a querier that knows one address of two gets the other, the first beside it: flushing keeps both (RFC 6762 §10.2)', async () => {
    const { world, peer } = await announced();
    const all = world.responses()[0]?.message.answers.filter(({ type }) => type === 'AAAA') ?? [];
    const since = world.clock.now();
    peer.send('p0', query(NAME, TYPE.AAAA, { known: all.slice(0, 1) }));
    await world.clock.advance(1000);
    const [response] = world.responses(since);
    expect(response?.message.answers).toEqual(all.slice(1));
    expect(response?.message.additionals.filter(({ type }) => type === 'AAAA')).toEqual(all.slice(0, 1));
  });

  it('the other family goes along; NSEC where there is none: own name, its types alone, the TTL they would have (RFC 6762 §6.1, §6.2)', async () => {
    const { world, peer } = await announced();
    const ask = async (name: Name, type: number) => {
      const since = world.clock.now();
      peer.send('p0', query(name, type));
      await world.clock.advance(2000);
      return world.responses(since)[0]?.message;
    };
    const nsec = (await ask(NAME, TYPE.A))?.answers[0];
    expect(nsec).toMatchObject({ type: 'NSEC', name: NAME, next: NAME, ttl: 120, flush: true });
    // Block 0, 4 bytes, bit 28: AAAA and nothing else.
    expect(nsec?.type === 'NSEC' && [...nsec.bitmap]).toEqual([0, 4, 0, 0, 0, 0x08]);
    const none = (await ask(INSTANCE, TYPE.A))?.answers[0];
    expect(none).toMatchObject({ type: 'NSEC', name: INSTANCE, next: INSTANCE, ttl: 4500 });
    expect(none?.type === 'NSEC' && [...none.bitmap]).toEqual([0, 5, 0, 0, 0x80, 0, 0x40]);
    // A shared name has none.
    expect(await ask(TYPE_NAME, TYPE.A)).toBeUndefined();

    const dual = new DiscoveryWorld();
    const { advertiser } = dual.device({ policy: recordPolicy('draft', true) });
    await advertiser.start();
    advertiser.publish(COMMISSIONABLE);
    await dual.clock.advance(10_000);
    (await dual.peer()).send('p0', query(NAME, TYPE.AAAA));
    await dual.clock.advance(1000);
    const both = dual.responses(10_000)[0]?.message;
    expect([both?.answers, both?.additionals].map((part) => part?.map(({ type }) => type))).toEqual([['AAAA', 'AAAA'], ['A']]);
  });
});

describe('who else asks', () => {
  it('a legacy resolver that asks two things gets both, its questions repeated (RFC 6762 §6.3, §6.7)', async () => {
    const { world } = await announced();
    const resolver = await world.peer(40_000);
    const since = world.clock.now();
    resolver.send(
      'p0',
      ask(
        [
          [INSTANCE, TYPE.SRV],
          [NAME, TYPE.AAAA],
        ],
        { id: 9 },
      ),
    );
    resolver.send('p0', ask(new Array(9).fill([INSTANCE, TYPE.SRV])));
    await world.clock.advance(1000);
    const responses = world.responses(since);
    expect(responses).toHaveLength(1);
    expect(responses[0]?.message).toMatchObject({ id: 9, questions: [{ type: TYPE.SRV }, { type: TYPE.AAAA }] });
    expect(brief(responses[0]?.message.answers ?? []).map((text) => text.split(' ')[0])).toEqual(['SRV', 'AAAA', 'AAAA']);
  });

  it('class ANY and type ANY get everything (RFC 6762 §6.5)', async () => {
    const { world, peer } = await announced();
    const since = world.clock.now();
    const questions = [{ name: INSTANCE, type: TYPE.ANY, class: CLASS.ANY, unicast: false }];
    peer.send('p0', encodeMessage(queryMessage({ questions })));
    await world.clock.advance(1000);
    expect(said(world, since)).toEqual([[1, 'group', 'SRV TXT']]);
  });

  it('known answers of somebody else’s query are not learned: the next querier gets its answer (RFC 6762 §7.1)', async () => {
    const { world, peer } = await announced();
    peer.send('p0', query(INSTANCE, TYPE.SRV, { known: [RECORDS.srv] }));
    await world.clock.advance(1000);
    const since = world.clock.now();
    peer.send('p0', query(INSTANCE, TYPE.SRV));
    await world.clock.advance(1000);
    expect(said(world, since)).toEqual([[1, 'group', 'SRV']]);
  });
});

describe('several services (RFC 6762 §6.4)', () => {
  it.each([
    ['draft', 1],
    ['reference', 2],
  ] as const)('are announced and leave in one packet; in form reference each in its own (%s)', async (form, packets) => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device({ policy: recordPolicy(form, false) });
    advertiser.publish(OPERATIONAL);
    advertiser.publish({ ...OPERATIONAL, instance: 'B1B2C3D4E5F6A7B8-09E8D7C6B5A49382' });
    await advertiser.start();
    await world.clock.advance(10_000);
    const said = world.responses();
    expect(said).toHaveLength(3 * packets);
    const srvs = said.slice(0, packets).flatMap(({ message }) => message.answers.filter(({ type }) => type === 'SRV'));
    expect(srvs).toHaveLength(2);
    // Each packet stands for itself: addresses in all of them.
    for (const { message } of said) expect(message.answers.filter(({ type }) => type === 'AAAA')).toHaveLength(2);
    await advertiser.close();
    const goodbyes = world.responses(10_000);
    expect(goodbyes).toHaveLength(packets);
    expect(goodbyes.flatMap(({ message }) => message.answers).every(({ ttl }) => ttl === 0)).toBe(true);
  });
});
