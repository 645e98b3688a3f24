import type { Clock } from '../platform.js';

/** The steps of connection-establishment §7.1, by their numbers. */
export const STEPS = {
  1: 'QR code',
  2: 'mDNS query',
  3: 'discriminator',
  4: 'TCP connect',
  5: 'TLS handshake',
  6: 'PASE',
  7: 'attestation',
  8: 'CSR',
  9: 'certificate install',
  10: 'close',
  11: 'TCP connect',
  12: 'mutual TLS',
  13: 'read DeviceInfo',
} as const;
export type StepNumber = keyof typeof STEPS;

export interface Step {
  readonly number: StepNumber;
  readonly name: string;
  readonly outcome: 'done' | 'skipped' | 'failed';
  /** What came of it, for people. */
  readonly detail: string;
  /** How long it took. */
  readonly milliseconds: number;
  /** When it ended, since the first step began. */
  readonly at: number;
}

/** Tells the steps of a commissioning as they end. */
export class StepReporter {
  readonly #clock: Clock;
  readonly #onStep: (step: Step) => void;
  readonly #started: number;
  readonly #steps: Step[] = [];

  constructor(clock: Clock, onStep: (step: Step) => void) {
    this.#clock = clock;
    this.#onStep = onStep;
    this.#started = clock.now();
  }

  /** All so far. */
  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** Runs a step. `detail` makes the text from the result; a step whose work rejects is told as failed. */
  async run<T>(number: StepNumber, detail: (result: T) => string, work: () => Promise<T>): Promise<T> {
    const begun = this.#clock.now();
    try {
      const result = await work();
      this.done(number, detail(result), this.#clock.now() - begun);
      return result;
    } catch (error) {
      this.failed(number, error, begun);
      throw error;
    }
  }

  done(number: StepNumber, detail: string, milliseconds = 0): void {
    this.#tell(number, 'done', detail, milliseconds);
  }

  skipped(number: StepNumber, detail: string): void {
    this.#tell(number, 'skipped', detail, 0);
  }

  failed(number: StepNumber, error: unknown, begun = this.#clock.now()): void {
    this.#tell(number, 'failed', error instanceof Error ? error.message : String(error), this.#clock.now() - begun);
  }

  #tell(number: StepNumber, outcome: Step['outcome'], detail: string, milliseconds: number): void {
    const step = { number, name: STEPS[number], outcome, detail, milliseconds, at: this.#clock.now() - this.#started };
    this.#steps.push(step);
    this.#onStep(step);
  }
}
