import type { DialectName } from '../dialect/messages.js';
import type { Bench } from './bench.js';
import type { Claims } from './claims.js';
import { Refuted } from './verdict.js';

/** One run of a case: what it works with, and what it has done. */
export class Trial {
  readonly bench: Bench;
  readonly dialect: DialectName;
  readonly pics: Claims;
  readonly steps: string[] = [];

  constructor(bench: Bench, dialect: DialectName) {
    this.bench = bench;
    this.dialect = dialect;
    this.pics = bench.pics;
  }

  /** Names what is done next. */
  step(text: string): void {
    this.steps.push(text);
  }

  /** Throws Refuted where another than `due` was seen. */
  equal(seen: unknown, due: unknown, what: string): void {
    if (seen !== due) throw new Refuted(`${what}: ${String(due)} is due, seen was ${String(seen)}`);
  }

  /** Throws Refuted where the condition does not hold. */
  holds(condition: boolean, otherwise: string): void {
    if (!condition) throw new Refuted(otherwise);
  }

  /** What this dialect has for it. */
  per<T>(table: Readonly<Record<DialectName, T>>): T {
    return table[this.dialect];
  }

  sleep(milliseconds: number): Promise<void> {
    return this.bench.sleep(milliseconds);
  }
}
