import type { CborValue } from '../codec/cbor.js';
import { sameValue } from '../codec/same-value.js';
import type { ReportChange } from '../model/feature.js';

/** The values of a feature that the device itself sets, by attribute id; tells what differs. */
export class Values {
  readonly #values = new Map<number, CborValue>();
  #report: ReportChange | undefined;

  constructor(initial: ReadonlyMap<number, CborValue>) {
    for (const [id, value] of initial) this.#values.set(id, value);
  }

  get ids(): readonly number[] {
    return [...this.#values.keys()];
  }

  attach(report: ReportChange): void {
    this.#report = report;
  }

  read(id: number): CborValue {
    return this.#values.get(id) ?? null;
  }

  /** Takes new values of what is listed; the others are left out. One report for all that changed. */
  update(values: ReadonlyMap<number, CborValue>): void {
    const changed: number[] = [];
    for (const [id, value] of values) {
      const former = this.#values.get(id);
      if (former === undefined || sameValue(former, value)) continue;
      this.#values.set(id, value);
      changed.push(id);
    }
    if (changed.length > 0) this.#report?.(changed);
  }
}
