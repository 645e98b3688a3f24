import type { CborValue } from '../codec/cbor.js';
import type { FeatureInstance, ReportChange } from '../model/feature.js';
import { OperatingState, STATUS } from './status-table.js';
import { Values } from './values.js';

export interface Fault {
  readonly code: number;
  readonly message: string;
  /** Vendor's detail of it, where there is one. */
  readonly detail?: number;
}

/** Operating state and health of one endpoint (features.md §5). */
export class Status implements FeatureInstance {
  readonly schema = STATUS;
  readonly attributes: readonly number[];
  readonly commands = [];
  readonly #values = new Values(describe(OperatingState.STANDBY, undefined));

  constructor() {
    this.attributes = this.#values.ids;
  }

  attach(report: ReportChange): void {
    this.#values.attach(report);
  }

  read(id: number): CborValue {
    return this.#values.read(id);
  }

  /** `OperatingState` of an endpoint without a fault; a fault is FAULT whatever the state. */
  update(state: number, fault?: Fault): void {
    this.#values.update(describe(state, fault));
  }
}

// features.md §5: 2–4 are null without a fault.
function describe(state: number, fault: Fault | undefined): ReadonlyMap<number, CborValue> {
  return new Map<number, CborValue>([
    [1, fault === undefined ? state : OperatingState.FAULT],
    [2, fault?.detail ?? null],
    [3, fault?.code ?? null],
    [4, fault?.message ?? null],
  ]);
}
