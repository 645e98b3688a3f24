import { describe, expect, it } from 'vitest';
import { byName, contradicts } from '../../src/discovery/conflicts.js';
import { type DnsMessage, decodeMessage, encodeMessage, queryMessage, responseMessage } from '../../src/discovery/message.js';
import { type Name, nameKey } from '../../src/discovery/name.js';
import { mentions, nameHashes } from '../../src/discovery/peek.js';
import { CLASS, type DnsRecord, TYPE } from '../../src/discovery/records.js';
import { answersAgainst, answersTo, type Zone } from '../../src/discovery/responder.js';
import { addressRecords, ENUMERATION, instanceName, recordPolicy, serviceRecords, typeName } from '../../src/discovery/service.js';
import { SeededEntropy } from '../world/entropy.js';
import { VirtualMulticast } from '../world/network.js';
import { COMMISSIONABLE, DiscoveryWorld, HOST, OPERATIONAL } from './world.js';

const NAME = HOST.split('.');
const policy = recordPolicy('draft', false);
const services = [COMMISSIONABLE, OPERATIONAL];
const zone: Zone = { host: NAME, services, policy };
const world = new DiscoveryWorld();
const [on] = new VirtualMulticast([{ name: 'eth0', link: world.link, addresses: ['fe80::1/64', 'fd77:1::1/64'] }]).interfaces();
if (on === undefined) throw new Error('no interface');
const ours: readonly Name[] = [NAME, ENUMERATION, ...services.flatMap((service) => [instanceName(service), typeName(service.type)])];
const hashes = nameHashes(ours);
const records = services.flatMap((service) => Object.values(serviceRecords(service, NAME, policy)) as DnsRecord[]);
const addresses = addressRecords(NAME, on, policy);
const others: readonly Name[] = [['vm', 'local'], ['_http', '_tcp', 'local'], ['MASH-8', ...typeName('_mash-comm._tcp')], ['local'], []];

const random = new SeededEntropy(6762);

function pick<T>(from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

/** Any of our names or of others, in any case. */
function someName(): Name {
  const upper = (text: string): string => [...text].map((letter) => (random.below(3) === 0 ? letter.toUpperCase() : letter)).join('');
  return (random.below(2) === 0 ? pick(ours) : pick(others)).map(upper);
}

function someRecord(): DnsRecord {
  const record = pick([...records, ...addresses]);
  return { ...record, name: random.below(2) === 0 ? record.name : someName(), ttl: pick([0, 10, record.ttl]) };
}

function some<T>(maximum: number, make: () => T): readonly T[] {
  return Array.from({ length: random.below(maximum + 1) }, make);
}

function somePacket(): Uint8Array {
  const questions = some(3, () => ({ name: someName(), type: pick([1, 12, 16, 28, 33, 255]), class: pick([1, 255]), unicast: false }));
  const sections = { questions, answers: some(3, someRecord), authorities: some(2, someRecord), additionals: some(2, someRecord) };
  const message = random.below(2) === 0 ? queryMessage(sections) : responseMessage(sections);
  const bytes = encodeMessage(message, { compression: random.below(2) === 0 ? 'full' : 'none' });
  for (let n = random.below(3); n > 0; n--) bytes[random.below(bytes.length)] = pick([0, 0x80, 0xc0, 0xff, random.below(256)]);
  return bytes;
}

/** Would the responder do anything about it? */
function matters(message: DnsMessage, at: NonNullable<typeof on>): boolean {
  if (!message.response) return answersTo(message, zone, at).length > 0;
  if (answersAgainst(message, zone, at).length > 0) return true;
  const claimed = [addresses, ...services.map((service) => records.filter(({ name }) => name === instanceName(service)))];
  const said = byName([...message.answers, ...message.authorities, ...message.additionals]);
  return claimed.some((own) => own.some(({ name }) => contradicts(said.get(nameKey(name)) ?? [], own, new Set(), true)));
}

describe('the name filter against the decoder', () => {
  it('lets in whatever the responder would answer or heed, of 30,000 packets', () => {
    const counts = { matter: 0, filtered: 0 };
    for (let i = 0; i < 30_000; i++) {
      const bytes = somePacket();
      let message: DnsMessage;
      try {
        message = decodeMessage(bytes);
      } catch {
        continue;
      }
      const concerns = mentions(bytes, hashes);
      if (concerns !== true) counts.filtered++;
      if (!matters(message, on)) continue;
      counts.matter++;
      if (concerns !== true) expect.fail(`filtered away: ${JSON.stringify(message)}`);
    }
    expect(Math.min(counts.matter, counts.filtered)).toBeGreaterThan(1000);
  });

  it('a name of the greatest length passes, compressed and not', () => {
    const long: Name = ['a'.repeat(63), 'b'.repeat(63), 'c'.repeat(63), 'd'.repeat(55), 'local'];
    const questions = [1, 2].map((type) => ({ name: long, type, class: CLASS.IN, unicast: false }));
    for (const compression of ['full', 'none'] as const)
      expect(mentions(encodeMessage(queryMessage({ questions }), { compression }), nameHashes([long]))).toBe(true);
    expect(mentions(encodeMessage(queryMessage({ questions: questions.slice(0, 1) })), nameHashes([long.slice(1)]))).toBe(false);
    expect(questions[0]?.type).toBe(TYPE.A);
  });
});
