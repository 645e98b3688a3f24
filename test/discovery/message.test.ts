import { readFileSync } from 'node:fs';
import dnsPacket from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/codec/hex.js';
import { formatAddress } from '../../src/discovery/address.js';
import { type DnsMessage, decodeMessage, encodeMessage, isResponse, queryMessage, responseMessage } from '../../src/discovery/message.js';
import { type Name, nameKey, nameText } from '../../src/discovery/name.js';
import { CLASS, type DnsRecord, recordKey, TYPE } from '../../src/discovery/records.js';
import { PeerError } from '../../src/errors.js';
import { SeededEntropy } from '../world/entropy.js';

/** Recorded from the Go reference (device and controller); see `about` inside. */
const recording = JSON.parse(readFileSync(new URL('../vectors/reference-mdns.json', import.meta.url), 'utf8')) as {
  packets: { ms: number; from: 'device' | 'controller'; hex: string }[];
};
const packets = recording.packets.map(({ from, hex }) => ({ from, hex, bytes: fromHex(hex) }));

/** Where the recording departs from how this project encodes. Indexes into the recording. */
const DEPARTURES = {
  /** Probes and goodbyes repeat names instead of pointing back. */
  uncompressed: [1, 14, 17, 18, 41, 42],
  /** RFC 6762 §18.4: AA must be set in responses; unsolicited ones lack it. */
  notAuthoritative: [2, 14, 19, 20, 35, 41, 42],
};

describe('the recording of the reference', () => {
  it('encodes again to the same bytes, packet by packet', () => {
    const uncompressed: number[] = [];
    for (const [index, { hex, bytes }] of packets.entries()) {
      const message = decodeMessage(bytes);
      // RFC 2782: the reference leaves the targets of SRV as they are.
      const compressed = toHex(encodeMessage(message, { compression: 'legacy' }));
      if (compressed === hex) continue;
      uncompressed.push(index);
      expect(toHex(encodeMessage(message, { compression: 'none' })), `packet ${index}`).toBe(hex);
    }
    expect(packets).toHaveLength(43);
    expect(uncompressed).toEqual(DEPARTURES.uncompressed);
  });

  it('departs from RFC 6762 where the list says, and nowhere else', () => {
    const messages = packets.map(({ bytes }) => decodeMessage(bytes));
    const indexes = (matches: (message: DnsMessage) => boolean): number[] =>
      [...messages.keys()].filter((index) => matches(messages[index] as DnsMessage));
    expect(indexes((message) => message.response && !message.authoritative)).toEqual(DEPARTURES.notAuthoritative);
    // §18.1: queries and solicited answers carry an id, unsolicited packets none.
    expect(indexes((message) => message.id === 0)).toEqual(DEPARTURES.notAuthoritative);
    // §10.2: the unique records of solicited answers lack the cache-flush bit.
    const unflushed = indexes((message) => message.additionals.some((record) => record.type === 'SRV' && !record.flush));
    expect(unflushed).toEqual(indexes((message) => message.response && message.authoritative));
  });

  it('is read as typed records', () => {
    const announcement = decodeMessage((packets[2] as { bytes: Uint8Array }).bytes);
    expect(announcement.answers.map((record) => record.type)).toEqual(['SRV', 'TXT', 'PTR', 'PTR', 'A', 'AAAA', 'AAAA', 'AAAA']);
    expect(announcement.answers[0]).toEqual({
      name: ['MASH-1234', '_mash-comm', '_tcp', 'local'],
      type: 'SRV',
      class: CLASS.IN,
      flush: true,
      ttl: 120,
      priority: 0,
      weight: 0,
      port: 8443,
      target: ['vm', 'local'],
    });
    const goodbye = decodeMessage((packets[42] as { bytes: Uint8Array }).bytes);
    expect(goodbye.answers.every((record) => record.ttl === 0)).toBe(true);
    const probe = decodeMessage((packets[1] as { bytes: Uint8Array }).bytes);
    expect([isResponse((packets[1] as { bytes: Uint8Array }).bytes), probe.authorities.length]).toEqual([false, 2]);
  });
});

/** A random message of the types that dns-packet and this codec share; no label contains a dot. */
function randomMessage(random: SeededEntropy): DnsMessage {
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)] as T;
  const label = (): string => pick(['local', '_tcp', '_mash', 'MASH-7', 'Wärmepumpe im Keller', 'x'.repeat(63), `h${random.below(50)}`]);
  const name = (): string[] => Array.from({ length: random.below(4) + 1 }, label).filter((_, i) => i < 3);
  const head = () => ({ name: name(), class: CLASS.IN, flush: random.below(2) === 1, ttl: pick([0, 120, 4500, 0xffff_ffff]) });
  const record = (): DnsRecord => {
    switch (random.below(5)) {
      case 0:
        return { ...head(), type: 'A', address: random.bytes(4) };
      case 1:
        return { ...head(), type: 'AAAA', address: random.bytes(16) };
      case 2:
        return { ...head(), type: 'PTR', target: name() };
      case 3:
        return { ...head(), type: 'SRV', priority: random.below(65_536), weight: 0, port: random.below(65_536), target: name() };
      default:
        return { ...head(), type: 'TXT', strings: Array.from({ length: 1 + random.below(3) }, () => random.bytes(random.below(256))) };
    }
  };
  const records = (): DnsRecord[] => Array.from({ length: random.below(6) }, record);
  const questions = Array.from({ length: random.below(3) }, () => ({
    name: name(),
    type: pick([TYPE.PTR, TYPE.SRV, TYPE.ANY]),
    class: CLASS.IN,
    unicast: false,
  }));
  const sections = { questions, answers: records(), authorities: records(), additionals: records() };
  return random.below(2) === 0 ? queryMessage(sections) : responseMessage(sections, random.below(65_536));
}

type OracleAnswer = { type: string; name: string; ttl: number; flush: boolean; class: string; data: unknown };

function asOracleSeesIt(record: DnsRecord): OracleAnswer {
  const data = (): unknown => {
    switch (record.type) {
      case 'A':
      case 'AAAA':
        return formatAddress(record.address);
      case 'PTR':
        return nameText(record.target);
      case 'SRV':
        return { priority: record.priority, weight: record.weight, port: record.port, target: nameText(record.target) };
      case 'TXT':
        return record.strings.map((text) => toHex(text));
      default:
        throw new Error(record.type);
    }
  };
  return { type: record.type, name: nameText(record.name), ttl: record.ttl, flush: record.flush, class: 'IN', data: data() };
}

function normalise(answers: readonly dnsPacket.Answer[] | undefined): OracleAnswer[] {
  return (answers ?? []).map((answer) => {
    const { type, name, ttl, flush, class: klass, data } = answer as unknown as OracleAnswer;
    const bytes = type === 'TXT' ? (data as Buffer[]).map((text) => text.toString('hex')) : data;
    const address = type === 'AAAA' ? formatAddress(parse6(data as string)) : bytes;
    return { type, name, ttl, flush, class: klass, data: address };
  });
}

/** dns-packet writes an address in a form of its own; the URL parser of the engine gives the canonical one. */
function parse6(text: string): Uint8Array {
  const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const missing = 8 - groups(head).length - groups(tail ?? '').length;
  const all = [...groups(head), ...new Array<number>(tail === undefined ? 0 : missing).fill(0), ...groups(tail ?? '')];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

describe('against dns-packet', () => {
  it('reads what we write, compressed or not', () => {
    const random = new SeededEntropy(1);
    for (let i = 0; i < 500; i++) {
      const message = randomMessage(random);
      const seen = dnsPacket.decode(Buffer.from(encodeMessage(message, { compression: i % 2 === 0 ? 'full' : 'none' })));
      expect(seen.questions?.map(({ name, type }) => [name, type])).toEqual(
        message.questions.map(({ name, type }) => [nameText(name), type === TYPE.ANY ? 'ANY' : type === TYPE.PTR ? 'PTR' : 'SRV']),
      );
      expect(normalise(seen.answers)).toEqual(message.answers.map(asOracleSeesIt));
      expect(normalise(seen.authorities)).toEqual(message.authorities.map(asOracleSeesIt));
      expect(normalise(seen.additionals)).toEqual(message.additionals.map(asOracleSeesIt));
      expect([seen.id, seen.type, (seen as unknown as { flag_aa: boolean }).flag_aa]).toEqual([
        message.id,
        message.response ? 'response' : 'query',
        message.authoritative,
      ]);
    }
  });

  it('writes what we read', () => {
    const random = new SeededEntropy(2);
    for (let i = 0; i < 500; i++) {
      const message = randomMessage(random);
      const theirs = dnsPacket.encode({
        id: message.id,
        type: message.response ? 'response' : 'query',
        flags: message.authoritative ? dnsPacket.AUTHORITATIVE_ANSWER : 0,
        questions: message.questions.map(({ name, type }) => ({
          name: nameText(name),
          type: type === TYPE.ANY ? ('ANY' as never) : type === TYPE.PTR ? 'PTR' : 'SRV',
        })),
        answers: message.answers.map(forOracle),
        authorities: message.authorities.map(forOracle),
        additionals: message.additionals.map(forOracle),
      });
      expect(decodeMessage(Uint8Array.from(theirs))).toEqual(message);
    }
  });
});

function forOracle(record: DnsRecord): dnsPacket.Answer {
  const answer = asOracleSeesIt(record);
  const data = record.type === 'TXT' ? record.strings.map((text) => Buffer.from(text)) : answer.data;
  return { ...answer, data } as unknown as dnsPacket.Answer;
}

describe('the codec', () => {
  it('gives the same message after a round trip', () => {
    const random = new SeededEntropy(3);
    for (let i = 0; i < 300; i++) {
      const message = randomMessage(random);
      expect(decodeMessage(encodeMessage(message))).toEqual(message);
    }
  });

  it('keeps the QU bit, the cache-flush bit and TC apart from class and flags', () => {
    const message: DnsMessage = {
      ...queryMessage({ questions: [{ name: ['a', 'local'], type: TYPE.ANY, class: CLASS.IN, unicast: true }] }),
      truncated: true,
    };
    const bytes = encodeMessage(message);
    expect(toHex(bytes)).toBe('0000020000010000000000000161056c6f63616c0000ff8001');
    expect(decodeMessage(bytes)).toEqual(message);
  });

  it('compresses the names in PTR, SRV and NSEC; in an answer to a legacy resolver not those in SRV (RFC 6762 §18.14)', () => {
    const head = { name: ['a', 'local'], class: CLASS.IN, flush: false, ttl: 120 };
    const answers: readonly DnsRecord[] = [
      { ...head, type: 'PTR', target: ['b', 'a', 'local'] },
      { ...head, type: 'SRV', priority: 0, weight: 0, port: 1, target: ['b', 'a', 'local'] },
      { ...head, type: 'NSEC', next: ['a', 'local'], bitmap: fromHex('000101') },
    ];
    const questions = [{ name: ['a', 'local'], type: TYPE.ANY, class: CLASS.IN, unicast: false }];
    const lengths = (message: DnsMessage): readonly number[] => {
      const bytes = encodeMessage(message);
      expect(decodeMessage(bytes).answers).toEqual(answers);
      const data: number[] = [];
      for (let i = 0, at = 12 + (message.questions.length > 0 ? 9 + 4 : 0); i < answers.length; i++) {
        at += (bytes[at] as number) >= 0xc0 ? 2 : 9;
        data.push(bytes[at + 9] as number);
        at += 10 + (bytes[at + 9] as number);
      }
      return data;
    };
    expect(lengths(responseMessage({ answers }))).toEqual([4, 6 + 2, 2 + 3]);
    expect(lengths(responseMessage({ answers, questions }))).toEqual([4, 6 + 11, 2 + 3]);
  });

  it.each([
    ['NS', 2, 'c00c', '016100'],
    ['CNAME', 5, '0162c00c', '0162016100'],
    ['SOA', 6, 'c00c0162c00c0000000100000002000000030000000400000005', '0161000162016100 0000000100000002000000030000000400000005'],
    ['MX', 15, '000ac00c', '000a016100'],
    ['RP', 17, 'c00cc00c', '016100016100'],
    ['PX', 26, '0001c00cc00c', '0001016100016100'],
    ['DNAME', 39, 'c00c', '016100'],
    // What is no data of its type stays as it is.
    ['MX too short', 15, '00', '00'],
    ['CNAME that points forward', 5, 'c0ff', 'c0ff'],
    ['NS that leaves its record', 2, '0561', '0561'],
    // RFC 6762 §18.14: no other type is compressed.
    ['TYPE99', 99, 'c00c', 'c00c'],
  ])('writes out the names in the data of %s (RFC 6762 §18.14)', (_, type, data, whole) => {
    const size = (data.length / 2).toString(16).padStart(4, '0');
    const bytes = fromHex(`000084000000000100000000016100${type.toString(16).padStart(4, '0')}000100000078${size}${data}`);
    const expected = fromHex(whole.replace(' ', ''));
    expect(decodeMessage(bytes).answers).toEqual([expect.objectContaining({ type: 'raw', code: type, data: expected })]);
  });

  it('U+FEFF is a letter like any other, at the start of a name too (RFC 6762 §16)', () => {
    const names: readonly Name[] = [
      ['\ufeffHome', 'local'],
      ['Ho\ufeffme', 'local'],
      ['Home', 'local'],
    ];
    const bytes = encodeMessage(
      queryMessage({ questions: names.map((name) => ({ name, type: TYPE.ANY, class: CLASS.IN, unicast: false })) }),
    );
    expect(decodeMessage(bytes).questions.map(({ name }) => name)).toEqual(names);
    expect(new Set(names.map(nameKey)).size).toBe(3);
  });

  it('keeps NSEC, OPT and unknown types', () => {
    const head = { name: ['a', 'local'], class: CLASS.IN, flush: true, ttl: 120 };
    const message = responseMessage({
      answers: [{ ...head, type: 'NSEC', next: ['a', 'local'], bitmap: fromHex('000440000008') }],
      additionals: [{ name: [], class: 1440, flush: false, ttl: 0, type: 'raw', code: 41, data: fromHex('000400080000') }],
    });
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  it('reads names without regard to case, and keeps the case', () => {
    const head = { class: CLASS.IN, flush: false, ttl: 1 };
    const upper: DnsRecord = { ...head, type: 'PTR', name: ['_MASH', '_tcp', 'local'], target: ['A', 'LOCAL'] };
    const lower: DnsRecord = { ...head, type: 'PTR', name: ['_mash', '_tcp', 'local'], target: ['a', 'local'] };
    expect(recordKey(upper)).toBe(recordKey(lower));
    expect(decodeMessage(encodeMessage(responseMessage({ answers: [upper, lower] }))).answers).toEqual([upper, lower]);
  });

  it('refuses to write what the format cannot carry', () => {
    const head = { class: CLASS.IN, flush: false, ttl: 1 };
    const write = (record: DnsRecord): Uint8Array => encodeMessage(responseMessage({ answers: [record] }));
    const srv = { ...head, type: 'SRV' as const, priority: 0, weight: 0, target: ['a'] };
    expect(() => write({ ...head, type: 'PTR', name: ['x'.repeat(64)], target: [] })).toThrow(RangeError);
    expect(() => write({ ...head, type: 'PTR', name: ['a', '', 'b'], target: [] })).toThrow(RangeError);
    expect(() => write({ ...head, type: 'PTR', name: new Array<string>(5).fill('x'.repeat(60)), target: [] })).toThrow(RangeError);
    expect(() => write({ ...srv, name: ['a'], port: 65_536 })).toThrow(RangeError);
    expect(() => write({ ...head, type: 'A', name: ['a'], address: new Uint8Array(5) })).toThrow(RangeError);
    expect(() => write({ ...head, type: 'TXT', name: ['a'], strings: [new Uint8Array(256)] })).toThrow(RangeError);
    expect(() => write({ ...head, type: 'raw', code: 99, name: ['a'], data: new Uint8Array(9000) })).toThrow(RangeError);
  });
});

describe('hostile packets', () => {
  const header = (questions: number, answers = 0): string =>
    `00000000${questions.toString(16).padStart(4, '0')}${answers.toString(16).padStart(4, '0')}00000000`;
  const record = '00 0c 00 01 00 00 00 78'.replaceAll(' ', '');

  it.each([
    ['shorter than a header', '0000000000000000000000'],
    ['a pointer to itself', `${header(1)}c00c000c0001`],
    ['a pointer forwards', `${header(1)}c00e016100000c0001`],
    ['two pointers in a circle', `${header(1)}0161c00c000c0001`],
    ['a pointer outside the packet', `${header(1)}c0ff000c0001`],
    ['half a pointer', `${header(1)}c0`],
    ['a reserved label type', `${header(1)}4161000c0001`],
    ['a label that leaves the packet', `${header(1)}3f61`],
    ['a label that is not UTF-8', `${header(1)}01ff00000c0001`],
    ['a name of more than 255 bytes', `${header(1)}${`3f${'61'.repeat(63)}`.repeat(4)}00000c0001`],
    ['a question without class', `${header(1)}016100000c`],
    ['fewer questions than promised', `${header(2)}016100000c0001`],
    ['bytes behind the end', `${header(1)}016100000c000100`],
    ['a record without length', `${header(0, 1)}00${record}`],
    ['data that leaves the packet', `${header(0, 1)}00${record}0005016100`],
    ['a target shorter than its data', `${header(0, 1)}00${record}000401610000`],
    ['an A record of 5 bytes', `${header(0, 1)}00000100010000007800050102030405`],
    ['an SRV record of 6 bytes', `${header(0, 1)}0000210001000000780006000000000000`],
    ['a TXT string longer than its record', `${header(0, 1)}00001000010000007800020561`],
    ['more records than the bound', `${header(513)}${'00000c0001'.repeat(513)}`],
    ['more than 9000 bytes', `${header(0)}${'00'.repeat(9000)}`],
  ])('%s: PeerError', (_, hex) => {
    expect(() => decodeMessage(fromHex(hex))).toThrow(PeerError);
  });

  it('a chain of pointers ends at 255 bytes', () => {
    /** `count` questions; each name is one label and a pointer to the name before. */
    const chain = (count: number): Uint8Array => {
      let hex = `${header(count)}016100000c0001`;
      for (let i = 1, previous = 12; i < count; i++) {
        hex += `0162${(0xc000 | previous).toString(16)}000c0001`;
        previous = 19 + 8 * (i - 1);
      }
      return fromHex(hex);
    };
    expect(decodeMessage(chain(127)).questions.at(-1)?.name).toHaveLength(127);
    expect(() => decodeMessage(chain(128))).toThrow(PeerError);
  });

  it('50,000 mutations of the recording end in a message or in PeerError', () => {
    const random = new SeededEntropy(4);
    let read = 0;
    let refused = 0;
    for (let i = 0; i < 50_000; i++) {
      const original = (packets[random.below(packets.length)] as { bytes: Uint8Array }).bytes;
      let bytes = original.slice(0, random.below(8) === 0 ? random.below(original.length + 1) : original.length);
      for (let n = random.below(6); n >= 0 && bytes.length > 0; n--) {
        const at = random.below(8) === 0 ? random.below(Math.min(12, bytes.length)) : random.below(bytes.length);
        bytes[at] = random.below(3) === 0 ? 0xc0 | random.below(4) : random.below(256);
      }
      if (random.below(10) === 0) bytes = Uint8Array.from([...bytes, ...random.bytes(random.below(20))]);
      try {
        const message = decodeMessage(bytes);
        const again = encodeMessage(message, { compression: 'none' });
        if (toHex(encodeMessage(decodeMessage(again), { compression: 'none' })) !== toHex(again))
          expect.fail(`another message: ${toHex(bytes)}`);
        read++;
      } catch (error) {
        if (!(error instanceof PeerError)) throw error;
        refused++;
      }
    }
    expect(Math.min(read, refused)).toBeGreaterThan(5000);
  });
});
