import type { CborValue } from '../codec/cbor.js';
import type { FeatureInstance, ReportChange } from '../model/feature.js';
import { MEASUREMENT } from './measurement-table.js';
import { Values } from './values.js';

/** One phase; + is into the device. */
export interface PhaseReading {
  /** mW. */
  readonly active: number;
  /** mVAR. */
  readonly reactive: number;
  /** mA, signed like the power. */
  readonly current: number;
  /** Phase to neutral, mV. */
  readonly voltage: number;
}

/** What the power stage measures at one moment. Integers. */
export interface PowerReading {
  /** Phases A, B, C, as many as there are. */
  readonly phases: readonly PhaseReading[];
  /** mHz. */
  readonly frequency: number;
  /** mWh since the factory; never falls. */
  readonly energyConsumed: number;
  /** mWh since the factory; never falls. */
  readonly energyProduced: number;
  /** Hundredths of a degree; null: not known. */
  readonly temperature: number | null;
}

/** A power stage at rest on a healthy grid. `voltage` in V, `frequency` in Hz. */
export function idleReading(phaseCount: number, voltage: number, frequency: number, energyConsumed = 0): PowerReading {
  const phase: PhaseReading = { active: 0, reactive: 0, current: 0, voltage: voltage * 1000 };
  return {
    phases: Array.from({ length: phaseCount }, () => phase),
    frequency: frequency * 1000,
    energyConsumed,
    energyProduced: 0,
    temperature: null,
  };
}

/** AC telemetry of one endpoint; what the board cannot measure is not listed (features.md §5). */
export class Measurement implements FeatureInstance {
  readonly schema = MEASUREMENT;
  readonly attributes: readonly number[];
  readonly commands = [];
  readonly #values: Values;

  /** `attributes`: what the board measures. */
  constructor(attributes: readonly number[], reading: PowerReading) {
    this.attributes = attributes;
    const all = describe(reading);
    this.#values = new Values(new Map(attributes.map((id) => [id, all.get(id) ?? null])));
  }

  attach(report: ReportChange): void {
    this.#values.attach(report);
  }

  read(id: number): CborValue {
    return this.#values.read(id);
  }

  /** Undefined: nothing is known now, every value is null. */
  update(reading: PowerReading | undefined): void {
    this.#values.update(reading === undefined ? new Map(this.attributes.map((id) => [id, null])) : describe(reading));
  }
}

function describe({ phases, frequency, energyConsumed, energyProduced, temperature }: PowerReading): Map<number, CborValue> {
  const active = sum(phases.map((phase) => phase.active));
  const reactive = sum(phases.map((phase) => phase.reactive));
  const apparent = Math.round(Math.sqrt(active * active + reactive * reactive));
  return new Map<number, CborValue>([
    [1, active],
    [2, reactive],
    [3, apparent],
    [10, perPhase(phases, (phase) => phase.active)],
    [11, perPhase(phases, (phase) => phase.reactive)],
    [12, perPhase(phases, ({ active, reactive }) => Math.round(Math.sqrt(active * active + reactive * reactive)))],
    [20, perPhase(phases, (phase) => phase.current)],
    [21, perPhase(phases, (phase) => phase.voltage)],
    [23, frequency],
    // features.md §5: 1000 at no load.
    [24, apparent === 0 ? 1000 : Math.round((1000 * active) / apparent)],
    [30, energyConsumed],
    [31, energyProduced],
    [60, temperature],
  ]);
}

function perPhase(phases: readonly PhaseReading[], value: (phase: PhaseReading) => number): CborValue {
  return new Map(phases.map((phase, index) => [index, value(phase)]));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
