import { type CborValue, decodeCbor, encodeCbor } from '../codec/cbor.js';
import { integerAt, mapOf, textAt } from '../codec/shape.js';
import { utf8Length } from '../codec/utf8.js';
import { PeerError } from '../errors.js';
import type { FeatureInstance, ReportChange } from '../model/feature.js';
import { InteractionStatus } from '../model/status.js';
import type { Journal } from '../store/journal.js';
import { defineRecord, type RecordDefinition, readRecord, setRecord } from '../store/records.js';
import { PriceUnit, TARIFF } from './tariff-table.js';
import { Values } from './values.js';

interface TariffState {
  readonly tariffId: number;
  readonly currency: string;
  readonly priceUnit: number;
  readonly description: string | null;
}

/** features.md §5, "before": until a controller tells. */
const UNKNOWN: TariffState = { tariffId: 0, currency: 'XXX', priceUnit: PriceUnit.PER_KWH, description: null };
const MOST_BYTES = 64;
const VERSION = 1;

/** Tariff of one endpoint: the last writer's, kept in the journal (features.md §5). */
export class Tariff implements FeatureInstance {
  readonly schema = TARIFF;
  readonly attributes: readonly number[];
  readonly commands = [1];
  readonly #journal: Pick<Journal, 'commit'>;
  readonly #record: RecordDefinition<TariffState>;
  readonly #values: Values;
  #state: TariffState;
  /** Commands one after the other: what one leaves out is what the one before it has set. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(endpoint: number, journal: Pick<Journal, 'get' | 'quarantine' | 'commit'>) {
    this.#journal = journal;
    this.#record = tariffRecord(endpoint);
    this.#state = readRecord(journal, this.#record) ?? UNKNOWN;
    this.#values = new Values(describe(this.#state));
    this.attributes = this.#values.ids;
  }

  attach(report: ReportChange): void {
    this.#values.attach(report);
  }

  read(id: number): CborValue {
    return this.#values.read(id);
  }

  /** Rejects with PeerError(11) or StoreError; nothing has changed then. */
  async invoke(_command: number, parameters: ReadonlyMap<string, CborValue>): Promise<undefined> {
    const currency = parameters.get('currency') as string;
    const description = parameters.get('description');
    if (!isCurrency(currency)) throw violated('a currency is three capital letters');
    if (typeof description === 'string' && utf8Length(description) > MOST_BYTES) throw violated(`description: at most ${MOST_BYTES} bytes`);
    const turn = this.#turn.then(() => this.#store(parameters, currency));
    this.#turn = turn.catch(() => undefined);
    await turn;
    return undefined;
  }

  async #store(parameters: ReadonlyMap<string, CborValue>, currency: string): Promise<void> {
    const { tariffId, priceUnit, description } = this.#state;
    // Absent: unchanged; null: as before any tariff was told.
    const next: TariffState = {
      tariffId: parameters.has('tariffId') ? ((parameters.get('tariffId') ?? UNKNOWN.tariffId) as number) : tariffId,
      currency,
      priceUnit: parameters.has('priceUnit') ? ((parameters.get('priceUnit') ?? UNKNOWN.priceUnit) as number) : priceUnit,
      description: parameters.has('description') ? ((parameters.get('description') ?? null) as string | null) : description,
    };
    await this.#journal.commit([setRecord(this.#record, next)]);
    this.#state = next;
    this.#values.update(describe(next));
  }
}

function describe({ tariffId, currency, priceUnit, description }: TariffState): ReadonlyMap<number, CborValue> {
  return new Map<number, CborValue>([
    [1, tariffId],
    [2, currency],
    [3, priceUnit],
    [4, description],
  ]);
}

function tariffRecord(endpoint: number): RecordDefinition<TariffState> {
  return defineRecord({
    key: `tariff/${endpoint}`,
    encode: ({ tariffId, currency, priceUnit, description }) =>
      encodeCbor(
        new Map<number, CborValue>([
          [0, VERSION],
          [1, tariffId],
          [2, currency],
          [3, priceUnit],
          [4, description],
        ]),
      ),
    decode: (bytes) => {
      const map = mapOf(decodeCbor(bytes), 'tariff record');
      integerAt(map, 0, 'tariff record version', VERSION, VERSION);
      return {
        tariffId: integerAt(map, 1, 'tariff id', 0, 0xffff_ffff),
        currency: textAt(map, 2, 'currency'),
        priceUnit: integerAt(map, 3, 'price unit', 0, 1),
        description: map.get(4) === null ? null : textAt(map, 4, 'description'),
      };
    },
  });
}

function isCurrency(text: string): boolean {
  if (text.length !== 3) return false;
  for (let i = 0; i < 3; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x41 || code > 0x5a) return false;
  }
  return true;
}

function violated(text: string): PeerError {
  return new PeerError(InteractionStatus.CONSTRAINT, text);
}
