import { expect } from 'vitest';
import type { FlashMedium } from '../../hal/index.js';
import { toHex } from '../../src/codec/hex.js';
import type { Change, Journal } from '../../src/store/journal.js';
import type { SeededEntropy } from '../world/entropy.js';

/** What a journal should hold: hexadecimal values by key. */
export type Contents = ReadonlyMap<string, string>;

export function contents(journal: Journal): Contents {
  return new Map(journal.keys().map((key) => [key, toHex(journal.get(key) as Uint8Array)]));
}

export function applied(before: Contents, changes: readonly Change[]): Contents {
  const after = new Map(before);
  for (const { key, value } of changes) value === null ? after.delete(key) : after.set(key, toHex(value));
  return after;
}

export function sameContents(a: Contents, b: Contents): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

/** One to four changes of distinct keys, a quarter of them deletes, values of 0 to `most` − 1 bytes; some look like blank flash. */
export function randomChanges(entropy: SeededEntropy, most: number): readonly Change[] {
  const changes = new Map<string, Change>();
  for (let count = 1 + entropy.below(4); count > 0; count--) {
    const key = `zone/${entropy.below(8)}`;
    const value = entropy.bytes(entropy.below(most));
    if (entropy.below(8) === 0) value.fill(0xff);
    changes.set(key, { key, value: entropy.below(4) === 0 ? null : value });
  }
  return [...changes.values()];
}

/** A medium that shows each program, erase and sync to `before` and waits for it. */
export function observed(
  inner: FlashMedium,
  before: (operation: (medium: FlashMedium) => Promise<void>, bytes: number) => Promise<void>,
): FlashMedium {
  async function pass(operation: (medium: FlashMedium) => Promise<void>, bytes: number): Promise<void> {
    await before(operation, bytes);
    await operation(inner);
  }
  return {
    sectorSize: inner.sectorSize,
    sectorCount: inner.sectorCount,
    read: (address, length) => inner.read(address, length),
    program: (address, bytes) => pass((medium) => medium.program(address, bytes), bytes.length),
    erase: (sector) => pass((medium) => medium.erase(sector), inner.sectorSize),
    sync: () => pass((medium) => medium.sync(), 0),
    close: () => inner.close(),
  };
}

export async function expectRejection(promise: Promise<unknown>, code: string): Promise<void> {
  await expect(promise).rejects.toMatchObject({ name: 'StoreError', code });
}
