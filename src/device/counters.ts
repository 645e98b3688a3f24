import { type CborMap, type CborValue, decodeCbor, encodeCbor } from '../codec/cbor.js';
import { integerAt, mapOf } from '../codec/shape.js';
import type { Clock, Log } from '../platform.js';
import type { Journal } from '../store/journal.js';
import { defineRecord, readRecord, setRecord } from '../store/records.js';

/** At most one record in that time, milliseconds, and none while nothing flows. */
export const COUNTER_INTERVAL = 60_000;

/** mWh, never falling. */
export interface EnergyCount {
  readonly consumed: number;
  readonly produced: number;
}

/** By endpoint. */
export type EnergyCounts = ReadonlyMap<number, EnergyCount>;

export interface EnergyCountersParts {
  readonly journal: Pick<Journal, 'get' | 'quarantine' | 'commit'>;
  readonly clock: Clock;
  readonly log: Log;
}

const VERSION = 1;
const NOTHING: EnergyCount = { consumed: 0, produced: 0 };

/** Kept by a factory reset: the energy has flowed whoever owns the device. */
export const countersRecord = defineRecord<EnergyCounts>({
  key: 'factory/energy',
  encode: (counts) => {
    const entries = [...counts].map(([endpoint, { consumed, produced }]) => [endpoint, [consumed, produced]] as const);
    return encodeCbor(
      new Map<number, CborValue>([
        [0, VERSION],
        [1, new Map(entries)],
      ]),
    );
  },
  decode: (bytes) => {
    const record = mapOf(decodeCbor(bytes), 'energy record');
    integerAt(record, 0, 'version of the energy record', VERSION, VERSION);
    const entries = mapOf(record.get(1), 'energy by endpoint');
    return new Map([...entries.keys()].map((endpoint) => [Number(endpoint), countAt(entries, Number(endpoint))]));
  },
});

function countAt(entries: CborMap, endpoint: number): EnergyCount {
  const values = entries.get(endpoint);
  const fields = new Map((Array.isArray(values) ? (values as readonly CborValue[]) : []).entries());
  return { consumed: integerAt(fields, 0, 'energy consumed'), produced: integerAt(fields, 1, 'energy produced') };
}

/**
 * The energy counters of the device (features.md §5: "energies never fall, journalled"). What is shown is in the journal first, so that no power cut takes
 * back what a zone has read: it lags behind the meter by the interval at most, and a cut loses no more than that.
 */
export class EnergyCounters {
  readonly #parts: EnergyCountersParts;
  /** Before the power stages began to count. */
  readonly #before: EnergyCounts;
  #shown: EnergyCounts;
  #writtenAt: number;
  #writing: Promise<void> | undefined;

  constructor(parts: EnergyCountersParts) {
    this.#parts = parts;
    this.#before = readRecord(parts.journal, countersRecord) ?? new Map();
    this.#shown = this.#before;
    this.#writtenAt = parts.clock.now();
  }

  shown(endpoint: number): EnergyCount {
    return this.#shown.get(endpoint) ?? NOTHING;
  }

  /** What the power stages have counted since they were made; journalled when the interval is over. */
  observe(counted: EnergyCounts): void {
    const now = this.#parts.clock.now();
    if (this.#writing === undefined && now - this.#writtenAt >= COUNTER_INTERVAL) this.#write(counted, now);
  }

  /** The last word before a stop: exact. Never rejects. */
  async settle(counted: EnergyCounts): Promise<void> {
    await this.#writing;
    this.#write(counted, this.#parts.clock.now());
    await this.#writing;
  }

  #write(counted: EnergyCounts, now: number): void {
    const { journal, log } = this.#parts;
    const next = new Map(this.#shown);
    for (const [endpoint, count] of counted) next.set(endpoint, raised(this.shown(endpoint), this.#before.get(endpoint) ?? NOTHING, count));
    const same = [...next].every(([endpoint, { consumed, produced }]) => {
      const shown = this.shown(endpoint);
      return consumed === shown.consumed && produced === shown.produced;
    });
    if (same) return;
    this.#writtenAt = now;
    this.#writing = journal
      .commit([setRecord(countersRecord, next)])
      .then(
        () => {
          this.#shown = next;
        },
        // The meter counts on: the next record makes up for this one.
        (error: unknown) => log.error('the energy counters could not be stored', { reason: String(error) }),
      )
      .then(() => {
        this.#writing = undefined;
      });
  }
}

/** What is shown next: never less than now, whatever the power stage counts. */
export function raised(shown: EnergyCount, before: EnergyCount, counted: EnergyCount): EnergyCount {
  return {
    consumed: Math.max(shown.consumed, before.consumed + counted.consumed),
    produced: Math.max(shown.produced, before.produced + counted.produced),
  };
}
