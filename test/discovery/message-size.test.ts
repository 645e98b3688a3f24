import { describe, expect, it } from 'vitest';
import { type DnsMessage, encodeMessage, queryMessage, responseMessage } from '../../src/discovery/message.js';
import { packed } from '../../src/discovery/packing.js';
import { CLASS, type DnsRecord, TYPE } from '../../src/discovery/records.js';
import { instanceName, typeName } from '../../src/discovery/service.js';
import { COMMISSIONABLE, DiscoveryWorld, OPERATIONAL, query } from './world.js';

/** An Ethernet frame of 1500 bytes without the headers of IPv6 and UDP. */
const FRAME = 1452;

function answersIn(messages: readonly { readonly message: DnsMessage }[], type: DnsRecord['type']): readonly DnsRecord[] {
  return messages.flatMap(({ message }) => message.answers.filter((record) => record.type === type));
}

describe('the size of messages (RFC 6762 §17)', () => {
  it('thirty zones are announced, answered for and taken back within frames, none forgotten', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    for (let i = 0; i < 30; i++) advertiser.publish({ ...OPERATIONAL, instance: `A1B2C3D4E5F6A7${10 + i}-F9E8D7C6B5A49382` });
    await advertiser.start();
    await world.clock.advance(1100);
    const announced = world.responses();
    expect(new Set(answersIn(announced, 'SRV').map(({ name }) => name[0])).size).toBe(30);
    await world.clock.advance(10_000);
    const since = world.clock.now();
    (await world.peer()).send('p0', query(typeName('_mash._tcp'), TYPE.PTR));
    await world.clock.advance(1000);
    const answered = world.responses(since);
    expect(answersIn(answered, 'PTR')).toHaveLength(30);
    expect(answered.length).toBeLessThan(15);
    const leaving = world.clock.now();
    await advertiser.close();
    expect(answersIn(world.responses(leaving), 'SRV')).toHaveLength(30);
    for (const { packet } of world.sent()) expect(packet.length).toBeLessThanOrEqual(FRAME);
  });

  it('thirty instances are probed for within frames, each with its proposed records', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    for (let i = 0; i < 30; i++) advertiser.publish({ ...COMMISSIONABLE, instance: `MASH-${i}` });
    await advertiser.start();
    await world.clock.advance(300);
    const probes = world.sent().filter(({ message }) => !message.response);
    expect(probes.flatMap(({ message }) => message.questions)).toHaveLength(31);
    for (const { packet, message } of probes) {
      expect(packet.length).toBeLessThanOrEqual(FRAME);
      const asked = message.questions.map(({ name }) => name[0]);
      expect(new Set(message.authorities.map(({ name }) => name[0]))).toEqual(new Set(asked));
    }
  });

  it('nothing that may be published needs more than a frame, with all the addresses of a host (RFC 6762 §17)', async () => {
    const world = new DiscoveryWorld();
    const addresses = Array.from({ length: 20 }, (_, i) => `fd00::${i + 1}/64`);
    const { advertiser } = world.device({ interfaces: [{ name: 'eth0', link: world.link, addresses: ['fe80::1/64', ...addresses] }] });
    const sized = (length: number) => ({
      ...COMMISSIONABLE,
      txt: Array.from({ length: 4 }, (_, i) => [`${i}`, 'x'.repeat(length)] as const),
    });
    let longest = 1;
    for (let length = 1; length < 250; length++) {
      try {
        advertiser.publish(sized(length)).withdraw();
        longest = length;
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
    expect(longest).toBeGreaterThan(200);
    advertiser.publish(sized(longest));
    await advertiser.start();
    await world.clock.advance(10_000);
    const [first] = world.responses();
    expect(first?.message.answers.map(({ type }) => type)).toEqual(['SRV', 'TXT', 'PTR', 'PTR', ...new Array<string>(16).fill('AAAA')]);
    expect(Math.max(...world.sent().map(({ packet }) => packet.length))).toBeLessThanOrEqual(FRAME);
  });

  it('a record too long for a frame would go alone, and what goes with it by itself (RFC 6762 §17)', () => {
    const head = { name: ['a', 'local'], class: CLASS.IN, flush: true, ttl: 120 };
    const address = (last: number): DnsRecord => ({
      ...head,
      type: 'AAAA',
      address: Uint8Array.from([0xfd, ...new Array<number>(14).fill(0), last]),
    });
    const long: DnsRecord = { ...head, type: 'raw', code: 99, data: new Uint8Array(2000) };
    const parts = packed([{ key: '', answers: [address(1), long, address(2)], additionals: [address(3)], shared: false }]);
    expect(parts.map(({ answers, additionals }) => [answers.map(({ type }) => type), additionals.length])).toEqual([
      [['AAAA'], 0],
      [['raw'], 0],
      [['AAAA'], 1],
    ]);
  });

  it('a legacy resolver gets what fits one frame (RFC 6762 §6.7)', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    const txt = Array.from({ length: 3 }, (_, i) => [`key${i}`, 'x'.repeat(250)] as const);
    const service = { ...COMMISSIONABLE, txt };
    advertiser.publish(service);
    await advertiser.start();
    await world.clock.advance(10_000);
    const since = world.clock.now();
    (await world.peer(40_000)).send('p0', query(instanceName(service), TYPE.ANY));
    await world.clock.advance(1000);
    const [response, ...more] = world.responses(since);
    expect([response?.packet.length !== undefined && response.packet.length <= FRAME, more]).toEqual([true, []]);
    expect(response?.message.answers.map(({ type, ttl }) => [type, ttl])).toEqual([
      ['SRV', 10],
      ['TXT', 10],
    ]);
  });

  it('with the headers of IPv6 and UDP no message is longer than 9000 bytes', () => {
    const data = (length: number): DnsRecord => ({
      type: 'raw',
      code: 99,
      name: ['a'],
      class: 1,
      flush: false,
      ttl: 0,
      data: new Uint8Array(length),
    });
    expect(encodeMessage(responseMessage({ answers: [data(8952 - 25)] }))).toHaveLength(8952);
    expect(() => encodeMessage(queryMessage({ answers: [data(8952 - 24)] }))).toThrow(RangeError);
  });
});
