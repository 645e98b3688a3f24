import type { CborValue } from '../codec/cbor.js';
import { ENERGY_CONTROL } from '../features/energy-control-table.js';
import { STATUS } from '../features/status-table.js';
import type { Caller, CommandOutcome, FeatureInstance, ReportChange } from '../model/feature.js';

const SET_LIMIT = 1;
const CONTROL_STATE = 2;
const OVERRIDE = 4;
/** RejectReason: the device is overridden. */
const REJECTED_OVERRIDDEN = 3;
/** Limits of these causes act in an override too (features.md §1). */
const PROTECTIVE_CAUSES: readonly CborValue[] = [0, 2];

/**
 * A feature whose attributes a test can set over what the device says (features.md §5). Those of EnergyControl hold until the feature's next command,
 * write or change, those of Status until it changes by itself (a Pause), the others until they are set again: simulated physics rests while tests run.
 */
export class ForcedFeature implements FeatureInstance {
  readonly #inner: FeatureInstance;
  readonly #forced = new Map<number, CborValue>();
  #report: ReportChange | undefined;

  constructor(inner: FeatureInstance) {
    this.#inner = inner;
  }

  get schema(): FeatureInstance['schema'] {
    return this.#inner.schema;
  }
  get attributes(): readonly number[] {
    return this.#inner.attributes;
  }
  get commands(): readonly number[] {
    return this.#inner.commands;
  }
  get silent(): boolean {
    return this.#inner.silent ?? false;
  }

  attach(report: ReportChange): void {
    this.#report = report;
    this.#inner.attach?.((ids, onlyZone) => {
      if (this.#isEnergyControl || this.schema.id === STATUS.id) this.release();
      report(ids, onlyZone);
    });
  }

  read(id: number, caller: Caller): CborValue {
    const forced = this.#forced.get(id);
    return forced === undefined ? this.#inner.read(id, caller) : forced;
  }

  authorizeWrite(id: number, caller: Caller): void {
    this.#inner.authorizeWrite?.(id, caller);
  }

  checkWrite(id: number, value: CborValue, caller: Caller, before: ReadonlyMap<number, CborValue>): void {
    this.#inner.checkWrite?.(id, value, caller, before);
  }

  async write(values: ReadonlyMap<number, CborValue>, caller: Caller): Promise<void> {
    await this.#inner.write?.(values, caller);
    if (this.#isEnergyControl) this.release();
  }

  authorize(command: number, parameters: ReadonlyMap<string, CborValue>, caller: Caller): void {
    this.#inner.authorize?.(command, parameters, caller);
  }

  async invoke(command: number, parameters: ReadonlyMap<string, CborValue>, caller: Caller): Promise<CommandOutcome | undefined> {
    if (this.#refuses(command, parameters)) return OVERRIDDEN;
    const outcome = await this.#inner.invoke?.(command, parameters, caller);
    if (this.#isEnergyControl) this.release();
    return outcome;
  }

  /** Subscribers are told as of any other change. False, and nothing is set, where an attribute is not listed. */
  force(values: ReadonlyMap<number, CborValue>): boolean {
    const ids = [...values.keys()];
    if (!ids.every((id) => this.attributes.includes(id))) return false;
    for (const [id, value] of values) this.#forced.set(id, value);
    this.#report?.(ids);
    return true;
  }

  /** The device's own values are there again. */
  release(): void {
    if (this.#forced.size === 0) return;
    const ids = [...this.#forced.keys()];
    this.#forced.clear();
    this.#report?.(ids);
  }

  get #isEnergyControl(): boolean {
    return this.schema.id === ENERGY_CONTROL.id;
  }

  /** The reference judges SetLimit by the attribute, and its harness relies on it. */
  #refuses(command: number, parameters: ReadonlyMap<string, CborValue>): boolean {
    if (!this.#isEnergyControl || command !== SET_LIMIT || this.#forced.get(CONTROL_STATE) !== OVERRIDE) return false;
    return !PROTECTIVE_CAUSES.includes(parameters.get('cause') ?? null);
  }
}

const OVERRIDDEN: CommandOutcome = {
  values: new Map<string, CborValue>([
    ['applied', false],
    ['controlState', OVERRIDE],
    ['rejectReason', REJECTED_OVERRIDDEN],
  ]),
};
