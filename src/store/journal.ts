import type { FlashMedium } from '../../hal/index.js';
import { utf8Decode, utf8Encode } from '../codec/utf8.js';
import { StoreError } from '../errors.js';
import type { Log } from '../platform.js';
import { contentBytes, MAX_KEY_BYTES, MAX_KEYS, MAX_REPORTS, MAX_VALUE_BYTES, MAX_WAITING } from './layout.js';
import { type Entry, entriesSize, recordSize } from './record.js';
import type { Damage } from './scan.js';
import { SectorRing } from './sector-ring.js';

/** One key of a commit: `null` deletes it. */
export interface Change {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/**
 * Keys and values that survive power cuts, on a FlashMedium that nobody else writes. Format and guarantees: docs/journal.md.
 *
 * Commits are atomic and run in the order of their calls. A commit that resolved survives any later power cut; one that was cut short is
 * there as a whole or not at all. Errors: RangeError for a key or value out of range; StoreError 'full' when it does not fit, 'io' when the
 * medium fails, 'closed' after `close`. After a rejection the old values hold and the journal goes on; only when the medium
 * stays broken may a commit rejected with 'io' be found at the next boot.
 */
export class Journal {
  readonly #ring: SectorRing;
  readonly #capacity: number;
  readonly #log: Log;
  readonly #quarantined: Damage[] = [];
  #view = new Map<string, Entry>();
  #lossy = false;
  #sequence = 0;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(ring: SectorRing, capacity: number, log: Log) {
    this.#ring = ring;
    this.#capacity = capacity;
    this.#log = log;
  }

  /**
   * Reads everything back, formats a blank medium, finishes what a power cut left undone. Never throws for corruption: that is reported in
   * `quarantined` and `damaged`. Throws StoreError('io') when the medium fails or was written with other sectors; RangeError for
   * sectors out of range. The journal owns the medium and closes it; after a throw the caller does.
   */
  static async open(medium: FlashMedium, log: Log): Promise<Journal> {
    try {
      const scoped = log.scoped('store');
      const { ring, scan } = await SectorRing.open(medium, scoped);
      const journal = new Journal(ring, contentBytes(medium.sectorSize), scoped);
      journal.#sequence = scan.sequence;
      journal.#lossy = scan.lossy;
      for (const entry of scan.entries) journal.#view = apply(journal.#view, entry);
      for (const damage of scan.damage) journal.#report(damage);
      journal.#reportEarlier();
      if (ring.appendable) {
        // What was just read may be in a cache alone, when the process before this one was killed.
        await ring.sync();
      } else {
        scoped.info('sector rewritten at boot', { keys: journal.#view.size });
        await ring.rewrite([...journal.#view.values()], journal.#sequence, { reset: false, lossy: journal.#lossy });
      }
      if (ring.mustWipe) await ring.wipe();
      return journal;
    } catch (error) {
      throw error instanceof RangeError ? error : asStoreError(error);
    }
  }

  /** A copy of the value in force; undefined when the key is absent or, see `isDamaged`, its only value was lost. */
  get(key: string): Uint8Array | undefined {
    return this.#view.get(key)?.value?.slice();
  }

  /** Keys that have a value, sorted. */
  keys(prefix = ''): readonly string[] {
    const keys: string[] = [];
    for (const { key, value } of this.#view.values()) if (value !== undefined && key.startsWith(prefix)) keys.push(key);
    return keys.sort();
  }

  /** True when the newest value of `key` was lost: `get` gives the one before it, or undefined. Ends when the key is committed again. */
  isDamaged(key: string): boolean {
    return this.#view.get(key)?.damaged ?? false;
  }

  /** True while any key is damaged, or records were lost whose keys cannot be told; the latter ends with a factory reset. */
  get damaged(): boolean {
    if (this.#lossy) return true;
    for (const entry of this.#view.values()) if (entry.damaged) return true;
    return false;
  }

  /** What did not hold when it was read back, this boot and, for keys still damaged, earlier ones; the first MAX_REPORTS of them. */
  get quarantined(): readonly Damage[] {
    return this.#quarantined;
  }

  /** Erase cycles of each sector, as far as their headers tell. */
  get erases(): readonly number[] {
    return this.#ring.erases;
  }

  /** Takes a value that its reader cannot decode out of use: reported, and `isDamaged` from now on. The bytes stay on the medium. */
  quarantine(key: string, reason: string): void {
    const entry = this.#view.get(key);
    if (entry === undefined || entry.damaged) return;
    this.#view.set(key, { ...entry, damaged: true });
    this.#report({ key, reason, at: undefined });
  }

  /** Sets and deletes keys, all or none. Resolves when that survives a power cut; `get` shows it from then on. */
  async commit(changes: readonly Change[]): Promise<void> {
    const seen = new Set<string>();
    const entries: Entry[] = changes.map(({ key, value }) => {
      checkKey(key);
      if (seen.has(key)) throw new RangeError(`journal: key '${key}' twice in one commit`);
      seen.add(key);
      if (value !== null && value.length > MAX_VALUE_BYTES)
        throw new RangeError(`journal: value of '${key}' has ${value.length} bytes, more than ${MAX_VALUE_BYTES}`);
      return { key, value: value?.slice(), damaged: false };
    });
    await this.#enqueue(() => this.#write(entries));
    // Values are not told: keys and certificates are among them.
    this.#log.debug('committed', { sequence: this.#sequence, keys: changes.map(({ key }) => key) });
  }

  /**
   * One atomic change of epoch: afterwards only the keys of `keep` exist, as they are, and no sector holds anything else. When the new epoch
   * holds but an old sector cannot be erased, rejects with StoreError('io') and the next boot erases it.
   */
  async factoryReset(keep: readonly string[]): Promise<void> {
    for (const key of keep) checkKey(key);
    await this.#enqueue(async () => {
      const kept = new Map([...this.#view].filter(([key]) => keep.includes(key)));
      await this.#rewrite(kept, this.#sequence + 1, { reset: true, lossy: false });
      await this.#ring.wipe();
    });
  }

  /** Lets the queued commits end, then closes the medium. Values can still be read. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#last.then(() =>
      this.#ring.close().catch((error: unknown) => {
        throw asStoreError(error);
      }),
    );
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    const next = entries.reduce(apply, new Map(this.#view));
    if (next.size > MAX_KEYS && next.size > this.#view.size) throw new StoreError('full', `journal: more than ${MAX_KEYS} keys`);
    const live = entriesSize(next.values());
    if (live > this.#capacity) throw new StoreError('full', `journal: ${live} bytes do not fit a sector's ${this.#capacity}`);
    if (recordSize(entries) > this.#ring.room) {
      await this.#rewrite(next, this.#sequence + 1, { reset: false, lossy: this.#lossy });
      return;
    }
    await this.#ring.append(entries, this.#sequence + 1);
    this.#sequence++;
    this.#view = next;
  }

  async #rewrite(next: Map<string, Entry>, sequence: number, mode: { readonly reset: boolean; readonly lossy: boolean }): Promise<void> {
    await this.#ring.rewrite([...next.values()], sequence, mode);
    this.#sequence = sequence;
    this.#view = next;
    this.#lossy = mode.lossy;
  }

  #enqueue(job: () => Promise<void>): Promise<void> {
    if (this.#closed !== undefined) throw new StoreError('closed', 'journal: closed');
    if (this.#waiting >= MAX_WAITING) throw new StoreError('full', `journal: ${MAX_WAITING} commits are waiting`);
    this.#waiting++;
    const done = this.#last.then(async () => {
      try {
        await job();
      } catch (error) {
        await this.#restore();
        throw asStoreError(error);
      } finally {
        this.#waiting--;
      }
    });
    // Sealing comes after the caller was told: it is not part of the guarantee.
    this.#last = done.then(
      () => this.#ring.seal(),
      () => undefined,
    );
    return done;
  }

  /** After a failed write: puts the values in force into a fresh sector, so that nothing of the rejected commit is found at the next boot. */
  async #restore(): Promise<void> {
    if (this.#ring.appendable) return;
    try {
      await this.#ring.rewrite([...this.#view.values()], this.#sequence, { reset: false, lossy: this.#lossy });
    } catch (error) {
      this.#log.error('medium refuses', { reason: String(error) });
    }
  }

  #report(damage: Damage): void {
    if (this.#quarantined.length >= MAX_REPORTS) return;
    this.#quarantined.push(damage);
    this.#log.error('record quarantined', { ...damage });
  }

  /** The marks that a rewrite carried over from an earlier boot. */
  #reportEarlier(): void {
    const named = new Set(this.#quarantined.map(({ key }) => key));
    for (const { key, damaged } of this.#view.values())
      if (damaged && !named.has(key)) this.#report({ key, reason: 'damaged since an earlier boot', at: undefined });
    if (this.#lossy && !named.has(undefined)) this.#report({ key: undefined, reason: 'records lost at an earlier boot', at: undefined });
  }
}

function apply(view: Map<string, Entry>, entry: Entry): Map<string, Entry> {
  if (entry.value === undefined && !entry.damaged) view.delete(entry.key);
  else if (entry.value === undefined) view.set(entry.key, { key: entry.key, value: view.get(entry.key)?.value, damaged: true });
  else view.set(entry.key, entry);
  return view;
}

function checkKey(key: string): void {
  const bytes = utf8Encode(key);
  if (bytes.length === 0 || bytes.length > MAX_KEY_BYTES || utf8Decode(bytes) !== key)
    throw new RangeError(`journal: key '${key}' is not 1…${MAX_KEY_BYTES} bytes of UTF-8`);
}

function asStoreError(error: unknown): StoreError {
  return error instanceof StoreError ? error : new StoreError('io', `journal: ${error instanceof Error ? error.message : String(error)}`);
}
