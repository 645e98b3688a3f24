import { type CborMap, type CborValue, decodeCbor, encodeCbor } from '../codec/cbor.js';
import { integerAt, mapOf, ShapeError, textAt } from '../codec/shape.js';
import type { Change, Journal } from '../store/journal.js';
import { defineRecord, type RecordDefinition, readRecord, setRecord } from '../store/records.js';
import { type LimitBook, lasting } from '../zones/limit-book.js';
import type { Book, Entry, Group, Side } from '../zones/timed-values.js';
import type { EnergySettings, EnergyState, JournalledEnergy } from './energy-state.js';
import { journalledRemainder, LONGEST_REMAINDER } from './failsafe.js';

/** What survives a restart (features.md §4): limits without a duration, what was configured, the failsafe remainder. One record each and endpoint. */
export interface EnergyRecords {
  readonly limits: RecordDefinition<LimitBook>;
  readonly settings: RecordDefinition<EnergySettings>;
  readonly failsafe: RecordDefinition<number>;
}

const VERSION = 1;

export function energyRecords(endpoint: number): EnergyRecords {
  return {
    limits: defineRecord({ key: `energy/${endpoint}/limits`, encode: encodeLimits, decode: decodeLimits }),
    settings: defineRecord({ key: `energy/${endpoint}/settings`, encode: encodeSettings, decode: decodeSettings }),
    failsafe: defineRecord({
      key: `energy/${endpoint}/failsafe`,
      encode: (remainder) =>
        encodeCbor(
          new Map([
            [0, VERSION],
            [1, remainder],
          ]),
        ),
      decode: (bytes) => integerAt(record(bytes, 'failsafe record'), 1, 'failsafe remainder', 0, LONGEST_REMAINDER),
    }),
  };
}

/** A record that does not decode is quarantined and counts as absent: the full failsafe duration, the default limits. */
export function readEnergy(journal: Pick<Journal, 'get' | 'quarantine'>, records: EnergyRecords): JournalledEnergy {
  const limits = readRecord(journal, records.limits);
  const settings = readRecord(journal, records.settings);
  const failsafeRemainder = readRecord(journal, records.failsafe);
  return {
    ...(limits === undefined ? {} : { limits }),
    ...(settings === undefined ? {} : { settings }),
    ...(failsafeRemainder === undefined ? {} : { failsafeRemainder }),
  };
}

/** What the journal should hold of a state; `settings` once they were configured. */
export function energyImage(records: EnergyRecords, state: EnergyState, defaults: EnergySettings): readonly Change[] {
  const limits = lasting(state.limits).length > 0 || state.limits.suspended.size > 0;
  const remainder = journalledRemainder(state.failsafe);
  return [
    limits ? setRecord(records.limits, state.limits) : { key: records.limits.key, value: null },
    state.settings === defaults ? { key: records.settings.key, value: null } : setRecord(records.settings, state.settings),
    remainder === undefined ? { key: records.failsafe.key, value: null } : setRecord(records.failsafe, remainder),
  ];
}

function encodeLimits(book: LimitBook): Uint8Array {
  const groups = lasting(book).map(({ zone, kind, side, entries }) => [
    zone,
    kind === 'power' ? 0 : 1,
    side,
    [...entries].map(([key, { value, cause }]) => [key, value, cause]),
  ]);
  return encodeCbor(
    new Map<number, CborValue>([
      [0, VERSION],
      [1, groups],
      [2, [...book.suspended].sort()],
    ]),
  );
}

function decodeLimits(bytes: Uint8Array): LimitBook {
  const map = record(bytes, 'limits record');
  const groups: Book = arrayAt(map, 1).map((item): Group => {
    const fields = new Map((item as readonly CborValue[]).entries());
    return {
      zone: textAt(fields, 0, 'zone id'),
      kind: integerAt(fields, 1, 'kind', 0, 1) === 0 ? 'power' : 'phases',
      side: integerAt(fields, 2, 'direction', 0, 1) as Side,
      entries: new Map(arrayAt(fields, 3).map(decodeEntry)),
      until: undefined,
    };
  });
  return { groups, suspended: new Set(arrayAt(map, 2).filter((zone) => typeof zone === 'string')), constraints: new Map() };
}

function decodeEntry(item: CborValue): [number, Entry] {
  const fields = new Map((item as readonly CborValue[]).entries());
  const value = integerAt(fields, 1, 'limit');
  return [integerAt(fields, 0, 'phase', 0, 2), { value, cause: integerAt(fields, 2, 'cause', 0, 4), order: 0 }];
}

function encodeSettings({ failsafeLimits, failsafeDuration, optOut }: EnergySettings): Uint8Array {
  return encodeCbor(
    new Map<number, CborValue>([
      [0, VERSION],
      [1, failsafeLimits[0]],
      [2, failsafeLimits[1]],
      [3, failsafeDuration],
      [4, optOut],
    ]),
  );
}

function decodeSettings(bytes: Uint8Array): EnergySettings {
  const map = record(bytes, 'settings record');
  const limit = (key: number): number | null => (map.get(key) === null ? null : integerAt(map, key, 'failsafe limit'));
  return {
    failsafeLimits: [limit(1), limit(2)],
    failsafeDuration: integerAt(map, 3, 'failsafe duration', 1, LONGEST_REMAINDER / 1000),
    optOut: integerAt(map, 4, 'opt-out state', 0, 3),
  };
}

function record(bytes: Uint8Array, where: string): CborMap {
  const map = mapOf(decodeCbor(bytes), where);
  integerAt(map, 0, `${where} version`, VERSION, VERSION);
  return map;
}

function arrayAt(map: CborMap, key: number): readonly CborValue[] {
  const value = map.get(key);
  if (!Array.isArray(value)) throw new ShapeError(`field ${key}: an array is due`);
  return value as readonly CborValue[];
}
