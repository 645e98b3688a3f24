import { beforeEach, describe, expect, it } from 'vitest';
import type { CborValue } from '../../src/codec/cbor.js';
import { Tariff } from '../../src/features/tariff.js';
import { MemoryJournal } from '../failsafe/world.js';
import { settle } from '../world/clock.js';

let journal: MemoryJournal;
let tariff: Tariff;
let reports: (readonly number[])[];
const set = (parameters: Readonly<Record<string, CborValue>>) => tariff.invoke(1, new Map(Object.entries(parameters)));
const values = (): CborValue[] => [1, 2, 3, 4].map((id) => tariff.read(id));
const start = (): void => {
  tariff = new Tariff(1, journal);
  tariff.attach((ids) => void reports.push(ids));
};

beforeEach(() => {
  journal = new MemoryJournal();
  reports = [];
  start();
});

describe('Tariff (features.md §5)', () => {
  it('before any: 0, "XXX", 0, null', () => {
    expect(values()).toEqual([0, 'XXX', 0, null]);
  });

  it('setTariff: absent is unchanged, null as before any; the last writer', async () => {
    expect(await set({ tariffId: 7, currency: 'EUR', priceUnit: 1, description: 'Night' })).toBeUndefined();
    expect(values()).toEqual([7, 'EUR', 1, 'Night']);
    await set({ tariffId: 8, currency: 'CHF' });
    expect(values()).toEqual([8, 'CHF', 1, 'Night']);
    await set({ tariffId: 8, currency: 'CHF', priceUnit: null, description: null });
    expect(values()).toEqual([8, 'CHF', 0, null]);
    await set({ currency: 'EUR' });
    expect(values()).toEqual([8, 'EUR', 0, null]);
    await set({ tariffId: null, currency: 'EUR' });
    expect(values()).toEqual([0, 'EUR', 0, null]);
    expect(reports).toEqual([[1, 2, 3, 4], [1, 2], [3, 4], [2], [1]]);
  });

  it.each([
    ['two letters', { tariffId: 1, currency: 'EU' }],
    ['four letters', { tariffId: 1, currency: 'EURO' }],
    ['small letters', { tariffId: 1, currency: 'eur' }],
    ['no letter', { tariffId: 1, currency: 'E1R' }],
    ['letters of another alphabet', { tariffId: 1, currency: 'ÄUR' }],
    ['a text of 65 bytes', { tariffId: 1, currency: 'EUR', description: `${'x'.repeat(63)}ä` }],
  ])('%s: 11, nothing changes', async (_name, parameters) => {
    await expect(set(parameters)).rejects.toMatchObject({ status: 11 });
    expect([values(), journal.commits]).toEqual([[0, 'XXX', 0, null], 0]);
  });

  it('a text of 64 bytes is taken', async () => {
    await set({ tariffId: 1, currency: 'EUR', description: `${'x'.repeat(62)}ä` });
    expect(tariff.read(1)).toBe(1);
  });

  it('survives a restart; what the medium refuses has changed nothing', async () => {
    await set({ tariffId: 7, currency: 'EUR', description: 'Night' });
    journal.failing = true;
    await expect(set({ tariffId: 9, currency: 'USD' })).rejects.toThrow('medium refuses');
    expect(values()).toEqual([7, 'EUR', 0, 'Night']);
    journal.failing = false;
    start();
    expect(values()).toEqual([7, 'EUR', 0, 'Night']);
  });

  it('a record that does not decode is quarantined', () => {
    journal.values.set('tariff/1', new Uint8Array([1]));
    start();
    expect([values(), journal.quarantined]).toEqual([[0, 'XXX', 0, null], ['tariff/1']]);
  });

  it('two at once: the second keeps what the first has set', async () => {
    journal.slow = true;
    const both = [set({ tariffId: 1, currency: 'EUR', description: 'A' }), set({ tariffId: 2, currency: 'USD', priceUnit: 1 })];
    await settle();
    journal.release();
    await Promise.all(both);
    expect(values()).toEqual([2, 'USD', 1, 'A']);
  });
});
