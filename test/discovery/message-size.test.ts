import { describe, expect, it } from 'vitest';
import { type DnsMessage, encodeMessage, queryMessage, responseMessage } from '../../src/discovery/message.js';
import { type DnsRecord, TYPE } from '../../src/discovery/records.js';
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

  it('a service too long for a frame is divided; a record too long goes alone', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    const long = (count: number) => Array.from({ length: count }, (_, i) => [`key${i}`, 'x'.repeat(240)] as const);
    advertiser.publish({ ...COMMISSIONABLE, instance: 'five', txt: long(5), known: true });
    advertiser.publish({ ...COMMISSIONABLE, instance: 'eight', txt: long(8), known: true });
    await advertiser.start();
    await world.clock.advance(1100);
    const announced = world.responses();
    expect(answersIn(announced, 'TXT')).toHaveLength(2);
    expect(answersIn(announced, 'SRV')).toHaveLength(2);
    for (const { packet, message } of announced.filter(({ packet: { length } }) => length > FRAME)) {
      expect(packet.length).toBeLessThan(2100);
      expect([message.answers.length, message.additionals.length]).toEqual([1, 0]);
    }
    expect(announced.filter(({ packet }) => packet.length > FRAME)).toHaveLength(1);
  });

  it('a legacy resolver gets what fits one frame (RFC 6762 §6.7)', async () => {
    const world = new DiscoveryWorld();
    const { advertiser } = world.device();
    const txt = Array.from({ length: 5 }, (_, i) => [`key${i}`, 'x'.repeat(250)] as const);
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
