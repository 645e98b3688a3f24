import { sameBytes } from '../codec/bytes.js';
import type { Log } from '../platform.js';
import type { Change, Journal } from '../store/journal.js';
import { type EnergyRecords, energyImage, energyRecords, readEnergy } from './energy-journal.js';
import type { EnergySettings, EnergyState, JournalledEnergy } from './energy-state.js';

export interface EnergyStoreParts {
  readonly endpoint: number;
  readonly defaults: EnergySettings;
  readonly journal: Pick<Journal, 'get' | 'quarantine' | 'commit'>;
  readonly log: Log;
}

/** What of an EnergyControl is in the journal: only what differs from it is written. */
export class EnergyStore {
  readonly #parts: EnergyStoreParts;
  readonly #onRefused: () => void;
  readonly #records: EnergyRecords;
  /** What the journal holds or is about to, by key; absent: nobody knows. */
  readonly #stored = new Map<string, Uint8Array | null>();

  /** `onRefused`: the medium has refused; what it holds now is to be written again. */
  constructor(parts: EnergyStoreParts, onRefused: () => void) {
    this.#parts = parts;
    this.#onRefused = onRefused;
    this.#records = energyRecords(parts.endpoint);
    for (const { key } of Object.values(this.#records)) this.#stored.set(key, parts.journal.get(key) ?? null);
  }

  read(): JournalledEnergy {
    return readEnergy(this.#parts.journal, this.#records);
  }

  /** What has to be committed before this state may hold. */
  changes(state: EnergyState): readonly Change[] {
    return energyImage(this.#records, state, this.#parts.defaults).filter(({ key, value }) => {
      const stored = this.#stored.get(key);
      return stored === undefined || !(stored === null || value === null ? stored === value : sameBytes(stored, value));
    });
  }

  /** Rejects with StoreError. */
  async commit(changes: readonly Change[]): Promise<void> {
    for (const { key, value } of changes) this.#stored.set(key, value);
    try {
      await this.#parts.journal.commit(changes);
    } catch (error) {
      for (const { key } of changes) this.#stored.delete(key);
      this.#onRefused();
      throw error;
    }
  }

  /** Behind a state that holds already. */
  behind(state: EnergyState): void {
    const changes = this.changes(state);
    if (changes.length === 0) return;
    const { log, endpoint } = this.#parts;
    this.commit(changes).catch((error: unknown) =>
      log.error('the state of energy control could not be stored', { endpoint, reason: String(error) }),
    );
  }
}
