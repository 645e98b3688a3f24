import { describe, expect, it } from 'vitest';
import { RecordCache } from '../../src/discovery/cache.js';
import { CLASS, type DnsRecord } from '../../src/discovery/records.js';
import { VirtualClock } from '../world/clock.js';
import { SeededEntropy } from '../world/entropy.js';

const TTLS = [0, 1, 2, 10, 120, 4500, 1_000_000];
const INTERFACES = ['eth0', 'wlan0'];

/** What RFC 6762 §10 says, as plainly as it can be put. */
class Model {
  entries: { record: DnsRecord; key: string; owner: string; on: string; at: number; until: number }[] = [];

  add(record: DnsRecord, on: string, now: number): void {
    const owner = `${record.name.join('.').toLowerCase()} ${record.type}`;
    const key = `${owner} ${JSON.stringify(dataOf(record))}`;
    const same = (entry: { key: string; on: string }): boolean => entry.key === key && entry.on === on;
    if (record.ttl === 0) {
      for (const entry of this.entries.filter(same)) entry.until = Math.min(entry.until, now + 1000);
      return;
    }
    if (record.flush)
      for (const entry of this.entries)
        if (entry.owner === owner && entry.on === on && entry.at < now - 1000) entry.until = Math.min(entry.until, now + 1000);
    this.entries = this.entries.filter((entry) => !same(entry));
    this.entries.push({ record, key, owner, on, at: now, until: now + Math.min(record.ttl, 86_400) * 1000 });
  }

  find(name: string, type: string, now: number): readonly string[] {
    this.entries = this.entries.filter(({ until }) => until > now);
    return this.entries
      .filter(({ owner }) => owner === `${name} ${type}`)
      .map(({ key, on, until }) => `${key} ${on} ${until}`)
      .sort();
  }
}

function dataOf(record: DnsRecord): unknown {
  if (record.type === 'AAAA' || record.type === 'A') return [...record.address];
  if (record.type === 'PTR') return record.target.join('.').toLowerCase();
  throw new Error(record.type);
}

const NAMES = ['a.local', 'b.local'];

function anyRecord(entropy: SeededEntropy): DnsRecord {
  const name = (NAMES[entropy.below(2)] as string).split('.').map((label) => (entropy.below(2) === 0 ? label.toUpperCase() : label));
  const ttl = TTLS[entropy.below(TTLS.length)] as number;
  const common = { name, class: CLASS.IN, flush: entropy.below(2) === 0, ttl };
  const data = entropy.below(4);
  if (entropy.below(2) === 0) return { ...common, type: 'PTR', target: [`X${data}`, 'local'] };
  return { ...common, type: 'AAAA', address: Uint8Array.from([0xfd, ...new Array<number>(14).fill(0), data]) };
}

describe('RecordCache against a model of RFC 6762 §10', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => [seed + 1]))(
    'seed %i: 300 records, repeated, flushed, leaving, in any case',
    async (seed) => {
      const entropy = new SeededEntropy(seed);
      const clock = new VirtualClock();
      const cache = new RecordCache(clock, new SeededEntropy(1));
      const model = new Model();
      for (let i = 0; i < 300; i++) {
        const record = anyRecord(entropy);
        const on = INTERFACES[entropy.below(2)] as string;
        cache.add(record, on);
        model.add(record, on, clock.now());
        await clock.advance([0, 1, 500, 1000, 1001, 5000, 60_000][entropy.below(7)] as number);
        cache.expire();
        for (const name of NAMES)
          for (const type of ['PTR', 'AAAA'] as const) {
            const found = cache.find(name.split('.'), type).map(({ record: kept, interfaceName, expiresAt }) => {
              return `${name} ${type} ${JSON.stringify(dataOf(kept))} ${interfaceName} ${expiresAt}`;
            });
            expect([i, found.sort()]).toEqual([i, model.find(name, type, clock.now())]);
          }
      }
    },
  );

  it('refreshes at 80, 85, 90 and 95 % of a life, each 0…2 % late, and never a record on its way out', async () => {
    for (let seed = 1; seed <= 50; seed++) {
      const clock = new VirtualClock();
      const cache = new RecordCache(clock, new SeededEntropy(seed));
      const record: DnsRecord = { name: ['a', 'local'], type: 'PTR', class: CLASS.IN, flush: false, ttl: 100, target: ['x', 'local'] };
      cache.add(record, 'eth0');
      const steps: number[] = [];
      for (let next = cache.nextDeadline(); next !== undefined && next < 100_000; next = cache.nextDeadline()) {
        await clock.advance(next - clock.now());
        steps.push(...cache.dueForRefresh().map(() => clock.now() / 1000));
      }
      expect(steps).toHaveLength(4);
      const late = (steps[0] as number) - 80;
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThanOrEqual(2);
      for (const [i, at] of steps.entries()) expect(at).toBeCloseTo(80 + 5 * i + late, 5);
      cache.add(record, 'eth0');
      cache.add({ ...record, ttl: 0 }, 'eth0');
      expect(cache.nextDeadline()).toBe(clock.now() + 1000);
    }
  });

  it('never holds more than its limit, whatever comes', () => {
    const cache = new RecordCache(new VirtualClock(), new SeededEntropy(1), 16);
    for (let i = 0; i < 1000; i++)
      cache.add({ name: ['a', 'local'], type: 'PTR', class: CLASS.IN, flush: false, ttl: 100, target: [`x${i}`, 'local'] }, 'eth0');
    expect([cache.find(['a', 'local'], 'PTR').length, cache.displaced]).toEqual([16, 984]);
  });
});
